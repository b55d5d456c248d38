package torch_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

func counted(shape ...int) *torch.Tensor {
	n := 1
	for _, s := range shape {
		n *= s
	}
	data := make([]float32, n)
	for i := range data {
		data[i] = float32(i)
	}
	return torch.FromSlice(data, shape...)
}

func TestIndexIsAView(t *testing.T) {
	x := counted(2, 3, 4)
	x.Index(torch.Ellipsis, 1, torch.Slice(0, torch.End, 2)).FillInPlace(-1)
	require.Equal(t, []float32{0, 1, 2, 3, -1, 5, -1, 7, 8, 9, 10, 11, 12, 13, 14, 15, -1, 17, -1, 19, 20, 21, 22, 23}, torch.Data[float32](x))
	x.Index([]int{0}).FillInPlace(7) // a copy
	require.Equal(t, float64(0), x.Index(0, 0, 0).Item())
	require.Same(t, x, x.SetIndex(5, 0))
	require.Equal(t, float64(5), x.Index(0, 2, -1).Item())
	x.Index().FillInPlace(2)
	require.Equal(t, float64(2), x.Index(1, 2, 3).Item())
	for _, size := range [][]int{{1, 3, 4}, {1, 1}, {1, 0}, {1}, {}} { // x[...] = x
		x := counted(size...)
		require.NoError(t, torch.Try(func() { x.SetIndex(x, torch.Ellipsis) }), size)
	}
	err := torch.Try(func() { x.ToSparse().View(3, 8) })
	require.ErrorContains(t, err, "Could not run 'aten::view' with arguments from the 'SparseCPU' backend.")
	require.NotContains(t, err.Error(), "\n")
}

func TestIndexMistakes(t *testing.T) {
	x := counted(2, 3)
	for name, c := range map[string]struct {
		f     func()
		index bool
	}{
		"out of range": {func() { x.Index(2) }, true},
		"negative":     {func() { x.Index(0, -4) }, true},
		"too many":     {func() { x.Index(0, 0, 0) }, true},
		"two ellipses": {func() { x.Index(torch.Ellipsis, torch.Ellipsis) }, true},
		"floats":       {func() { x.Index(torch.Ones(2)) }, true},
		"list":         {func() { x.Index([]int{2}) }, true},
		"mask":         {func() { x.Index([]bool{true}) }, true},
		"step":         {func() { x.Index(torch.Slice(0, 1, 0)) }, false},
		"kind":         {func() { x.Index("a") }, false},
		"nil":          {func() { x.Index(nil) }, false},
		"value":        {func() { x.SetIndex(torch.Ones(7), 0) }, false},
		"value's kind": {func() { x.SetIndex("a", 0) }, false},
	} {
		err := torch.Try(c.f)
		var e *torch.Error
		require.ErrorAs(t, err, &e, name)
		if c.index {
			require.ErrorIs(t, err, torch.ErrIndex, name)
		}
	}
}

type pyIndex struct {
	Kind  string `json:"kind"`
	Ints  []int  `json:"ints"`
	Shape []int  `json:"shape"`
}

// random returns an index for a dimension of size n, in Go and for Python.
func random(r *rand.Rand, rest []int) (any, pyIndex, int) {
	n := rest[0]
	bound := func() int { return r.IntN(2*n+5) - n - 2 }
	switch r.IntN(9) {
	case 0, 1:
		i := r.IntN(2*n+1) - n // sometimes out of range
		return i, pyIndex{Kind: "int", Ints: []int{i}}, 1
	case 2, 3:
		a, b, s := bound(), bound(), 1+r.IntN(3)
		return torch.Slice(a, b, s), pyIndex{Kind: "slice", Ints: []int{a, b, s}}, 1
	case 4:
		return torch.All, pyIndex{Kind: "slice", Ints: []int{0, n, 1}}, 1
	case 5:
		v := make([]int, 2)
		for i := range v {
			v[i] = r.IntN(2*n) - n
		}
		return v, pyIndex{Kind: "tensor", Ints: v, Shape: []int{2}}, 1
	case 6:
		shape := [][]int{{2}, {1}, {2, 2}, {}, {0}}[r.IntN(5)]
		count := 1
		for _, s := range shape {
			count *= s
		}
		v, long := make([]int, count), make([]int64, count)
		for i := range v {
			v[i] = r.IntN(n)
			long[i] = int64(v[i])
		}
		x := torch.FromSlice(long, len(long))
		return x.View(shape...), pyIndex{Kind: "tensor", Ints: v, Shape: shape}, 1
	case 7:
		dims := 1 + r.IntN(min(2, len(rest)))
		shape := rest[:dims]
		count := 1
		for _, s := range shape {
			count *= s
		}
		v, mask := make([]int, count), make([]bool, count)
		for i := range v {
			mask[i] = r.IntN(2) == 0
			if mask[i] {
				v[i] = 1
			}
		}
		if dims == 1 && r.IntN(2) == 0 {
			return mask, pyIndex{Kind: "mask", Ints: v, Shape: shape}, 1
		}
		return torch.FromSlice(mask, shape...), pyIndex{Kind: "mask", Ints: v, Shape: shape}, dims
	default:
		b := r.IntN(2) == 0
		if b {
			return true, pyIndex{Kind: "true"}, 0
		}
		return torch.NewAxis, pyIndex{Kind: "none"}, 0
	}
}

