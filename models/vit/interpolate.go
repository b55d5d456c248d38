package vit

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// InterpolateOptions are the options of [InterpolateEmbeddings].
type InterpolateOptions struct {
	Mode       string // of the interpolation, "bilinear" or "bicubic"; "" means "bicubic"
	ResetHeads bool   // leave out the layers after the encoder if the size differs
}

// InterpolateEmbeddings returns a state dict for pictures and patches of other sizes than
// those that s is for: its positions are resized as a picture.
// It is torchvision.models.vision_transformer.interpolate_embeddings, except that s stays as it is.
// If there is nothing to resize, the result is s itself. The tensors remain the caller's to free.
//
// https://docs.pytorch.org/vision/stable/models/vision_transformer.html
func InterpolateEmbeddings(imageSize, patchSize int, s torch.StateDict, options ...InterpolateOptions) (torch.StateDict, error) {
	const name = "encoder.pos_embedding"
	o, pos := torch.Only(options), s.Get(name)
	switch {
	case pos == nil:
		return nil, fmt.Errorf("vit: the state dict lacks %q", name)
	case pos.Dim() != 3 || pos.Size(0) != 1:
		return nil, fmt.Errorf("vit: %q is %v and must be [1, positions, features]", name, pos.Shape())
	case imageSize < patchSize || patchSize < 1:
		return nil, fmt.Errorf("vit: there are no patches of %d pixels in pictures of %d", patchSize, imageSize)
	}
	patches, side := pos.Size(1)-1, imageSize/patchSize
	if patches == side*side {
		return s, nil
	}
	was := int(math.Sqrt(float64(patches)))
	if patches < 1 || was*was != patches {
		return nil, fmt.Errorf("vit: %q has %d positions of patches, which are no square", name, patches)
	}
	var resized *torch.Tensor
	err := torch.Try(func() {
		torch.Scope(func() {
			x := pos.Narrow(1, 1, patches).Permute(0, 2, 1).Reshape(1, pos.Size(2), was, was)
			x = F.Interpolate(x, F.InterpolateOptions{Size: side, Mode: cmp.Or(o.Mode, "bicubic"), AlignCorners: true})
			x = x.Reshape(1, pos.Size(2), side*side).Permute(0, 2, 1)
			resized = torch.Keep(torch.Cat([]*torch.Tensor{pos.Narrow(1, 0, 1), x}, 1))
		})
	})
	if err != nil {
		return nil, fmt.Errorf("vit: interpolate %q: %w", name, err)
	}
	var out torch.StateDict
	for _, e := range s {
		if e.Name == name {
			e.Tensor = resized
		}
		if !o.ResetHeads || !strings.HasPrefix(e.Name, "heads") {
			out = append(out, e)
		}
	}
	return out, nil
}
