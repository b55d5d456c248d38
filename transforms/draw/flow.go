package draw

import "github.com/torchhub/torchhub/torch"

// FlowToImage shows optical flow, float32 [N, 2, H, W] or [2, H, W], as pictures, uint8
// [N, 3, H, W] or [3, H, W], whose hues are directions and whose saturation is speed:
// torchvision.utils.flow_to_image(flow).
//
// It panics with a *torch.Error if the tensor is invalid.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.utils.flow_to_image.html
func FlowToImage(flow *torch.Tensor) *torch.Tensor {
	const op = "FlowToImage"
	switch d := flow.Dim(); {
	case flow.DType() != torch.Float32:
		refuseTensor(op, flow, "the flow's dtype is float32")
	case d != 3 && d != 4 || flow.Size(d-3) != 2:
		refuseTensor(op, flow, "the flow's shape is [N, 2, H, W] or [2, H, W]")
	case flow.Numel() == 0:
		refuseTensor(op, flow, "the flow has no elements")
	}
	var img *torch.Tensor
	torch.NoGrad(func() {
		torch.Scope(func() {
			x := flow
			if flow.Dim() == 3 {
				x = flow.Unsqueeze(0)
			}
			const epsilon = 0x1p-23 // of float32
			x = wheelColors(x.Div(speed(x).Max().AddScalar(epsilon)))
			if flow.Dim() == 3 {
				x = x.Select(0, 0)
			}
			img = torch.Keep(x)
		})
	})
	return img
}

// speed returns the length of each vector: [N, 2, H, W] → [N, H, W].
func speed(x *torch.Tensor) *torch.Tensor { return x.PowScalar(2).Sum(1).Sqrt() }

// wheelColors colors vectors that are not longer than 1.
func wheelColors(x *torch.Tensor) *torch.Tensor {
	const pi = 3.141592653589793
	wheel := colorWheel()
	n := len(wheel)
	norm := speed(x)
	angle := x.Select(1, 1).Neg().Atan2(x.Select(1, 0).Neg()).DivScalar(pi)
	at := angle.AddScalar(1).DivScalar(2).MulScalar(n - 1)
	k0 := at.Floor().ToDType(torch.Int64)
	k1 := k0.AddScalar(1)
	k1 = k1.MaskedFill(k1.EqScalar(n), 0)
	f := at.Sub(k0)
	rest := f.Neg().AddScalar(1)
	planes := make([]*torch.Tensor, 3)
	for c := range planes {
		column := make([]float32, n)
		for i := range column {
			column[i] = wheel[i][c]
		}
		tints := torch.FromSlice(column, n).To(x.Device())
		from, to := tints.Index(k0).DivScalar(255), tints.Index(k1).DivScalar(255)
		col := rest.Mul(from).Add(f.Mul(to))
		col = norm.Mul(col.Neg().AddScalar(1)).Neg().AddScalar(1)
		planes[c] = col.MulScalar(255).Floor().ToDType(torch.Uint8)
	}
	return torch.Stack(planes, 1)
}

// colorWheel returns the hues of "A Database and Evaluation Methodology for Optical
// Flow" (ICCV 2007, http://vision.middlebury.edu/flow/flowEval-iccv07.pdf).
func colorWheel() [][3]float32 {
	var wheel [][3]float32
	for _, arc := range []struct{ n, full, rising, falling int }{
		{15, 0, 1, -1}, // red to yellow
		{6, 1, -1, 0},  // yellow to green
		{4, 1, 2, -1},  // green to cyan
		{11, 2, -1, 1}, // cyan to blue
		{13, 2, 0, -1}, // blue to magenta
		{6, 0, -1, 2},  // magenta to red
	} {
		for i := range arc.n {
			var c [3]float32
			c[arc.full] = 255
			part := float32(255 * i / arc.n)
			if arc.rising >= 0 {
				c[arc.rising] = part
			} else {
				c[arc.falling] = 255 - part
			}
			wheel = append(wheel, c)
		}
	}
	return wheel
}
