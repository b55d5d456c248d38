package torchtest_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	"github.com/torchhub/torchhub/torch/torchtest"
)

func ExampleCheckClose() {
	expected := torch.NewTensor([]float32{1, 2, 3})
	actual := torch.NewTensor([]float32{1, 4, 5})
	fmt.Println(torchtest.CheckClose(actual, expected))
	fmt.Println(torchtest.CheckClose(actual, expected, torchtest.CloseOptions{Rtol: new(0.0), Atol: new(2.0)}))
	// Output:
	// Tensor-likes are not close!
	//
	// Mismatched elements: 2 / 3 (66.7%)
	// Greatest absolute difference: 2.0 at index (1,) (up to 1e-05 allowed)
	// Greatest relative difference: 1.0 at index (1,) (up to 1.3e-06 allowed)
	// <nil>
}

// Values may be nested; the message names the item.
func ExampleCheckClose_nested() {
	type output struct {
		Logits *torch.Tensor
		Scores map[string]float64
	}
	a := output{torch.Ones(2), map[string]float64{"cat": 0.75, "dog": 0.25}}
	b := output{torch.Ones(2), map[string]float64{"cat": 0.75, "dog": 0.5}}
	fmt.Println(torchtest.CheckClose(a, b))
	// Output:
	// Scalars are not close!
	//
	// Expected 0.5 but got 0.25.
	// Absolute difference: 0.25 (up to 1e-07 allowed)
	// Relative difference: 0.5 (up to 1e-07 allowed)
	//
	// The failure occurred for item ['Scores']['dog']
}

func TestAssertClose(t *testing.T) {
	var r recorder
	require.True(t, torchtest.AssertClose(&r, 1.0, 1.0+1e-9))
	require.Empty(t, r.errors)
	require.True(t, r.helper)
	require.False(t, torchtest.AssertClose(&r, torch.Ones(2), torch.Zeros(2), torchtest.CloseOptions{Msg: "no"}))
	require.Equal(t, []string{"no"}, r.errors)
	require.Panics(t, func() { torchtest.AssertClose(&r, 1, 1, torchtest.CloseOptions{}, torchtest.CloseOptions{}) })
}

type point struct {
	X, Y   float64
	hidden int
}

type chain struct{ Next *chain }

