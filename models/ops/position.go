package ops

import (
	"slices"

	"github.com/torchhub/torchhub/torch"
)

// RelativePositionIndex returns, for each pair of positions in a window, the row in a table of
// biases that has a row for each difference of positions: [n, n] int64, for a window of n positions
// and a table of (2·window[0] - 1)·(2·window[1] - 1)·… rows. On the meta device it has no values.
func RelativePositionIndex(window ...int) *torch.Tensor {
	positions := [][]int{nil}
	for _, w := range window {
		var longer [][]int
		for _, p := range positions {
			for i := range w {
				longer = append(longer, append(slices.Clip(p), i))
			}
		}
		positions = longer
	}
	n := len(positions)
	if torch.DefaultDevice() == torch.Meta {
		return torch.Options{DType: torch.Int64}.Empty(n, n)
	}
	index := make([]int64, 0, n*n)
	for _, a := range positions {
		for _, b := range positions {
			row := 0
			for i, w := range window {
				row = row*(2*w-1) + a[i] - b[i] + w - 1
			}
			index = append(index, int64(row))
		}
	}
	x := torch.FromSlice(index, n, n)
	return x.Then(func(x *torch.Tensor) *torch.Tensor { return x.To(torch.DefaultDevice()) })
}
