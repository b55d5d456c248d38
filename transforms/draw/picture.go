package draw

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/internal/args"
)

// bytesOf returns the bytes of a picture [3, H, W] or [1, H, W], row by row, as
// three channels. Floating-point numbers are scaled as to_dtype(x, torch.uint8, scale=True) does.
func bytesOf(op string, x *torch.Tensor, gray bool) *canvas {
	checkPicture(op, x, gray)
	c := &canvas{w: x.Size(2), h: x.Size(1)}
	if x.Numel() == 0 {
		refuseTensor(op, x, "the picture has no pixels")
	}
	torch.Scope(func() {
		if x.DType() != torch.Uint8 {
			x = x.MulScalar(255 + 1.0 - 1e-3).ToDType(torch.Uint8)
		}
		x = x.Permute(1, 2, 0)
		if x.Size(2) == 1 {
			x = x.Expand(-1, -1, 3)
		}
		c.pix = torch.Data[uint8](x.To(torch.CPU).Contiguous())
	})
	return c
}

// tensor returns the picture as a tensor [3, H, W] of a dtype.
func (c *canvas) tensor(dtype torch.DType) *torch.Tensor {
	// The strides are those of torch.from_numpy(a).permute(2, 0, 1).
	x := torch.FromSlice(c.pix, c.h, c.w, 3).Then(func(x *torch.Tensor) *torch.Tensor { return x.Permute(2, 0, 1) })
	if dtype == torch.Uint8 {
		return x
	}
	return x.Then(func(x *torch.Tensor) *torch.Tensor {
		return x.ToDType(dtype).Then(func(x *torch.Tensor) *torch.Tensor { return x.MulScalar(1 / 255.0) })
	})
}

// checkPicture panics unless x is a picture that can be drawn on.
func checkPicture(op string, x *torch.Tensor, gray bool) {
	want := "3 channels (RGB)"
	if gray {
		want = "1 or 3 channels (gray or RGB)"
	}
	switch {
	case x.DType() != torch.Uint8 && !x.DType().IsFloatingPoint():
		refuseTensor(op, x, "a picture's dtype is uint8 or floating-point")
	case x.Dim() != 3:
		refuseTensor(op, x, "a picture's shape is [C, H, W]; pass the pictures of a batch one by one")
	case x.Size(0) != 3 && !(gray && x.Size(0) == 1):
		refuseTensor(op, x, "a picture has %s", want)
	}
}

// coordinates returns the whole numbers of a tensor, row by row. Fractions are cut off.
func coordinates(op string, x *torch.Tensor) []int {
	var out []int
	torch.Scope(func() {
		for _, v := range torch.Data[int64](x.To(torch.CPU).ToDType(torch.Int64).Contiguous()) {
			if v < -maxCoordinate || v > maxCoordinate {
				refuseTensor(op, x, "a coordinate is %d; want -%d to %d", v, maxCoordinate, maxCoordinate)
			}
			out = append(out, int(v))
		}
	})
	return out
}

func refuse(op, format string, a ...any) { args.Refuse("draw."+op, format, a...) }

func refuseTensor(op string, x *torch.Tensor, format string, args ...any) {
	panic(&torch.Error{Op: "draw." + op, Args: fmt.Sprint(x.Shape(), " ", x.DType()), Msg: fmt.Sprintf(format, args...)})
}
