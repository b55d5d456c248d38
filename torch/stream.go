package torch

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/torchhub/torchhub/internal/atomicfile"
	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/internal/pickle"
)

// WriteBytes writes the bytes of x's elements, in the order of the indices, to w:
// w.write(x.numpy().tobytes()). Tensors on other devices, and those that are not in
// this order in memory, are copied in pieces. The error is that of w, or an [*Error]
// if x is sparse, quantized or has no values.
//
// https://docs.pytorch.org/docs/stable/generated/torch.Tensor.numpy.html
func WriteBytes(w io.Writer, x *Tensor) error {
	for piece, err := range elements(x) {
		if err == nil {
			_, err = w.Write(piece)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const pieceSize = 64 << 20 // of what is copied at a time

// elements yields the bytes of x's elements in the order of the indices, without a
// copy if they are in this order on the CPU.
func elements(x *Tensor) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if err := Try(func() { NoGrad(func() { x.eachPiece("WriteBytes", func(b []byte) bool { return yield(b, nil) }) }) }); err != nil {
			yield(nil, err)
		}
	}
}

// eachPiece calls f with the bytes of consecutive elements until it returns false.
func (x *Tensor) eachPiece(op string, f func([]byte) bool) (more bool) {
	info := x.sizes(op)
	n := int(info[libtorch.InfoNumel] * info[libtorch.InfoItemSize])
	// a complex tensor may be conjugated
	inOrder := x.Device() == CPU && !x.DType().IsComplex() && info[libtorch.InfoFlags]&(libtorch.FlagContiguous|libtorch.FlagZero) == libtorch.FlagContiguous
	dim := 0 // that is cut: the first whose size is not 1
	for dim < x.Dim() && info[libtorch.InfoSizes+dim] == 1 {
		dim++
	}
	if inOrder || n <= pieceSize || dim == x.Dim() {
		more = true
		WithBytes(x, func(b []byte) { more = len(b) == 0 || f(b) })
		return more
	}
	size := int(info[libtorch.InfoSizes+dim])
	rows := max(1, pieceSize/(n/size))
	for at := 0; at < size; at += rows {
		part := x.Narrow(dim, at, min(rows, size-at))
		more = part.eachPiece(op, f)
		part.Free()
		if !more {
			return false
		}
	}
	return true
}

// SaveSeq writes tensors to a file one at a time, so that they need not be in memory
// together. The file is that of torch.save(collections.OrderedDict(seq), path), for
// torch.load with weights_only=True, [Load] and [LoadStateDict]. The next tensor is
// asked for when the one before is written. An error that seq yields ends SaveSeq with
// that error.
//
//	err := torch.SaveSeq("all.pt", func(yield func(torch.Named, error) bool) {
//		for _, shard := range shards {
//			part, err := torch.LoadStateDict(shard)
//			if err != nil {
//				yield(torch.Named{}, err)
//				return
//			}
//			for _, e := range part {
//				if !yield(e, nil) {
//					return
//				}
//			}
//			part.Free()
//		}
//	})
//
// Unlike [Save], it writes only the elements of a view, and tensors that share memory
// do not share it in the file. Sparse and quantized tensors, and equal names, are
// errors. The file is created, or replaced, atomically.
//
// https://docs.pytorch.org/docs/stable/generated/torch.save.html
func SaveSeq(path string, seq iter.Seq2[Named, error]) error {
	err := atomicfile.Write(path, func(w io.Writer) error { return saveSeq(pickle.NewWriter(w, pickle.RootOf(path)), seq) })
	if err != nil {
		return fmt.Errorf("torch: save %s: %w", path, err)
	}
	return nil
}

func saveSeq(w *pickle.Writer, seq iter.Seq2[Named, error]) error {
	d := &pickle.Dict{Class: "OrderedDict"}
	for e, err := range seq {
		if err != nil {
			return err
		}
		t, err := alone(e.Tensor)
		if err == nil {
			err = w.Add(t.Storage)
		}
		if err != nil {
			return placed(e.Name, err)
		}
		if err := d.SetEntry(e.Name, t); err != nil {
			return err
		}
	}
	return w.Close(d)
}

// alone describes a tensor whose elements are to be written in order, and no other ones.
func alone(x *Tensor) (t *pickle.Tensor, err error) {
	failed := Try(func() {
		info, d := x.info("Save"), x.DType()
		switch {
		case info[libtorch.InfoFlags]&libtorch.FlagNested != 0:
			err = errNested
			return
		case x.Layout() != Strided, d.IsQuantized():
			err = errors.New("a sparse or quantized tensor cannot be written alone; use Save")
			return
		case d.Size() == 0:
			err = fmt.Errorf("a tensor of the dtype %v cannot be saved", d)
			return
		}
		t = &pickle.Tensor{
			Storage: pickle.NewStorage(d.String(), CPU.String(), x.Numel()*d.Size(), elements(x)),
			DType:   d.String(), Size: x.Shape(), Stride: contiguous(x.Shape()),
		}
	})
	return t, errors.Join(failed, err)
}
