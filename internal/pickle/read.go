// Package pickle reads the files that torch.save writes, as torch.load(f, map_location="cpu", weights_only=True) does.
//
// Nothing in a file is ever run: a pickle may name only the few classes and functions of a closed table, each of which
// is a Go function here, and every count, size and offset is checked against the bytes at hand before memory is spent on it.
// The data opcodes of protocols 3 to 5, which weights_only=True refuses though they carry no code, are read too.
package pickle

import (
	"fmt"
	"math/big"

	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/internal/filekind"
	"github.com/torchhub/torchhub/internal/strictzip"
)

// Options limits the resources that a file may use. The zero value means limits that depend on the file's size: a small
// hostile file fails within a second and 100 MB, and a large one takes no more than a large file written by Python.
// Errors name MaxNodes, MaxDepth, MaxMemory and MaxInflate as the public option has them: Limits.Values, Limits.Depth,
// Limits.Memory and Limits.Inflate.
type Options struct {
	MaxNodes   int   // opcodes in the pickles, and values in the result, each counted as often as it can be reached; default 4 Mi, or the input's size in bytes if that is more
	MaxDepth   int   // containers within containers; default 512
	MaxMemory  int64 // bytes that the objects made from the pickles may take, about, storages not counted; default 64 MiB and 64 for each byte of the pickles, at most 4 GiB
	MaxInflate int64 // bytes that deflated records may take together; default 32 MiB and 16 times the file's size

	// VerifyCRC has the checksums of the storages compared too, with one goroutine for each CPU. Without it a flipped
	// bit in a storage goes unnoticed, as it does in Python: skip the check only if a hash of the whole file was
	// checked. The layout of before 1.6 has no checksums.
	VerifyCRC bool
	// SkipCRC has no checksum compared at all, for files saved after torch.serialization.set_crc32_options(False). It overrides VerifyCRC.
	SkipCRC bool
}

func (o Options) withDefaults(size int) Options {
	if o.MaxNodes == 0 {
		o.MaxNodes = max(4<<20, size)
	}
	if o.MaxDepth == 0 {
		o.MaxDepth = 512
	}
	if o.MaxInflate == 0 {
		o.MaxInflate = strictzip.DefaultLimit(size)
	}
	o.VerifyCRC = o.VerifyCRC && !o.SkipCRC
	return o
}

// The errors of this package.
type (
	MalformedError   = badfile.MalformedError
	UnsupportedError = badfile.UnsupportedError
)

// Read decodes the checkpoint in data, which must be complete, in torch.save's zip layout of PyTorch 1.6 and later or
// in the layout before it. It equals torch.load(f, map_location="cpu", weights_only=True).
//
// The result is made of nil, bool, int64, *big.Int (beyond 64 bits), float64, complex128, string, []byte (bytes and bytearray), Tuple,
// *List, *Dict, *Set, Size, DType, Device, Layout, QScheme, *Tensor, *Sparse, *Meta and *Storage. A container may hold itself. Storages alias data wherever they can, so data
// must outlive them; everything else is copied. Errors are a *MalformedError or an *UnsupportedError.
func Read(data []byte, o Options) (any, error) {
	o = o.withDefaults(len(data))
	r := &reader{Options: o, size: int64(len(data)), nodes: o.MaxNodes, zips: strictzip.NewReader(o.MaxInflate)}
	r.zips.SkipCRC = o.SkipCRC
	return r.file(data, 0, true)
}

// reader holds the resources that one Read has used, and may still use.
type reader struct {
	Options
	size  int64 // of the input
	done  int64 // bytes of pickles that were run to their end
	spent int64 // bytes of memory
	nodes int
	zips  *strictzip.Reader

	script bool // the pickles are TorchScript's, see CheckScript
}

// file decodes data, which begins at base in the input (-1 when it is memory of its own). A zip that wraps one file is opened where wrap is set.
func (r *reader) file(data []byte, base int64, wrap bool) (any, error) {
	if err := sniff(data); err != nil {
		return nil, err
	}
	if !strictzip.Is(data) {
		return r.legacy(data, base)
	}
	z, err := strictzip.Open(data)
	if err != nil {
		return nil, err
	}
	if inner := single(z); inner != nil && wrap {
		b, off, err := r.zips.Checked(z, inner, base)
		if err != nil {
			return nil, err
		}
		v, err := r.file(b, off, false)
		if err != nil {
			return nil, fmt.Errorf("in the zip file's only record %q: %w", inner.Name, err)
		}
		return v, nil
	}
	return r.zip(z, base)
}

// IsTorchScript reports whether data is an archive of torch.jit.save: a zip file with a record constants.pkl.
func IsTorchScript(data []byte) bool {
	if !strictzip.Is(data) {
		return false
	}
	z, err := strictzip.Open(data)
	return err == nil && z.SetRoot() == nil && z.Get("constants.pkl") != nil
}

// sniff refuses a file that is recognized as another kind, with an error that
// names the kind.
func sniff(data []byte) error {
	k := filekind.OfHead(data[:min(len(data), filekind.HeadSize)])
	switch {
	case k.Class == filekind.Stand, k.Class == filekind.Text:
		return &MalformedError{Msg: "this is " + k.Name}
	case k.Class == filekind.Safetensors:
		return &UnsupportedError{Feature: "this is a safetensors file: load it as such"}
	case k.Class == filekind.Unknown, k.Class == filekind.Checkpoint, strictzip.Is(data), data[0] == opProto:
		return nil
	}
	return &UnsupportedError{Feature: "this is " + k.Name}
}

// magic opens a file of the layout before PyTorch 1.6.
var magic, _ = new(big.Int).SetString("1950a86a20f9469cfc6c", 16)
