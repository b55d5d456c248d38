package jpeg_test

import (
	"fmt"
	"os"

	"github.com/torchhub/torchhub/transforms/internal/jpeg"
)

func Example() {
	data, err := os.ReadFile("../../../testdata/pictures/photo.jpg")
	if err != nil {
		panic(err)
	}
	pix, h, err := jpeg.Decode(data, jpeg.Options{})
	if err != nil {
		panic(err)
	}
	fmt.Println(h.W, h.H, h.Channels, len(pix))
	// Output:
	// 61 45 3 8235
}
