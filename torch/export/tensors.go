package export

import (
	"fmt"
	"maps"
	"slices"

	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/pickle"
	"github.com/torchhub/torchhub/internal/pt2"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// tensors makes the tensors of a file, on a device, or else on their own.
func tensors(described map[string]*pt2.Tensor, m *libtorch.Map, d torch.Device) (map[string]*torch.Tensor, error) {
	names := slices.Sorted(maps.Keys(described))
	byDevice := map[torch.Device][]string{}
	for _, name := range names {
		on, err := deviceOf(described[name].Device, d)
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", badfile.Clip(name), err)
		}
		byDevice[on] = append(byDevice[on], name)
	}
	all := map[string]*torch.Tensor{}
	for on, names := range byDevice {
		var views []*pickle.Tensor
		for _, name := range names {
			views = append(views, described[name].Tensor)
		}
		xs, err := engine.Tensors(m, views, string(on))
		if err != nil {
			return nil, err
		}
		for i, name := range names {
			all[name] = xs[i].(*torch.Tensor)
		}
	}
	return all, nil
}

// deviceOf returns the device of a file, or the one that is wanted in place of it. Without a type it is the CPU.
func deviceOf(d pt2.Device, want torch.Device) (torch.Device, error) {
	if want != "" && d.Type != "meta" {
		return want, nil
	}
	text := d.Type
	if text == "" {
		text = "cpu"
	}
	if d.Index != nil && text != "cpu" {
		text += fmt.Sprintf(":%d", *d.Index)
	}
	device, err := torch.ParseDevice(text)
	if err != nil {
		return "", &badfile.UnsupportedError{Feature: fmt.Sprintf("the device %q", badfile.Clip(text))}
	}
	return device, nil
}
