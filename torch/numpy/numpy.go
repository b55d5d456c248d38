// Package numpy reads and writes NumPy's files of arrays: numpy.load, numpy.save
// and numpy.savez, with torch.from_numpy and Tensor.numpy.
//
//	x, err := numpy.Load("x.npy")
//	err = numpy.Save("y.npy", x)
//
// Arrays of Python objects are refused, as with allow_pickle=False: no code in a
// file is run.
//
// https://numpy.org/doc/stable/reference/routines.io.html
package numpy

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/internal/atomicfile"
	"github.com/torchhub/torchhub/internal/badfile"
	"github.com/torchhub/torchhub/internal/npy"
	"github.com/torchhub/torchhub/internal/strictzip"
	"github.com/torchhub/torchhub/torch"
)

// Load reads a .npy file onto the CPU: torch.from_numpy(numpy.load(path)). Arrays
// in Fortran's order become tensors with such strides, and those of another byte
// order are converted. The error for a damaged file is a torch.ErrMalformed, and
// for a dtype other than numbers and bools a torch.ErrUnsupported.
//
// https://numpy.org/doc/stable/reference/generated/numpy.load.html
func Load(path string) (*torch.Tensor, error) {
	x, err := load(path)
	if err != nil {
		return nil, fmt.Errorf("numpy: load %s: %w", path, err)
	}
	return x, nil
}

func load(path string) (*torch.Tensor, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	head := make([]byte, min(int64(npy.MaxData), st.Size()))
	if _, err := io.ReadFull(f, head); err != nil {
		return nil, err
	}
	h, err := npy.Read(head, st.Size())
	if err != nil {
		return nil, err
	}
	return array(h, io.NewSectionReader(f, int64(h.Data), int64(h.Size)))
}

// LoadFrom is [Load] from a stream, of which it reads the bytes of one array:
// numpy.load(f) with a file-like f.
//
// https://numpy.org/doc/stable/reference/generated/numpy.load.html
func LoadFrom(r io.Reader) (*torch.Tensor, error) {
	x, err := loadStream(r)
	if err != nil {
		return nil, fmt.Errorf("numpy: load: %w", err)
	}
	return x, nil
}

func loadStream(r io.Reader) (*torch.Tensor, error) {
	head, err := npy.ReadHead(r)
	if err != nil {
		return nil, err
	}
	h, err := npy.Read(head, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	if h.Size > trusted {
		data, err := io.ReadAll(io.LimitReader(r, int64(h.Size))) // which takes no memory for bytes that are not there
		if err != nil {
			return nil, err
		}
		if len(data) < h.Size {
			return nil, short(h)
		}
		r = bytes.NewReader(data)
	}
	x, err := array(h, r)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return nil, short(h)
	}
	return x, err
}

func short(h *npy.Header) error {
	return &badfile.MalformedError{Offset: int64(h.Data), Msg: fmt.Sprintf("npy: %d bytes of elements do not follow: the file is cut short", h.Size)}
}

// trusted is the size of an array for which a header alone is enough to allocate memory.
const trusted = 64 << 20

// array makes a tensor of elements, of which r has as many bytes as they take.
func array(h *npy.Header, r io.Reader) (x *torch.Tensor, err error) {
	d, err := torch.ParseDType(h.DType)
	if err != nil {
		return nil, err
	}
	var rerr error
	err = torch.Try(func() {
		shape := slices.Clone(h.Shape)
		if h.Fortran {
			slices.Reverse(shape)
		}
		x = torch.Options{DType: d, Device: torch.CPU}.Zeros(shape...)
		if h.Size > 0 {
			torch.WithData(x.Reshape(-1).ViewDType(torch.Uint8), func(b []byte) {
				if _, rerr = io.ReadFull(r, b); rerr == nil && h.Swap > 1 {
					for ; len(b) >= h.Swap; b = b[h.Swap:] {
						slices.Reverse(b[:h.Swap])
					}
				}
			})
		}
		if h.Fortran && len(shape) > 1 {
			dims := make([]int, len(shape))
			for i := range dims {
				dims[i] = len(dims) - 1 - i
			}
			x = x.Then(func(x *torch.Tensor) *torch.Tensor { return x.Permute(dims...) })
		}
	})
	if err = errors.Join(err, rerr); err != nil {
		return nil, err
	}
	return x, nil
}

// LoadZip reads the arrays of a .npz file by name, in the file's order:
// dict(numpy.load(path)). The zip file is checked as strictly as a checkpoint.
// Only the limit Inflate applies: by default compressed arrays may take 1 GiB
// in total, or 64 bytes for each byte of the file, since a mask of zeros
// compresses to a thousandth.
//
// https://numpy.org/doc/stable/reference/generated/numpy.load.html
func LoadZip(path string, limits ...torch.Limits) (torch.StateDict, error) {
	s, err := loadZip(path, torch.Only(limits))
	if err != nil {
		return nil, fmt.Errorf("numpy: load %s: %w", path, err)
	}
	return s, nil
}

func loadZip(path string, limits torch.Limits) (torch.StateDict, error) {
	z, done, err := strictzip.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer done()
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return arrays(z, st.Size(), limits)
}

