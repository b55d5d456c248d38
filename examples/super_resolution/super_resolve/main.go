// Super_resolve enlarges a picture by a network that super_resolution trained.
//
//	go run ./examples/super_resolution/super_resolve -input_image in.jpg -model model_epoch_2.pth -output_filename out.png
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/examples/super_resolution/model"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/accelerator"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/transforms"
	TF "github.com/torchhub/torchhub/transforms/functional"
)

type arguments struct {
	inputImage, model, outputFilename string
	accel                             bool
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	var opt arguments
	flags := program.Flags("super_resolve", "Enlarges a picture by a network that super_resolution trained.")
	flags.StringVar(&opt.inputImage, "input_image", "", "the `picture`")
	flags.StringVar(&opt.model, "model", "", "`file` that super_resolution wrote")
	flags.StringVar(&opt.outputFilename, "output_filename", "", "`file` for the large picture")
	flags.BoolVar(&opt.accel, "accel", false, "use the GPU, if there is one")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	if opt.inputImage == "" || opt.model == "" || opt.outputFilename == "" {
		return errors.New("super_resolve: give -input_image, -model and -output_filename; -h lists the flags")
	}
	return program.Run(ctx, func() error { return superResolve(w, opt) })
}

func superResolve(w io.Writer, opt arguments) error {
	img, err := transforms.Open(opt.inputImage, transforms.WithMode())
	if err != nil {
		return err
	}
	bands := transforms.Split(transforms.Convert(img, "YCbCr"))
	y, cb, cr := bands[0], bands[1], bands[2]

	weights, err := torch.LoadStateDict(opt.model)
	if err != nil {
		return err
	}
	last := weights.Get("conv4.bias") // of as many channels as a pixel becomes pixels
	if last == nil {
		return fmt.Errorf("super_resolve: %s is no file of super_resolution: it has no conv4.bias", opt.model)
	}
	net := model.New(int(math.Sqrt(float64(last.Numel()))))
	if err := nn.LoadStateDict(net, weights); err != nil {
		return err
	}
	input := TF.ToTensor(y).Unsqueeze(0) // [1, 1, H, W]

	if opt.accel && accelerator.IsAvailable() {
		device := accelerator.CurrentAccelerator()
		nn.To(net, device)
		input = input.To(device)
	}

	var out *torch.Tensor
	torch.NoGrad(func() { out = net.Forward(input).To(torch.CPU) })
	out = out.MulScalar(255).Clamp(0, 255)
	outImgY := TF.ToPILImage(out.Index(0).ToDType(torch.Uint8), "L")

	size := []int{out.Size(2), out.Size(3)}
	bicubic := TF.ResizeOptions{Interpolation: TF.Bicubic}
	outImgCb := TF.Resize(TF.Value{Image: cb}, size, bicubic).Image
	outImgCr := TF.Resize(TF.Value{Image: cr}, size, bicubic).Image
	outImg := transforms.Convert(transforms.Merge("YCbCr", outImgY, outImgCb, outImgCr), "RGB")

	if err := transforms.Save(opt.outputFilename, outImg); err != nil {
		return err
	}
	fmt.Fprintln(w, "output image saved to ", opt.outputFilename)
	return nil
}
