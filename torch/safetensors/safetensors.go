// Package safetensors is Python's safetensors.torch: files of tensors without code.
//
//	state, err := safetensors.LoadFile("model.safetensors")
//	err = safetensors.SaveFile(state, "copy.safetensors", nil)
//
// https://huggingface.co/docs/safetensors/api/torch
package safetensors

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"

	"github.com/torchhub/torchhub/internal/atomicfile"
	"github.com/torchhub/torchhub/internal/safetensors"
	"github.com/torchhub/torchhub/torch"
)

// LoadFile reads a file onto the CPU: safetensors.torch.load_file(path). The file
// is mapped and tensors use the mapping, as [torch.Load] describes, which reads
// such files, too. They are in the order of their bytes.
//
// The error for a file that violates the format is a torch.ErrMalformed: entries
// that overlap, leave gaps or repeat a name, shapes that do not fit their bytes.
// For a dtype that libtorch does not have, such as F4, it is a
// torch.ErrUnsupported.
//
// https://huggingface.co/docs/safetensors/api/torch#safetensors.torch.load_file
func LoadFile(path string) (torch.StateDict, error) {
	if _, err := headerOf(path); err != nil { // torch.Load also takes what torch.save wrote
		return nil, err
	}
	return torch.LoadStateDict(path)
}

// Metadata returns the metadata of a file, or nil if there are none:
// safe_open(path, "pt").metadata(). It reads only the file's header.
//
// https://huggingface.co/docs/safetensors/index#format
func Metadata(path string) (map[string]string, error) {
	h, err := headerOf(path)
	if err != nil {
		return nil, err
	}
	return h.Metadata, nil
}

func headerOf(path string) (*safetensors.Header, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("safetensors: load %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	var h *safetensors.Header
	if err == nil && !st.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err == nil {
		h, err = safetensors.ReadAt(f, st.Size())
	}
	if err != nil {
		return nil, fmt.Errorf("safetensors: load %s: %w", path, err)
	}
	return h, nil
}

// LoadFrom is [LoadFile] from a stream, which it reads to the end:
// safetensors.torch.load(r.read()). The whole file is in memory while it is read,
// beside the tensors; LoadFile needs less memory for a large file.
//
// https://huggingface.co/docs/safetensors/api/torch#safetensors.torch.load
func LoadFrom(r io.Reader) (torch.StateDict, error) {
	data, err := io.ReadAll(r)
	if err == nil {
		_, err = safetensors.Read(data) // torch.LoadFrom also takes what torch.save wrote
	}
	if err != nil {
		return nil, fmt.Errorf("safetensors: load: %w", err)
	}
	v, err := torch.LoadFrom(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return torch.Get[torch.StateDict](v)
}

// SaveFile writes tensors and metadata, which may be nil, to a file:
// safetensors.torch.save_file(state, path, metadata). The bytes are those that
// Python writes. The file is created, or replaced, atomically. Tensors may be on
// any device and in any memory format; each is written in full, whereas Python
// refuses tensors that are not contiguous or that share memory. Sparse tensors,
// duplicate names, and dtypes that the format does not have, are errors.
//
// https://huggingface.co/docs/safetensors/api/torch#safetensors.torch.save_file
func SaveFile(state torch.StateDict, path string, metadata map[string]string) error {
	err := atomicfile.Write(path, func(w io.Writer) error { return save(w, state, metadata) })
	if err != nil {
		return fmt.Errorf("safetensors: save %s: %w", path, err)
	}
	return nil
}

// SaveTo is [SaveFile] to a stream: w.write(safetensors.torch.save(state, metadata)).
//
// https://huggingface.co/docs/safetensors/api/torch#safetensors.torch.save
func SaveTo(w io.Writer, state torch.StateDict, metadata map[string]string) error {
	if err := save(w, state, metadata); err != nil {
		return fmt.Errorf("safetensors: save: %w", err)
	}
	return nil
}

func save(w io.Writer, state torch.StateDict, metadata map[string]string) error {
	infos := make([]Info, len(state))
	err := torch.Try(func() {
		for i, e := range state {
			infos[i] = InfoOf(e)
		}
	})
	if err != nil {
		return err
	}
	h := header(infos, metadata)
	h.Sort()
	head, err := h.Write()
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, t := range h.Tensors {
		if err := torch.WriteBytes(w, state.Get(t.Name)); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	return nil
}

// An Info announces a tensor to [SaveSeq].
type Info struct {
	Name  string
	DType torch.DType
	Shape []int
}

// InfoOf returns the announcement of a tensor.
func InfoOf(e torch.Named) Info { return Info{e.Name, e.Tensor.DType(), e.Tensor.Shape()} }

func header(infos []Info, metadata map[string]string) *safetensors.Header {
	h := &safetensors.Header{Metadata: metadata}
	for _, i := range infos {
		h.Tensors = append(h.Tensors, safetensors.Tensor{Name: i.Name, DType: i.DType.String(), Shape: i.Shape})
	}
	return h
}

// SaveSeq writes tensors to a file one at a time, so that they need not be in memory
// together. The names, dtypes and shapes come first in the file, so infos announces
// them, in the order in which seq yields the tensors. The next tensor is asked for when
// the one before is written. An error that seq yields ends SaveSeq with that error, and
// a tensor other than the announced one is an error. Metadata may be nil. The file is
// created, or replaced, atomically.
//
// https://huggingface.co/docs/safetensors/index#format
func SaveSeq(path string, infos []Info, seq iter.Seq2[torch.Named, error], metadata map[string]string) error {
	err := atomicfile.Write(path, func(w io.Writer) error { return saveSeq(w, header(infos, metadata), seq) })
	if err != nil {
		return fmt.Errorf("safetensors: save %s: %w", path, err)
	}
	return nil
}

func saveSeq(w io.Writer, h *safetensors.Header, seq iter.Seq2[torch.Named, error]) error {
	head, err := h.Write()
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	n := 0
	for e, err := range seq {
		if err != nil {
			return err
		}
		if n == len(h.Tensors) {
			return fmt.Errorf("tensor %q follows the last announced one", e.Name)
		}
		want := h.Tensors[n]
		n++
		var got Info
		err = torch.Try(func() { got = InfoOf(e) })
		switch {
		case err != nil:
		case got.Name != want.Name || got.DType.String() != want.DType || !slices.Equal(got.Shape, want.Shape):
			err = fmt.Errorf("it is of the dtype %v and the shape %v, but %q of the dtype %s and the shape %v is announced", got.DType, got.Shape, want.Name, want.DType, want.Shape)
		default:
			err = torch.WriteBytes(w, e.Tensor)
		}
		if err != nil {
			return fmt.Errorf("tensor %q: %w", e.Name, err)
		}
	}
	if n < len(h.Tensors) {
		return fmt.Errorf("tensor %q is announced and does not follow", h.Tensors[n].Name)
	}
	return nil
}
