package nn

import (
	"fmt"
	"slices"

	"github.com/torchhub/torchhub/torch"
)

// A PackedSequence holds sequences of several lengths without padding, for
// [LSTM.ForwardPacked] and the like: torch.nn.utils.rnn.PackedSequence. It is made by
// [PackPaddedSequence] or [PackSequence].
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.PackedSequence.html
type PackedSequence struct {
	Data            *torch.Tensor // [total, *], the first elements of all sequences, then the second ones, …
	BatchSizes      *torch.Tensor // [longest] int64 on the CPU, the number of sequences that have an element at each step
	SortedIndices   *torch.Tensor // [N] int64, the sequences from the longest to the shortest; nil if they were given so
	UnsortedIndices *torch.Tensor // [N] int64, the inverse of SortedIndices, or nil
}

// To returns the sequences on a device: packed.to(device). BatchSizes stays on the CPU.
func (p *PackedSequence) To(d torch.Device) *PackedSequence {
	q := PackedSequence{Data: p.Data.To(d), BatchSizes: p.BatchSizes}
	if p.SortedIndices != nil {
		q.SortedIndices = p.SortedIndices.To(d)
	}
	if p.UnsortedIndices != nil {
		q.UnsortedIndices = p.UnsortedIndices.To(d)
	}
	return &q
}

// ToDType returns the sequences with elements of another type: packed.to(dtype).
func (p *PackedSequence) ToDType(d torch.DType) *PackedSequence { return p.with(p.Data.ToDType(d)) }

// with returns sequences with other data.
func (p *PackedSequence) with(data *torch.Tensor) *PackedSequence {
	return &PackedSequence{data, p.BatchSizes, p.SortedIndices, p.UnsortedIndices}
}

// check panics with an Error unless the parts of p fit each other, which operators trust.
func (p *PackedSequence) check(op string) {
	bad := func(format string, args ...any) {
		fail("%s: %s; make a PackedSequence with PackPaddedSequence or PackSequence", op, fmt.Sprintf(format, args...))
	}
	switch {
	case p == nil || p.Data == nil || p.BatchSizes == nil:
		bad("the packed sequence is nil or lacks its data")
	case p.Data.Dim() == 0:
		bad("the data of the packed sequence have no dimension")
	case p.BatchSizes.DType() != torch.Int64 || p.BatchSizes.Dim() != 1 || p.BatchSizes.Device() != torch.CPU:
		bad("the batch sizes of the packed sequence are %v %v on %v; they must be [longest] int64 on the CPU", p.BatchSizes.Shape(), p.BatchSizes.DType(), p.BatchSizes.Device())
	}
	sizes := torch.Data[int64](p.BatchSizes)
	sum, last := int64(0), int64(-1)
	for i, n := range sizes {
		if n <= 0 || last >= 0 && n > last {
			bad("batch size %d of the packed sequence is %d; the sizes must be positive and must not increase", i, n)
		}
		sum, last = sum+n, n
	}
	if len(sizes) == 0 || int(sum) != p.Data.Size(0) {
		bad("the batch sizes of the packed sequence are of %d elements, and its data have %d", sum, p.Data.Size(0))
	}
	for _, x := range []*torch.Tensor{p.SortedIndices, p.UnsortedIndices} {
		if x != nil && (x.Dim() != 1 || x.Size(0) != int(sizes[0])) {
			bad("the indices of the packed sequence are %v; they must be [%d]", x.Shape(), sizes[0])
		}
	}
}

// batch returns the number of sequences.
func (p *PackedSequence) batch() int { return int(p.BatchSizes.Select(0, 0).Item()) }

var (
	opPackPadded  = torch.NewOp("aten::_pack_padded_sequence", "")
	opPadPacked   = torch.NewOp("aten::_pad_packed_sequence", "")
	opPadSequence = torch.NewOp("aten::pad_sequence", "")
	opScatterIn   = torch.NewOp("aten::scatter_", "src")
)

// PackPaddedSequenceOptions are the options of [PackPaddedSequence].
type PackPaddedSequenceOptions struct {
	BatchFirst bool // x is [N, L, *] in place of [L, N, *]
	Unsorted   bool // the lengths may be in any order: enforce_sorted=False
}

