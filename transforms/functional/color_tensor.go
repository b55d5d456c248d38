package functional

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	"github.com/torchhub/torchhub/transforms/internal/args"
)

// The tensor side of color.go: the operators of torchvision's
// _functional_tensor.py, in its order, since another order rounds differently.

func grayTensor(x *torch.Tensor, outputs int) *torch.Tensor {
	const op = "RGBToGrayscale"
	want3D(op, x)
	want13(op, x)
	var l *torch.Tensor
	if x.Size(-3) == 3 {
		c := x.Unbind(-3)
		l = c[0].MulScalar(0.2989).Add(c[1].MulScalar(0.587)).Add(c[2].MulScalar(0.114)).ToDType(x.DType()).Unsqueeze(-3)
	} else {
		l = x.Clone()
	}
	if outputs == 3 {
		return l.Expand(x.Shape()...)
	}
	return l
}

func brightnessTensor(x *torch.Tensor, factor float64) *torch.Tensor {
	want13("AdjustBrightness", x)
	return blend(x, torch.ZerosLike(x), factor)
}

func contrastTensor(x *torch.Tensor, factor float64) *torch.Tensor {
	want13("AdjustContrast", x)
	l := x
	if channels(x) == 3 {
		l = grayTensor(x, 1)
	}
	mean := l.ToDType(floating(x)).MeanDim([]int{-3, -2, -1}, torch.MeanOptions{KeepDim: true})
	return blend(x, mean, factor)
}

func saturationTensor(x *torch.Tensor, factor float64) *torch.Tensor {
	want13("AdjustSaturation", x)
	if channels(x) == 1 {
		return x
	}
	return blend(x, grayTensor(x, 1), factor)
}

func hueTensor(x *torch.Tensor, factor float64) *torch.Tensor {
	want13("AdjustHue", x)
	if channels(x) == 1 {
		return x
	}
	c := toHSV(convertDType(x, torch.Float32)).Unbind(-3)
	h := c[0].AddScalar(factor).RemainderScalar(1.0)
	return convertDType(toRGB(torch.Stack([]*torch.Tensor{h, c[1], c[2]}, -3)), x.DType())
}

// toHSV turns red, green and blue in [0, 1] into hue, saturation and value.
func toHSV(x *torch.Tensor) *torch.Tensor {
	c := x.Unbind(-3)
	r, g, b := c[0], c[1], c[2]
	high, _ := x.MaxDim(-3)
	low, _ := x.MinDim(-3)
	gray := high.Eq(low)
	span := high.Sub(low)
	ones := torch.OnesLike(high)
	s := span.Div(torch.Where(gray, ones, high))
	divisor := torch.Where(gray, ones, span)
	rc := high.Sub(r).Div(divisor)
	gc := high.Sub(g).Div(divisor)
	bc := high.Sub(b).Div(divisor)
	isR, notR, isG, notG := high.Eq(r), high.Ne(r), high.Eq(g), high.Ne(g)
	hr := isR.Mul(bc.Sub(gc))
	hg := isG.BitwiseAnd(notR).Mul(rc.AddScalar(2.0).Sub(bc))
	hb := notG.BitwiseAnd(notR).Mul(gc.AddScalar(4.0).Sub(rc))
	h := hr.Add(hg).Add(hb).DivScalar(6.0).AddScalar(1.0).FmodScalar(1.0)
	return torch.Stack([]*torch.Tensor{h, s, high}, -3)
}

// toRGB undoes toHSV.
func toRGB(x *torch.Tensor) *torch.Tensor {
	c := x.Unbind(-3)
	h, s, v := c[0], c[1], c[2]
	sector := h.MulScalar(6.0).Floor()
	f := h.MulScalar(6.0).Sub(sector)
	unit := func(x *torch.Tensor) *torch.Tensor { return v.Mul(minus(1.0, x)).Clamp(0.0, 1.0) }
	p := unit(s)
	q := unit(s.Mul(f))
	t := unit(s.Mul(minus(1.0, f)))
	sector = sector.ToDType(torch.Int32).RemainderScalar(6)
	six := torch.Options{Device: x.Device()}.Arange(6).View(-1, 1, 1)
	mask := sector.Unsqueeze(-3).Eq(six)
	row := func(xs ...*torch.Tensor) *torch.Tensor { return torch.Stack(xs, -3) }
	table := torch.Stack([]*torch.Tensor{row(v, q, p, p, t, v), row(t, v, v, q, p, p), row(p, p, t, v, v, q)}, -4)
	return torch.Einsum("...ijk, ...xijk -> ...xjk", []*torch.Tensor{mask.ToDType(x.DType()), table})
}

func gammaTensor(x *torch.Tensor, gamma, gain float64) *torch.Tensor {
	want13("AdjustGamma", x)
	y := x
	if !x.DType().IsFloatingPoint() {
		y = convertDType(x, torch.Float32)
	}
	return convertDType(y.PowScalar(gamma).MulScalar(gain).Clamp(0, 1), x.DType())
}

