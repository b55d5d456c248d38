// Package safetensors is Python's safetensors.torch: files of tensors without code.
//
//	state, err := safetensors.LoadFile("model.safetensors")
//	err = safetensors.SaveFile(state, "copy.safetensors", nil)
//
// https://huggingface.co/docs/safetensors/api/torch
package safetensors

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

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
	if _, err := header(path); err != nil { // torch.Load also takes what torch.save wrote
		return nil, err
	}
	return torch.LoadStateDict(path)
}

// Metadata returns the metadata of a file, or nil if there are none:
// safe_open(path, "pt").metadata(). It reads only the file's header.
//
// https://huggingface.co/docs/safetensors/index#format
func Metadata(path string) (map[string]string, error) {
	h, err := header(path)
	if err != nil {
		return nil, err
	}
	return h.Metadata, nil
}

func header(path string) (*safetensors.Header, error) {
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

// SaveFile writes tensors and metadata, which may be nil, to a file:
// safetensors.torch.save_file(state, path, metadata). The bytes are those that
// Python writes. The file is created, or replaced, atomically. Tensors may be on
// any device and in any memory format; each is written in full, whereas Python
// refuses tensors that are not contiguous or that share memory. Sparse tensors,
// duplicate names, and dtypes that the format does not have, are errors.
//
// https://huggingface.co/docs/safetensors/api/torch#safetensors.torch.save_file
func SaveFile(state torch.StateDict, path string, metadata map[string]string) error {
	if err := save(state, path, metadata); err != nil {
		return fmt.Errorf("safetensors: save %s: %w", path, err)
	}
	return nil
}

func save(state torch.StateDict, path string, metadata map[string]string) (err error) {
	h := safetensors.Header{Metadata: metadata}
	byName := make(map[string]*torch.Tensor, len(state))
	err = torch.Try(func() {
		for _, e := range state {
			h.Tensors = append(h.Tensors, safetensors.Tensor{Name: e.Name, DType: e.Tensor.DType().String(), Shape: e.Tensor.Shape()})
			byName[e.Name] = e.Tensor
		}
	})
	if err != nil {
		return err
	}
	head, err := h.Write()
	if err != nil {
		return err
	}
	f, err := create(path)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err == nil {
			err = os.Rename(f.Name(), path)
		}
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(head); err != nil {
		return err
	}
	for _, t := range h.Tensors {
		if t.Begin == t.End {
			continue
		}
		var werr error
		err := torch.Try(func() {
			torch.WithBytes(byName[t.Name], func(b []byte) { _, werr = f.Write(b) })
		})
		if err := errors.Join(err, werr); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
	}
	return nil
}

// create makes a file beside path, under a name that no other has.
func create(path string) (*os.File, error) {
	for i := 0; ; i++ {
		f, err := os.OpenFile(fmt.Sprintf("%s.%d-%d.partial", path, os.Getpid(), i), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}
