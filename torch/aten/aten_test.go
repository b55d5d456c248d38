package aten

import (
	"context"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// find returns an operator of its full name.
func find(name string) *torch.Op {
	name, overload, _ := strings.Cut(name, ".")
	return torch.NewOp(name, overload)
}

func TestOperatorsAreThere(t *testing.T) {
	if !strings.HasPrefix(torch.Version(), "2.15.") {
		t.Skip("generated for 2.15")
	}
	all := maps.Clone(functions)
	maps.Copy(all, uncheckedFunctions)
	var missing []string
	for name := range all {
		if torch.Try(func() { find(name).Schema() }) != nil {
			missing = append(missing, name)
		}
	}
	require.Empty(t, missing)
}

// TestGridSamplerIn16Bits checks that the kernel does not read beyond inputs whose places
// 16 bits cannot tell. Python's answers are the memory behind, or it crashes.
func TestGridSamplerIn16Bits(t *testing.T) {
	const bilinear, zeros, border = 0, 0, 1
	for _, c := range []struct {
		dtype   torch.DType
		h, w    int
		padding int
		refused bool
	}{
		{torch.Float16, 1500, 2000, zeros, true},
		{torch.Float16, 181, 181, border, false},
		{torch.Float16, 182, 182, zeros, true}, // 33123 places
		{torch.BFloat16, 1, 1501, zeros, true}, // 1501 is rounded up
		{torch.BFloat16, 1, 1504, zeros, false},
		{torch.BFloat16, 1, 1504, border, true}, // 1503 is
		{torch.BFloat16, 128, 256, border, false},
		{torch.Float32, 1500, 2000, border, false},
	} {
		x := torch.Options{DType: c.dtype}.Ones(1, 1, c.h, c.w)
		grid := torch.Options{DType: c.dtype}.Linspace(-1, 1, 128).Reshape(1, 1, 64, 2)
		var y *torch.Tensor
		err := torch.Try(func() { y = GridSampler(x, grid, bilinear, c.padding, false) })
		if !c.refused {
			require.NoError(t, err, "%+v", c)
			require.LessOrEqual(t, y.ToDType(torch.Float32).Max().Item(), 1.01, "%+v", c)
			continue
		}
		require.ErrorContains(t, err, "convert it to float32", "%+v", c)
		err = torch.Try(func() {
			GridSampler2dBackward(torch.OnesLike(grid.Select(3, 0).Unsqueeze(0)), x, grid, bilinear, c.padding, false, []bool{true, true})
		})
		require.ErrorContains(t, err, "convert it to float32", "%+v", c)
	}
}
