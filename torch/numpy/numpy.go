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
	"os"
	"slices"
	"strings"

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
	if limits.Inflate == 0 {
		limits.Inflate = max(1<<30, 64*st.Size())
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
// with the same bytes, except that no extension is added to the name. An existing
// file is overwritten. Dtypes that NumPy does not have, such as bfloat16, are an
// error.
//
// https://numpy.org/doc/stable/reference/generated/numpy.save.html
func Save(path string, x *torch.Tensor) error {
	err := create(path, func(w io.Writer) error { return write(w, x) })
	if err != nil {
		return fmt.Errorf("numpy: save %s: %w", path, err)
	}
	return nil
}

// SaveZip writes tensors as a .npz file: numpy.savez(path, **state).
//
// https://numpy.org/doc/stable/reference/generated/numpy.savez.html
func SaveZip(path string, state torch.StateDict) error {
	err := create(path, func(w io.Writer) error {
		z := zip.NewWriter(w)
		seen := map[string]bool{}
		for _, e := range state {
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
	})
	if err != nil {
		return fmt.Errorf("numpy: save %s: %w", path, err)
	}
	return nil
}

// create makes a file, and leaves none where write fails.
func create(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Close())
	if err != nil {
		_ = os.Remove(path)
	}
	return err
}

func write(w io.Writer, x *torch.Tensor) error {
	var werr error
	err := torch.Try(func() {
		var head []byte
		if head, werr = npy.Write(x.DType().String(), x.Shape()); werr != nil {
			return
		}
		if _, werr = w.Write(head); werr == nil && x.Numel() > 0 {
			torch.WithBytes(x, func(b []byte) { _, werr = w.Write(b) })
		}
	})
	return errors.Join(err, werr)
}
