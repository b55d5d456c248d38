package hub

import (
	"context"
	"errors"
	"fmt"

	"github.com/torchhub/torchhub/internal/filekind"
	"github.com/torchhub/torchhub/internal/oserror"
)

// A Format is a kind of artifact.
type Format string

// Kinds of artifacts. A TorchScript archive is a program, an AOTInductor package holds native code, see [WithNativeCode],
// and the others hold no code.
const (
	TorchScript Format = "torchscript"  // of torch.jit.save
	StateDict   Format = "state_dict"   // of torch.save
	Safetensors Format = "safetensors"  // a state dict
	AOTInductor Format = "aot_inductor" // of torch._inductor.aoti_compile_and_package
	Exported    Format = "export"       // of torch.export.save
)

// A format is how files hold models.
type format struct {
	name Format
	// is recognizes a file of the format by its kind or its content.
	is func(k filekind.Kind, file string) bool
	// load makes the module or the program of a model. For a state dict it also returns how it fills the
	// module.
	load func(ctx context.Context, l *loader, m *Model, f modelFile) (*filled, error)
	// inspect checks a file, without running code in it; nil means that load does.
	inspect func(file string) error
	// stateDict is true if the file fills an architecture.
	stateDict bool
	// native is true if the file holds native code, which must be trusted separately.
	native bool
}

// A modelFile is a file that holds a model.
type modelFile struct {
	entry    *Entry
	artifact *Artifact
	path     string
	given    bool // given by the caller, in place of the artifact's
}

// formats lists the formats, in the order in which a file is matched. A new format is
// a file and a row; one that a hubconf.json may name is also one of the schema's.
var formats = []*format{
	&torchScriptFormat,
	&stateDictFormat,
	&safetensorsFormat,
	&aotInductorFormat,
	&exportedFormat,
}

// row returns the format of a name, or nil if there is none.
func (f Format) row() *format {
	for _, row := range formats {
		if row.name == f {
			return row
		}
	}
	return nil
}

func (f Format) stateDict() bool { row := f.row(); return row != nil && row.stateDict }

func (f Format) native() bool { row := f.row(); return row != nil && row.native }

// make makes the module or program of a model from a file. For a file of an unknown format, the load of a state dict
// reports its contents.
func (l *loader) make(ctx context.Context, m *Model, f modelFile) (*filled, error) {
	format := f.artifact.Format
	if f.given {
		var err error
		if format, err = formatOf(f.path); errors.Is(err, errUnknownFormat) {
			format, err = StateDict, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.path, err)
		}
	}
	row := format.row()
	if row == nil {
		return nil, fmt.Errorf("there is no format %q", format)
	}
	return row.load(ctx, l, m, f)
}

// FormatOf returns the format of an artifact, determined from the file's
// contents.
func FormatOf(file string) (Format, error) {
	f, err := formatOf(file)
	if err != nil {
		return "", newError("", "", fmt.Errorf("%s: %w", file, err))
	}
	return f, nil
}

// errUnknownFormat means that a file's format cannot be determined from its
// content.
var errUnknownFormat = errors.New("it is not a TorchScript archive, checkpoint, safetensors file, AOTInductor package or program of torch.export")

func formatOf(file string) (Format, error) {
	k, err := filekind.OfFile(file)
	if err != nil {
		return "", oserror.Cause(err)
	}
	for _, row := range formats {
		if row.is(k, file) {
			return row.name, nil
		}
	}
	if k.Class == filekind.Unknown {
		return "", errUnknownFormat
	}
	return "", &filekind.MismatchError{Kind: k, Want: "weights"}
}

// ofClass returns a function that recognizes files of a class.
func ofClass(c filekind.Class) func(filekind.Kind, string) bool {
	return func(k filekind.Kind, _ string) bool { return k.Class == c }
}
