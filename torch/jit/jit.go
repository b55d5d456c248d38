// Package jit is torch.jit for Go: it loads TorchScript archives and runs them.
//
//	m, err := jit.Load("model.pt")
//	y, err := m.Forward(x)
//	logits := y.(*torch.Tensor)
//
// A TorchScript archive is a program: load only archives that you trust. An
// archive is checked before libtorch reads it: code and values that are nested
// too deep for libtorch's compiler, tensors that exceed their storages and
// damaged records are refused. While the program runs, integer divisions and
// public operators that trust their arguments are checked. This is not a sandbox.
// A program may call any operator of libtorch, including those of package
// unchecked, use all memory, or run forever, and a call that runs forever cannot
// be interrupted.
//
// https://docs.pytorch.org/docs/stable/jit.html
package jit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/torchhub/torchhub/internal/filekind"
	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/strictzip"
	"github.com/torchhub/torchhub/torch"
)

// An Option is an option of [Load].
type Option func(*loading)

type loading struct {
	extra  map[string][]byte
	limits torch.Limits
}

// WithExtraFiles reads extra files of the archive: for each key of files that is
// the name of an extra file, it sets the value to the contents. It is the
// argument _extra_files of torch.jit.load.
func WithExtraFiles(files map[string][]byte) Option {
	return func(o *loading) { o.extra = files }
}

// WithLimits limits the memory and the nesting of an archive while it is
// loaded. Depth also limits how deep the code's expressions are nested; for
// these the default is 4096.
func WithLimits(l torch.Limits) Option { return func(o *loading) { o.limits = l } }

// Load reads a file written by torch.jit.save onto the CPU: torch.jit.load(path, map_location="cpu").
//
// https://docs.pytorch.org/docs/stable/generated/torch.jit.load.html
func Load(path string, options ...Option) (*Module, error) {
	s, err := load(path, options)
	if err != nil {
		return nil, fmt.Errorf("jit: load %s: %w", path, err)
	}
	return s, nil
}

func load(path string, options []Option) (*Module, error) {
	if err := isScript(path); err != nil {
		return nil, err
	}
	z, done, err := strictzip.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer done()
	return open(z, options, func() (libtorch.Module, error) { return libtorch.LoadModule(path) })
}

// isScript refuses a file that is plainly of another kind, and says of which.
func isScript(path string) error {
	k, err := filekind.OfFile(path)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err // the caller names the path
		}
		return err
	}
	switch k.Class {
	case filekind.Unknown, filekind.Script, filekind.Archive:
		return nil
	case filekind.Checkpoint, filekind.Safetensors:
		k.Advice = "load it with torch.Load or torch.LoadStateDict"
	case filekind.Compiled:
		k.Advice = "load it with the package torch/aoti"
	case filekind.Exported:
		k.Advice = "load it with the package torch/export"
	}
	return &filekind.MismatchError{Kind: k, Want: "a TorchScript archive"}
}

// LoadBytes is [Load] for an archive that is in memory.
func LoadBytes(data []byte, options ...Option) (*Module, error) {
	z, err := strictzip.Open(data)
	var s *Module
	if err == nil {
		s, err = open(z, options, func() (libtorch.Module, error) { return libtorch.LoadModuleBytes(data) })
	}
	if err != nil {
		return nil, fmt.Errorf("jit: load archive in memory: %w", err)
	}
	return s, nil
}

func open(z *strictzip.Archive, options []Option, load func() (libtorch.Module, error)) (*Module, error) {
	o := loading{}
	for _, f := range options {
		f(&o)
	}
	if err := o.check(z); err != nil {
		return nil, err
	}
	if err := torch.Init(context.Background()); err != nil {
		return nil, err
	}
	m, err := load()
	if err != nil {
		return nil, scriptError("load", err)
	}
	return newModule(m), nil
}
