package draw

import (
	"image/color"

	"github.com/torchhub/torchhub/torch"
)

// KeypointOptions are the options of [DrawKeypoints]. The zero value is torchvision's default.
type KeypointOptions struct {
	Connectivity [][2]int      // pairs of keypoints between which a white line is drawn
	Color        color.Color   // of the points; nil draws none, as in torchvision
	Radius       int           // of the points in pixels; 0 is 2
	Width        int           // of the lines in pixels; 0 is 3
	Visibility   *torch.Tensor // [N, K] or [N, K, 1]: 0 draws neither the point nor its lines; nil is all visible
}

// DrawKeypoints draws keypoints, [N, K, 2] with x and y in pixels, on a picture [3, H, W]
// and returns a picture of its dtype on the CPU:
// torchvision.utils.draw_keypoints(image, keypoints, …). Fractions of pixels are cut off.
//
// It panics with a *torch.Error if the picture, the keypoints or the options are invalid.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.utils.draw_keypoints.html
func DrawKeypoints(image, keypoints *torch.Tensor, options ...KeypointOptions) *torch.Tensor {
	const op = "DrawKeypoints"
	o := torch.Only(options)
	checkPicture(op, image, false)
	if keypoints.Dim() != 3 || keypoints.Size(2) != 2 {
		refuseTensor(op, keypoints, "the keypoints' shape is [N, K, 2]")
	}
	n, k := keypoints.Size(0), keypoints.Size(1)
	switch {
	case o.Radius < 0 || o.Radius > maxRadius:
		refuse(op, "Radius is %d; want 1 to %d, or 0 for 2", o.Radius, maxRadius)
	case o.Width < 0 || o.Width > maxCoordinate:
		refuse(op, "Width is %d; want 1 to %d, or 0 for 3", o.Width, maxCoordinate)
	}
	for i, pair := range o.Connectivity {
		for _, end := range pair {
			if end < -k || end >= k {
				refuse(op, "Connectivity[%d] is %v, but there are %d keypoints", i, pair, k)
			}
		}
	}
	radius, width := o.Radius, o.Width
	if radius == 0 {
		radius = 2
	}
	if width == 0 {
		width = 3
	}
	shown := visibility(op, o.Visibility, n, k)
	places := coordinates(op, keypoints)
	c := bytesOf(op, image, false)
	white := color.NRGBA{255, 255, 255, 255}
	for i := range n {
		at := func(j int) point { return point{places[2*(i*k+j)], places[2*(i*k+j)+1]} }
		for j := range k {
			if p := at(j); shown[i*k+j] && o.Color != nil {
				ink := color.NRGBAModel.Convert(o.Color).(color.NRGBA)
				c.ellipse(point{p.x - radius, p.y - radius}, point{p.x + radius, p.y + radius}, ink)
			}
		}
		for _, pair := range o.Connectivity {
			a, b := (pair[0]+k)%k, (pair[1]+k)%k // as Python counts from the end
			if shown[i*k+a] && shown[i*k+b] {
				c.line(at(a), at(b), white, width)
			}
		}
	}
	return c.tensor(image.DType())
}

// visibility returns which of n times k keypoints are drawn.
func visibility(op string, x *torch.Tensor, n, k int) []bool {
	shown := make([]bool, n*k)
	if x == nil {
		for i := range shown {
			shown[i] = true
		}
		return shown
	}
	if !(x.Dim() == 2 || x.Dim() == 3 && x.Size(2) == 1) || x.Size(0) != n || x.Size(1) != k {
		refuseTensor(op, x, "Visibility's shape is [%d, %d], as of the keypoints", n, k)
	}
	torch.Scope(func() { copy(shown, torch.Data[bool](x.To(torch.CPU).ToDType(torch.Bool).Contiguous())) })
	return shown
}
