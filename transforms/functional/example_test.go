package functional_test

import (
	"fmt"
	"image"

	"github.com/torchhub/torchhub/torch"
	TF "github.com/torchhub/torchhub/transforms/functional"
)

func Example() {
	img := image.NewGray(image.Rect(0, 0, 4, 2))
	copy(img.Pix, []uint8{0, 10, 20, 30, 40, 50, 60, 70})

	picture := TF.Value{Image: img} // Pillow's numbers
	fmt.Println(TF.HFlip(picture).Image.(*image.Gray).Pix)
	fmt.Println(TF.Resize(picture, []int{1, 2}).Image.(*image.Gray).Pix)

	tensor := TF.Value{Tensor: TF.PILToTensor(img)} // those of the tensor backend
	fmt.Println(torch.Data[uint8](TF.AdjustBrightness(tensor, 1.5).Tensor))
	fmt.Println(torch.Data[uint8](TF.Rotate(tensor, 90, TF.RotateOptions{Expand: true}).Tensor))
	// Output:
	// [30 20 10 0 70 60 50 40]
	// [27 43]
	// [0 15 30 45 60 75 90 105]
	// [30 70 20 60 10 50 0 40]
}

func ExampleFiveCrop() {
	crops := TF.FiveCrop(TF.Value{Tensor: torch.Zeros(3, 32, 32)}, 24)
	fmt.Println(crops, crops.Stack())
	// Output:
	// 5 values [5, 3, 24, 24] float32
}

func ExampleToPILImage() {
	x := torch.FromSlice([]float32{0, 0.5, 1}, 3, 1, 1)
	fmt.Println(TF.ToPILImage(x).At(0, 0), TF.ToPILImage(x, "HSV"))
	// Output:
	// {0 127 255 255} picture of 1×1 pixels, mode HSV
}

func ExampleInvert() {
	err := torch.Try(func() { TF.Invert(TF.Value{Tensor: torch.Zeros(4, 8, 8)}) })
	fmt.Println(err)
	// Output:
	// torch: functional.Invert([4, 8, 8] float32): the tensor has 4 channels; want 1 or 3
}
