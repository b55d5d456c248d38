// Package aoti loads and runs models that AOTInductor compiled ahead of time:
// torch._inductor.aoti_load_package.
//
//	info, err := aoti.Inspect("model.pt2")  // describes the package; nothing is run
//	m, err := aoti.Load("model.pt2")
//	y, err := m.Forward(x)
//
// A compiled model is native code: loading one runs its author's program, with all
// rights of this process. Load only packages that you trust as you trust the
// programs that you install. [Inspect] runs nothing.
//
// In Python a package is made by
//
//	ep = torch.export.export(model, (example,), dynamic_shapes=…)
//	torch._inductor.aoti_compile_and_package(ep, package_path="model.pt2")
//
// and works on one kind of device, processor and operating system, with versions
// of PyTorch close to the one that made it.
//
// https://docs.pytorch.org/docs/stable/torch.compiler_aot_inductor.html
package aoti

import (
	"cmp"
	"fmt"
	"maps"

	"github.com/torchhub/torchhub/internal/pt2"
	"github.com/torchhub/torchhub/internal/strictzip"
	"github.com/torchhub/torchhub/torch"
)

// Options are the options of [Load].
type Options struct {
	ModelName string       // which model of the package; "" is "model"
	Device    torch.Device // the device to use; "" is the one for which it was compiled, or the first of several GPUs
	Runners   int          // how many calls may run at once, each with memory of its own for intermediate results; 0 is 1
}

// Load loads a model of a package: torch._inductor.aoti_load_package(path, model_name).
// It runs native code of the package's author: load only packages that you trust.
//
// Before any code is run, Load checks the zip file as strictly as a checkpoint, its
// checksums, and that the model was compiled for this kind of machine. The error for
// a damaged file is a torch.ErrMalformed. It is a torch.ErrUnsupported for a package
// of torch.export.save, which holds a graph and no code; for a model without a built
// library, for which libtorch would run a compiler with flags from the package; and
// for a model for another machine.
//
// libtorch unpacks the model to a folder of its own in /tmp, which is deleted
// when the model is closed.
//
// https://docs.pytorch.org/docs/stable/torch.compiler_aot_inductor.html
func Load(path string, options ...Options) (*Model, error) {
	o := torch.Only(options)
	o.ModelName = cmp.Or(o.ModelName, "model")
	m, err := load(path, o)
	if err != nil {
		return nil, fmt.Errorf("aoti: load %s: %w", path, err)
	}
	return m, nil
}

// Info describes a package.
type Info struct {
	Models   []ModelInfo // compiled ones, by name
	Exported []string    // names of programs of torch.export.save, which hold no code; torch/export runs them
}

// NativeCode reports whether the package holds code that runs on a processor, or
// the sources of such code. Load such a package only if you trust its author.
func (i *Info) NativeCode() bool { return len(i.Models) > 0 }

// Devices returns the types of device, such as "cpu", that models were compiled for, each once.
func (i *Info) Devices() []string {
	var all []string
	seen := map[string]bool{}
	for _, m := range i.Models {
		if !seen[m.Device] {
			seen[m.Device] = true
			all = append(all, m.Device)
		}
	}
	return all
}

// ModelInfo describes a compiled model of a package.
type ModelInfo struct {
	Name     string
	Device   string            // the type of device, such as "cpu"
	Library  bool              // whether there is a built library
	Metadata map[string]string // the properties for which it was compiled, by keys such as AOTI_CPU_ISA
	Problem  string            // why [Load] refuses it on any machine; "" if it does not
}

// Inspect describes a package. It runs no code of it and does not need libtorch.
// The error for a damaged file is a torch.ErrMalformed, and for a file of another
// kind a torch.ErrUnsupported.
func Inspect(path string) (*Info, error) {
	z, done, err := strictzip.OpenFile(path)
	if err != nil {
		return nil, fmt.Errorf("aoti: inspect %s: %w", path, err)
	}
	defer done()
	p, err := pt2.Read(z)
	if err != nil {
		return nil, fmt.Errorf("aoti: inspect %s: %w", path, err)
	}
	i := &Info{Exported: p.Exported}
	for _, m := range p.Models {
		i.Models = append(i.Models, ModelInfo{m.Name, m.Device(), m.Library, maps.Clone(m.Metadata), m.Problem})
	}
	return i, nil
}
