package s3d

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func TestMain(m *testing.M) {
	if err := torch.Init(context.Background()); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// Example classifies the shortest clip of the smallest size.
func Example() {
	m := New(Config{NumClasses: 10})
	nn.Eval(m)
	torch.NoGrad(func() {
		fmt.Println(m.Forward(torch.Zeros(1, 3, 13, 209, 209)).Shape())
	})
	// Output: [1 10]
}

func TestBadInput(t *testing.T) {
	var m *S3D
	torch.WithDevice(torch.Meta, func() { m = New(Config{}) })
	for want, shape := range map[string][]int{
		"the number of frames is 1; give at least 13":          {1, 3, 1, 224, 224},
		"the frames are 224×208 pixels; give at least 209×209": {1, 3, 16, 208, 224},
		"give a batch of videos [N, 3, T, H, W]":               {3, 16, 224, 224},
	} {
		require.ErrorContains(t, torch.Try(func() { m.Forward(torch.Zeros(shape...)) }), want)
	}
}