// PackPaddedSequence packs sequences x [L, N, *] of the given lengths, from the longest to
// the shortest: torch.nn.utils.rnn.pack_padded_sequence(x, lengths). It panics with a
// *torch.Error if the lengths do not fit x.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html
func PackPaddedSequence(x *torch.Tensor, lengths []int, options ...PackPaddedSequenceOptions) *PackedSequence {
	const op = "PackPaddedSequence"
	o := torch.Only(options)
	if x.Dim() < 2 {
		fail("%s: x is %v; it must have 2 dimensions or more", op, x.Shape())
	}
	steps, batch := 0, 1
	if o.BatchFirst {
		steps, batch = 1, 0
	}
	if len(lengths) == 0 || len(lengths) != x.Size(batch) {
		fail("%s: there are %d lengths, and %d sequences in x; there must be as many, and at least one", op, len(lengths), x.Size(batch))
	}
	for i, n := range lengths {
		if n < 1 || n > x.Size(steps) {
			fail("%s: length %d is %d; it must be in [1, %d], since x is %v", op, i, n, x.Size(steps), x.Shape())
		}
		if !o.Unsorted && i > 0 && n > lengths[i-1] {
			fail("%s: the lengths %v increase at %d; give the option Unsorted", op, lengths, i)
		}
	}
	var p *PackedSequence
	torch.Scope(func() {
		sizes := torch.FromSlice(int64s(lengths), len(lengths))
		var sorted *torch.Tensor
		if o.Unsorted {
			sizes, sorted = sizes.Sort(torch.SortOptions{Descending: true})
			sorted = sorted.To(x.Device())
			x = x.IndexSelect(batch, sorted)
		}
		var c torch.Call
		c.Tensor(x)
		c.Tensor(sizes)
		c.Bool(o.BatchFirst)
		data, batchSizes := c.Two(opPackPadded)
		p = &PackedSequence{torch.Keep(data), torch.Keep(batchSizes), torch.Keep(sorted), torch.Keep(invert(sorted))}
	})
	return p
}

func int64s(v []int) []int64 {
	out := make([]int64, len(v))
	for i, n := range v {
		out[i] = int64(n)
	}
	return out
}

// invert returns the inverse of a permutation, or nil for nil.
func invert(permutation *torch.Tensor) *torch.Tensor {
	if permutation == nil {
		return nil
	}
	out := torch.EmptyLike(permutation)
	var c torch.Call
	c.Tensor(out)
	c.Int(0)
	c.Tensor(permutation)
	c.Tensor(torch.Options{Device: permutation.Device()}.Arange(permutation.Numel()))
	c.Do(opScatterIn)
	return out
}

// PadPackedSequenceOptions are the options of [PadPackedSequence].
type PadPackedSequenceOptions struct {
	BatchFirst   bool    // the result is [N, L, *] in place of [L, N, *]
	PaddingValue float64 // what is beyond the end of a sequence
	TotalLength  int     // L, at least the length of the longest sequence; 0 means that length
}

// PadPackedSequence is the inverse of [PackPaddedSequence]: it returns sequences
// [L, N, *] and their lengths: torch.nn.utils.rnn.pad_packed_sequence(p).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_packed_sequence.html
func PadPackedSequence(p *PackedSequence, options ...PadPackedSequenceOptions) (x *torch.Tensor, lengths []int) {
	const op = "PadPackedSequence"
	o := torch.Only(options)
	p.check(op)
	longest := p.BatchSizes.Size(0)
	if o.TotalLength != 0 && o.TotalLength < longest {
		fail("%s: the total length is %d; the longest sequence has %d", op, o.TotalLength, longest)
	}
	torch.Scope(func() {
		var c torch.Call
		c.Tensor(p.Data)
		c.Tensor(p.BatchSizes)
		c.Bool(o.BatchFirst)
		c.Number(o.PaddingValue)
		c.Int(max(longest, o.TotalLength))
		var sizes *torch.Tensor
		x, sizes = c.Two(opPadPacked)
		if p.UnsortedIndices != nil {
			batch := 1
			if o.BatchFirst {
				batch = 0
			}
			x = x.IndexSelect(batch, p.UnsortedIndices)
			sizes = sizes.IndexSelect(0, p.UnsortedIndices.To(torch.CPU))
		}
		torch.Keep(x)
		for _, n := range torch.Data[int64](sizes) {
			lengths = append(lengths, int(n))
		}
	})
	return x, lengths
}

