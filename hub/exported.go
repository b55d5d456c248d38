package hub

import (
	"context"
	"errors"

	"github.com/torchhub/torchhub/internal/filekind"
	"github.com/torchhub/torchhub/torch/export"
)

// exportedFormat is a program of torch.export.save, which holds a graph and no code.
var exportedFormat = format{
	name: Exported,
	is:   ofClass(filekind.Exported),
	load: func(_ context.Context, l *loader, m *Model, f modelFile) (*filled, error) {
		p, err := export.Load(f.path, export.LoadOptions{Device: l.device})
		if err != nil {
			return nil, inFile(f.path, err)
		}
		m.program = exported{p}
		return nil, nil
	},
}

// exported is a program of torch.export as a program of this package: it is in evaluation mode.
type exported struct{ *export.Program }

// Train refuses training, in which Python's layers compute something else than the graph.
func (exported) Train(on bool) error {
	if on {
		return errors.New("a program of torch.export cannot be trained")
	}
	return nil
}

// Close frees the weights.
func (e exported) Close() error {
	e.StateDict().Free()
	return nil
}
