package functional

import (
	"image"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aten"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// The tensor side of warp.go and blur.go, in torchvision's order of operators.

// checkGrid panics where a tensor cannot be warped so.
func checkGrid(op string, x *torch.Tensor, how Interpolation, fill []float64) {
	if len(fill) > 1 && len(fill) != channels(x) {
		fail(op, Value{Tensor: x}, "there are %d numbers to fill with for %d channels", len(fill), channels(x))
	}
	if how != Nearest && how != Bilinear {
		fail(op, Value{Tensor: x}, "tensors are warped by nearest or bilinear, not by %s", how)
	}
}

// sample reads x [C, H, W] or [N, C, H, W] at the points of grid [1, H', W', 2].
// A fill that is not nil stands where the grid leaves x.
func sample(x, grid *torch.Tensor, how Interpolation, fill []float64) *torch.Tensor {
	x, undo := castIn(x, grid.DType())
	n := x.Size(0)
	if n > 1 {
		grid = grid.Expand(n, grid.Size(1), grid.Size(2), grid.Size(3))
	}
	if fill != nil {
		mask := torch.Options{DType: x.DType(), Device: x.Device()}.Ones(n, 1, x.Size(2), x.Size(3))
		x = torch.Cat([]*torch.Tensor{x, mask}, 1)
	}
	x = F.GridSample(x, grid, F.GridSampleOptions{Mode: string(how), PaddingMode: "zeros"})
	if fill != nil {
		mask := x.Narrow(1, -1, 1)
		x = x.SliceDim(1, 0, -1, 1)
		mask = mask.ExpandAs(x)
		color := numbers(x, x.DType(), fill, 1, len(fill), 1, 1).ExpandAs(x)
		if how == Nearest {
			mask = mask.LtScalar(0.5)
			x.SetIndex(color.Index(mask), mask)
		} else {
			x = x.Mul(mask).Add(minus(1.0, mask).Mul(color))
		}
	}
	return undo(x)
}

// baseGrid returns [1, h*w, 3]: each pixel's x and y, from x0 and y0 on in steps of 1, and 1.
func baseGrid(like *torch.Tensor, x0, x1, y0, y1 float64, w, h int) *torch.Tensor {
	line := torch.Options{Device: like.Device()}
	g := torch.Options{DType: like.DType(), Device: like.Device()}.Empty(1, h, w, 3)
	g.Select(-1, 0).CopyInPlace(line.Linspace(x0, x1, w))
	g.Select(-1, 1).CopyInPlace(line.Linspace(y0, y1, h).Unsqueeze(-1))
	g.Select(-1, 2).FillInPlace(1)
	return g.View(1, h*w, 3)
}

// affineTensor warps x by the inverse matrix, about its center, into a picture of ow×oh pixels.
func affineTensor(x *torch.Tensor, matrix [6]float64, ow, oh int, how Interpolation, fill []float64) *torch.Tensor {
	w, h := float64(x.Size(-1)), float64(x.Size(-2))
	theta := numbers(x, floating(x), matrix[:], 1, 2, 3)
	fw, fh := float64(ow), float64(oh)
	base := baseGrid(theta, -fw*0.5+0.5, fw*0.5+0.5-1, -fh*0.5+0.5, fh*0.5+0.5-1, ow, oh)
	rescaled := theta.Transpose(1, 2).Div(numbers(x, theta.DType(), []float64{0.5 * w, 0.5 * h}, 2))
	return sample(x, base.BMM(rescaled).View(1, oh, ow, 2), how, fill)
}

// expanded returns the size that holds a w×h picture warped by the matrix.
func expanded(matrix [6]float64, w, h int) (int, int) {
	fw, fh := float64(w), float64(h)
	corners := torch.FromSlice([]float64{-0.5 * fw, -0.5 * fh, 1, -0.5 * fw, 0.5 * fh, 1, 0.5 * fw, 0.5 * fh, 1, 0.5 * fw, -0.5 * fh, 1}, 4, 3).ToDType(torch.Float32)
	theta := torch.FromSlice(matrix[:], 2, 3).ToDType(torch.Float32)
	points := corners.MatMul(theta.T())
	low, _ := points.MinDim(0)
	high, _ := points.MaxDim(0)
	half := torch.FromSlice([]float64{fw * 0.5, fh * 0.5}, 2).ToDType(torch.Float32)
	const tolerance = 1e-4
	cut := func(x *torch.Tensor) *torch.Tensor {
		return x.AddInPlace(half).DivScalar(tolerance).TruncInPlace().MulScalar(tolerance)
	}
	size := cut(high).Ceil().Sub(cut(low).Floor())
	return int(size.Select(0, 0).Item()), int(size.Select(0, 1).Item())
}

// perspectiveTensor warps x by the eight coefficients of a perspective.
func perspectiveTensor(x *torch.Tensor, c [8]float64, how Interpolation, fill []float64) *torch.Tensor {
	w, h := x.Size(-1), x.Size(-2)
	fw, fh := float64(w), float64(h)
	dtype := floating(x)
	top := numbers(x, dtype, c[:6], 1, 2, 3)
	bottom := numbers(x, dtype, []float64{c[6], c[7], 1, c[6], c[7], 1}, 1, 2, 3)
	base := baseGrid(top, 0.5, fw+0.5-1, 0.5, fh+0.5-1, w, h)
	rescaled := top.Transpose(1, 2).Div(numbers(x, dtype, []float64{0.5 * fw, 0.5 * fh}, 2))
	grid := base.BMM(rescaled).Div(base.BMM(bottom.Transpose(1, 2))).SubScalar(1.0)
	return sample(x, grid.View(1, h, w, 2), how, fill)
}

// perspectiveCoefficients solves for the perspective that takes the end points
// to the start points: by least squares in float64, then float32, in torchvision too.
func perspectiveCoefficients(start, end [4]image.Point) (c [8]float64) {
	var a [8 * 8]float64
	var b [8]float64
	for i, s := range start {
		e := end[i]
		sx, sy, ex, ey := s.X, s.Y, e.X, e.Y
		for j, v := range []int{ex, ey, 1, 0, 0, 0, -sx * ex, -sx * ey, 0, 0, 0, ex, ey, 1, -sy * ex, -sy * ey} {
			a[16*i+j] = float64(v)
		}
		b[2*i], b[2*i+1] = float64(sx), float64(sy)
	}
	driver := "gels"
	torch.Scope(func() {
		solution, _, _, _ := aten.LinalgLstsq(torch.FromSlice(a[:], 8, 8), torch.FromSlice(b[:], 8), nil, &driver)
		for i, v := range torch.Data[float32](solution.ToDType(torch.Float32)) {
			c[i] = float64(v)
		}
	})
	return c
}

func elasticTensor(x, displacement *torch.Tensor, how Interpolation, fill []float64) *torch.Tensor {
	line := func(n int) *torch.Tensor {
		s := float64(n)
		return torch.Linspace((-s+1)/s, (s-1)/s, n)
	}
	yx := torch.Meshgrid([]*torch.Tensor{line(x.Size(-2)), line(x.Size(-1))}, "ij")
	identity := torch.Stack([]*torch.Tensor{yx[1], yx[0]}, -1).Unsqueeze(0)
	return sample(x, identity.To(x.Device()).Add(displacement.To(x.Device())), how, fill)
}

// depthwise convolves each of the c channels of x with the kernel [kH, kW].
func depthwise(x, kernel *torch.Tensor, c int) *torch.Tensor {
	return F.Conv2d(x, kernel.Expand(c, 1, kernel.Size(0), kernel.Size(1)), nil, F.Conv2dOptions{Groups: c})
}

func blurTensor(x *torch.Tensor, kernel [2]int, sigma [2]float64) *torch.Tensor {
	want3D("GaussianBlur", x)
	dtype := floating(x)
	line := func(size int, sigma float64) *torch.Tensor {
		half := float64(size-1) * 0.5
		at := torch.Options{DType: dtype, Device: x.Device()}.Linspace(-half, half, size)
		pdf := at.DivScalar(sigma).PowScalar(2).MulScalar(-0.5).Exp()
		return pdf.Div(pdf.Sum())
	}
	kx, ky := line(kernel[0], sigma[0]), line(kernel[1], sigma[1])
	k := ky.Unsqueeze(1).MM(kx.Unsqueeze(0))
	c := x.Size(-3)
	x, undo := castIn(x, dtype)
	x = F.Pad(x, []int{kernel[0] / 2, kernel[0] / 2, kernel[1] / 2, kernel[1] / 2}, F.PadOptions{Mode: "reflect"})
	return undo(depthwise(x, k, c))
}
