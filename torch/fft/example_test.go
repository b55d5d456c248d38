package fft_test

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/fft"
)

func Example() {
	x := torch.FromSlice([]float32{1, 0, -1, 0}) // one wave in four samples
	fmt.Println(fft.RFFT(x).Abs())
	fmt.Println(fft.RFftfreq(4))
	// Output:
	// tensor([0., 2., 0.])
	// tensor([0.0000, 0.2500, 0.5000])
}
