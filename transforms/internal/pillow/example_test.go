package pillow_test

import (
	"fmt"
	"image"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

func Example() {
	p := pillow.From(image.NewNRGBA(image.Rect(0, 0, 640, 480)))
	q, err := p.Resize(320, 240, pillow.Bicubic)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(p, "→", q)
	_, err = pillow.Autocontrast(q)
	fmt.Println(err)
	fmt.Printf("%T\n", q.Go())
	// Output:
	// picture of 640×480 pixels, mode RGBA → picture of 320×240 pixels, mode RGBA
	// the mode RGBA is not supported; want L or RGB
	// *image.NRGBA
}
