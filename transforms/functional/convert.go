package functional

import (
	"image"
	"math"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A Picture is a Pillow image: pixels of any of Pillow's [Mode]s. It implements
// image.Image, for the modes that have no type of their own in Go.
type Picture = pillow.Image

// A Mode is the kind of a picture's pixels, by Pillow's name.
//
// https://pillow.readthedocs.io/en/stable/handbook/concepts.html#concept-modes
type Mode = pillow.Mode

// unit maps bytes to [0, 1], each quotient correctly rounded.
var unit = func() (t [256]float32) {
	for i := range t {
		t[i] = float32(i) / 255
	}
	return t
}()

// ToTensor turns a picture into a contiguous tensor [C, H, W] with a channel for each of
// its mode: F.to_tensor(pic). Bytes become float32 from 0 to 1; the modes I, I;16 and F keep
// their numbers, as int32, int16 and float32.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.to_tensor.html
func ToTensor(img image.Image) *torch.Tensor {
	const op = "ToTensor"
	p := pixels(op, img)
	switch p.Mode {
	case pillow.ModeI:
		return torch.FromSlice(p.Int32s(), 1, p.H, p.W)
	case pillow.ModeF:
		return torch.FromSlice(p.Float32s(), 1, p.H, p.W)
	case pillow.ModeI16:
		in := p.Uint16s()
		out := make([]int16, len(in))
		for i, v := range in {
			out[i] = int16(v)
		}
		return torch.FromSlice(out, 1, p.H, p.W)
	}
	n, c := p.W*p.H, p.Mode.Bands()
	out := make([]float32, n*c)
	if p.Mode == pillow.Mode1 { // a fill may have left bytes other than 0 and 255
		for i := range out {
			out[i] = float32(min(p.Pix[i], 1))
		}
		return torch.FromSlice(out, c, p.H, p.W)
	}
	pillow.Parallel(n, c, func(lo, hi int) {
		for k := range c {
			plane := out[n*k:]
			for i := lo; i < hi; i++ {
				plane[i] = unit[p.Pix[c*i+k]]
			}
		}
	})
	return torch.FromSlice(out, c, p.H, p.W)
}

// pixels returns a picture that has some.
func pixels(op string, img image.Image) *pillow.Image {
	v := Value{Image: img}
	p := picture(op, v)
	if p.W == 0 || p.H == 0 {
		fail(op, v, "the picture has no pixels")
	}
	return p
}

// PILToTensor turns a picture into a tensor [C, H, W] of the same numbers:
// F.pil_to_tensor(pic). They are uint8, of the modes I, I;16, F and 1 int32,
// uint16, float32 and bool. As in Python its memory is that of [H, W, C].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.pil_to_tensor.html
func PILToTensor(img image.Image) *torch.Tensor {
	const op = "PILToTensor"
	return pilToTensor(pixels(op, img))
}

func pilToTensor(p *pillow.Image) *torch.Tensor {
	c := p.Mode.Bands()
	var x *torch.Tensor
	switch p.Mode {
	case pillow.ModeI:
		x = torch.FromSlice(p.Int32s(), p.H, p.W, 1)
	case pillow.ModeF:
		x = torch.FromSlice(p.Float32s(), p.H, p.W, 1)
	case pillow.ModeI16:
		x = torch.FromSlice(p.Uint16s(), p.H, p.W, 1)
	case pillow.Mode1:
		bits := make([]bool, p.W*p.H)
		for i := range bits {
			bits[i] = p.Pix[i] != 0
		}
		x = torch.FromSlice(bits, p.H, p.W, 1)
	default:
		x = torch.FromSlice(p.Pix[:p.W*p.H*c], p.H, p.W, c)
	}
	return x.Then(func(x *torch.Tensor) *torch.Tensor { return x.Permute(2, 0, 1) })
}

// ToPILImage turns a tensor [C, H, W] of 1 to 4 channels, or [H, W], into a picture:
// F.to_pil_image(pic, mode). Floating-point numbers are multiplied by 255 and cut
// off to bytes. Two channels and more are of uint8 then or, where a mode is given, of int8 or bool, whose bytes are
// taken; wider integers, whose bytes Python takes for pixels, are refused. The mode, if one is given, says what the channels mean:
//
//	channels  without a mode                               modes
//	1         L of bytes, I;16 of int16, I of int32        the same; F of float32
//	2         LA                                           LA
//	3         RGB                                          RGB, YCbCr, HSV
//	4         RGBA                                         RGBA, CMYK, RGBX
//
// The result is of the standard library's type for L, RGBA and CMYK, an *RGB for
// RGB, and a [*Picture] else.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.to_pil_image.html
func ToPILImage(x *torch.Tensor, mode ...Mode) image.Image {
	const op = "ToPILImage"
	v := Value{Tensor: x}
	noPicture(op, v)
	var p *pillow.Image
	named(op, v, func() Value {
		torch.Scope(func() { p = toPicture(op, x, torch.Only(mode)) })
		return v
	})
	return Shown(p)
}

// channelModes lists the possible meanings of the channels of a tensor, the
// default first.
var channelModes = map[int][]Mode{
	2: {pillow.ModeLA},
	3: {pillow.ModeRGB, pillow.ModeYCbCr, pillow.ModeHSV},
	4: {pillow.ModeRGBA, pillow.ModeCMYK, pillow.ModeRGBX},
}

func toPicture(op string, x *torch.Tensor, mode Mode) *pillow.Image {
	v := Value{Tensor: x}
	switch x.Dim() {
	case 2:
		x = x.Unsqueeze(0)
	case 3:
	default:
		fail(op, v, "the tensor has %d dimensions; want [C, H, W] or [H, W]", x.Dim())
	}
	c, h, w := x.Size(0), x.Size(1), x.Size(2)
	if c < 1 || c > 4 {
		fail(op, v, "the tensor has %d channels; want 1 to 4", c)
	}
	x = x.To(torch.CPU).Permute(1, 2, 0)
	dtype := x.DType()
	if dtype.IsFloatingPoint() && mode != pillow.ModeF {
		switch dtype {
		case torch.Float16, torch.Float32, torch.Float64:
		default:
			fail(op, v, "NumPy has no %v; convert with ToDType first", dtype)
		}
		floats := torch.Data[float64](x.MulScalar(255).ToDType(torch.Float64).Contiguous())
		bytes := make([]uint8, len(floats))
		for i, f := range floats {
			bytes[i] = cutByte(f)
		}
		x, dtype = torch.FromSlice(bytes, h, w, c), torch.Uint8
	}
	x = x.Contiguous()
	if c == 1 {
		var p *pillow.Image
		switch {
		case dtype == torch.Uint8:
			p = &pillow.Image{Mode: pillow.ModeL, W: w, H: h, Pix: torch.Data[uint8](x)}
		case dtype == torch.Int16:
			in := torch.Data[int16](x)
			words := make([]uint16, len(in))
			for i, n := range in {
				words[i] = uint16(n)
			}
			p = pillow.FromUint16s(words, w, h)
		case dtype == torch.Int32:
			p = pillow.FromInt32s(torch.Data[int32](x), w, h)
		case dtype == torch.Float32:
			p = pillow.FromFloat32s(torch.Data[float32](x), w, h)
		default:
			fail(op, v, "no mode of one channel holds %v", dtype)
		}
		if mode != "" && mode != p.Mode {
			fail(op, v, "one channel of %v makes a picture of mode %s, not %s", dtype, p.Mode, mode)
		}
		return p
	}
	allowed, given := channelModes[c], mode != ""
	if !given {
		mode = allowed[0]
	}
	for _, m := range allowed {
		if m == mode {
			if (dtype == torch.Int8 || dtype == torch.Bool) && given { // their bytes, as Pillow takes the array of NumPy
				x, dtype = x.ViewDType(torch.Uint8), torch.Uint8
			}
			if dtype != torch.Uint8 {
				fail(op, v, "%d channels of %v make no picture; convert to uint8 or a floating-point dtype", c, dtype)
			}
			return &pillow.Image{Mode: mode, W: w, H: h, Pix: torch.Data[uint8](x)}
		}
	}
	fail(op, v, "%d channels make no picture of mode %s", c, mode)
	return nil
}

// cutByte is NumPy's way from a floating-point number to a byte: cut off to 32
// bits, of which the lower 8 are kept.
func cutByte(f float64) uint8 {
	if f > math.MinInt32-1 && f < math.MaxInt32+1 {
		return uint8(int32(f))
	}
	return 0
}

// ConvertImageDtype converts a tensor to a dtype and its numbers to that dtype's
// range, which is 0 to 1 for floating-point ones: F.convert_image_dtype(image, dtype).
// From floating point to an integer that cannot hold every such number, it panics, as in Python.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.convert_image_dtype.html
func ConvertImageDtype(v Value, dtype torch.DType) Value {
	const op = "ConvertImageDtype"
	noPicture(op, v)
	return named(op, v, func() Value {
		var y *torch.Tensor
		torch.Scope(func() {
			if y = convertDType(v.Tensor, dtype); y != v.Tensor {
				torch.Keep(y)
			}
		})
		return v.WithTensor(y)
	})
}

func convertDType(x *torch.Tensor, dtype torch.DType) *torch.Tensor {
	from := x.DType()
	if from == dtype {
		return x
	}
	if from.IsFloatingPoint() {
		if dtype.IsFloatingPoint() {
			return x.ToDType(dtype)
		}
		if from == torch.Float32 && (dtype == torch.Int32 || dtype == torch.Int64) || from == torch.Float64 && dtype == torch.Int64 {
			fail("ConvertImageDtype", Value{Tensor: x}, "%v cannot hold every %v; convert to a smaller dtype first", from, dtype)
		}
		const eps = 1e-3
		return x.MulScalar(float64(maxValue(dtype)) + 1 - eps).ToDType(dtype)
	}
	in := float64(maxValue(from))
	if dtype.IsFloatingPoint() {
		return x.ToDType(dtype).DivScalar(in)
	}
	out := float64(maxValue(dtype))
	if in > out {
		floor := "floor"
		return aten.DivScalarMode(x, int(math.Floor((in+1)/(out+1))), &floor).ToDType(dtype)
	}
	return x.ToDType(dtype).MulScalar(int(math.Floor((out + 1) / (in + 1))))
}

// NormalizeOptions are the options of [Normalize]. The zero value is torchvision's default.
type NormalizeOptions struct {
	InPlace bool // change the tensor itself
}

// Normalize subtracts each channel's mean from a floating-point tensor [..., C, H, W]
// and divides by its std: F.normalize(tensor, mean, std, inplace). One number does for
// all channels.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.normalize.html
func Normalize(v Value, mean, std []float64, options ...NormalizeOptions) Value {
	const op = "Normalize"
	noPicture(op, v)
	return onTensor(op, v, func(x *torch.Tensor) *torch.Tensor {
		dtype := x.DType()
		if !dtype.IsFloatingPoint() {
			fail(op, v, "a floating-point tensor is needed here; put ToTensor() before it or convert with ConvertImageDtype")
		}
		want3D(op, x)
		for _, n := range [][]float64{mean, std} {
			if c := x.Size(-3); len(n) != 1 && len(n) != c {
				fail(op, v, "there are %d numbers for %d channels", len(n), c)
			}
		}
		m, s := numbers(x, dtype, mean, len(mean), 1, 1), numbers(x, dtype, std, len(std), 1, 1)
		if s.EqScalar(0).Any().Item() != 0 {
			fail(op, v, "std is %v, of which one is zero in %v", std, dtype)
		}
		if !torch.Only(options).InPlace {
			x = x.Clone()
		}
		return x.SubInPlace(m).DivInPlace(s)
	})
}

// EraseOptions are the options of [Erase]. The zero value is torchvision's default.
type EraseOptions struct {
	InPlace bool // change the tensor itself
}

// Erase overwrites h×w pixels of a tensor [..., C, H, W], from row i and column j on,
// with x, which is broadcast to them: F.erase(img, i, j, h, w, v, inplace).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.erase.html
func Erase(v Value, i, j, h, w int, x *torch.Tensor, options ...EraseOptions) Value {
	const op = "Erase"
	noPicture(op, v)
	return onTensor(op, v, func(y *torch.Tensor) *torch.Tensor {
		if !torch.Only(options).InPlace {
			y = y.Clone()
		}
		return y.SetIndex(x, torch.Ellipsis, torch.Slice(i, i+h), torch.Slice(j, j+w))
	})
}
