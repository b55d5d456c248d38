package hub

import (
	"context"
	"errors"
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
		err = fmt.Errorf("the first picture is %v, and the second is %v; give pictures of one size", a, b)
	}
	if err == nil {
		pair := transforms.Value{Parts: []transforms.Value{{Image: first}, {Image: second}}}
		err = m.infer(ctx, models.OpticalFlow, pair, func(output torch.Value) error {
			flows, ok := output.([]*torch.Tensor)
			if !ok || len(flows) == 0 {
				return errors.New("the model gives no flows; call Call, and read what it returns")
			}
			defer free(flows)
			last := flows[len(flows)-1]
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

// Tensor returns the flow as [2, Height, Width], such as draw.FlowToImage takes it.
func (f *Flow) Tensor() *torch.Tensor {
	return torch.FromSlice(append(append([]float32{}, f.X...), f.Y...), 2, f.Height, f.Width)
}
