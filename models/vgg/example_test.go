package vgg_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/vgg"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	torch.WithDevice(torch.Meta, func() { // without memory, to load weights
		m := vgg.New(vgg.Config{BatchNorm: true, NumClasses: 10})
		fmt.Println(nn.StateDict(m).Get("classifier.6.weight").Shape())
	})
	// Output: [10 4096]
}
