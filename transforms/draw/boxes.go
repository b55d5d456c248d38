package draw

import (
	"image/color"

	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/torch"
)

// BoxOptions are the options of [DrawBoundingBoxes]. The zero value is torchvision's default.
type BoxOptions struct {
	Labels []string      // one for each box; "" writes nothing
	Colors []color.Color // of the outlines: one for each box, or one for all; none is torchvision's palette
	Fill   bool          // fill the boxes with their color, transparent
	Width  int           // of the outlines in pixels; 0 is 1

	Font                  *Font         // nil is [DefaultFont]
	LabelColors           []color.Color // none is the colors of the boxes, or black where labels are filled
	LabelBackgroundColors []color.Color // none is the colors of the boxes; needs FillLabels
	FillLabels            bool          // draw a rectangle as the background of each label
}

// DrawBoundingBoxes draws boxes on a picture [3, H, W] or [1, H, W] and returns a
// picture [3, H, W] of its dtype on the CPU:
// torchvision.utils.draw_bounding_boxes(image, boxes, …). The boxes are [N, 4],
// (xmin, ymin, xmax, ymax) in pixels, or [N, 8], the four corners one after the other, whose
// first side is drawn dashed. Fractions of pixels are cut off. A label's text begins
// inside the top left corner of its box.
//
// If there are no boxes, it returns the picture itself. It panics with a *torch.Error if the
// picture, the boxes or the options are invalid, or an xmin is beyond its xmax.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.utils.draw_bounding_boxes.html
func DrawBoundingBoxes(image, boxes *torch.Tensor, options ...BoxOptions) *torch.Tensor {
	const op = "DrawBoundingBoxes"
	o := torch.Only(options)
	checkPicture(op, image, true)
	if boxes.Dim() != 2 || boxes.Size(1) != 4 && boxes.Size(1) != 8 {
		refuseTensor(op, boxes, "the boxes' shape is [N, 4] or [N, 8]")
	}
	n, sides := boxes.Size(0), boxes.Size(1)
	switch {
	case len(o.Labels) > 0 && len(o.Labels) != n:
		refuse(op, "there are %d labels for %d boxes; want one for each", len(o.Labels), n)
	case o.Width < 0 || o.Width > maxCoordinate:
		refuse(op, "Width is %d; want 1 to %d, or 0 for 1", o.Width, maxCoordinate)
	}
	if n == 0 {
		return image
	}
	colors := colorsFor(op, "Colors", o.Colors, n, palette(n))
	labels, backgrounds := colors, colors
	if len(o.LabelColors) > 0 || o.FillLabels {
		black := make([]color.NRGBA, n)
		for i := range black {
			black[i].A = 255
		}
		labels = colorsFor(op, "LabelColors", o.LabelColors, n, black)
	}
	if o.FillLabels {
		backgrounds = colorsFor(op, "LabelBackgroundColors", o.LabelBackgroundColors, n, colors)
	}
	if o.Font == nil {
		o.Font = DefaultFont()
	}
	width := max(o.Width, 1)
	places := coordinates(op, boxes)
	c := bytesOf(op, image, true)
	c.blend = o.Fill
	for i, ink := range colors {
		box := places[i*sides:][:sides]
		var filling *color.NRGBA
		if o.Fill {
			filling = &color.NRGBA{ink.R, ink.G, ink.B, 100}
		}
		if sides == 4 {
			from, to := point{box[0], box[1]}, point{box[2], box[3]}
			if from.x > to.x || from.y > to.y {
				refuseTensor(op, boxes, "box %d is %v; want (xmin, ymin, xmax, ymax)", i, box)
			}
			c.rectangle(from, to, ink, width, filling)
		} else {
			c.rotated(box, ink, width, filling)
		}
		if len(o.Labels) == 0 || o.Labels[i] == "" {
			continue
		}
		const margin = 1
		at := point{box[0] + width + margin, box[1] + width + margin}
		if o.FillLabels {
			r := o.Font.bounds(at, o.Labels[i])
			if !r.Empty() {
				c.rectangle(point{r.Min.X - margin, r.Min.Y - margin}, point{r.Max.X + margin, r.Max.Y + margin}, color.NRGBA{}, 0, &backgrounds[i])
			}
		}
		o.Font.write(c, at, o.Labels[i], labels[i])
	}
	return c.tensor(image.DType())
}

// rotated draws a box by its corners.
func (c *canvas) rotated(box []int, ink color.NRGBA, width int, filling *color.NRGBA) {
	var corners []point
	for i := 0; i < len(box); i += 2 {
		corners = append(corners, point{box[i], box[i+1]})
	}
	c.dashed(corners[0], corners[1], ink, width)
	for i := 1; i < len(corners); i++ {
		c.line(corners[i], corners[(i+1)%len(corners)], ink, width)
	}
	if filling != nil {
		c.polygon(corners, *filling)
	}
}

// dashed draws a line of dashes and spaces of 5 pixels each.
func (c *canvas) dashed(from, to point, ink color.NRGBA, width int) {
	const dash = 5.0
	x, y, x1, y1 := float64(from.x), float64(from.y), float64(to.x), float64(to.y)
	left := libm.Pow(float64((x1-x)*(x1-x))+float64((y1-y)*(y1-y)), 0.5)
	for drawn := true; left > 0; drawn = !drawn {
		n := min(left, dash)
		angle := libm.Atan2(y1-y, x1-x)
		endX, endY := x+float64(libm.Cos(angle)*n), y+float64(libm.Sin(angle)*n)
		if drawn {
			c.line(point{int(x), int(y)}, point{int(endX), int(endY)}, ink, width)
		}
		left -= n
		x, y = endX, endY
	}
}
