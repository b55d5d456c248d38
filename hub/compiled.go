package hub

import (
	"context"
	"fmt"

	"github.com/torchhub/torchhub/internal/fetch"
	"github.com/torchhub/torchhub/internal/filekind"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aoti"
)

// aotInductorFormat is a package of torch._inductor.aoti_compile_and_package.
var aotInductorFormat = format{
	name:   AOTInductor,
	is:     ofClass(filekind.Compiled),
	native: true,
	load: func(ctx context.Context, l *loader, m *Model, f modelFile) (*filled, error) {
		sum := f.artifact.SHA256
		var err error
		if f.given || sum == "" {
			if sum, err = fetch.HashFile(ctx, f.path); err != nil {
				return nil, err
			}
		}
		m.program, err = l.nativeModel(ctx, m.name, f.path, sum)
		return nil, err
	},
	inspect: func(file string) error {
		info, err := aoti.Inspect(file)
		if err != nil {
			return err
		}
		for _, m := range info.Models {
			if m.Problem != "" {
				return fmt.Errorf("%s: its model %q: %s", file, m.Name, m.Problem)
			}
		}
		return nil
	},
}

// nativeModel loads a package of native code with this SHA-256, if it is trusted.
func (l *loader) nativeModel(ctx context.Context, name, file, sum string) (program, error) {
	if !l.nativeTrusted(sum) || l.native == TrustAlways {
		if err := l.trustNative(ctx, name, sum); err != nil {
			return nil, err
		}
	}
	m, err := aoti.Load(file, aoti.Options{Device: l.device})
	if err != nil {
		return nil, err
	}
	return compiled{m}, nil
}

// compiled is an AOTInductor model as a program: it stays on its device, and is in evaluation mode.
type compiled struct{ *aoti.Model }

// Train does nothing for evaluation mode.
func (c compiled) Train(bool) error { return nil }

// To refuses other devices than the one it was compiled for.
func (c compiled) To(d torch.Device) error {
	if d != c.Device() {
		return fmt.Errorf("it was compiled for %v and cannot be moved", c.Device())
	}
	return nil
}
