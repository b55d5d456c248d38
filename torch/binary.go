package torch

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/pickle"
)

// MarshalBinary returns x as a file of torch.save, for encoding/gob and the like. It
// implements [encoding.BinaryMarshaler]. Unlike [Save], it writes only the elements of
// a view, in the order of the indices.
//
// https://docs.pytorch.org/docs/stable/generated/torch.save.html
func (x *Tensor) MarshalBinary() ([]byte, error) {
	var b bytes.Buffer
	if err := marshal(&b, x); err != nil {
		return nil, fmt.Errorf("torch: marshal a tensor: %w", err)
	}
	return b.Bytes(), nil
}

func marshal(b *bytes.Buffer, x *Tensor) error {
	var plain bool
	if err := Try(func() { plain = x.Layout() == Strided && !x.DType().IsQuantized() && x.Device() != Meta }); err != nil {
		return err
	}
	if !plain {
		return save(b, pickle.RootOf(""), x)
	}
	t, err := alone(x)
	if err != nil {
		return err
	}
	t.RequiresGrad = x.RequiresGrad()
	return pickle.Write(b, pickle.RootOf(""), t)
}

// UnmarshalBinary sets x, which must be the zero Tensor, to the tensor in data, as
// MarshalBinary or torch.save wrote it, on the CPU. It implements
// [encoding.BinaryUnmarshaler]. The error for damaged bytes is an [ErrMalformed].
//
//	bytes, err := x.MarshalBinary()
//	var y torch.Tensor
//	err = y.UnmarshalBinary(bytes)
//
// https://docs.pytorch.org/docs/stable/generated/torch.load.html
func (x *Tensor) UnmarshalBinary(data []byte) error {
	if err := x.unmarshal(data); err != nil {
		return fmt.Errorf("torch: unmarshal a tensor: %w", err)
	}
	return nil
}

func (x *Tensor) unmarshal(data []byte) error {
	if x == nil || x.h != 0 {
		return errors.New("it is not the zero Tensor; use a new one")
	}
	v, err := loadStream(bytes.NewReader(data), loading(nil))
	if err != nil {
		return err
	}
	y, ok := v.(*Tensor)
	if !ok {
		return &pickle.UnsupportedError{Feature: "it is " + Describe(v) + ", not a tensor"}
	}
	defer y.Free()
	return Try(func() {
		var c Call
		var m maker
		var rets [libtorch.RetsHead + 8]uint64
		c.Tensor(y)
		r := c.run(opDetach, rets[:], len(rets), &m)
		x.adopt(r.words[1]) // after the tag
		x.collect()
		m.done()
		if y.RequiresGrad() {
			x.RequireGrad(true)
		}
	})
}

// MarshalBinary returns s as a file of torch.save, for encoding/gob and the like. It
// implements [encoding.BinaryMarshaler].
//
// https://docs.pytorch.org/docs/stable/generated/torch.save.html
func (s StateDict) MarshalBinary() ([]byte, error) {
	var b bytes.Buffer
	if err := save(&b, pickle.RootOf(""), s); err != nil {
		return nil, fmt.Errorf("torch: marshal a state dict: %w", err)
	}
	return b.Bytes(), nil
}

// UnmarshalBinary sets s to the state dict in data, as MarshalBinary or torch.save wrote
// it, on the CPU. It implements [encoding.BinaryUnmarshaler].
//
// https://docs.pytorch.org/docs/stable/generated/torch.load.html
func (s *StateDict) UnmarshalBinary(data []byte) error {
	v, err := loadStream(bytes.NewReader(data), loading(nil))
	var to StateDict
	if err == nil {
		to, err = stateDict(v)
	}
	if err != nil {
		return fmt.Errorf("torch: unmarshal a state dict: %w", err)
	}
	*s = to
	return nil
}
