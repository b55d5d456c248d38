package aten

import (
	"errors"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten/unchecked"
)

// unrecorded are guarded backward operators that no pass on the CPU calls, and why.
var unrecorded = map[string]string{
	"embedding_backward":        "composite: its parts are recorded in its place",
	"embedding_sparse_backward": "composite: its parts are recorded in its place",
}

// guarded returns the operators whose arguments the shim checks.
func guarded(t *testing.T) []string {
	source, err := os.ReadFile("../../internal/libtorch/shim/guard.cpp")
	require.NoError(t, err)
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^    \{"(\w+)", (?:\{([^}]*)\}|ALL_POLYNOMIALS), .*, (?:"[^"]+"|\w+)\},$`).FindAllStringSubmatch(string(source), -1) {
		require.False(t, strings.HasPrefix(m[1], "_"), m[1])
		for overload := range strings.SplitSeq(m[2], ", ") {
			names = append(names, strings.TrimSuffix("aten::"+m[1]+"."+strings.Trim(overload, `"`), "."))
		}
	}
	require.Greater(t, len(names), 100)
	public := map[string]bool{}
	for name := range functions {
		base, _, _ := strings.Cut(name, ".")
		public[base] = true
	}
	for _, name := range names { // libtorch makes some out variants itself
		base, _, _ := strings.Cut(name, ".")
		require.True(t, public[base], name)
	}
	return names
}

// TestRecorded records the calls that forward and backward passes in Python make
// of the operators whose arguments the shim checks, and of those of package
// unchecked, and makes them here: no guard may refuse one, and the arguments of
// operators that no other test calls must arrive. Each guarded backward operator
// must be among them.
func TestRecorded(t *testing.T) {
	if !strings.HasPrefix(torch.Version(), "2.15.") {
		t.Skip("recorded with 2.15")
	}
	p := reference.Start(t, cases)
	names := guarded(t)
	all := maps.Clone(functions)
	maps.Copy(all, uncheckedFunctions)
	var answer struct {
		Seen   map[string][]testCase `json:"seen"`
		Failed []string              `json:"failed"`
	}
	p.Call(&answer, "recorded", slices.Concat(names, slices.Sorted(maps.Keys(uncheckedFunctions))))
	calls, unchecked := 0, 0
	for name, cs := range answer.Seen {
		if all[name] == nil {
			continue
		}
		if uncheckedFunctions[name] != nil {
			unchecked++
		}
		for i, c := range cs {
			calls++
			if _, err := run(all[name], c); errors.As(err, new(*torch.Error)) { // the numbers are other tests'
				t.Errorf("%s, call %d: %v", name, i, err)
			}
		}
	}
	for _, name := range names {
		base := strings.TrimPrefix(name, "aten::")
		if strings.Contains(base, "backward") && !strings.ContainsRune(base, '.') && answer.Seen[name] == nil && unrecorded[base] == "" {
			t.Errorf("%s was not recorded", name)
		}
	}
	require.Greater(t, unchecked, 30)
	slices.Sort(answer.Failed)
	t.Logf("%d calls of %d operators, %d of them of package unchecked; %d passes that Python refuses: %s", calls, len(answer.Seen), unchecked, len(answer.Failed), strings.Join(answer.Failed, "\n"))
}

// TestBackwardByHand gives what a forward pass returns to its backward operator,
// for those whose results are odd.
func TestBackwardByHand(t *testing.T) {
	q, k := torch.Randn(1, 2, 3, 4), torch.Randn(1, 2, 5, 4)
	out, logsumexp := unchecked.ScaledDotProductFlashAttentionForCpu(q, k, k, 0, false, nil, nil)
	dq, dk, _ := unchecked.ScaledDotProductFlashAttentionForCpuBackward(torch.OnesLike(out), q, k, k, out, logsumexp, 0, false, nil, nil)
	require.Equal(t, [][]int{{1, 2, 3, 4}, {1, 2, 5, 4}}, [][]int{dq.Shape(), dk.Shape()})

	w, indices, offsets := torch.Randn(4, 2), torch.FromSlice([]int64{1, 3, 3}), torch.FromSlice([]int64{0, 1})
	for mode := range 3 {
		out, offset2bag, bagSize, maximum := unchecked.EmbeddingBag(w, indices, offsets, false, mode, false, nil, false, -1)
		dw := unchecked.EmbeddingBagBackward(torch.OnesLike(out), indices, offsets, offset2bag, bagSize, maximum, 4, false, mode, false, nil, -1)
		require.Equal(t, []int{4, 2}, dw.Shape())
		if mode == 0 {
			require.Equal(t, []float32{0, 0, 1, 1, 0, 0, 2, 2}, torch.Data[float32](dw))
		}
	}

	x, mean, variance := torch.Randn(4, 3), torch.Zeros(3), torch.Ones(3)
	for _, train := range []bool{true, false} {
		y, saveMean, saveInvstd := NativeBatchNorm(x, nil, nil, mean, variance, train, 0.1, 1e-5)
		dx, _, _ := NativeBatchNormBackward(torch.OnesLike(y), x, nil, mean, variance, saveMean, saveInvstd, train, 1e-5, []bool{true, false, false})
		require.Equal(t, []int{4, 3}, dx.Shape())
	}
}

