// Opgen generates torch/aten from the operators that a torch wheel ships, and the
// functions of curated.txt from the same. Run it at the module's root:
//
//	go run ./internal/opgen path/to/torchgen/packaged/ATen/native/native_functions.yaml
package main

import (
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: go run ./internal/opgen native_functions.yaml")
	}
	files, err := Generate(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.FromSlash(name), text, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// Generate returns the files by their paths in the module.
func Generate(yamlPath string) (map[string][]byte, error) {
	schemas, err := read(yamlPath)
	if err != nil {
		return nil, err
	}
	files, err := emit(schemas)
	if err != nil {
		return nil, err
	}
	curated, err := emitCurated(schemas)
	maps.Copy(files, curated)
	return files, err
}

// read returns the signatures of native_functions.yaml, in its order.
func read(path string) ([]*Schema, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var functions []struct {
		Func     string `yaml:"func"`
		Variants string `yaml:"variants"`
	}
	if err := yaml.Unmarshal(data, &functions); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var out []*Schema
	for _, f := range functions {
		s, err := ParseSchema(f.Func)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		s.function = f.Variants == "" || strings.Contains(f.Variants, "function")
		out = append(out, s)
	}
	return out, nil
}
