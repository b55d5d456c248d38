package torch_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/torch"
)

func ExampleGet() {
	checkpoint, err := torch.Load(checkpoints + "zip_training.pt") // what a training loop saves
	if err != nil {
		fmt.Println(err)
		return
	}
	lr, err := torch.Get[float64](checkpoint, "optimizer", "param_groups", 0, "lr")
	fmt.Println(lr, err)
	_, err = torch.Get[int](checkpoint, "optimizer", "param_groups", 0, "betas")
	fmt.Println(err)
	// Output:
	// 0.1 <nil>
	// torch: the value at ["optimizer"]["param_groups"][0]["betas"] is a tuple, not an int
}

// A checkpoint that is read at once.
func ExampleGet_struct() {
	type training struct {
		Epoch     int
		Model     torch.StateDict
		Optimizer struct {
			ParamGroups []struct {
				LR    float64
				Betas [2]float64
			}
		}
		Ema torch.StateDict `torch:"model_ema,optional"`
	}
	v, err := torch.Load(checkpoints + "zip_training.pt")
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := torch.Get[training](v)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Epoch, c.Model.Get("conv.weight").Shape(), c.Optimizer.ParamGroups[0], c.Ema == nil)
	// Output: 3 [2 1 3 3] {0.1 [0.9 0.999]} true
}

