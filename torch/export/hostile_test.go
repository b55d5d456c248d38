package export

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
)

// records returns the records of a kept file, without the folder that they are in.
func records(t testing.TB, name string) map[string][]byte {
	t.Helper()
	z, err := zip.OpenReader("testdata/" + name + ".pt2")
	require.NoError(t, err)
	defer z.Close()
	all := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		require.NoError(t, err)
		b, err := io.ReadAll(r)
		require.NoError(t, err)
		_, rest, _ := strings.Cut(f.Name, "/")
		all[rest] = b
	}
	return all
}

// archive makes a file of records.
func archive(t testing.TB, records map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(records)) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "m/" + name})
		require.NoError(t, err)
		_, err = w.Write(records[name])
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

const (
	model   = "models/model.json"
	weights = "data/weights/model_weights_config.json"
)

// TestHostile has files that violate the format, and files with what is not supported. All are read without a call.
func TestHostile(t *testing.T) {
	replace := func(record, old, new string) func(r map[string][]byte) {
		return func(r map[string][]byte) {
			b := bytes.Replace(r[record], []byte(old), []byte(new), 1)
			if bytes.Equal(b, r[record]) {
				panic(old + " is not in " + record)
			}
			r[record] = b
		}
	}
	conv := `"target": "torch.ops.aten.conv2d.default"`
	deep := strings.Repeat("[", 5000)
	for _, c := range []struct {
		name string
		kind error
		edit func(r map[string][]byte)
		want string
	}{
		{"no model", torch.ErrUnsupported, func(r map[string][]byte) { delete(r, model) }, "no exported program"},
		{"not JSON", torch.ErrMalformed, func(r map[string][]byte) { r[model] = []byte("{") }, "unexpected end"},
		{"deep", torch.ErrUnsupported, func(r map[string][]byte) { r[model] = []byte(deep) }, "nested deeper"},
		{"no version", torch.ErrMalformed, replace(model, `"schema_version"`, `"version"`), "schema_version"},
		{"version", torch.ErrUnsupported, replace(model, `"major": 8`, `"major": 9`), "the version 9."},
		{"format", torch.ErrUnsupported, func(r map[string][]byte) { r["archive_format"] = []byte("pt3") }, `"pt3"`},
		{"no weights", torch.ErrMalformed, func(r map[string][]byte) { delete(r, weights) }, "no record"},
		{"no storage", torch.ErrMalformed, func(r map[string][]byte) { delete(r, "data/weights/weight_0") }, "no record"},
		{"short storage", torch.ErrMalformed, func(r map[string][]byte) { r["data/weights/weight_0"] = r["data/weights/weight_0"][:8] }, "exceeds its storage"},
		{"empty storage", torch.ErrUnsupported, func(r map[string][]byte) { r["data/weights/weight_0"] = nil }, "without its weights"},
		{"offset", torch.ErrMalformed, replace(weights, `"storage_offset": {"as_int": 0}`, `"storage_offset": {"as_int": 1000}`), "exceeds its storage"},
		{"offset below 0", torch.ErrMalformed, replace(weights, `"storage_offset": {"as_int": 0}`, `"storage_offset": {"as_int": -4}`), "exceeds its storage"},
		{"size overflows", torch.ErrMalformed, replace(weights, `"sizes": [{"as_int": 4}`, `"sizes": [{"as_int": 4611686018427387904}`), "exceeds its storage"},
		{"size of 70 bits", torch.ErrMalformed, replace(weights, `"sizes": [{"as_int": 4}`, `"sizes": [{"as_int": 1180591620717411303424}`), "cannot unmarshal"},
		{"symbolic size", torch.ErrMalformed, replace(weights, `{"as_int": 4}`, `{"as_expr": {"expr_str": "s0"}}`), `"as_expr"`},
		{"dtype", torch.ErrUnsupported, replace(weights, `"dtype": 7`, `"dtype": 99`), "dtype 99"},
		{"layout", torch.ErrUnsupported, replace(weights, `"layout": 7`, `"layout": 1`), "layout 1"},
		{"pickle", torch.ErrMalformed, replace(weights, `"use_pickle": false`, `"use_pickle": true`), "weight"},
		{"path", torch.ErrMalformed, replace(weights, `"weight_0"`, `"../../weight_0"`), "no record"},
		{"two kinds", torch.ErrMalformed, replace(model, `{"as_bool": false}`, `{"as_bool": false, "as_int": 1}`), "2 kinds"},
		{"unknown kind", torch.ErrUnsupported, replace(model, `{"as_bool": false}`, `{"as_new": true}`), `"as_new"`},
		{"object", torch.ErrUnsupported, replace(model, `{"as_bool": false}`, `{"as_custom_obj": {"name": "x", "class_fqn": "y"}}`), `"as_custom_obj"`},
		{"null", torch.ErrMalformed, replace(model, `{"as_tensor": {"name": "x"}}`, `{"as_tensor": null}`), ""},
		{"unknown value", torch.ErrMalformed, replace(model, `"arg": {"as_tensor": {"name": "p_conv_weight"}}`, `"arg": {"as_tensor": {"name": "what"}}`), `"what" is used before`},
		{"later value", torch.ErrMalformed, replace(model, `"arg": {"as_tensor": {"name": "p_conv_weight"}}`, `"arg": {"as_tensor": {"name": "linear"}}`), `"linear" is used before`},
		{"cycle", torch.ErrMalformed, replace(model, `"arg": {"as_tensor": {"name": "p_conv_weight"}}`, `"arg": {"as_tensor": {"name": "conv2d"}}`), `"conv2d" is used before`},
		{"duplicate", torch.ErrMalformed, replace(model, `"outputs": [{"as_tensor": {"name": "conv2d"}}]`, `"outputs": [{"as_tensor": {"name": "x"}}]`), `two values are named "x"`},
		{"no description", torch.ErrMalformed, replace(model, `"outputs": [{"as_tensor": {"name": "conv2d"}}]`, `"outputs": [{"as_tensor": {"name": "conv3d"}}]`), `"conv3d" has no description`},
		{"no such operator", torch.ErrUnsupported, replace(model, conv, `"target": "torch.ops.aten.conv9d.default"`), "aten::conv9d"},
		{"another library's", torch.ErrUnsupported, replace(model, conv, `"target": "torch.ops.mylib.conv2d.default"`), "mylib::conv2d"},
		{"trusting", torch.ErrUnsupported, replace(model, conv, `"target": "torch.ops.aten._embedding_bag.default"`), "trusts its arguments"},
		{"files", torch.ErrUnsupported, replace(model, conv, `"target": "torch.ops.aten.from_file.default"`), "reads files"},
		{"set_", torch.ErrUnsupported, replace(model, conv, `"target": "torch.ops.aten.set_.source_Tensor"`), "exchanges the memory"},
		{"Python", torch.ErrUnsupported, replace(model, conv, `"target": "os.system"`), `"os.system"`},
		{"no dots", torch.ErrUnsupported, replace(model, conv, `"target": "torch.ops.aten"`), "torch.ops.aten"},
		{"triton", torch.ErrUnsupported, replace(model, conv, `"target": "torch.ops.higher_order.triton_kernel_wrapper_functional"`), "triton"},
		{"argument", torch.ErrUnsupported, replace(model, `{"name": "weight", "arg"`, `{"name": "wait", "arg"`), `"wait"`},
		{"argument twice", torch.ErrMalformed, replace(model, `{"name": "weight", "arg"`, `{"name": "input", "arg"`), "given twice"},
		{"None", torch.ErrMalformed, replace(model, `"arg": {"as_tensor": {"name": "p_conv_weight"}}`, `"arg": {"as_none": true}`), "it is None"},
		{"None in a list", torch.ErrMalformed, replace(model, `"arg": {"as_tensor": {"name": "p_conv_weight"}}`, `"arg": {"as_optional_tensors": [{"as_none": true}]}`), "it is a list"},
		{"constraint", torch.ErrMalformed, replace(model, `"Symbol('s77'`, `"Symbol(s77'`), "Symbol"},
		{"deep expression", torch.ErrMalformed, replace(model, `"Symbol('s77', positive=True, integer=True)"`, `"`+strings.Repeat("Add(", 500)+`"`), "nested deeper"},
		{"guard", torch.ErrUnsupported, replace(model, `"guards_code": []`, `"guards_code": ["__import__('os')"]`), "__import__"},
		{"deep guard", torch.ErrUnsupported, replace(model, `"guards_code": []`, `"guards_code": ["`+strings.Repeat("(", 5000)+`"]`), "nested deeper"},
		{"many nots", torch.ErrUnsupported, replace(model, `"guards_code": []`, `"guards_code": ["`+strings.Repeat("not ", 5000)+`1"]`), "nested deeper"},
		{"signature", torch.ErrMalformed, replace(model, `"input_specs": [{"parameter"`, `"input_specs": [{"user_input": {"arg": {"as_int": 1}}}, {"parameter"`), "the signature has"},
		{"unknown parameter", torch.ErrMalformed, replace(model, `"parameter_name": "conv.weight"`, `"parameter_name": "conv.wait"`), `"conv.wait"`},
		{"other parameter", torch.ErrMalformed, replace(model, `"parameter_name": "conv.weight"`, `"parameter_name": "fc.weight"`), `"fc.weight" is`},
		{"mutation", torch.ErrMalformed, replace(model, `{"user_output": {"arg": {"as_tensor": {"name": "softmax"}}}}`, `{"buffer_mutation": {"arg": {"name": "softmax"}, "buffer_name": "no"}}`), `"no"`},
		{"token", torch.ErrUnsupported, replace(model, `{"user_output": {"arg": {"as_tensor": {"name": "softmax"}}}}`, `{"token": {"arg": {"name": "softmax"}}}`), `"token"`},
		{"device", torch.ErrUnsupported, replace(model, `"device": {"type": "cpu"`, `"device": {"type": "toaster"`), "toaster"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := records(t, "net")
			c.edit(r)
			_, err := read(archive(t, r), nil, LoadOptions{ModelName: "model"})
			require.ErrorIs(t, err, c.kind, "%v", err)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// TestTruncated reads the beginnings of a file.
func TestTruncated(t *testing.T) {
	whole, err := os.ReadFile("testdata/net.pt2")
	require.NoError(t, err)
	for n := 0; n < len(whole); n += 97 {
		_, err := read(whole[:n], nil, LoadOptions{ModelName: "model"})
		require.ErrorIs(t, err, torch.ErrMalformed, "%d bytes", n)
	}
	_, err = Load("testdata/absent.pt2")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Load("../aoti/testdata")
	require.Error(t, err)
	_, err = Load("testdata/net.calls")
	require.ErrorIs(t, err, torch.ErrUnsupported)
	_, err = Load("testdata/net.pt2", LoadOptions{ModelName: "other"})
	require.ErrorContains(t, err, `there is no program "other"; there are ["model"]`)
}

var fuzzed = []string{"net", "net_core", "containers", "containers_core", "parts", "counts", "sizes", "core"}

// FuzzProgram reads graphs that are changed, and runs those that can be read. Run it with -fuzzminimizetime 1x: making one of the
// long graphs smaller would take all of the time.
func FuzzProgram(f *testing.F) {
	for _, name := range fuzzed {
		f.Add(name, records(f, name)[model])
	}
	kept := map[string]map[string][]byte{}
	f.Fuzz(func(t *testing.T, name string, graph []byte) {
		if !slices.Contains(fuzzed, name) {
			return
		}
		if kept[name] == nil {
			kept[name] = records(t, name)
		}
		r := maps.Clone(kept[name])
		r[model] = graph
		tryProgram(t, archive(t, r))
	})
}

// tryProgram reads a file and runs the program, with errors that are typed.
func tryProgram(t *testing.T, file []byte) (called, ran bool) {
	t.Helper()
	p, err := read(file, nil, LoadOptions{ModelName: "model"})
	if err != nil {
		require.True(t, errors.Is(err, torch.ErrMalformed) || errors.Is(err, torch.ErrUnsupported), "%v", err)
		return false, false
	}
	_ = p.Graph().String()
	var inputs []torch.Value
	for _, in := range p.inputs {
		if in.value == nil {
			inputs = append(inputs, in.fixed)
			continue
		}
		if in.value.Number != "" {
			inputs = append(inputs, 3)
			continue
		}
		shape := slices.Clone(in.value.Shape)
		n := 1
		for i, d := range shape {
			if d == -1 {
				shape[i] = 4
			}
			if n *= max(shape[i], 1); n > 1<<20 {
				return false, false
			}
		}
		var x *torch.Tensor
		if err := torch.Try(func() { x = torch.Options{DType: in.value.DType}.Ones(shape...) }); err != nil {
			return false, false
		}
		inputs = append(inputs, x)
	}
	_, err = p.run("export.Forward", inputs)
	var torchError *torch.Error
	require.True(t, err == nil || errors.As(err, &torchError), "%v", err)
	return true, err == nil
}

// TestMutants runs graphs with arguments, operators and names that are exchanged at random: some, and more with
// TORCHHUB_TEST_LARGE=1.
func TestMutants(t *testing.T) {
	n := 200
	if os.Getenv("TORCHHUB_TEST_LARGE") == "1" {
		n = 20_000
	}
	names := []string{"net", "net_core", "containers", "containers_core", "parts", "counts", "sizes", "core", "sequence"}
	files := map[string]map[string][]byte{}
	var nodes []any // of all files
	for _, name := range names {
		files[name] = records(t, name)
		var m map[string]any
		require.NoError(t, json.Unmarshal(files[name][model], &m))
		nodes = append(nodes, m["graph_module"].(map[string]any)["graph"].(map[string]any)["nodes"].([]any)...)
	}
	called, ran := 0, 0
	for i := range n {
		rng := rand.New(rand.NewPCG(uint64(i), 1))
		name := names[rng.IntN(len(names))]
		r := maps.Clone(files[name])
		var m map[string]any
		require.NoError(t, json.Unmarshal(r[model], &m))
		for range 1 + rng.IntN(3) {
			mutate(rng, m, nodes)
		}
		var err error
		r[model], err = json.Marshal(m)
		require.NoError(t, err)
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			c, r := tryProgram(t, archive(t, r))
			if c {
				called++
			}
			if r {
				ran++
			}
		})
	}
	require.Greater(t, ran, n/20)
	t.Logf("%d of %d are called, and %d of them without an error", called, n, ran)
}

// mutate changes one part of a program: mostly an argument, which keeps its kind.
func mutate(rng *rand.Rand, m map[string]any, others []any) {
	g := m["graph_module"].(map[string]any)["graph"].(map[string]any)
	nodes := g["nodes"].([]any)
	at := rng.IntN(len(nodes))
	node := nodes[at].(map[string]any)
	other := others[rng.IntN(len(others))].(map[string]any)
	inputs, _ := node["inputs"].([]any)
	switch rng.IntN(24) {
	case 0:
		node["target"] = other["target"]
		return
	case 1:
		i := rng.IntN(len(nodes))
		nodes[at], nodes[i] = nodes[i], nodes[at]
		return
	case 2:
		copied := maps.Clone(other)
		copied["outputs"] = node["outputs"]
		nodes[at] = copied
		return
	}
	if len(inputs) == 0 {
		return
	}
	earlier := slices.Clone(g["inputs"].([]any)) // values that the node may use
	for _, n := range nodes[:at] {
		earlier = append(earlier, n.(map[string]any)["outputs"].([]any)...)
	}
	numbers := []int{-2, -1, 0, 1, 2, 3, 7, 1 << 40, 1 << 62, math.MinInt64, math.MaxInt64}
	number := func() any { return numbers[rng.IntN(len(numbers))] }
	arg := inputs[rng.IntN(len(inputs))].(map[string]any)
	u := arg["arg"].(map[string]any)
	for kind, v := range u {
		switch kind {
		case "as_tensor", "as_sym_int":
			arg["arg"] = earlier[rng.IntN(len(earlier))]
		case "as_none":
			arg["arg"] = []any{earlier[rng.IntN(len(earlier))], map[string]any{"as_int": number()}, map[string]any{"as_ints": []any{number(), number()}}}[rng.IntN(3)]
		case "as_tensors":
			list := slices.Clone(v.([]any))
			u[kind] = append(list, list[rng.IntN(len(list))])
		case "as_ints", "as_sym_ints":
			list := slices.Clone(v.([]any))
			if n := len(list); n > 0 && rng.IntN(3) > 0 {
				if list[rng.IntN(n)] = number(); kind == "as_sym_ints" {
					list[rng.IntN(n)] = map[string]any{"as_int": number()}
				}
			} else {
				list = append(list, list...)
			}
			u[kind] = list
		case "as_int", "as_scalar_type", "as_memory_format", "as_layout":
			u[kind] = number()
		case "as_bool":
			u[kind] = v == false
		case "as_float":
			u[kind] = []any{"NaN", "Infinity", -1, 0, 1e300}[rng.IntN(5)]
		case "as_string":
			u[kind] = "reflect"
		}
	}
}
