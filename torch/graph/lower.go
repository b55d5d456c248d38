package graph

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/kernels"
)

// lowerings append what computes a node to a program, and set the form of its first result. An error says why that cannot be.
// They are those of operators by name without the overload.
var lowerings map[string]func(b *builder, n *Node) (*form, error)

func init() {
	lowerings = map[string]func(b *builder, n *Node) (*form, error){
		"aten::conv1d": conv, "aten::conv2d": conv, "aten::convolution": conv, "aten::_convolution": conv,
		"aten::linear": linear, "aten::addmm": linear, "aten::matmul": linear, "aten::mm": linear,
		"aten::batch_norm": normalize, "aten::native_batch_norm": normalize, "aten::_native_batch_norm_legit_no_training": normalize,
		"aten::layer_norm": layerNorm, "aten::native_layer_norm": layerNorm,
		"aten::max_pool2d": pool, "aten::max_pool2d_with_indices": pool, "aten::avg_pool2d": pool,
		"aten::adaptive_avg_pool2d": adaptivePool, "aten::_adaptive_avg_pool2d": adaptivePool, "aten::mean": mean,
		"aten::add": sum, "aten::sub": sum, "aten::rsub": sum, "aten::mul": times, "aten::div": times, "aten::neg": times,
		"aten::relu": act, "aten::relu6": act, "aten::hardtanh": act, "aten::clamp": act, "aten::clamp_min": act, "aten::hardswish": act,
		"aten::hardsigmoid": act, "aten::silu": act, "aten::sigmoid": act, "aten::gelu": act, "aten::tanh": act,
		"aten::reshape": reshape, "aten::permute": permute, "aten::slice": slice, "aten::expand": expand, "aten::roll": roll, "aten::flip": flip,
		"aten::pad": pad, "aten::constant_pad_nd": pad, "aten::repeat": repeat, "aten::index_select": indexSelect, "aten::cat": cat, "aten::concat": cat, "aten::concatenate": cat,
		"aten::stack": stack, "aten::slice_scatter": sliceScatter, "aten::select_scatter": selectScatter,
		"aten::linalg_vector_norm": lengths, "aten::norm": lengths,
		"aten::channel_shuffle": shuffle, "aten::upsample_nearest2d": upsample,
		attention: attend,
	}
}

var errForm = errors.New("its dimensions of channels are others than usual")

// tensorForm returns the form of argument i, whose dimension dim is of channels if it has no form yet.
func (b *builder) tensorForm(n *Node, i, dim int) (*form, error) {
	v := n.tensor(i)
	if v == nil {
		return nil, fmt.Errorf("argument %d is no tensor", i)
	}
	return b.form(v, from(dim, len(v.Shape)))
}

// usual returns the dimension of channels that a tensor most probably has.
func usual(v *Value) int {
	if len(v.Shape) == 4 {
		return 1
	}
	return len(v.Shape) - 1
}

// weight returns argument i if it is a constant of float32; it may be None.
func weight(n *Node, i int) (*torch.Tensor, error) {
	switch v := n.tensor(i); {
	case v == nil:
		return nil, nil
	case v.Tensor == nil || v.DType != torch.Float32 || v.Device != torch.CPU:
		return nil, fmt.Errorf("%s is no constant of float32", v.Name)
	default:
		return v.Tensor, nil
	}
}

// weights returns two of them, of which the first is not None.
func weights(n *Node, i, j int) (w, b *torch.Tensor, err error) {
	if w, err = weight(n, i); err == nil && w == nil {
		err = fmt.Errorf("argument %d is None", i)
	}
	if err == nil {
		b, err = weight(n, j)
	}
	return w, b, err
}

// two returns a list of a number for the height and one for the width, which may be one for both, or the width alone of
// a tensor without height.
func two(list []int, otherwise int, flat bool) ([2]int, bool) {
	switch {
	case len(list) == 0:
		return [2]int{otherwise, otherwise}, true
	case flat && len(list) == 1:
		return [2]int{otherwise, list[0]}, true
	case len(list) == 1:
		return [2]int{list[0], list[0]}, true
	case len(list) == 2 && !flat:
		return [2]int{list[0], list[1]}, true
	}
	return [2]int{}, false
}