// TestSegmentsOutOfRange gives segments that are not in the data.
func TestSegmentsOutOfRange(t *testing.T) {
	x := torch.Ones(4, 2)
	ints := func(vs ...int64) *torch.Tensor { return torch.FromSlice(vs) }
	for _, lengths := range []*torch.Tensor{ints(2, 3), ints(-1, 5), ints(1 << 40), ints(1<<62, 1<<62, 1<<62, 1<<62), torch.Ones(2), torch.Ones(2, 2).ToDType(torch.Int64)} {
		require.Error(t, torch.Try(func() { SegmentReduce(x, "sum", lengths, nil, nil, 0, true, nil) }))
	}
	for _, offsets := range []*torch.Tensor{ints(0, 5), ints(-1, 4), ints(3, 1), ints()} {
		require.Error(t, torch.Try(func() { SegmentReduce(x, "sum", nil, nil, offsets, 0, true, nil) }))
	}
	require.Equal(t, []float32{2, 2, 2, 2}, torch.Data[float32](SegmentReduce(x, "sum", ints(2, 2), nil, nil, 0, true, nil)))
	require.Equal(t, []int{4, 2}, unchecked.SegmentReduceBackward(torch.Ones(2, 2), torch.Ones(2, 2), x, "sum", ints(2, 2), nil, 0, nil).Shape())
}

// TestIndicesWithoutBags gives indices and offsets that make no bag for them,
// where libtorch's kernels read and write beyond the tensors.
func TestIndicesWithoutBags(t *testing.T) {
	w, indices, none := torch.Ones(4, 2), torch.FromSlice([]int64{1, 3, 3}), torch.Zeros(0).ToDType(torch.Int64)
	for mode := range 3 {
		for _, c := range []struct {
			offsets *torch.Tensor
			last    bool
		}{{none, false}, {none, true}, {torch.FromSlice([]int64{0}), true}} {
			for _, weights := range []*torch.Tensor{w, w.ToDType(torch.Float64)} {
				require.ErrorContains(t, torch.Try(func() { EmbeddingBag(weights, indices, c.offsets, false, mode, false, nil, c.last) }), "no bag")
			}
		}
		out, _, _, _ := EmbeddingBag(w, none, none, false, mode, false, nil, false)
		require.Equal(t, []int{0, 2}, out.Shape())
	}
}

// TestQuantizedPool gives a list of one output size, which libtorch's kernel reads as two.
func TestQuantizedPool(t *testing.T) {
	x := QuantizePerTensor(torch.Ones(1, 1, 4, 4), 0.1, 0, torch.FromScalarType(12))
	require.Equal(t, []int{1, 1, 1, 1}, unchecked.AdaptiveAvgPool2d(x, []int{1}).Shape())
	var c torch.Call
	c.Tensor(x)
	c.Value([]torch.Value{1, 1, 1})
	require.ErrorContains(t, torch.Try(func() { c.One(torch.NewOp("aten::_adaptive_avg_pool2d", "")) }), "output_size has 3 numbers")
}

// TestUnresolvedViews gives ops what libtorch takes for something else: views that
// are negated to one that writes and returns nothing, and opaque tensors.
func TestUnresolvedViews(t *testing.T) {
	x, indices := torch.Ones(2, 3), torch.Zeros(2, 3).ToDType(torch.Int64)
	negated := Imag(x.ToDType(torch.Complex64).Conj())
	require.ErrorContains(t, torch.Try(func() { unchecked.CummaxHelper(x, negated, indices, 0) }), "negated")
	require.Equal(t, []int{2, 3}, negated.Shape())
	unchecked.CummaxHelper(x, torch.Zeros(2, 3), indices, 0)

	opaque := ToMkldnn(torch.Ones(1), 0)
	require.ErrorContains(t, torch.Try(func() { torch.Ones(2, 1).IndexCopyInPlace(-1, opaque, torch.Ones(2, 1)) }), "mkldnn")
	require.ErrorContains(t, torch.Try(func() { opaque.Maximum(torch.Ones(1)) }), "mkldnn")
	require.Equal(t, 2.0, opaque.Add(opaque).ToDense().Item())
	require.Equal(t, 1.0, opaque.ReLU().ToDense().Item())
}
