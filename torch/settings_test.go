package torch_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

const settingsScript = `
import torch
torch.set_num_threads(1)

def with_default(name, expressions):
	torch.set_default_dtype(getattr(torch, name))
	try:
		return [str(eval(e).dtype).removeprefix("torch.") for e in expressions]
	finally:
		torch.set_default_dtype(torch.float32)

def refused_dtype(name):
	try:
		torch.set_default_dtype(getattr(torch, name))
	except TypeError as e:
		return str(e)

# What ops do without a deterministic algorithm.
def nondeterministic(warn_only):
	torch.use_deterministic_algorithms(True, warn_only=warn_only)
	try:
		state = [torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()]
		torch.zeros(3).put_(torch.tensor([0]), torch.ones(1))
		return [str(state), ""]
	except RuntimeError as e:
		return [str(state), str(e)]
	finally:
		torch.use_deterministic_algorithms(False)

def filled(name):
	torch.use_deterministic_algorithms(True)
	try:
		return str(torch.empty(3, dtype=getattr(torch, name)).tolist())
	finally:
		torch.use_deterministic_algorithms(False)

def memory_format(shape):
	x = torch.arange(1, 1 + torch.Size(shape).numel(), dtype=torch.float32).view(shape)
	f = torch.channels_last if len(shape) == 4 else torch.channels_last_3d
	y = x.to(memory_format=f)
	return [list(y.stride()), list(x.contiguous(memory_format=f).stride()), list(y.to(memory_format=torch.contiguous_format).stride()),
		list((y * 2).stride()), [int(y.is_contiguous()), int(y.is_contiguous(memory_format=f)), int(x.is_contiguous(memory_format=f))]]

def refused_format(shape):
	try:
		torch.zeros(shape).to(memory_format=torch.channels_last)
	except RuntimeError as e:
		return str(e)
`

// restoreSettings puts the defaults back at the end of a test.
func restoreSettings(t *testing.T) {
	t.Cleanup(func() {
		torch.UseDeterministicAlgorithms(false)
		torch.SetFillUninitializedMemory(true)
		torch.SetFloat32MatmulPrecision("highest")
		torch.SetDefaultDType(torch.Float32)
	})
}

func TestDefaultDTypeIsPythons(t *testing.T) {
	p := reference.Start(t, settingsScript)
	restoreSettings(t)
	ints := torch.NewTensor([]int{1, 2, 3})
	made := []struct {
		python string
		ours   func() *torch.Tensor
	}{
		{"torch.zeros(2)", func() *torch.Tensor { return torch.Zeros(2) }},
		{"torch.ones(2)", func() *torch.Tensor { return torch.Ones(2) }},
		{"torch.empty(2)", func() *torch.Tensor { return torch.Empty(2) }},
		{"torch.rand(2)", func() *torch.Tensor { return torch.Rand(2) }},
		{"torch.randn(2)", func() *torch.Tensor { return torch.Randn(2) }},
		{"torch.eye(2)", func() *torch.Tensor { return torch.Eye(2) }},
		{"torch.full((2,), 1.5)", func() *torch.Tensor { return torch.Full(1.5, 2) }},
		{"torch.full((2,), 1)", func() *torch.Tensor { return torch.Full(1, 2) }},
		{"torch.arange(0, 3.5)", func() *torch.Tensor { return torch.Arange(3.5) }},
		{"torch.arange(0, 3)", func() *torch.Tensor { return torch.Arange(3) }},
		{"torch.linspace(0, 1, 3)", func() *torch.Tensor { return torch.Linspace(0, 1, 3) }},
		{"torch.tensor([1, 2, 3]) / 2", func() *torch.Tensor { return ints.DivScalar(2) }},
		{"torch.tensor([1, 2, 3]) + 0.5", func() *torch.Tensor { return ints.AddScalar(0.5) }},
		{"torch.tensor([1, 2, 3]) + 1", func() *torch.Tensor { return ints.AddScalar(1) }},
		{"torch.tensor([1, 2, 3]).exp()", func() *torch.Tensor { return ints.Exp() }},
		{"torch.zeros(2, dtype=torch.int8)", func() *torch.Tensor { return torch.Options{DType: torch.Int8}.Zeros(2) }},
	}
	var expressions []string
	for _, m := range made {
		expressions = append(expressions, m.python)
	}
	for _, d := range []torch.DType{torch.Float64, torch.Float16, torch.BFloat16, torch.Float32} {
		var want []string
		p.Call(&want, "with_default", d.String(), expressions)
		torch.SetDefaultDType(d)
		require.Equal(t, d, torch.DefaultDType())
		for i, m := range made {
			require.Equal(t, want[i], m.ours().DType().String(), "%s with %v", m.python, d)
		}
		require.Equal(t, torch.Float32, torch.NewTensor([]float32{1}).DType())
		require.Equal(t, torch.Float64, torch.FromSlice([]float64{1}).DType())
	}
	for _, d := range []torch.DType{torch.Int32, torch.Bool, torch.Complex64} {
		var text string
		p.Call(&text, "refused_dtype", d.String())
		require.NotEmpty(t, text)
		require.Error(t, torch.Try(func() { torch.SetDefaultDType(d) }))
	}
	require.Error(t, torch.Try(func() { torch.SetDefaultDType(0) }))
}

