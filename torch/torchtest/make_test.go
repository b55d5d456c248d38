package torchtest_test

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
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
	p := reference.Start(t, `
import math, random, warnings, torch
from torch.testing import make_tensor

warnings.simplefilter("ignore")
integers = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint32, torch.uint64]
dtypes = [torch.bool, *integers, torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex32, torch.complex64, torch.complex128,
    torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz, torch.float8_e8m0fnu, torch.qint8]

def cases(path, n, seed):
    random.seed(seed)
    out = []
    for i in range(n):
        shape, dtype = random.choice([[], [1], [5], [2, 3], [0, 2], [3, 1], [2, 3, 4, 5], [40]]), dtypes[i % len(dtypes)]
        o = {}
        bounds = [-3, 0, 1, 2, 7, 200, 0.5, -0.25, 1.5, -1e9, 1e9, math.inf, -math.inf, math.nan, -2**63, 2**63 - 1, 1e300, 3.5e38, 70000.0]
        if random.random() < .25: o["low"] = random.choice(bounds)
        if random.random() < .25: o["high"] = random.choice(bounds)
        for name, p in (("requires_grad", .2), ("noncontiguous", .4), ("exclude_zero", .3)):
            if random.random() < p: o[name] = True
        if random.random() < .1: o["memory_format"] = torch.channels_last
        torch.manual_seed(i)
        case = {"shape": shape, "dtype": str(dtype)[6:], "options": {k: v for k, v in o.items() if k != "memory_format"}, "channels_last": "memory_format" in o}
        try:
            x = make_tensor(shape, dtype=dtype, device="cpu", **o)
        except Exception as e:
            case["error"] = f"{type(e).__name__}: {e}"
        else:
            case |= {"x": x.detach(), "grad": x.requires_grad, "leaf": x.is_leaf, "offset": x.storage_offset(), "next": torch.rand(())}
        out.append(case)
    torch.save(out, path)
`)
	path := filepath.Join(t.TempDir(), "made.pt")
	p.Call(nil, "cases", path, setting("TORCHHUB_TEST_CLOSE", 300), setting("TORCHHUB_SEED", 1))
	loaded, err := torch.Load(path)
	require.NoError(t, err)
	made, refused := 0, 0
	for i, c := range loaded.([]torch.Value) {
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
