package v2_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// initials are the parts of Python's names that Go writes in capitals.
var initials = map[string]string{"rgb": "RGB", "jpeg": "JPEG", "pil": "PIL", "keypoints": "KeyPoints"}

// others are the names that differ by more than capitals, and why.
var others = map[string]string{
	"hflip": "HFlip", "vflip": "VFlip",
}

// goName returns the Go name of a functional.
func goName(python string) string {
	if n, ok := others[python]; ok {
		return n
	}
	var b strings.Builder
	for _, part := range strings.Split(python, "_") {
		if n, ok := initials[part]; ok {
			b.WriteString(n)
		} else {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// exported returns what a package exports.
func exported(t *testing.T, dir string) (names []string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					names = append(names, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if s, ok := s.(*ast.TypeSpec); ok {
						names = append(names, s.Name.Name)
					}
				}
			}
		}
	}
	return names
}

// TestNoNameMissing asks Python for the names of torchvision.transforms.v2 and of
// its functionals: each must be there in Go, and each class and functional must have a row that is compared.
func TestNoNameMissing(t *testing.T) {
	p := start(t)
	var functional, class []string
	p.Call(&functional, "lambda: sorted(n for n in dir(F) if not n.startswith('_'))")
	p.Call(&class, "lambda: sorted(n for n in dir(v2) if not n.startswith('_') and n != 'functional')")
	require.Greater(t, len(functional), 150)
	require.Greater(t, len(class), 70)

	have := exported(t, "functional")
	rows := map[string]bool{}
	for _, r := range functionals {
		rows[r.name] = true
	}
	for _, n := range functional {
		name := goName(n)
		if n == "InterpolationMode" {
			name = "Interpolation"
		}
		require.Contains(t, have, name, "torchvision.transforms.v2.functional.%s", n)
		require.True(t, rowOf(rows, n) != "", "the functional %s has no row", n)
	}

	have = exported(t, ".")
	rows = map[string]bool{}
	for _, r := range classes {
		rows[r.name] = true
	}
	for _, n := range class {
		name, helper := n, strings.ToLower(n) == n
		switch {
		case n == "InterpolationMode":
			name, helper = "Interpolation", true
		case n == "AutoAugmentPolicy":
			helper = true
		case n == "query_chw":
			name = "QueryCHW"
		case helper:
			name = goName(n)
		}
		require.Contains(t, have, name, "torchvision.transforms.v2.%s", n)
		require.True(t, helper || rows[n], "the class %s has no row", n)
	}
}

// rowOf returns the row in which a functional or a kernel of it is compared.
func rowOf(rows map[string]bool, name string) string {
	aliases := map[string]string{
		"hflip": "horizontal_flip", "vflip": "vertical_flip", "elastic_transform": "elastic", "to_grayscale": "rgb_to_grayscale",
		"get_image_num_channels": "get_num_channels", "get_image_size": "get_size", "convert_image_dtype": "to_dtype",
		"to_tensor": "ToTensor", "pil_to_tensor": "PILToTensor", "to_pil_image": "ToPILImage", // compared as classes
		"register_kernel": "TestRegisterKernel", "is_pure_tensor": "TestQueries", "InterpolationMode": "resize",
	}
	if a, ok := aliases[name]; ok {
		return a
	}
	for _, kind := range []string{"", "_image", "_video", "_mask", "_bounding_boxes", "_keypoints"} {
		if base, ok := strings.CutSuffix(name, kind); ok && rows[base] {
			return base
		}
	}
	return ""
}

// TestRowsAreUnique keeps a row from hiding another.
func TestRowsAreUnique(t *testing.T) {
	var names []string
	for _, r := range functionals {
		names = append(names, r.name)
	}
	for _, r := range classes {
		names = append(names, r.name)
	}
	slices.Sort(names)
	require.Equal(t, len(names), len(slices.Compact(slices.Clone(names))))
}