func conv(b *builder, n *Node) (*form, error) {
	w, bias, err := weights(n, 1, 2)
	if err != nil {
		return nil, err
	}
	flat := w.Dim() == 3
	in := kernels.Instruction{Kind: kernels.Conv, Bias: bias}
	if flat {
		w = lasting(func() *torch.Tensor { return w.Unsqueeze(2) })
	}
	in.Weight = w
	kernel := [2]int{w.Size(2), w.Size(3)}
	padding := n.Args[4]
	last := 6
	if base := n.Op; base == "aten::convolution" || base == "aten::_convolution" || base == "aten::_convolution.deprecated" {
		if n.Args[6] != false {
			return nil, errors.New("it is transposed")
		}
		last = 8
	}
	in.Groups = n.integer(last, 1)
	var ok [3]bool
	in.Stride, ok[0] = two(n.integers(3), 1, flat)
	in.Dilation, ok[1] = two(n.integers(5), 1, flat)
	switch p := padding.(type) {
	case string:
		ok[2] = p == "valid" || p == "same"
		for i := range kernel {
			reach := in.Dilation[i] * (kernel[i] - 1)
			if p == "same" {
				in.Padding[i] = reach / 2
				ok[2] = ok[2] && reach%2 == 0
			}
		}
	default:
		in.Padding, ok[2] = two(n.integers(4), 0, flat)
	}
	if ok != [3]bool{true, true, true} || w.Dim() != 4 || len(n.tensor(0).Shape) != len(n.tensor(1).Shape) {
		return nil, errors.New("it is no convolution in one or two dimensions of a batch, with the same padding on both sides")
	}
	x, size, err := b.picture(n)
	if err != nil {
		return nil, err
	}
	in.In = []int{x}
	return b.picturesOf(n, in, size[0], w.Size(0)), nil
}

// picture returns the first argument, a tensor [N, C, H, W] or [N, C, W], as an image.
func (b *builder) picture(n *Node) (image int, size [3]int, err error) {
	f, err := b.tensorForm(n, 0, 1)
	if err != nil {
		return 0, size, err
	}
	switch {
	case f.is(false, true, false, false):
		size = [3]int{f.shape[0], f.shape[2], f.shape[3]}
	case f.is(false, true, false):
		size = [3]int{f.shape[0], 1, f.shape[2]}
	default:
		return 0, size, errForm
	}
	image, err = b.image(f, size)
	return image, size, err
}

// picturesOf appends an instruction, whose result is the node's, [N, C, H, W] or [N, C, W].
func (b *builder) picturesOf(n *Node, in kernels.Instruction, samples, channels int) *form {
	shape := n.Results[0].Shape
	size := [3]int{samples, 1, shape[len(shape)-1]}
	if len(shape) == 4 {
		size[1] = shape[2]
	}
	deep := make([]bool, len(shape))
	deep[1] = true
	return b.result(b.emit(in, size, channels), shape, deep)
}