// TestValues compares Go's values that have no equal in Python.
func TestValues(t *testing.T) {
	deep := &chain{}
	deep.Next = deep
	list := []any{nil}
	list[0] = list
	freed := torch.Ones(2)
	freed.Free()
	var noTensor *torch.Tensor
	for _, c := range []struct {
		actual, expected any
		want             string // part of the message, or "" where they are close
	}{
		{int64(3), 3, ""},
		{int32(3), 3, "The (d)types do not match: int32 != int."},
		{float32(0.1), 0.1, "The (d)types do not match: float32 != float64."},
		{float32(1), float32(1) + 1e-6, ""}, // by the tolerances of float32
		{1.0, 1.0 + 1e-6, "Scalars are not close!\n\nExpected 1.000001 but got 1.0.\n"},
		{float32(0.1), float32(0.2), "Expected 0.20000000298023224 but got 0.10000000149011612.\n"},
		{complex64(1), complex64(1.0000001), ""},
		{torch.NewF16(1), torch.NewF16(1.0009765625), ""},
		{torch.NewF16(1), torch.NewF16(1.5), "Expected 1.5 but got 1.0."},
		{torch.NewBF16(1), torch.NewBF16(1.0078125), ""},
		{torch.NewBF16(1), torch.NewF16(1), "The (d)types do not match: torch.BF16 != torch.F16."},
		{uint64(math.MaxUint64), uint64(math.MaxUint64 - 1), "Expected 18446744073709551614 but got 18446744073709551615.\nAbsolute difference: 1\n"},
		{big.NewInt(3), 3, ""},
		{int8(-1), int8(1), "Absolute difference: 2\nRelative difference: 2.0"},
		{true, 1, "No comparison pair was able to handle inputs of type bool and int."},
		{torch.Float32, torch.Float32, "No comparison pair was able to handle inputs of type torch.DType and torch.DType."},
		{"a", "a", "No comparison pair was able to handle inputs of type string and string."},
		{[]any{1}, map[string]any{}, "No comparison pair was able to handle inputs of type []any and map[string]any."},
		{nil, list, "None mismatch: None is not [...]"},
		{nil, deep, "None mismatch: None is not chain(Next=...)"},
		{nil, point{1, 2, 3}, "None mismatch: None is not point(X=1.0, Y=2.0)"},
		{nil, map[int]any{2: torch.Tuple{1}, 1: []string{"a"}}, "None mismatch: None is not {1: ['a'], 2: (1,)}"},
		{torch.Set{1}, torch.Set{1}, "No comparison pair was able to handle inputs of type torch.Set and torch.Set."},
		{torch.Size{2, 3}, torch.Ones(2, 3).Shape(), ""},
		{torch.Parameter{Tensor: torch.Ones(2)}, torch.Ones(2).RequireGrad(true), ""},
		{func() {}, nil, "None mismatch: "},
		{noTensor, nil, ""},
		{noTensor, torch.Scalar(float32(1.5)), "None mismatch: None is not 1.5"},
		{[2]int{1, 2}, []int64{1, 2}, ""},
		{[][]float64{{1, 2}, {3, 4}}, [][]float64{{1, 2}, {3, 5}}, "The failure occurred for item [1][1]"},
		{torch.Tuple{1, 2}, []int{1}, "The length of the sequences mismatch: 2 != 1"},
		{new(2.0), 2.0, ""},
		{map[int]float64{10: 1, 9: 2, 2: 3}, map[int]float64{10: 1, 9: 2, 2: 3, 1: 4, 11: 5}, "Missing keys in the actual mapping: [1, 11]\n"},
		{torch.StateDict{{Name: "w", Tensor: torch.Ones(1)}}, map[string]*torch.Tensor{"w": torch.Ones(1)}, ""},
		{torch.StateDict{{Name: "w", Tensor: torch.Ones(1)}}, map[string]*torch.Tensor{"w": torch.Zeros(1)}, "The failure occurred for item ['w']"},
		{&torch.Dict{Entries: []torch.Entry{{Key: torch.Tuple{1, "x"}, Value: 1}}}, &torch.Dict{Entries: []torch.Entry{{Key: torch.Tuple{1, "x"}, Value: 2}}}, "item [(1, 'x')]"},
		{point{1, 2, 3}, point{1, 2, 4}, ""},
		{&point{1, 2, 3}, &point{1, 3, 3}, "The failure occurred for item ['Y']"},
		{point{1, 2, 3}, struct{ X, Y float64 }{1, 2}, "No comparison pair was able to handle inputs of type torchtest_test.point and struct"},
		{struct{ hidden int }{}, struct{ hidden int }{}, "No comparison pair"},
		{deep, deep, "nested deeper than 1000 levels"},
		{list, list, "nested deeper than 1000 levels"},
		{[]any{1, freed}, []any{1, torch.Ones(2)}, "torchtest: compare item [1]: torch: "},
		{aten.ToMkldnn(torch.Ones(2), torch.Float32), torch.Ones(2), "Unsupported tensor layout torch._mkldnn"},
	} {
		err := torchtest.CheckClose(c.actual, c.expected)
		if c.want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, c.want)
		}
	}
	require.ErrorIs(t, torchtest.CheckClose(freed, freed), torch.ErrFreed)
}

