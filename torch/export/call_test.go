package export_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/export"
)

func load(t *testing.T, name string) *export.Program {
	t.Helper()
	p, err := export.Load("testdata/" + name + ".pt2")
	require.NoError(t, err)
	return p
}

// TestArguments calls programs badly: the error is one sentence that names the argument.
func TestArguments(t *testing.T) {
	net, containers, sizes, counts := load(t, "net"), load(t, "containers"), load(t, "sizes"), load(t, "counts")
	k, d := torch.Ones(2), map[string]torch.Value{"z": torch.Ones(1), "a": []*torch.Tensor{torch.Ones(2)}}
	x := torch.Ones(2, 3)
	one := func(p *export.Program, args ...torch.Value) func() error {
		return func() error { _, err := p.Forward(args...); return err }
	}
	for want, f := range map[string]func() error{
		"0 positional arguments are given, and the program takes 1":                one(net),
		"x is nil, and must be a tensor":                                           one(net, nil),
		"x is of the dtype float64, and must be of float32":                        one(net, torch.Options{DType: torch.Float64}.Ones(1, 3, 9, 9)),
		"the size of x in dimension 2 is 8, and must be 9":                         one(net, torch.Ones(1, 3, 8, 9)),
		"the size of x in dimension 0 is 9, and must be at most 8":                 one(net, torch.Ones(9, 3, 9, 9)),
		"the keyword argument k is missing":                                        one(containers, x, true, export.Kwargs{"d": d}),
		"3 keyword arguments are given, and the program takes [k d]":               one(containers, x, true, export.Kwargs{"k": k, "d": d, "e": k}),
		"flag is false, and must be true, as it was when the program was exported": one(containers, x, false, export.Kwargs{"k": k, "d": d}),
		`flag is "true", and must be true`:                                         one(containers, x, "true", export.Kwargs{"k": k, "d": d}),
		"d has no entry 'a'":                                                       one(containers, x, true, export.Kwargs{"k": k, "d": map[string]torch.Value{"z": k}}),
		"d['a'] has 2 items, and must have 1":                                      one(containers, x, true, export.Kwargs{"k": k, "d": map[string]torch.Value{"z": k, "a": []*torch.Tensor{k, k}}}),
		"d is a []int, and must be a dict":                                         one(containers, x, true, export.Kwargs{"k": k, "d": []int{1}}),
		"the size of d['a'][0] in dimension 0 is 3, and must be 2":                 one(containers, x, true, export.Kwargs{"k": k, "d": map[string]torch.Value{"z": torch.Ones(1), "a": []*torch.Tensor{torch.Ones(3)}}}),
		"the arguments do not satisfy ":                                            one(sizes, torch.Ones(4, 2, 5, 7), torch.Ones(6)),
		"aten::_assert_scalar":                                                     one(counts, torch.Ones(12), torch.Options{DType: torch.Int64}.Ones(12)),
		"export.Run: the program takes 4 tensors, and 1 are given":                 func() error { _, err := containers.Run(x); return err },
	} {
		err := f()
		require.ErrorContains(t, err, want)
		var e *torch.Error
		require.ErrorAs(t, err, &e)
	}
}

// TestRun calls a program with the tensors alone.
func TestRun(t *testing.T) {
	p := load(t, "containers")
	y, err := p.Run(torch.Zeros(2, 3), torch.Ones(2), torch.Zeros(1), torch.Zeros(2))
	require.NoError(t, err)
	require.Len(t, y, 3, "without numbers, texts and None")
	require.Equal(t, []float32{1, 1, 1}, torch.Data[float32](p.StateDict().Get("calls")))
}

// TestGoroutines calls a program that changes a buffer from many goroutines: each call counts.
func TestGoroutines(t *testing.T) {
	for _, name := range []string{"containers", "containers_core"} {
		p := load(t, name)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 10 {
					_, err := p.Run(torch.Zeros(2, 3), torch.Ones(2), torch.Zeros(1), torch.Zeros(2))
					assert.NoError(t, err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, []float32{80, 80, 80}, torch.Data[float32](p.StateDict().Get("calls")), name)
	}
}

// TestGradients trains a program: its parameters require gradients, as in Python.
func TestGradients(t *testing.T) {
	p := load(t, "net")
	y, err := p.Forward(torch.Randn(4, 3, 9, 9))
	require.NoError(t, err)
	y.(*torch.Tensor).Select(1, 0).Sum().Backward()
	grad := p.StateDict().Get("fc.weight").Grad()
	require.NotNil(t, grad)
	require.Positive(t, grad.Abs().Sum().Item())
}

// TestTo moves programs to where tensors have no values, with the operators that make tensors.
func TestTo(t *testing.T) {
	p := load(t, "containers_core")
	require.NoError(t, p.To(torch.CPU))
	require.NoError(t, p.To(torch.Meta))
	o := torch.Options{Device: torch.Meta}
	y, err := p.Run(o.Zeros(2, 3), o.Ones(2), o.Zeros(1), o.Zeros(2))
	require.NoError(t, err)
	require.Equal(t, torch.Meta, y[0].Device())
	require.Equal(t, torch.Meta, y[1].Device(), "made in the graph")
	require.Error(t, p.To("toaster"))
	p, err = export.Load("testdata/net.pt2", export.LoadOptions{Device: torch.Meta})
	require.NoError(t, err)
	require.Equal(t, torch.Meta, p.StateDict()[0].Tensor.Device())
	_, err = export.Load("testdata/net.pt2", export.LoadOptions{Device: "toaster"})
	require.Error(t, err)
}
