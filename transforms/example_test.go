package transforms_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"log"
	"os"
	"path/filepath"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/transforms"
)

func Example() {
	img := &transforms.RGB{Pix: make([]uint8, 3*500*392), W: 500, H: 392} // or what transforms.Open returns
	preprocess := transforms.Compose(
		transforms.Resize(256),
		transforms.CenterCrop(224),
		transforms.ToTensor(),
		transforms.Normalize([]float64{0.485, 0.456, 0.406}, []float64{0.229, 0.224, 0.225}),
	)
	input := preprocess.Apply(img).Unsqueeze(0)
	fmt.Println(input.Shape(), input.DType())
	fmt.Println(preprocess)
	// Output:
	// [1 3 224 224] float32
	// Compose(
	//     Resize(size=256, interpolation=bilinear, max_size=None, antialias=True)
	//     CenterCrop(size=(224, 224))
	//     ToTensor()
	//     Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
	// )
}

func ExampleDecodeFrames() {
	animation := gif.GIF{Delay: []int{5, 10, 15}}
	for i := range 3 {
		img := image.NewPaletted(image.Rect(0, 0, 40, 30), palette.Plan9)
		img.Set(i, i, color.White)
		animation.Image = append(animation.Image, img)
	}
	var file bytes.Buffer
	if err := gif.EncodeAll(&file, &animation); err != nil {
		log.Fatal(err)
	}
	var clip []image.Image
	for frame, err := range transforms.DecodeFrames(&file) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(frame.Image.Bounds().Size(), frame.Duration)
		clip = append(clip, frame.Image)
	}
	fmt.Println(len(clip), "frames")
	// Output:
	// (40,30) 50ms
	// (40,30) 100ms
	// (40,30) 150ms
	// 3 frames
}

func ExampleResize() {
	img := image.NewGray(image.Rect(0, 0, 500, 392))
	for _, t := range []transforms.Transform{
		transforms.Resize(256),
		transforms.Resize(256, transforms.ResizeOptions{MaxSize: 300, Interpolation: transforms.Bicubic}),
		transforms.ResizeTo(100, 200), // height, width
	} {
		fmt.Println(t.Transform(transforms.Value{Image: img}))
	}
	// Output:
	// picture of 326×256 pixels
	// picture of 300×235 pixels
	// picture of 200×100 pixels
}

func ExampleCenterCrop() {
	img := image.NewGray(image.Rect(0, 0, 2, 2))
	img.Pix[3] = 255
	crop := transforms.Compose(transforms.CenterCropTo(3, 4), transforms.ToTensor())
	fmt.Println(torch.Data[float32](crop.Apply(img)))
	// Output:
	// [0 0 0 0 0 0 1 0 0 0 0 0]
}

func ExampleFunc() {
	half := transforms.Func(func(v transforms.Value) transforms.Value {
		return v.WithTensor(v.Tensor.MulScalar(0.5))
	})
	img := image.NewGray(image.Rect(0, 0, 1, 1))
	img.Pix[0] = 255
	x := transforms.Compose(transforms.ToTensor(), half).Apply(img)
	fmt.Println(torch.Data[float32](x))
	// Output:
	// [0.5]
}

func ExamplePipeline_Apply() {
	preprocess := transforms.Compose(transforms.Resize(256))
	err := torch.Try(func() { preprocess.Apply(image.NewGray(image.Rect(0, 0, 640, 480))) })
	fmt.Println(err)
	// Output:
	// torch: transforms.Pipeline.Apply(picture of 341×256 pixels): the pipeline ends in no tensor; add ToTensor()
}

func ExampleTenCrop() {
	img := image.NewGray(image.Rect(0, 0, 300, 200))
	crops := transforms.Compose(
		transforms.TenCrop(128),
		transforms.Lambda(func(crops transforms.Value) transforms.Value {
			return crops.Map(transforms.ToTensor().Transform).Stack()
		}),
	)
	fmt.Println(crops.Apply(img).Shape())
	// Output:
	// [10 1 128 128]
}

func ExampleValue_generator() {
	augment := transforms.Compose(transforms.RandomCrop(2), transforms.RandomHorizontalFlip(), transforms.ToTensor())
	img := image.NewGray(image.Rect(0, 0, 6, 6))
	for i := range img.Pix {
		img.Pix[i] = uint8(i)
	}
	v := transforms.Value{Image: img}
	v.Generator, v.Random = data.WorkerGenerators(1234, 0) // what the first worker of a DataLoader has
	fmt.Println(torch.Data[float32](augment.Transform(v).Tensor.MulScalar(255)))
	// Output:
	// [2 1 8 7]
}

func ExampleBatchFiles() {
	preprocess := transforms.Classification(256, 224, transforms.Bilinear, []float64{0.485, 0.456, 0.406}, []float64{0.229, 0.224, 0.225})
	files := []string{"../testdata/pictures/photo.png", "../testdata/pictures/lossless.webp", "../testdata/pictures/photo.bmp"}
	input, err := transforms.BatchFiles(context.Background(), preprocess, files)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(input.Shape())
	// Output:
	// [3 3 224 224]
}

func ExampleWithMode() {
	img, err := transforms.Open("../testdata/pictures/grayalpha.png", transforms.WithMode())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(img)
	// Output:
	// picture of 61×45 pixels, mode LA
}

func ExampleSave() {
	dir, err := os.MkdirTemp("", "save")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	img := &transforms.RGB{Pix: make([]uint8, 3*4*2), W: 4, H: 2}
	fmt.Println(transforms.Save(filepath.Join(dir, "black.jpg"), img, transforms.JPEGOptions{Quality: 90}))
	// Output:
	// <nil>
}
