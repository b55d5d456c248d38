package draw_test

import (
	"fmt"
	"image/color"
	"log"
	"os"
	"path/filepath"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/draw"
)

// A detection is drawn on a picture, and the result written into a file.
func Example() {
	picture := torch.Zeros(3, 120, 160)
	boxes := torch.FromSlice([]float32{20, 30, 120, 100}, 1, 4)
	shown := draw.DrawBoundingBoxes(picture, boxes, draw.BoxOptions{
		Labels: []string{"dog 0.97"},
		Colors: []color.Color{draw.Color("orange")},
		Width:  2,
	})
	fmt.Println(shown.Shape(), shown.Index(0, 30, 60).Item())

	dir, err := os.MkdirTemp("", "draw")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := draw.SaveImage(shown, filepath.Join(dir, "dog.png")); err != nil {
		log.Fatal(err)
	}
	// Output: [3 120 160] 1
}

func ExampleMakeGrid() {
	digits := torch.Rand(10, 1, 28, 28)
	fmt.Println(draw.MakeGrid(digits, draw.GridOptions{NRow: 5}).Shape())
	// Output: [3 62 152]
}

func ExampleDrawSegmentationMasks() {
	picture := torch.Ones(3, 2, 2)
	mask := torch.FromSlice([]bool{true, false, false, false}, 2, 2)
	shown := draw.DrawSegmentationMasks(picture, mask, draw.MaskOptions{Alpha: 0.5, Colors: []color.Color{color.Black}})
	fmt.Println(torch.Data[float32](shown))
	// Output: [0.5 1 1 1 0.5 1 1 1 0.5 1 1 1]
}