func TestDeterministicAlgorithmsArePythons(t *testing.T) {
	p := reference.Start(t, settingsScript)
	restoreSettings(t)
	for _, warnOnly := range []bool{false, true} {
		var want []string
		p.Call(&want, "nondeterministic", warnOnly)
		torch.UseDeterministicAlgorithms(true, torch.DeterministicOptions{WarnOnly: warnOnly})
		state := fmt.Sprint(torch.AreDeterministicAlgorithmsEnabled(), torch.IsDeterministicAlgorithmsWarnOnlyEnabled())
		require.Equal(t, map[bool]string{false: "true false", true: "true true"}[warnOnly], state)
		err := torch.Try(func() {
			var c torch.Call
			c.Tensor(torch.Zeros(3))
			c.Tensor(torch.NewTensor([]int{0}))
			c.Tensor(torch.Ones(1))
			c.Do(torch.NewOp("aten::put_", ""))
		})
		if want[1] == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, want[1])
		}
	}
	torch.UseDeterministicAlgorithms(true)
	for _, d := range []torch.DType{torch.Float32, torch.Float64} {
		var want string
		p.Call(&want, "filled", d.String())
		require.Equal(t, want, "[nan, nan, nan]")
		require.True(t, torch.Options{DType: d}.Empty(3).IsNaN().All().Item() == 1)
	}
	var want string
	p.Call(&want, "filled", "int32")
	require.Equal(t, "[2147483647, 2147483647, 2147483647]", want)
	require.Equal(t, []int32{2147483647}, torch.Data[int32](torch.Options{DType: torch.Int32}.Empty(1)))
	torch.UseDeterministicAlgorithms(false)
	require.False(t, torch.AreDeterministicAlgorithmsEnabled())
}

func TestSettings(t *testing.T) {
	restoreSettings(t)
	require.False(t, torch.AreDeterministicAlgorithmsEnabled())
	torch.UseDeterministicAlgorithms(false, torch.DeterministicOptions{WarnOnly: true})
	require.False(t, torch.IsDeterministicAlgorithmsWarnOnlyEnabled())
	require.True(t, torch.FillUninitializedMemory())
	torch.SetFillUninitializedMemory(false)
	require.False(t, torch.FillUninitializedMemory())
	require.Equal(t, "highest", torch.Float32MatmulPrecision())
	for _, p := range []string{"medium", "high", "highest"} {
		torch.SetFloat32MatmulPrecision(p)
		require.Equal(t, p, torch.Float32MatmulPrecision())
	}
	require.EqualError(t, torch.Try(func() { torch.SetFloat32MatmulPrecision("low") }),
		`torch: SetFloat32MatmulPrecision: the precision is "low"; it can be "highest", "high" or "medium"`)
	require.Error(t, torch.Try(func() { torch.SetNumInteropThreads(0) }))
	require.Positive(t, torch.NumInteropThreads())
}

func TestMemoryFormatsArePythons(t *testing.T) {
	p := reference.Start(t, settingsScript)
	for _, shape := range [][]int{{2, 3, 4, 5}, {1, 3, 1, 1}, {2, 1, 4, 4}, {2, 3, 2, 4, 5}, {0, 3, 2, 2}} {
		var want [][]int
		p.Call(&want, "memory_format", shape)
		f := torch.ChannelsLast
		if len(shape) == 5 {
			f = torch.ChannelsLast3d
		}
		n := 1
		for _, s := range shape {
			n *= s
		}
		x := torch.Arange(n).ToDType(torch.Float32).View(shape...)
		y := x.ToMemoryFormat(f)
		o := torch.ContiguousOptions{MemoryFormat: f}
		b := func(on bool) int {
			if on {
				return 1
			}
			return 0
		}
		require.Equal(t, want, [][]int{
			y.Strides(), x.Contiguous(o).Strides(), y.ToMemoryFormat(torch.ContiguousFormat).Strides(), y.MulScalar(2).Strides(),
			{b(y.IsContiguous()), b(y.IsContiguous(o)), b(x.IsContiguous(o))},
		}, shape)
		require.Equal(t, y.Strides(), x.To(torch.CPU, torch.ToOptions{MemoryFormat: &f}).Strides())
		require.Equal(t, torch.Data[float32](x), torch.Data[float32](y))
	}
	var text string
	p.Call(&text, "refused_format", []int{2, 3})
	require.ErrorContains(t, torch.Try(func() { torch.Zeros(2, 3).ToMemoryFormat(torch.ChannelsLast) }), text)
}

func TestToOptions(t *testing.T) {
	x := torch.Ones(2)
	y := x.To(torch.CPU)
	x.AddInPlace(x)
	require.Equal(t, float32(2), torch.Data[float32](y)[0]) // x itself
	z := x.To("", torch.ToOptions{DType: torch.Float64, Copy: true, NonBlocking: true})
	require.Equal(t, []float64{2, 2}, torch.Data[float64](z))
	w := x.To(torch.CPU, torch.ToOptions{Copy: true})
	x.AddInPlace(x)
	require.Equal(t, []float32{2, 2}, torch.Data[float32](w))
	require.Error(t, torch.Try(func() { x.To(torch.CPU, torch.ToOptions{MemoryFormat: new(torch.MemoryFormat(9))}) }))
}