func TestGet(t *testing.T) {
	long := new(big.Int).Lsh(big.NewInt(1), 63)
	d := &torch.Dict{Entries: []torch.Entry{
		{"int", 300}, {"float", 0.5}, {"long", long}, {"bool", true}, {"none", nil}, {"text", "x"}, {"list", []torch.Value{1, torch.Tuple{2, 3}}},
		{"step", torch.Scalar(float32(7))}, {"vector", torch.Ones(2)}, {"size", torch.Size{2, 3}}, {"set", torch.Set{"a"}}, {"dtype", torch.BFloat16},
		{"state", &torch.Dict{Entries: []torch.Entry{{0, &torch.Dict{Entries: []torch.Entry{{"m", 1}}}}}}}, {torch.Tuple{1, "x"}, "tuple"}, {"empty", &torch.Dict{}},
		{"names", &torch.Dict{Entries: []torch.Entry{{1, "one"}, {2, "two"}}}}, {"complex", 1 + 2i},
	}}
	same := func(want, got any, err error) {
		t.Helper()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	i, err := torch.Get[int](d, "int")
	same(300, i, err)
	f, err := torch.Get[float32](d, "int")
	same(float32(300), f, err)
	u, err := torch.Get[uint64](d, "long")
	same(uint64(1<<63), u, err)
	b, err := torch.Get[*big.Int](d, "int")
	same(big.NewInt(300), b, err)
	p, err := torch.Get[*float64](d, "none")
	same((*float64)(nil), p, err)
	p, err = torch.Get[*float64](d, "float")
	same(0.5, *p, err)
	step, err := torch.Get[float64](d, "step")
	same(7.0, step, err)
	n, err := torch.Get[int](d, "list", -1, 1)
	same(3, n, err)
	pair, err := torch.Get[[2]int](d, "list", 1)
	same([2]int{2, 3}, pair, err)
	size, err := torch.Get[[]int](d, "size")
	same([]int{2, 3}, size, err)
	set, err := torch.Get[[]string](d, "set")
	same([]string{"a"}, set, err)
	dtype, err := torch.Get[torch.DType](d, "dtype")
	same(torch.BFloat16, dtype, err)
	m, err := torch.Get[map[int]map[string]int](d, "state")
	same(map[int]map[string]int{0: {"m": 1}}, m, err)
	n, err = torch.Get[int](d, "state", 0, "m")
	same(1, n, err)
	names, err := torch.Get[map[int]string](d, "names")
	same(map[int]string{1: "one", 2: "two"}, names, err)
	v, err := torch.Get[torch.Value](d, torch.Tuple{1, "x"})
	same("tuple", v, err)
	v, err = torch.Get[any](d, "none")
	same(nil, v, err)
	c, err := torch.Get[complex64](d, "complex")
	same(complex64(1+2i), c, err)
	root, err := torch.Get[*torch.Dict](d)
	require.NoError(t, err)
	require.Same(t, d, root)
	type epoch int
	e, err := torch.Get[epoch](d, "int")
	same(epoch(300), e, err)
	s, err := torch.Get[string](torch.Tuple{"a"}, 0)
	same("a", s, err)

	fails := func(says string, missing bool, err error) {
		t.Helper()
		require.EqualError(t, err, says)
		require.Equal(t, missing, errors.Is(err, torch.ErrMissing))
		var pe *torch.PathError
		require.ErrorAs(t, err, &pe)
	}
	get := func(path ...any) error { _, err := torch.Get[int](d, path...); return err }
	fails(`torch: the value is a dict, not an int`, false, get())
	fails(`torch: the value at ["float"] is a float, not an int`, false, get("float"))
	fails(`torch: the value at ["bool"] is a bool, not an int`, false, get("bool"))
	fails(`torch: the value at ["none"] is None, not an int`, false, get("none"))
	fails(`torch: the value at ["vector"] is a tensor, not an int`, false, get("vector"))
	fails(`torch: the value at ["long"] is 9223372036854775808, which an int cannot hold`, false, get("long"))
	fails(`torch: the value at ["empty"] has no key "x"; it is empty`, true, get("empty", "x"))
	fails(`torch: the value at ["names"] has no key 3; its keys are "1" and "2"`, true, get("names", 3))
	fails(`torch: the value at ["list"] has 2 elements and no index 2`, true, get("list", 2))
	fails(`torch: the value at ["list"] is a list, whose index is an int and not "x"`, false, get("list", "x"))
	fails(`torch: the value at ["int"] is an int, without the key or index "x"`, false, get("int", "x"))
	_, err = torch.Get[int8](d, "int")
	fails(`torch: the value at ["int"] is 300, which an int8 cannot hold`, false, err)
	_, err = torch.Get[[]float64](d, "list")
	fails(`torch: the value at ["list"][1] is a tuple, not a float64`, false, err)
	_, err = torch.Get[[3]int](d, "size")
	fails(`torch: the value at ["size"] has 2 elements, not 3`, false, err)
	_, err = torch.Get[map[string]string](d, "names")
	fails(`torch: the value at ["names"] has the key "1", which is an int, not a string`, false, err)
	_, err = torch.Get[map[int]map[string]string](d, "state")
	fails(`torch: the value at ["state"][0]["m"] is an int, not a string`, false, err)
	_, err = torch.Get[torch.StateDict](d, "names")
	fails(`torch: the value at ["names"] is not a state dict: it holds no state dict: it is a dict whose key "1" holds a str`, false, err)
	_, err = torch.Get[struct{}](d, "int")
	fails(`torch: the value at ["int"] is an int, not a struct {}`, false, err)
	_, err = torch.Get[struct{ M string }](d, "state", 0)
	fails(`torch: the value at ["state"][0]["m"] is an int, not a string`, false, err)
	_, err = torch.Get[struct{ N int }](d, "state", 0)
	fails(`torch: the value at ["state"][0] has no key "n"; its keys are "m"`, true, err)
	st, err := torch.Get[struct {
		N      int `torch:",optional"`
		M      int `torch:"-"`
		Mean   int `torch:"m"`
		hidden int
	}](d, "state", 0)
	require.NoError(t, err)
	require.Equal(t, []int{0, 0, 1, 0}, []int{st.N, st.M, st.Mean, st.hidden})
}

// The keys of a dict are found, replaced and deleted by their values.
func TestDict(t *testing.T) {
	d := &torch.Dict{}
	d.Set("a", 1)
	d.Set(torch.Tuple{1, []torch.Value{2}}, 2)
	d.Set("a", 3)
	require.Len(t, d.Entries, 2)
	v, ok := d.Get(torch.Tuple{1, []torch.Value{2}})
	require.True(t, ok)
	require.Equal(t, 2, v)
	require.True(t, d.Delete("a"))
	require.False(t, d.Delete("a"))
	require.Len(t, d.Entries, 1)
}

// LoadFrom reads what Load reads, and tensors are on the device that is asked for.
func TestLoadFrom(t *testing.T) {
	for _, name := range []string{"zip_training", "legacy_training", "zip_sparse", "zip_quantized"} {
		data, err := os.ReadFile(checkpoints + name + ".pt")
		require.NoError(t, err)
		want, err := torch.Load(checkpoints + name + ".pt")
		require.NoError(t, err)
		got, err := torch.LoadFrom(bytes.NewReader(data))
		require.NoError(t, err)
		requireEqual(t, want, got, map[any]any{})
	}
	_, err := torch.LoadFrom(strings.NewReader("hello"))
	require.ErrorIs(t, err, torch.ErrMalformed)
	_, err = torch.LoadFrom(&failingReader{})
	require.ErrorIs(t, err, errBroken)

	v, err := torch.Load(checkpoints+"zip_training.pt", torch.WithMapLocation(torch.Meta))
	require.NoError(t, err)
	s, err := torch.Get[torch.StateDict](v, "model")
	require.NoError(t, err)
	require.Equal(t, torch.Meta, s.Get("conv.weight").Device())
	require.Equal(t, []int{2, 1, 3, 3}, s.Get("conv.weight").Shape())
	s, err = torch.LoadStateDict(checkpoints+"zip_training.pt", torch.WithKey("model"), torch.WithMapLocation(torch.Meta))
	require.NoError(t, err)
	require.Equal(t, torch.Meta, s[0].Tensor.Device())
	_, err = torch.Load(checkpoints+"zip_training.pt", torch.WithMapLocation("gpu"))
	require.ErrorContains(t, err, `unknown device "gpu"`)
}

var errBroken = errors.New("broken")

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errBroken }
