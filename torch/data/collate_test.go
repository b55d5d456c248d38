package data_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
)

// text describes what was collated, as the script below does.
func text(v any) string {
	switch v := v.(type) {
	case *torch.Tensor:
		return fmt.Sprintf("%v %v %v", v.DType(), v.Shape(), torch.Data[float64](v.ToDType(torch.Float64)))
	case []any:
		s := "["
		for _, x := range v {
			s += text(x) + ";"
		}
		return s + "]"
	case map[string]any:
		return "{a:" + text(v["a"]) + ";b:" + text(v["b"]) + "}"
	}
	return fmt.Sprint(v)
}

func TestCollateIsPythons(t *testing.T) {
	p := reference.Start(t, `
import torch
from torch.utils.data import default_collate

def text(v):
    if isinstance(v, torch.Tensor):
        number = lambda x: str(int(x)) if x == int(x) else repr(x)
        return f"{str(v.dtype)[6:]} [{' '.join(map(str, v.shape))}] [{' '.join(map(number, v.double().flatten().tolist()))}]"
    if isinstance(v, dict): return f"{{a:{text(v['a'])};b:{text(v['b'])}}}"
    if all(isinstance(x, str) for x in v): return "[" + " ".join(v) + "]"
    return "[" + "".join(text(x) + ";" for x in v) + "]"

def collate(source):
    return text(default_collate(eval(source)))
`)
	for source, samples := range map[string][]any{
		"[1, 2]":                          {1, 2},
		"[1.5, 2]":                        {1.5, 2},
		"[1, 2.5]":                        {1, 2.5},
		"[True, False]":                   {true, false},
		"[True, 2]":                       {true, 2},
		"[2, True, 0.5]":                  {2, true, 0.5},
		"['x', 'yz']":                     {"x", "yz"},
		"[(1, 2.5), (3, 4.5)]":            {[]any{1, 2.5}, []any{3, 4.5}},
		"[[1, 2], [3, 4]]":                {[]int{1, 2}, []int{3, 4}},
		"[('x', True), ('y', False)]":     {[]any{"x", true}, []any{"y", false}},
		"[torch.ones(2), torch.zeros(2)]": {torch.Ones(2), torch.Zeros(2)},
		"[{'a': 1, 'b': torch.ones(1, 2)}, {'a': 3, 'b': torch.ones(1, 2), 'c': 5}]": {map[string]any{"a": 1, "b": torch.Ones(1, 2)}, map[string]any{"a": 3, "b": torch.Ones(1, 2), "c": 5}},
		"[{'a': ['x', 1], 'b': 2.5}]":          {map[string]any{"a": []any{"x", 1}, "b": 2.5}},
		"[torch.tensor(3, dtype=torch.uint8)]": {torch.Scalar(uint8(3))},
	} {
		var want string
		p.Call(&want, "collate", source)
		got, err := data.Collate[any](samples)
		require.NoError(t, err, source)
		require.Equal(t, want, text(got), source)
	}
}

type class int

type point struct {
	X     float32
	Name  string
	Class class
	Boxes *torch.Tensor
	Size  [2]int
	Row   []float64
}

type points struct {
	X, Class, Row *torch.Tensor
	Name          []string
	Boxes         []*torch.Tensor
	Size          [2]*torch.Tensor
}

func TestCollateStructs(t *testing.T) {
	samples := []*point{{1, "a", 2, torch.Ones(1), [2]int{3, 4}, []float64{1, 2}}, {5, "b", 6, torch.Ones(2), [2]int{7, 8}, []float64{3, 4}}}
	b, err := data.Collate[points](samples)
	require.NoError(t, err)
	require.Equal(t, []float32{1, 5}, torch.Data[float32](b.X))
	require.Equal(t, []int64{2, 6}, torch.Data[int64](b.Class))
	require.Equal(t, []int{2, 2}, b.Row.Shape())
	require.Equal(t, []string{"a", "b"}, b.Name)
	require.Len(t, b.Boxes, 2)
	require.Equal(t, []int64{4, 8}, torch.Data[int64](b.Size[1]))
	_, err = data.Collate[points]([]*point{nil})
	require.ErrorContains(t, err, "sample 0 is nil")
	_, err = data.Collate[*points](samples[:1])
	require.NoError(t, err)
}

func TestCollateMistakes(t *testing.T) {
	for want, samples := range map[string][]any{
		"no samples":                  {},
		"sample 1 is nil":             {1, nil},
		"sample 1 is a string, but":   {1, "x"},
		"sample 1 has 1 elements":     {[]any{1, 2}, []any{1}},
		"sample 1 has no key a":       {map[string]any{"a": 1}, map[string]any{}},
		"key a: samples of type":      {map[string]any{"a": struct{ X int }{}}},
		"sample 1 has the shape [3]":  {torch.Ones(2), torch.Ones(3)},
		"the tensor of sample 0 is n": {(*torch.Tensor)(nil)},
		"do not make a batch of type": {func() {}},
	} {
		_, err := data.Collate[any](samples)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "\n")
	}
	require.ErrorContains(t, torch.Try(func() { data.Collate[int]([]int{1}) }), "samples of type int do not make a batch of type int")
}

func TestDatasets(t *testing.T) {
	a, b := data.List[int]{1, 2}, data.List[int]{3, 4, 5}
	all := data.Concat[int](a, data.List[int]{}, b)
	var got []int
	for i := range all.Len() {
		x, err := all.At(t.Context(), i)
		require.NoError(t, err)
		got = append(got, x)
	}
	require.Equal(t, []int{1, 2, 3, 4, 5}, got)
	z := data.Zip[int, int](a, data.NewSubset[int](b, []int{2, 0}))
	s, err := z.At(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, data.Sample[int, int]{1, 5}, s)
	pairs := data.NewTensorDataset(torch.Arange(6).Reshape(3, 2), torch.Arange(3))
	for x, err := range data.NewLoader[[]*torch.Tensor](pairs, data.LoaderOptions{BatchSize: 3}).Batches(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, []int{3, 2}, x[0].Shape())
		require.Equal(t, []int{3}, x[1].Shape())
	}
}
