package functional_test

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
	"github.com/torchhub/torchhub/transforms/v2/functional"
)

func Example() {
	boxes := tv.NewBoundingBoxes(torch.FromSlice([]float32{10, 20, 30, 40}, 1, 4), tv.XYXY, 100, 200)
	boxes = functional.HorizontalFlip(boxes)
	fmt.Println(torch.Data[float32](boxes.Tensor))
	boxes = functional.Resize(boxes, 50)
	fmt.Println(torch.Data[float32](boxes.Tensor), boxes.CanvasSize)
	boxes = functional.ConvertBoundingBoxFormat(boxes, tv.CXCYWH)
	fmt.Println(torch.Data[float32](boxes.Tensor), boxes.Format)
	// Output:
	// [170 20 190 40]
	// [85 10 95 20] [50 100]
	// [90 15 10 10] CXCYWH
}