func linear(b *builder, n *Node) (*form, error) {
	i, wi, bi := 0, 1, 2
	switch n.Op {
	case "aten::addmm":
		i, wi, bi = 1, 2, 0
		if n.Args[3] != 1 || n.Args[4] != 1 {
			return nil, errors.New("beta or alpha is not 1")
		}
	case "aten::matmul", "aten::mm":
		bi = -1
	}
	w, err := weight(n, wi)
	if err == nil && (w == nil || w.Dim() != 2) {
		err = errors.New("the second factor is no constant matrix")
	}
	var bias *torch.Tensor
	if err == nil && bi >= 0 {
		bias, err = weight(n, bi)
	}
	if err != nil {
		return nil, err
	}
	if bias != nil && bias.Dim() != 1 {
		return nil, errors.New("the bias is no vector")
	}
	if out := n.Results[0].Shape; bias != nil && bias.Size(0) == 1 {
		bias = lasting(func() *torch.Tensor { return bias.Expand(out[len(out)-1]).Contiguous() })
	}
	f, err := b.tensorForm(n, i, -1)
	if err != nil {
		return nil, err
	}
	w = lasting(func() *torch.Tensor {
		if n.Op != "aten::linear" {
			w = w.T()
		}
		if f.flat {
			return w.Reshape(w.Size(0), -1, f.size[1], f.size[2]).Contiguous()
		}
		return w.Reshape(w.Size(0), -1, 1, 1).Contiguous()
	})
	in := kernels.Instruction{Kind: kernels.Conv, Weight: w, Bias: bias, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}, Groups: 1}
	shape := n.Results[0].Shape
	if f.flat {
		v, err := b.image(f, f.size)
		if err != nil {
			return nil, err
		}
		in.In = []int{v}
		return b.result(b.emit(in, [3]int{f.size[0], 1, 1}, w.Size(0)), shape, []bool{false, true}), nil
	}
	if !f.last() {
		return nil, errForm
	}
	if w.Size(0) > w.Size(1) { // there are fewer elements to move before than after
		if f, err = b.settled(f); err != nil {
			return nil, err
		}
	}
	v, out, err := b.each(f)
	if err != nil {
		return nil, err
	}
	in.In = []int{v}
	out.shape, out.deep = shape, lastOf(shape)
	out.channels = ofValue(b.emit(in, out.size, w.Size(0)), w.Size(0))
	return out, nil
}

// lastOf returns the kinds of dimensions of which the last one is of channels.
func lastOf(shape []int) []bool {
	deep := make([]bool, len(shape))
	deep[len(deep)-1] = true
	return deep
}

// pointwise appends an instruction for each pixel of the tensor of a form, whose result has that form too.
func (b *builder) pointwise(f *form, in kernels.Instruction) (*form, error) {
	v, out, err := b.each(f)
	if err != nil {
		return nil, err
	}
	in.In = []int{v}
	out.channels = ofValue(b.emit(in, out.size, len(f.channels)), len(f.channels))
	return out, nil
}

func normalize(b *builder, n *Node) (*form, error) {
	var in kernels.Instruction
	ok := false
	in.Weight, in.Bias = func() (w, s *torch.Tensor) {
		lasting(func() (none struct{}) {
			torch.Scope(func() {
				var a affine
				if a, ok = n.batchNorm(); ok {
					w, s = torch.Keep(a.scale.ToDType(torch.Float32)), torch.Keep(a.shift.ToDType(torch.Float32))
				}
			})
			return none
		})
		return w, s
	}()
	if !ok {
		return nil, errors.New("it is no batch normalization by known statistics")
	}
	in.Kind = kernels.Scale
	dim := 1
	f, err := b.tensorForm(n, 0, dim)
	if err != nil {
		return nil, err
	}
	deep := make([]bool, len(f.shape))
	deep[dim] = true
	if !f.is(deep...) {
		return nil, errForm
	}
	return b.pointwise(f, in)
}

func layerNorm(b *builder, n *Node) (*form, error) {
	in := kernels.Instruction{Kind: kernels.LayerNorm}
	var err error
	if in.Weight, err = weight(n, 2); err != nil {
		return nil, err
	}
	if in.Bias, err = weight(n, 3); err != nil {
		return nil, err
	}
	in.Eps, _ = n.Args[4].(float64)
	f, err := b.tensorForm(n, 0, -1)
	switch {
	case err != nil:
		return nil, err
	case len(n.integers(1)) != 1:
		return nil, errors.New("it normalizes over several dimensions")
	case !f.last():
		return nil, errForm
	}
	return b.pointwise(f, in)
}

