package torchtest_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/torchtest"
)

func ExampleMakeTensor() {
	torch.ManualSeed(0)
	fmt.Println(torchtest.MakeTensor([]int{2, 3}, torch.Int64, torchtest.MakeTensorOptions{Low: 0, High: 100}))
	// Output:
	// tensor([[44, 39, 33],
	//         [60, 63, 79]])
}

// TestMakeTensorEqualsPython makes random tensors with Python's seeds and options, and compares their bits, strides and offsets.
func TestMakeTensorEqualsPython(t *testing.T) {
	made, refused := 0, 0
	for i, c := range interpreter(t).Call("tensors", setting("TORCHHUB_TEST_CLOSE", 300), setting("TORCHHUB_SEED", 1)).([]torch.Value) {
		get := func(key string) torch.Value { v, _ := c.(*torch.Dict).Get(key); return v }
		dtype, err := torch.ParseDType(get("dtype").(string))
		require.NoError(t, err)
		var shape []int
		for _, n := range get("shape").([]torch.Value) {
			shape = append(shape, n.(int))
		}
		var o torchtest.MakeTensorOptions
		for _, e := range get("options").(*torch.Dict).Entries {
			switch e.Key {
			case "low":
				o.Low = e.Value
			case "high":
				o.High = e.Value
			case "requires_grad":
				o.RequiresGrad = true
			case "noncontiguous":
				o.NonContiguous = true
			case "exclude_zero":
				o.ExcludeZero = true
			}
		}
		if get("channels_last").(bool) {
			o.MemoryFormat = torch.ChannelsLast
		}
		what := fmt.Sprintf("case %d: %v %v %+v, in Python %v", i, shape, dtype, o, get("error"))
		var x *torch.Tensor
		torch.ManualSeed(int64(i))
		err = torch.Try(func() { x = torchtest.MakeTensor(shape, dtype, o) })
		if get("error") != nil {
			refused++
			require.Error(t, err, what)
			continue
		}
		made++
		require.NoError(t, err, what)
		next := torch.Rand()
		require.NoError(t, torchtest.CheckClose(x.Detach(), get("x"), torchtest.CloseOptions{Rtol: new(0.0), Atol: new(0.0), CheckStride: true, EqualNan: true}), what)
		require.Equal(t, []any{get("grad"), get("leaf"), get("offset")}, []any{x.RequiresGrad(), x.IsLeaf(), x.StorageOffset()}, what)
		require.Equal(t, get("next").(*torch.Tensor).Item(), next.Item(), "%s: the generator's state", what)
	}
	t.Logf("%d made, %d refused by both", made, refused)
	require.Greater(t, made, refused)
}

func TestMakeTensorMistakes(t *testing.T) {
	for _, c := range []struct {
		dtype torch.DType
		o     torchtest.MakeTensorOptions
		want  string
	}{
		{torch.QInt8, torchtest.MakeTensorOptions{}, "there are no random numbers of the dtype qint8"},
		{0, torchtest.MakeTensorOptions{}, "there are no random numbers of the dtype dtype(0)"},
		{torch.Float32, torchtest.MakeTensorOptions{NonContiguous: true, MemoryFormat: torch.ChannelsLast}, "NonContiguous and MemoryFormat are mutually exclusive"},
		{torch.Int8, torchtest.MakeTensorOptions{RequiresGrad: true}, "a tensor of the dtype int8 cannot require a gradient"},
		{torch.Int8, torchtest.MakeTensorOptions{Low: "1"}, "Low is a string; it must be an int or a float64"},
		{torch.Int8, torchtest.MakeTensorOptions{High: math.NaN()}, "High cannot be NaN"},
		{torch.Int8, torchtest.MakeTensorOptions{Low: 5, High: 4.5}, "Low must be less than High, but got 5 >= 4.5"},
		{torch.Uint8, torchtest.MakeTensorOptions{Low: 300, High: 400}, "the interval from Low to High is [300, 400), but uint8 only supports [0, 256)"},
		{torch.Uint64, torchtest.MakeTensorOptions{High: 1e300}, "the bound 18446744073709551616 is greater than the largest int64"},
	} {
		err := torch.Try(func() { torchtest.MakeTensor([]int{2}, c.dtype, c.o) })
		require.EqualError(t, err, "torch: torchtest.MakeTensor: "+c.want)
	}
}
