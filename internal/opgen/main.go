// Opgen generates torch/aten from the schemas of libtorch's operators, and the
// functions of curated.txt from the same. Run it at the module's root:
//
//	go run ./internal/opgen
//
// The schemas are in schemas.txt, which is taken from the native_functions.yaml
// that a torch wheel ships. For another version of libtorch, take it anew:
//
//	go run ./internal/opgen path/to/torchgen/packaged/ATen/native/native_functions.yaml
package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:generate go run -C ../.. ./internal/opgen

// schemasFile holds one operator a line: the variants of native_functions.yaml, a tab, and the schema.
const schemasFile = "internal/opgen/schemas.txt"

//go:embed schemas.txt
var vendored []byte

func main() {
	log.SetFlags(0)
	if len(os.Args) > 2 {
		log.Fatal("usage: go run ./internal/opgen [native_functions.yaml]")
	}
	if len(os.Args) == 2 {
		taken, err := vendor(os.Args[1])
		if err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(filepath.FromSlash(schemasFile), taken, 0o644); err != nil {
			log.Fatal(err)
		}
		vendored = taken
	}
	files, err := Generate()
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
func Generate() (map[string][]byte, error) {
	schemas, err := read(vendored)
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

// vendor returns what schemas.txt holds for a native_functions.yaml, in its order.
func vendor(path string) ([]byte, error) {
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
	var out bytes.Buffer
	for _, f := range functions {
		fmt.Fprintf(&out, "%s\t%s\n", f.Variants, f.Func)
	}
	return out.Bytes(), nil
}

// read returns the operators of schemas.txt, in its order.
func read(text []byte) ([]*Schema, error) {
	var out []*Schema
	for line := range bytes.Lines(text) {
		variants, schema, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), "\t")
		s, err := ParseSchema(schema)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", schemasFile, err)
		}
		s.method = strings.Contains(variants, "method")
		s.function = variants == "" || strings.Contains(variants, "function")
		out = append(out, s)
	}
	return out, nil
}
