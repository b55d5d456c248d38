package hub

import (
	"context"
	"fmt"
	"image"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms"
)

// A Flow tells how far each pixel of a picture moves to the next one. The pixels are in rows from the top left.
type Flow struct {
	Width, Height int
	X, Y          []float32 // in pixels, to the right and down
}

// Flow returns how far each pixel of a picture moves to a second one of the same size:
// model(*preprocess(first, second))[-1]. The models of torchvision need sides that are multiples of 8, and at least 128. A
// model for another task is a [*TaskError].
//
// https://docs.pytorch.org/vision/stable/models.html#optical-flow
func (m *Model) Flow(ctx context.Context, first, second image.Image) (*Flow, error) {
	var out *Flow
	err := m.isFor(models.OpticalFlow)
	if a, b := first.Bounds().Size(), second.Bounds().Size(); err == nil && a != b {
		err = fmt.Errorf("the first picture is %s, and the second is %s; give pictures of one size", pixels(a), pixels(b))
	}
	if err == nil {
		pair := transforms.Value{Parts: []transforms.Value{{Image: first}, {Image: second}}}
		err = m.infer(ctx, models.OpticalFlow, pair, func(output torch.Value) error {
			flows, ok := output.([]*torch.Tensor)
			if list, isList := output.([]torch.Value); isList { // of a program
				ok = true
				for _, v := range list {
					x, isTensor := v.(*torch.Tensor)
					flows, ok = append(flows, x), ok && isTensor
				}
			}
			if !ok || len(flows) == 0 {
				return fmt.Errorf("the model gives %s, not a list of flows; call Call, and read what it returns", torch.Describe(output))
			}
			defer free(flows)
			last := flows[len(flows)-1]
			if s := last.Shape(); len(s) != 4 || s[0] != 1 || s[1] != 2 || last.DType() != torch.Float32 {
				return fmt.Errorf("the model gives %v %v, not a flow [1, 2, H, W]", last.DType(), s)
			}
			data, pixels := torch.Data[float32](last), last.Size(2)*last.Size(3)
			out = &Flow{Width: last.Size(3), Height: last.Size(2), X: data[:pixels:pixels], Y: data[pixels:]}
			return nil
		})
	}
	if err != nil {
		return nil, newError("model", m.name, err)
	}
	return out, nil
}

// pixels writes a size.
func pixels(size image.Point) string { return fmt.Sprintf("%d×%d pixels", size.X, size.Y) }

// Tensor returns the flow as [2, Height, Width], such as draw.FlowToImage takes it.
func (f *Flow) Tensor() *torch.Tensor {
	return torch.FromSlice(append(append([]float32{}, f.X...), f.Y...), 2, f.Height, f.Width)
}
