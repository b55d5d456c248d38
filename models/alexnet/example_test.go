package alexnet_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models/alexnet"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	torch.WithDevice(torch.Meta, func() { // without memory, to load weights
		m := alexnet.New(alexnet.Config{NumClasses: 10})
		fmt.Println(nn.StateDict(m).Get("classifier.6.weight").Shape())
	})
	// Output: [10 4096]
}