func TestOptions(t *testing.T) {
	a, b := torch.Ones(2), torch.Zeros(2)
	wrap := func(msg string) string { return "<" + msg[:12] + ">" }
	require.EqualError(t, torchtest.CheckClose(a, b, torchtest.CloseOptions{Msg: wrap}), "<Tensor-likes>")
	require.EqualError(t, torchtest.CheckClose(a, b, torchtest.CloseOptions{Msg: 3}), "torchtest: Msg is a int; it must be a string or a func(string) string")
	require.EqualError(t, torchtest.CheckClose(a, a, torchtest.CloseOptions{Atol: new(0.0)}), "Both 'rtol' and 'atol' must be either specified or omitted, but got no rtol.")
	err := torchtest.CheckClose(a, a, torchtest.CloseOptions{Rtol: new(-1.0), Atol: new(0.0)})
	var opErr *torch.Error
	require.True(t, errors.As(err, &opErr), "%v", err)
}

// TestCloseFrees requires that comparisons leave no tensors behind.
func TestCloseFrees(t *testing.T) {
	a, b := torch.Ones(1<<18), torch.Zeros(1<<18)
	before := torch.LiveBytes()
	for range 10 {
		require.Error(t, torchtest.CheckClose([]any{a}, []any{b}))
	}
	require.Less(t, torch.LiveBytes()-before, int64(2<<20))
}

// TestLongSlices compares as many numbers as a picture has.
func TestLongSlices(t *testing.T) {
	a := make([]float32, 150_000)
	b := append([]float32(nil), a...)
	require.NoError(t, torchtest.CheckClose(a, b))
	b[140_000] = 1
	err := torchtest.CheckClose(a, b)
	require.True(t, strings.HasSuffix(fmt.Sprint(err), "item [140000]"), "%v", err)
}

// TestOddValues compares each of many odd values with each other, which must not panic, and be close only where both are the same.
func TestOddValues(t *testing.T) {
	freed := torch.Ones(2)
	freed.Free()
	var pointer *float64
	var dict *torch.Dict
	var integer *big.Int
	var err error
	values := []any{
		nil, pointer, dict, integer, err, (*point)(nil), &pointer, new(any), make(chan int), func() {}, uintptr(3), struct{}{}, &struct{ C chan int }{},
		time.Time{}, errors.New("x"), reflect.ValueOf(3), torch.NewGenerator(torch.CPU), torch.CPU, torch.Float32, torch.Strided, torch.QScheme("x"), "x", 'x',
		freed, &torch.Tensor{}, torch.Parameter{}, torch.Parameter{Tensor: freed}, torch.Ones(2).To(torch.Meta), torch.Ones(2).ToSparse(), torch.Ones(0), torch.Options{DType: torch.Float8E5M2}.Zeros(2),
		&torch.Dict{}, torch.Dict{Entries: []torch.Entry{{Key: []int{1}, Value: nil}}}, &torch.Dict{Entries: []torch.Entry{{}, {}}}, torch.StateDict{{Name: "w"}}, torch.StateDict{},
		map[any]any{1: 1, "a": 2, true: 3, 1.5: 4, struct{}{}: 5}, map[float64]int{math.NaN(): 1}, map[string]chan int{"a": nil}, [0]int{}, [][]int{nil, {}}, []any(nil), []error{nil}, [2]*torch.Tensor{},
		math.NaN(), complex(math.NaN(), math.Inf(1)), math.Inf(-1), new(big.Int).Lsh(big.NewInt(1), 5000), int8(-128), uint64(math.MaxUint64), time.Second, torch.F8E8M0FNU(0xff),
	}
	options := []torchtest.CloseOptions{{}, {NoCheckDType: true, NoCheckDevice: true, NoCheckLayout: true, CheckStride: true, EqualNan: true}, {Rtol: new(math.NaN()), Atol: new(-1.0)}}
	for i, a := range values {
		for j, b := range values {
			for _, o := range options {
				require.NotPanics(t, func() { err = torchtest.CheckClose(a, b, o) }, "%d and %d: %T and %T", i, j, a, b)
				if err != nil {
					require.NotEmpty(t, err.Error())
				}
			}
		}
	}
}