func pool(b *builder, n *Node) (*form, error) {
	in := kernels.Instruction{Kind: kernels.MaxPool, Dilation: [2]int{1, 1}}
	if len(n.tensor(0).Shape) != 4 {
		return nil, errors.New("its argument is no batch of pictures")
	}
	in.Kernel, _ = two(n.integers(1), 1, false)
	in.Stride, _ = two(n.integers(2), 1, false)
	if len(n.integers(2)) == 0 {
		in.Stride = in.Kernel
	}
	in.Padding, _ = two(n.integers(3), 0, false)
	if n.Op == "aten::avg_pool2d" {
		in.Kind = kernels.AvgPool
		in.CountPadding, _ = n.Args[5].(bool)
		in.Divisor = n.integer(6, 0)
	} else {
		in.Dilation, _ = two(n.integers(4), 1, false)
	}
	x, size, err := b.picture(n)
	if err != nil {
		return nil, err
	}
	in.In = []int{x}
	return b.picturesOf(n, in, size[0], n.Results[0].Shape[1]), nil
}

func adaptivePool(b *builder, n *Node) (*form, error) {
	if len(n.tensor(0).Shape) != 4 {
		return nil, errors.New("its argument is no batch of pictures")
	}
	x, size, err := b.picture(n)
	if err != nil {
		return nil, err
	}
	in := kernels.Instruction{Kind: kernels.Mean, In: []int{x}}
	if to := n.Results[0].Shape[2:]; to[0] != 1 || to[1] != 1 {
		in.Kind = kernels.AvgPool
		if size[1]%to[0] != 0 || size[2]%to[1] != 0 {
			return nil, fmt.Errorf("windows of %d×%d pixels for %d×%d are of several sizes", size[1], size[2], to[0], to[1])
		}
		in.Kernel = [2]int{size[1] / to[0], size[2] / to[1]}
		in.Stride = in.Kernel
	}
	return b.picturesOf(n, in, size[0], n.Results[0].Shape[1]), nil
}

// mean is over all dimensions of pixels behind some.
func mean(b *builder, n *Node) (*form, error) {
	f, err := b.tensorForm(n, 0, usual(n.tensor(0)))
	if err != nil {
		return nil, err
	}
	if n.Op != "aten::mean.dim" || f.flat || n.Args[3] != nil && n.Args[3] != 6 {
		return nil, errors.New("it is not over dimensions, of float32")
	}
	var over []bool
	for range f.shape {
		over = append(over, len(n.integers(1)) == 0)
	}
	for _, d := range n.integers(1) {
		over[from(d, len(over))] = true
	}
	samples, pixels := 1, 1
	for d, size := range f.shape {
		switch {
		case over[d] && f.deep[d] && size > 1, !over[d] && !f.deep[d] && size > 1 && pixels > 1:
			return nil, errForm
		case over[d]:
			pixels *= size
		case !f.deep[d]:
			samples *= size
		}
	}
	size := [3]int{samples, 1, pixels}
	if f.pixels == nil && f.size[0] == samples {
		size = f.size
	}
	v, err := b.image(f, size)
	if err != nil {
		return nil, err
	}
	shape := slices.Clone(f.shape)
	for d := range shape {
		if over[d] {
			shape[d] = 1
		}
	}
	out := b.result(b.emit(kernels.Instruction{Kind: kernels.Mean, In: []int{v}}, [3]int{samples, 1, 1}, len(f.channels)), shape, f.deep)
	return out.reshape(n.Results[0].Shape)
}

// activations are those by operator.
var activations = map[string]kernels.Activation{
	"aten::relu": kernels.ReLU, "aten::relu6": kernels.ReLU6, "aten::hardswish": kernels.HardSwish, "aten::hardsigmoid": kernels.HardSigmoid,
	"aten::silu": kernels.SiLU, "aten::sigmoid": kernels.Sigmoid, "aten::tanh": kernels.Tanh, "aten::gelu": kernels.GELU,
}

