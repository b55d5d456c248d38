// Package jit is torch.jit for Go: it loads TorchScript archives and runs them.
//
//	m, err := jit.Load("model.pt")
//	y, err := m.Forward(x)
//	logits := y.(*torch.Tensor)
//
// A TorchScript archive is a program: load only what you trust. Before libtorch
// reads an archive it is checked: code and values that are nested too deep for
// libtorch's compiler, tensors that exceed their storages and damaged records are
// refused, and integer divisions and public operators that trust their arguments
// are checked while the program runs. That is no sandbox. A program may call any
// operator of libtorch, also those of package unchecked, use all memory, or run
// forever, and a call that runs forever cannot be interrupted.
//
// https://docs.pytorch.org/docs/stable/jit.html
package jit

import "github.com/torchhub/torchhub/torch"

// Module is a TorchScript module. Arguments and results are [torch.Value]:
// tensors, numbers, strings, lists, tuples and dicts.
type Module = torch.ScriptModule

// Load reads a file written by torch.jit.save onto the CPU: torch.jit.load(path, map_location="cpu").
//
// https://docs.pytorch.org/docs/stable/generated/torch.jit.load.html
func Load(path string, options ...Option) (*Module, error) { return torch.LoadScript(path, options...) }

// LoadBytes is Load for an archive that lies in memory.
func LoadBytes(data []byte, options ...Option) (*Module, error) {
	return torch.LoadScriptBytes(data, options...)
}

// An Option is an option of [Load].
type Option = torch.ScriptOption

// Kwargs are keyword arguments, the last argument of a call: m.Forward(x, jit.Kwargs{"scale": 2}).
type Kwargs = torch.Kwargs

// WithExtraFiles reads files that lie in the archive beside the module, as [torch.WithExtraFiles] says.
func WithExtraFiles(files map[string][]byte) Option { return torch.WithExtraFiles(files) }

// WithLimits bounds what the archive may ask for while it is loaded, as [torch.WithScriptLimits] says.
func WithLimits(l torch.Limits) Option { return torch.WithScriptLimits(l) }
