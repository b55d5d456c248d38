// Package export loads, runs and writes programs of torch.export: graphs of operators with their weights, in .pt2 files.
//
//	p, err := export.Load("model.pt2")
//	y, err := p.Forward(x)
//	logits := y.(*torch.Tensor)
//
// In Python a file is made by
//
//	ep = torch.export.export(model, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
//	torch.export.save(ep, "model.pt2")
//
// [Save] writes a graph that package torch/graph traced, for torch.export.load in Python.
//
// A program holds no code: its graph is a list of operators of libtorch, which [Program.Forward] calls one by one. A file
// may be hostile. Its graph is checked before anything is called, and only operators of libtorch that check their
// arguments may be called. A program can still use as much memory and time as its graph asks for.
//
// https://docs.pytorch.org/docs/stable/export.html
package export

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/pt2"
	"github.com/torchhub/torchhub/internal/strictzip"
	"github.com/torchhub/torchhub/torch"
)

// LoadOptions are the options of [Load].
type LoadOptions struct {
	ModelName string       // which program of the file; "" is "model", as torch.export.save names it
	Device    torch.Device // where the program is to run; "" is where it was exported
	// Trusted lets the program call operators that trust their arguments, whose name begins with an underscore, and
	// those of other libraries, which torch.LoadLibrary loaded. Wrong arguments can end the process.
	Trusted bool
}

// Load reads a program: torch.export.load(path), of files that PyTorch 2.8 and newer write. The file is mapped and the
// weights use the mapping, as [torch.Load] describes. Load calls nothing of the program.
//
// The error for a damaged file is a torch.ErrMalformed. It is a torch.ErrUnsupported for another version of torch.export's
// schema, for a program that calls operators that libtorch lacks or that trust their arguments, and for a package of
// AOTInductor, which holds native code.
//
// https://docs.pytorch.org/docs/stable/export.html#torch.export.load
func Load(path string, options ...LoadOptions) (*Program, error) {
	o := torch.Only(options)
	o.ModelName = cmp.Or(o.ModelName, "model")
	p, err := load(path, o)
	if err != nil {
		return nil, fmt.Errorf("export: load %s: %w", path, err)
	}
	return p, nil
}

func load(path string, o LoadOptions) (*Program, error) {
	if o.Device != "" {
		if _, err := torch.ParseDevice(string(o.Device)); err != nil {
			return nil, err
		}
	}
	if st, err := os.Stat(path); err != nil {
		return nil, err
	} else if st.Size() == 0 {
		return nil, &badfile.MalformedError{Msg: "the file is empty: download it again"}
	}
	if err := torch.Init(context.Background()); err != nil {
		return nil, err
	}
	m, err := libtorch.OpenMap(path)
	if err != nil {
		return nil, err
	}
	defer m.Close() // tensors keep the mapping
	return read(m.Data, m, o)
}

// read reads a program of a file, whose tensors use the mapping m unless it is nil.
func read(data []byte, m *libtorch.Map, o LoadOptions) (*Program, error) {
	if !strictzip.Is(data) {
		return nil, &badfile.MalformedError{Msg: "this is not a zip file"}
	}
	z, err := strictzip.Open(data)
	if err != nil {
		return nil, err
	}
	file, err := pt2.ReadProgram(z, o.ModelName)
	if err != nil {
		return nil, err
	}
	weights, err := tensors(file.Weights, m, o.Device)
	if err != nil {
		return nil, err
	}
	constants, err := tensors(file.Constants, m, o.Device)
	if err != nil {
		return nil, err
	}
	b, err := build(file, weights, constants, o)
	if err != nil {
		return nil, err
	}
	return &Program{file: file, trusted: o.Trusted, built: b}, nil
}