func act(b *builder, n *Node) (*form, error) {
	if f := b.lengths(n.tensor(0)); f != nil {
		return f.clamped(n)
	}
	a, ok := activations[n.Op]
	switch n.Op {
	case "aten::gelu":
		if n.Args[1] == "tanh" {
			a = kernels.GELUTanh
		}
	case "aten::hardtanh", "aten::clamp":
		low, _ := number(n.Args[1])
		high, isNumber := number(n.Args[2])
		ok = n.Args[1] != nil && low == 0 && (isNumber && high == 6 || n.Args[2] == nil)
		if a = kernels.ReLU6; n.Args[2] == nil {
			a = kernels.ReLU
		}
	case "aten::clamp_min":
		low, isNumber := number(n.Args[1])
		a, ok = kernels.ReLU, isNumber && low == 0
	}
	if !ok {
		return nil, errors.New("there is no kernel for its limits")
	}
	f, err := b.tensorForm(n, 0, usual(n.tensor(0)))
	if err != nil {
		return nil, err
	}
	return b.pointwise(f, kernels.Instruction{Kind: kernels.Scale, Act: a})
}

func attend(b *builder, n *Node) (*form, error) {
	if n.Args[4] != 0.0 || n.Args[5] != false || n.Args[7] != false {
		return nil, errors.New("it has dropout, is causal, or has fewer heads of keys")
	}
	mask, err := weight(n, 3)
	if err != nil {
		return nil, err
	}
	shape := n.Results[0].Shape
	rank := len(shape)
	if rank < 3 {
		return nil, errForm
	}
	heads, batch := shape[rank-3], product(shape[:rank-3]...)
	deep := make([]bool, rank)
	deep[rank-3], deep[rank-1] = true, true
	in := kernels.Instruction{Kind: kernels.Attention, Heads: heads}
	var lengths [3]int
	for i := range 3 {
		f, err := b.tensorForm(n, i, -1)
		switch {
		case err != nil:
			return nil, err
		case !f.is(deep...):
			return nil, errForm
		case !slices.Equal(f.shape[:rank-2], shape[:rank-2]) || f.shape[rank-1] != shape[rank-1]:
			return nil, errors.New("its arguments have different numbers of samples, heads or channels")
		}
		lengths[i] = f.shape[rank-2]
		v, offset := f.run()
		if v < 0 {
			if v, err = b.together(f.channels, f.size); err != nil {
				return nil, err
			}
		}
		in.In = append(in.In, b.gather(v, f.pixels, f.size, [3]int{batch, 1, lengths[i]}))
		in.Offsets[i] = offset
	}
	if in.Eps = 1 / math.Sqrt(float64(shape[rank-1])); n.Args[6] != nil {
		in.Eps, _ = number(n.Args[6])
	}
	if mask != nil {
		if in.Weight, err = maskOf(mask, shape[:rank-3], heads, lengths[0], lengths[1]); err != nil {
			return nil, err
		}
	}
	return b.result(b.emit(in, [3]int{batch, 1, lengths[0]}, heads*shape[rank-1]), shape, deep), nil
}

// run returns the image and the first of its channels if those of the form follow each other in one image; the image is -1
// otherwise.
func (f *form) run() (value, first int) {
	for i, c := range f.channels {
		if c.value < 0 || c.value != f.channels[0].value || c.index != f.channels[0].index+i {
			return -1, 0
		}
	}
	return f.channels[0].value, f.channels[0].index
}

// maskOf returns a mask as attention takes it, [M, heads or 1, L, S].
func maskOf(mask *torch.Tensor, batch []int, heads, l, s int) (*torch.Tensor, error) {
	rank := len(batch) + 3
	if mask.Dim() > rank {
		return nil, errors.New("its mask has more dimensions than the rest")
	}
	return lasting(func() (m *torch.Tensor) {
		m = mask.Reshape(append(ones(rank-mask.Dim()), mask.Shape()...)...)
		h := m.Size(rank - 3)
		m = m.Expand(append(append([]int{}, m.Shape()[:rank-3]...), h, l, s)...)
		if product(m.Shape()[:rank-3]...) > 1 {
			m = m.Expand(append(slices.Clone(batch), h, l, s)...)
		}
		m = m.Reshape(-1, h, l, s)
		for n := 1; n < m.Size(0); n++ { // as many as differ
			if all := m.Size(0); all%n == 0 && m.Narrow(0, 0, all-n).Equal(m.Narrow(0, n, all-n)) {
				m = m.Narrow(0, 0, n)
			}
		}
		return m.Contiguous()
	}), nil
}