func sharpnessTensor(x *torch.Tensor, factor float64) *torch.Tensor {
	want13("AdjustSharpness", x)
	if x.Size(-1) <= 2 || x.Size(-2) <= 2 {
		return x
	}
	return blend(x, smooth(x), factor)
}

// smooth blurs x with a kernel of 3×3 as Pillow's ImageFilter.SMOOTH does, except for the
// border.
func smooth(x *torch.Tensor) *torch.Tensor {
	k := torch.Options{DType: floating(x), Device: x.Device()}.Ones(3, 3)
	k.SetIndex(5.0, 1, 1)
	k.DivInPlace(k.Sum())
	y, undo := castIn(x, k.DType())
	y = undo(depthwise(y, k, x.Size(-3)))
	inner := torch.Slice(1, -1)
	return x.Clone().SetIndex(y, torch.Ellipsis, inner, inner)
}

func invertTensor(op string, x *torch.Tensor) *torch.Tensor {
	want3D(op, x)
	want13(op, x)
	return minus(maxValue(x.DType()), x)
}

func posterizeTensor(x *torch.Tensor, bits int) *torch.Tensor {
	const op = "Posterize"
	want3D(op, x)
	if d := x.DType(); d != torch.Uint8 {
		fail(op, Value{Tensor: x}, "the tensor is of %v; only uint8 can be posterized", d)
	}
	want13(op, x)
	return aten.BitwiseAndScalar(x, -(1 << (8 - bits)))
}

func solarizeTensor(x *torch.Tensor, threshold torch.Number) *torch.Tensor {
	const op = "Solarize"
	inverted := invertTensor(op, x)
	if args.Above(threshold, maxValue(x.DType())) {
		fail(op, Value{Tensor: x}, "the threshold is %v; a tensor of %v goes to %d", threshold, x.DType(), maxValue(x.DType()))
	}
	return torch.Where(x.GeScalar(threshold), inverted, x)
}

func autocontrastTensor(x *torch.Tensor) *torch.Tensor {
	const op = "Autocontrast"
	want3D(op, x)
	want13(op, x)
	bound, dtype := maxValue(x.DType()), floating(x)
	plane := []int{-2, -1}
	low := x.AminDim(plane, torch.AminOptions{KeepDim: true}).ToDType(dtype)
	high := x.AmaxDim(plane, torch.AmaxOptions{KeepDim: true}).ToDType(dtype)
	scale := high.Sub(low).Reciprocal().MulScalar(bound)
	flat := scale.IsFinite().LogicalNot()
	low.MaskedFillInPlace(flat, 0)
	scale.MaskedFillInPlace(flat, 1)
	return x.Sub(low).Mul(scale).Clamp(0, bound).ToDType(x.DType())
}

func equalizeTensor(x *torch.Tensor) *torch.Tensor {
	const op = "Equalize"
	if n := x.Dim(); n != 3 && n != 4 {
		fail(op, Value{Tensor: x}, "the tensor has %d dimensions; want [C, H, W] or [N, C, H, W]", n)
	}
	if d := x.DType(); d != torch.Uint8 {
		fail(op, Value{Tensor: x}, "the tensor is of %v; only uint8 can be equalized", d)
	}
	want13(op, x)
	stack := func(x *torch.Tensor, f func(*torch.Tensor) *torch.Tensor) *torch.Tensor {
		parts := x.Unbind(0)
		for i, p := range parts {
			parts[i] = f(p)
		}
		return torch.Stack(parts, 0)
	}
	picture := func(x *torch.Tensor) *torch.Tensor { return stack(x, equalizeChannel) }
	if x.Dim() == 3 {
		return picture(x)
	}
	return stack(x, picture)
}

func equalizeChannel(x *torch.Tensor) *torch.Tensor { // [H, W]
	var hist *torch.Tensor
	if x.Device().Type() == "cuda" {
		hist = x.ToDType(torch.Float32).Histc(torch.HistcOptions{Bins: 256, Max: 255})
	} else {
		hist = x.Reshape(-1).Bincount(torch.BincountOptions{Minlength: 256})
	}
	floor := "floor"
	used := hist.Index(hist.NeScalar(0))
	step := aten.DivScalarMode(used.Index(torch.Slice(0, -1)).Sum(), 255, &floor)
	if step.Item() == 0 {
		return x
	}
	lut := hist.Cumsum(0).Add(aten.DivScalarMode(step, 2, &floor)).DivMode(step, floor)
	zero := torch.ZerosLike(lut.Index(torch.Slice(0, 1)))
	lut = torch.Cat([]*torch.Tensor{zero, lut.Index(torch.Slice(0, -1))}, 0).Clamp(0, 255)
	return lut.Index(x.ToDType(torch.Int64)).ToDType(torch.Uint8)
}
