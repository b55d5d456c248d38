package hub

import (
	"context"
	"fmt"

	"github.com/torchhub/torchhub/torch"
)

// LoadStateDictFromURL returns the state dict in the file at a URL, which is
// downloaded to [Dir]'s folder checkpoints, under the last element of the URL's
// path, unless it exists there: torch.hub.load_state_dict_from_url with
// check_hash=True and weights_only=True. No code in the file is run. It honors
// [WithCacheDir], [WithFileName], [WithDevice], [WithKey], [WithPrefix] and the
// options of [DownloadURLToFile]. It finds the state dict in a checkpoint as
// torch.LoadStateDict does.
//
// The tensors are on the CPU, in the mapped file, or on the device of WithDevice:
// map_location. As in Python, an existing file is not hashed again, unless
// [WithSHA256] gives its hash; the checksums inside files of PyTorch's zip layout
// are compared. A zip that holds one file, which torch.hub used before PyTorch 1.6,
// is unpacked beside itself, as in Python.
//
// https://docs.pytorch.org/docs/stable/hub.html#torch.hub.load_state_dict_from_url
func LoadStateDictFromURL(ctx context.Context, url string, opts ...Option) (torch.StateDict, error) {
	s, err := newLoader(opts).stateDict(ctx, url)
	if err != nil {
		return nil, newError("", "", err)
	}
	return s, nil
}

func (l *loader) stateDict(ctx context.Context, url string) (torch.StateDict, error) {
	l.deprecated("TORCH_MODEL_ZOO")
	path, err := l.cached(ctx, url)
	if err != nil {
		return nil, err
	}
	if path, err = unpackLegacy(ctx, path); err != nil {
		return nil, err
	}
	if l.device != torch.CPU {
		if err := initialize(ctx, l.device); err != nil {
			return nil, err
		}
	}
	s, err := l.readStateDict(ctx, path)
	if err != nil || l.device == torch.CPU {
		return s, err
	}
	err = torch.Try(func() {
		for i, e := range s {
			s[i].Tensor = e.Tensor.To(l.device)
			e.Tensor.Free()
		}
	})
	if err != nil {
		s.Free()
		return nil, err
	}
	return s, nil
}

// readStateDict reads a checkpoint that is a state dict.
func (l *loader) readStateDict(ctx context.Context, path string) (torch.StateDict, error) {
	v, err := l.readCheckpoint(ctx, path)
	if err != nil {
		return nil, err
	}
	var at []torch.StateDictOption
	if l.key != nil {
		at = append(at, torch.WithKey(*l.key))
	}
	if l.prefix != nil {
		at = append(at, torch.WithPrefix(*l.prefix))
	}
	s, _, err := torch.FindStateDict(v, at...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}
