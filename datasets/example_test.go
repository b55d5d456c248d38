package datasets_test

import (
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"

	"github.com/torchhub/torchhub/datasets"
)

func Example() {
	root, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(root)
	for _, class := range []string{"cat", "dog"} {
		if err := os.Mkdir(filepath.Join(root, class), 0o755); err != nil {
			panic(err)
		}
		f, err := os.Create(filepath.Join(root, class, "1.png"))
		if err != nil {
			panic(err)
		}
		if err := png.Encode(f, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
			panic(err)
		}
		f.Close()
	}
	folder, err := datasets.NewImageFolder(root)
	if err != nil {
		panic(err)
	}
	fmt.Println(folder.Classes, folder.Len())
	// Output: [cat dog] 2
}
