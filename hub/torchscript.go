package hub

import (
	"context"

	"github.com/torchhub/torchhub/internal/fetch"
	"github.com/torchhub/torchhub/internal/filekind"
	"github.com/torchhub/torchhub/torch/jit"
)

// torchScriptFormat is an archive of torch.jit.save, a program.
var torchScriptFormat = format{
	name: TorchScript,
	is:   ofClass(filekind.Script),
	load: func(ctx context.Context, l *loader, m *Model, f modelFile) (*filled, error) {
		if f.given && l.weights != "" {
			if err := l.trustWeights(ctx, f.path); err != nil {
				return nil, err
			}
		}
		script, err := jit.Load(f.path)
		if err != nil {
			return nil, inFile(f.path, err)
		}
		m.program = script
		return nil, nil
	},
}

// trustWeights checks that the program of [WithWeights] is trusted, if that is a URL; file is the downloaded file.
func (l *loader) trustWeights(ctx context.Context, file string) error {
	u := weightsURL(l.weights)
	if u == nil || u.Scheme == "file" {
		return nil
	}
	sum, err := fetch.HashFile(ctx, file)
	if err != nil {
		return err
	}
	return l.trustScript(ctx, withoutSecrets(u), sum)
}