// LoadZipFrom is [LoadZip] from a stream, which it reads to the end.
//
// https://numpy.org/doc/stable/reference/generated/numpy.load.html
func LoadZipFrom(r io.Reader, limits ...torch.Limits) (torch.StateDict, error) {
	o := torch.Only(limits)
	data, err := io.ReadAll(r)
	var z *strictzip.Archive
	if err == nil {
		z, err = strictzip.Open(data)
	}
	var s torch.StateDict
	if err == nil {
		s, err = arrays(z, int64(len(data)), o)
	}
	if err != nil {
		return nil, fmt.Errorf("numpy: load: %w", err)
	}
	return s, nil
}

// arrays reads the arrays of an archive of size bytes.
func arrays(z *strictzip.Archive, size int64, limits torch.Limits) (torch.StateDict, error) {
	if limits.Inflate == 0 {
		limits.Inflate = max(1<<30, 64*size)
	}
	r := strictzip.NewReader(limits.Inflate)
	var s torch.StateDict
	for _, rec := range z.Records {
		name, ok := strings.CutSuffix(rec.Name, ".npy")
		if !ok {
			return nil, &badfile.UnsupportedError{Record: rec.Name, Feature: "it is not a .npy file"}
		}
		data, _, err := r.Checked(z, rec, 0)
		if err != nil {
			return nil, err
		}
		h, err := npy.Read(data, int64(len(data)))
		var x *torch.Tensor
		if err == nil {
			x, err = array(h, bytes.NewReader(data[h.Data:]))
		}
		if err != nil {
			s.Free()
			return nil, fmt.Errorf("array %q: %w", name, err)
		}
		s = append(s, torch.Named{Name: name, Tensor: x})
	}
	return s, nil
}

// Save writes a tensor as a .npy file: numpy.save(path, x.detach().cpu().numpy()),
// with the same bytes, except that no extension is added to the name. The file is
// created, or replaced, atomically. Dtypes that NumPy does not have, such as bfloat16,
// are an error.
//
// https://numpy.org/doc/stable/reference/generated/numpy.save.html
func Save(path string, x *torch.Tensor) error {
	err := atomicfile.Write(path, func(w io.Writer) error { return write(w, x) })
	if err != nil {
		return fmt.Errorf("numpy: save %s: %w", path, err)
	}
	return nil
}

// SaveTo is [Save] to a stream: numpy.save(w, x.detach().cpu().numpy()).
//
// https://numpy.org/doc/stable/reference/generated/numpy.save.html
func SaveTo(w io.Writer, x *torch.Tensor) error {
	if err := write(w, x); err != nil {
		return fmt.Errorf("numpy: save: %w", err)
	}
	return nil
}

// SaveZip writes tensors as a .npz file: numpy.savez(path, **state). The file is
// created, or replaced, atomically.
//
// https://numpy.org/doc/stable/reference/generated/numpy.savez.html
func SaveZip(path string, state torch.StateDict) error {
	return SaveZipSeq(path, sequence(state))
}

// SaveZipTo is [SaveZip] to a stream: numpy.savez(w, **state).
//
// https://numpy.org/doc/stable/reference/generated/numpy.savez.html
func SaveZipTo(w io.Writer, state torch.StateDict) error {
	if err := writeZip(w, sequence(state)); err != nil {
		return fmt.Errorf("numpy: save: %w", err)
	}
	return nil
}

func sequence(state torch.StateDict) iter.Seq2[torch.Named, error] {
	return func(yield func(torch.Named, error) bool) {
		for _, e := range state {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// SaveZipSeq is [SaveZip] of tensors that seq yields one at a time, so that they need
// not be in memory together. The next tensor is asked for when the one before is written.
// An error that seq yields ends SaveZipSeq with that error.
//
// https://numpy.org/doc/stable/reference/generated/numpy.savez.html
func SaveZipSeq(path string, seq iter.Seq2[torch.Named, error]) error {
	err := atomicfile.Write(path, func(w io.Writer) error { return writeZip(w, seq) })
	if err != nil {
		return fmt.Errorf("numpy: save %s: %w", path, err)
	}
	return nil
}

func writeZip(w io.Writer, seq iter.Seq2[torch.Named, error]) error {
	z := zip.NewWriter(w)
	seen := map[string]bool{}
	for e, err := range seq {
		if err != nil {
			return err
		}
		if seen[e.Name] {
			return fmt.Errorf("there are two arrays %q", e.Name)
		}
		seen[e.Name] = true
		f, err := z.CreateHeader(&zip.FileHeader{Name: e.Name + ".npy"})
		if err != nil {
			return err
		}
		if err := write(f, e.Tensor); err != nil {
			return fmt.Errorf("array %q: %w", e.Name, err)
		}
	}
	return z.Close()
}

func write(w io.Writer, x *torch.Tensor) error {
	var head []byte
	var herr error
	err := torch.Try(func() { head, herr = npy.Write(x.DType().String(), x.Shape()) })
	if err := errors.Join(err, herr); err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	return torch.WriteBytes(w, x)
}
