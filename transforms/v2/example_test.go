package v2_test

import (
	"fmt"
	"image"

	"github.com/torchhub/torchhub/torch"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
	"github.com/torchhub/torchhub/transforms/v2"
)

func Example() {
	type sample struct {
		Image  v2.Image
		Boxes  v2.BoundingBoxes
		Masks  v2.Mask
		Labels *torch.Tensor
	}
	s := sample{
		Image:  tv.NewImage(torch.Options{DType: torch.Uint8}.Zeros(3, 480, 640)),
		Boxes:  tv.NewBoundingBoxes(torch.FromSlice([]float32{10, 20, 110, 220, 300, 300, 300, 310}, 2, 4), tv.XYXY, 480, 640),
		Masks:  tv.NewMask(torch.Options{DType: torch.Bool}.Zeros(2, 480, 640)),
		Labels: torch.FromSlice([]int64{7, 8}),
	}
	t := v2.Compose(
		v2.RandomHorizontalFlip(1),
		v2.Resize(240),
		v2.SanitizeBoundingBoxes(), // the second box has no width
		v2.ToDtype(torch.Float32, true),
	)
	out := v2.Apply(t, s)
	fmt.Println(out.Image.Shape(), out.Image.DType())
	fmt.Println(torch.Data[float32](out.Boxes.Tensor), out.Boxes.CanvasSize)
	fmt.Println(out.Masks.Shape(), torch.Data[int64](out.Labels))
	// Output:
	// [3 240 320] float32
	// [265 10 315 110] [240 320]
	// [1 240 320] [7]
}

func ExampleApply() {
	g := torch.NewGenerator(torch.CPU).ManualSeed(0) // of this goroutine alone
	img := tv.NewImage(torch.Rand(3, 32, 32))
	img = v2.Apply(v2.RandomCrop(24), img, torch.RandomOptions{Generator: g})
	fmt.Println(img.Shape())
	// Output: [3 24 24]
}

func ExampleConvert() {
	type raw struct {
		Picture image.Image
		Label   int
	}
	type ready struct {
		Picture *torch.Tensor
		Label   int
	}
	t := v2.Compose(v2.ToImage(), v2.CenterCrop(8), v2.ToDtype(torch.Float32, true), v2.ToPureTensor())
	out := v2.Convert[ready](t, raw{image.NewGray(image.Rect(0, 0, 10, 10)), 3})
	fmt.Println(out.Picture.Shape(), out.Picture.DType(), out.Label)
	// Output: [1 8 8] float32 3
}

func ExampleNew() {
	brighten := v2.New("Brighten(by=2)", v2.Hooks[struct{}]{
		Takes:     v2.Is[v2.Image],
		Transform: func(v any, _ struct{}) any { return tv.Image{Tensor: v.(v2.Image).MulScalar(2)} },
	})
	fmt.Println(brighten, torch.Data[float32](v2.Apply(brighten, tv.NewImage(torch.Ones(1, 1, 2))).Tensor))
	// Output: Brighten(by=2) [2 2]
}
