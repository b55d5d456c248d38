package tvtensors_test

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/tvtensors"
)

func Example() {
	img := tvtensors.NewImage(torch.Zeros(480, 640))
	boxes := tvtensors.NewBoundingBoxes(torch.FromSlice([]int64{1, 2, 3, 4}), tvtensors.XYWH, 480, 640)
	fmt.Println(tvtensors.KindOf(img), img.Shape())
	fmt.Println(boxes.Describe())
	fmt.Println(tvtensors.KindOf(img.AddScalar(1))) // an op gives a plain tensor
	fmt.Println(torch.Try(func() { tvtensors.NewVideo(torch.Zeros(3, 4, 5)) }))
	// Output:
	// Image [1 480 640]
	// BoundingBoxes [1, 4] int64 XYWH on 480×640
	// Tensor
	// torch: tvtensors.NewVideo([3, 4, 5] float32): a video has four dimensions or more, [..., T, C, H, W]
}