// TestPythonIndices reads and writes with random indices, as Python does.
func TestPythonIndices(t *testing.T) {
	p := reference.Start(t, `
import torch
def index(i):
    k = i["kind"]
    if k == "int": return i["ints"][0]
    if k == "slice": return slice(*i["ints"])
    if k == "tensor": return torch.tensor(i["ints"], dtype=torch.int64).reshape(i["shape"])
    if k == "mask": return torch.tensor(i["ints"], dtype=torch.bool).reshape(i["shape"])
    return {"true": True, "none": None, "ellipsis": ...}[k]

def index_all(shape, indices):
    out = []
    for one in indices:
        ix = tuple(index(i) for i in one["indices"])
        n = 1
        for s in one["shape"]: n *= s
        x = torch.arange(n, dtype=torch.float32).reshape(one["shape"])
        try:
            y = x[ix].clone()
            n = y.numel()
            v = -torch.arange(1, n + 1, dtype=torch.float32).reshape(y.shape)
            x[ix] = v
            out.append({"error": False, "shape": list(y.shape), "read": y.flatten().tolist(), "written": x.flatten().tolist()})
        except Exception as e:
            out.append({"error": True, "text": str(e)})
    return out
`)
	type expression struct {
		Shape   []int     `json:"shape"`
		Indices []pyIndex `json:"indices"`
	}
	r := rand.New(rand.NewPCG(5, 6))
	var all []expression
	var inGo [][]any
	for range 1500 {
		shape := make([]int, 1+r.IntN(4))
		for i := range shape {
			shape[i] = 1 + r.IntN(4)
		}
		e := expression{Shape: shape, Indices: []pyIndex{}}
		var indices []any
		ellipsis := r.IntN(4) == 0
		for rest := shape; len(rest) > 0 && len(indices) < 6 && r.IntN(8) > 0; {
			if ellipsis && r.IntN(3) == 0 {
				ellipsis = false
				indices, e.Indices = append(indices, torch.Ellipsis), append(e.Indices, pyIndex{Kind: "ellipsis"})
				rest = rest[min(len(rest), r.IntN(2)):]
				continue
			}
			i, py, n := random(r, rest)
			indices, e.Indices = append(indices, i), append(e.Indices, py)
			rest = rest[n:]
		}
		all, inGo = append(all, e), append(inGo, indices)
	}
	var want []struct {
		Error         bool
		Text          string
		Shape         []int
		Read, Written []float32
	}
	p.Call(&want, "index_all", nil, all)
	right, refused := 0, 0
	for i, e := range all {
		what := fmt.Sprintf("%v%v", e.Shape, e.Indices)
		x := counted(e.Shape...)
		var y *torch.Tensor
		err := torch.Try(func() { y = x.Index(inGo[i]...) })
		if err == nil {
			y = y.Clone()
			n := y.Numel()
			v := make([]float32, n)
			for j := range v {
				v[j] = -float32(j + 1)
			}
			err = torch.Try(func() { x.SetIndex(torch.FromSlice(v, n).View(y.Shape()...), inGo[i]...) })
		}
		if want[i].Error {
			require.Error(t, err, "%s: Python says %s", what, want[i].Text)
			refused++
			continue
		}
		require.NoError(t, err, what)
		require.True(t, slices.Equal(want[i].Shape, y.Shape()), "%s: %v, want %v", what, y.Shape(), want[i].Shape)
		require.True(t, slices.Equal(want[i].Read, torch.Data[float32](y)), "%s: %v, want %v", what, torch.Data[float32](y), want[i].Read)
		require.True(t, slices.Equal(want[i].Written, torch.Data[float32](x)), "%s: wrote %v, want %v", what, torch.Data[float32](x), want[i].Written)
		right++
	}
	t.Logf("%d expressions equal, %d refused by both", right, refused)
	require.GreaterOrEqual(t, right, 500)
}