// PadSequenceOptions are the options of [PadSequence].
type PadSequenceOptions struct {
	BatchFirst   bool    // the result is [N, L, *] in place of [L, N, *]
	PaddingValue float64 // what is beyond the end of a sequence, or before its beginning
	PaddingSide  string  // "right" or "left"; "" means "right"
}

// PadSequence stacks sequences [length, *] of several lengths to [L, N, *]:
// torch.nn.utils.rnn.pad_sequence(sequences).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_sequence.html
func PadSequence(sequences []*torch.Tensor, options ...PadSequenceOptions) *torch.Tensor {
	o := torch.Only(options)
	checkSequences("PadSequence", sequences)
	side := o.PaddingSide
	switch side {
	case "":
		side = "right"
	case "right", "left":
	default:
		fail("PadSequence: the padding side is %q; it can be \"right\" or \"left\"", side)
	}
	var c torch.Call
	c.Tensors(sequences)
	c.Bool(o.BatchFirst)
	c.Float(o.PaddingValue)
	c.String(side)
	return c.One(opPadSequence)
}

// checkSequences panics with an Error unless the sequences differ in their lengths only.
func checkSequences(op string, sequences []*torch.Tensor) {
	if len(sequences) == 0 {
		fail("%s: there are no sequences", op)
	}
	for i, x := range sequences {
		if x == nil {
			fail("%s: sequence %d is nil", op, i)
		}
		if x.Dim() == 0 || !slices.Equal(x.Shape()[1:], sequences[0].Shape()[1:]) {
			fail("%s: sequence %d is %v and the first one %v; they may differ in the first dimension only", op, i, x.Shape(), sequences[0].Shape())
		}
	}
}

// UnpadSequenceOptions are the options of [UnpadSequence].
type UnpadSequenceOptions struct {
	BatchFirst bool // x is [N, L, *] in place of [L, N, *]
}

// UnpadSequence returns the sequences in x [L, N, *], each of its length, as copies:
// torch.nn.utils.rnn.unpad_sequence(x, lengths). Unlike Python's it does not transpose x
// itself.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpad_sequence.html
func UnpadSequence(x *torch.Tensor, lengths []int, options ...UnpadSequenceOptions) []*torch.Tensor {
	o := torch.Only(options)
	steps, batch := 0, 1
	if o.BatchFirst {
		steps, batch = 1, 0
	}
	if x.Dim() < 2 || len(lengths) != x.Size(batch) {
		fail("UnpadSequence: there are %d lengths, and x is %v; there must be a length for each sequence", len(lengths), x.Shape())
	}
	sequences := make([]*torch.Tensor, len(lengths))
	torch.Scope(func() {
		for i, n := range lengths {
			n = min(max(n, 0), x.Size(steps))
			sequences[i] = torch.Keep(x.Select(batch, i).Narrow(0, 0, n).Clone())
		}
	})
	return sequences
}

// PackSequenceOptions are the options of [PackSequence].
type PackSequenceOptions struct {
	Unsorted bool // the lengths may be in any order: enforce_sorted=False
}

// PackSequence packs sequences [length, *], from the longest to the shortest:
// torch.nn.utils.rnn.pack_sequence(sequences).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_sequence.html
func PackSequence(sequences []*torch.Tensor, options ...PackSequenceOptions) *PackedSequence {
	o := torch.Only(options)
	checkSequences("PackSequence", sequences)
	lengths := make([]int, len(sequences))
	for i, x := range sequences {
		lengths[i] = x.Size(0)
	}
	x := PadSequence(sequences)
	defer x.Free()
	return PackPaddedSequence(x, lengths, PackPaddedSequenceOptions{Unsorted: o.Unsorted})
}

// UnpackSequence is the inverse of [PackSequence]: torch.nn.utils.rnn.unpack_sequence(p).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpack_sequence.html
func UnpackSequence(p *PackedSequence) []*torch.Tensor {
	x, lengths := PadPackedSequence(p, PadPackedSequenceOptions{BatchFirst: true})
	defer x.Free()
	return UnpadSequence(x, lengths, UnpadSequenceOptions{BatchFirst: true})
}
