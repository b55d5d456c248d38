package functional

import (
	"bytes"
	"image"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms"
	v1 "github.com/torchhub/torchhub/transforms/functional"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// Pictures are the same in torchvision's two versions, except for the functions
// of this file.

func onPicture(p image.Image, f func(v1.Value) v1.Value) image.Image {
	return f(v1.Value{Image: p}).Image
}

func pictureDimensions(p any) (c, h, w int) {
	return v1.GetDimensions(v1.Value{Image: p.(image.Image)})
}

func pictureGrayscale(p image.Image, channels int) image.Image {
	return onPicture(p, func(v v1.Value) v1.Value { return v1.ToGrayscale(v, channels) })
}

func pictureBrightness(p image.Image, f float64) image.Image {
	return onPicture(p, func(v v1.Value) v1.Value { return v1.AdjustBrightness(v, f) })
}

func pictureSaturation(p image.Image, f float64) image.Image {
	return onPicture(p, func(v v1.Value) v1.Value { return v1.AdjustSaturation(v, f) })
}

func pictureContrast(p image.Image, f float64) image.Image {
	return onPicture(p, func(v v1.Value) v1.Value { return v1.AdjustContrast(v, f) })
}

func pictureSharpness(p image.Image, f float64) image.Image {
	return onPicture(p, func(v v1.Value) v1.Value { return v1.AdjustSharpness(v, f) })
}

func pictureHue(p image.Image, f float64) image.Image {
	return onPicture(p, func(v v1.Value) v1.Value { return v1.AdjustHue(v, f) })
}

func pictureGamma(p image.Image, gamma, gain float64) image.Image {
	return onPicture(p, func(v v1.Value) v1.Value { return v1.AdjustGamma(v, gamma, gain) })
}

func picturePosterize(p image.Image, bits int) image.Image {
	return onPicture(p, func(v v1.Value) v1.Value { return v1.Posterize(v, bits) })
}

func pictureSolarize(p image.Image, threshold torch.Number) image.Image {
	return onPicture(p, func(v v1.Value) v1.Value { return v1.Solarize(v, threshold) })
}

func pictureAutocontrast(p image.Image) image.Image { return onPicture(p, v1.Autocontrast) }
func pictureEqualize(p image.Image) image.Image     { return onPicture(p, v1.Equalize) }
func pictureInvert(p image.Image) image.Image       { return onPicture(p, v1.Invert) }
func pictureHFlip(p image.Image) image.Image        { return onPicture(p, v1.HFlip) }
func pictureVFlip(p image.Image) image.Image        { return onPicture(p, v1.VFlip) }

func pictureCrop(p image.Image, top, left, height, width int) image.Image {
	return onPicture(p, func(v v1.Value) v1.Value { return v1.Crop(v, top, left, height, width) })
}

func pictureCenterCrop(p image.Image, size torch.Ints) image.Image {
	h, w := square("CenterCrop", p, size)
	return onPicture(p, func(v v1.Value) v1.Value { return v1.CenterCrop(v, []int{h, w}) })
}

func picturePad(p image.Image, padding torch.Ints, o PadOptions) image.Image {
	return onPicture(p, func(v v1.Value) v1.Value {
		return v1.Pad(v, padding, v1.PadOptions{Fill: []float64(o.Fill), PaddingMode: string(o.mode())})
	})
}

func pictureResize(p image.Image, size torch.Ints, o ResizeOptions) image.Image {
	how := checked(o.interpolation(), "Resize", p)
	_, h, w := pictureDimensions(p)
	nh, nw := resized(p, h, w, size, o.MaxSize)
	return onPicture(p, func(v v1.Value) v1.Value { return v1.Resize(v, []int{nh, nw}, v1.ResizeOptions{Interpolation: how}) })
}

func pictureRotate(p image.Image, angle float64, o RotateOptions) image.Image {
	how := checked(nearestUnless(o.Interpolation), "Rotate", p)
	return onPicture(p, func(v v1.Value) v1.Value {
		return v1.Rotate(v, angle, v1.RotateOptions{Interpolation: how, Expand: o.Expand, Center: o.Center, Fill: []float64(o.Fill)})
	})
}

// pillowed computes with a picture of Pillow.
func pillowed(op string, p image.Image, f func(*pillow.Image) (*pillow.Image, error)) image.Image {
	in := pillow.From(p)
	if err := in.Check(); err != nil {
		fail(op, p, "%v", err)
	}
	out, err := f(in)
	switch {
	case err != nil:
		fail(op, p, "%v", err)
	case out == in:
		return p
	}
	return v1.Shown(out)
}

func pictureRGB(p image.Image) image.Image {
	return pillowed("GrayscaleToRGB", p, func(p *pillow.Image) (*pillow.Image, error) { return p.Convert(pillow.ModeRGB) })
}

// pictureAffine differs from version 1 in the order of the operations that make the matrix.
func pictureAffine(p image.Image, m AffineMap, o AffineOptions) image.Image {
	how := checked(nearestUnless(o.Interpolation), "Affine", p)
	checkMap("Affine", p, m, o.Center)
	return pillowed("Affine", p, func(p *pillow.Image) (*pillow.Image, error) {
		cx, cy := centerOf(o.Center, [2]int{p.H, p.W})
		matrix := m.matrix(cx, cy, true)
		return p.Transform(p.W, p.H, pillow.Affine, matrix[:], onPictures(how), o.Fill)
	})
}

func picturePerspective(p image.Image, c []float64, o PerspectiveOptions) image.Image {
	how := checked(ResizeOptions{Interpolation: o.Interpolation}.interpolation(), "Perspective", p)
	return pillowed("Perspective", p, func(p *pillow.Image) (*pillow.Image, error) {
		return p.Transform(p.W, p.H, pillow.Perspective, c, onPictures(how), o.Fill)
	})
}

// onPictures returns Pillow's filter for an interpolation.
func onPictures(how Interpolation) Interpolation {
	if how == NearestExact {
		return Nearest
	}
	return how
}

func picturePermute(p image.Image, permutation []int) image.Image {
	var out image.Image
	torch.Scope(func() { out = v1.ToPILImage(PermuteChannelsImage(PILToTensor(p), permutation)) })
	return out
}

// throughTensor computes with the tensor of a picture and makes one of the same mode of the result.
func throughTensor(p image.Image, f func(*torch.Tensor) *torch.Tensor) (out image.Image) {
	torch.Scope(func() { out = v1.ToPILImage(f(PILToTensor(p)), pillow.From(p).Mode) })
	return out
}

// JPEG compresses and decompresses an image, video or picture with a quality of 1
// to 100: jpeg(x, quality). A picture of the mode YCbCr becomes RGB.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.jpeg.html
func JPEG[T any](x T, quality int) T {
	return call(x, jpegKernels(quality), quality)
}

func jpegKernels(quality int) kernels {
	return kernels{
		name:    "JPEG",
		image:   func(x *torch.Tensor) *torch.Tensor { return JPEGImage(x, quality) },
		picture: func(p image.Image) image.Image { return pictureJPEG(p, quality) },
	}
}

// JPEGImage is [JPEG] of a uint8 tensor [..., 1 or 3, H, W] on the CPU.
func JPEGImage(x *torch.Tensor, quality int) *torch.Tensor {
	const op = "JPEG"
	batch := squash(x)
	n := batch.Size(0)
	if n == 0 { // Python looks no further
		return x.Clone()
	}
	colors(op, x)
	switch {
	case x.DType() != torch.Uint8:
		fail(op, x, "the tensor is %v; want uint8", x.DType())
	case x.Device() != torch.CPU:
		fail(op, x, "the tensor is on %v; want the CPU", x.Device())
	}
	images := make([]*torch.Tensor, n)
	for i := range images {
		images[i] = PILToTensor(pictureJPEG(v1.ToPILImage(batch.Select(0, i)), quality))
	}
	return torch.Stack(images, 0).View(x.Shape()...)
}

// JPEGVideo is [JPEG] of a uint8 tensor [..., T, 1 or 3, H, W] on the CPU.
func JPEGVideo(x *torch.Tensor, quality int) *torch.Tensor { return JPEGImage(x, quality) }

func pictureJPEG(p image.Image, quality int) image.Image {
	const op = "JPEG"
	if quality < 1 || quality > 100 {
		fail(op, p, "the quality is %d; want 1 to 100", quality)
	}
	switch mode := pillow.From(p).Mode; mode {
	case pillow.ModeL, pillow.ModeRGB, pillow.ModeYCbCr, pillow.ModeCMYK:
	case pillow.Mode1:
		p = pillowed(op, p, func(p *pillow.Image) (*pillow.Image, error) { return p.Convert(pillow.ModeL) })
	default:
		fail(op, p, "pictures of the mode %s are not written as JPEG; want L, RGB, CMYK, YCbCr or 1", mode)
	}
	var b bytes.Buffer
	if err := transforms.EncodeJPEG(&b, p, transforms.JPEGOptions{Quality: quality}); err != nil {
		fail(op, p, "%v", err)
	}
	out, err := transforms.Decode(&b, transforms.WithMode())
	if err != nil {
		fail(op, p, "%v", err)
	}
	return out
}

// PILToTensor makes a tensor [C, H, W] of a picture, without scaling its values: pil_to_tensor(p).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.pil_to_tensor.html
func PILToTensor(p image.Image) *torch.Tensor { return v1.PILToTensor(p) }

// ToTensor makes a tensor [C, H, W] of a picture, with float32 from 0 to 1 for
// bytes: to_tensor(p), which PyTorch advises against; see [ToImage] and [ToDtype].
func ToTensor(p image.Image) *torch.Tensor { return v1.ToTensor(p) }

// ToPILImage makes a picture of a tensor [C, H, W] or [H, W], in a mode of Pillow or,
// for "", the one that its channels and dtype imply: to_pil_image(x, mode). See the
// functional of this name of transforms/functional.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.to_pil_image.html
func ToPILImage(x *torch.Tensor, mode string) image.Image {
	if mode == "" {
		return v1.ToPILImage(x)
	}
	return v1.ToPILImage(x, v1.Mode(mode))
}
