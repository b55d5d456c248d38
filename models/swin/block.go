package swin

import (
	"math"
	"slices"

	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// A block attends within windows. Its inputs are [N, sizes…, C], as those of a merging.
type block struct {
	Norm1           nn.Module
	Attn            *attention
	StochasticDepth *ops.StochasticDepth
	Norm2           nn.Module
	MLP             nn.Sequential
	v2              bool
}

func (c Config) block(features, heads int, shift []int, depth float64) *block {
	m := &block{Norm1: c.Norm(features), Attn: c.attention(features, heads, shift), StochasticDepth: ops.NewStochasticDepth(depth, "row"), Norm2: c.Norm(features), v2: c.V2}
	m.MLP = ops.NewMLP(features, []int{int(float64(features) * c.MLPRatio), features}, ops.MLPOptions{
		Activation: func() nn.Module { return &nn.GELU{} }, Dropout: c.Dropout,
	})
	for _, l := range m.MLP {
		if l, ok := l.(*nn.Linear); ok {
			nn.InitXavierUniform(l.Weight)
			nn.InitNormal(l.Bias, 0, 1e-6)
		}
	}
	return m
}

// Forward maps x to the same shape. Version 2 normalizes at the end of a branch.
func (m *block) Forward(x *torch.Tensor) *torch.Tensor {
	first, second := nn.Sequential{m.Norm1, m.Attn, m.StochasticDepth}, nn.Sequential{m.Norm2, m.MLP, m.StochasticDepth}
	if m.v2 {
		first[0], first[1], second[0], second[1] = first[1], first[0], second[1], second[0]
	}
	return ops.Residual(x, first.Forward).Then(func(x *torch.Tensor) *torch.Tensor { return ops.Residual(x, second.Forward) })
}

// attention is the attention within windows: that of version 2 has LogitScale, RelativeCoordsTable and
// CPBMLP in place of RelativePositionBiasTable.
type attention struct {
	RelativePositionBiasTable *torch.Tensor // [(2·Window[0] - 1) · …, heads]
	LogitScale                *torch.Tensor // [heads, 1, 1]
	RelativeCoordsTable       *torch.Tensor `nn:",buffer"` // [1, 2·Window[0] - 1, …, 2]
	RelativePositionIndex     *torch.Tensor `nn:",buffer"` // [patches · patches] of a window, of videos [patches, patches]
	QKV, Proj                 *nn.Linear
	CPBMLP                    nn.Sequential `nn:"cpb_mlp"`
	Training                  bool

	window, shift             []int
	heads                     int
	attentionDropout, dropout float64
}

func (c Config) attention(features, heads int, shift []int) *attention {
	m := &attention{window: c.Window, shift: shift, heads: heads, attentionDropout: c.AttentionDropout, dropout: c.Dropout, Training: true}
	m.QKV, m.Proj = nn.NewLinear(features, 3*features), nn.NewLinear(features, features)
	if c.V2 {
		m.RelativeCoordsTable = coordinates(c.Window)
	} else {
		positions := 1
		for _, w := range c.Window {
			positions *= 2*w - 1
		}
		m.RelativePositionBiasTable = torch.Zeros(positions, heads).RequireGrad(true)
		nn.InitTruncNormal(m.RelativePositionBiasTable, nn.InitTruncNormalOptions{Std: new(0.02)})
	}
	m.RelativePositionIndex = ops.RelativePositionIndex(c.Window...)
	if len(c.Window) == 2 {
		m.RelativePositionIndex = m.RelativePositionIndex.Then(func(x *torch.Tensor) *torch.Tensor { return x.Flatten(0) })
	}
	if c.V2 {
		m.LogitScale = torch.Full(10, heads, 1, 1).Then((*torch.Tensor).Log).RequireGrad(true)
		m.CPBMLP = nn.Sequential{nn.NewLinear(2, 512), &nn.ReLU{InPlace: true}, nn.NewLinear(512, heads, nn.LinearOptions{NoBias: true})}
	}
	return m
}

// coordinates returns the logarithmic distances of patches [1, 2·h - 1, 2·w - 1, 2] of version 2.
func coordinates(window []int) (table *torch.Tensor) {
	if torch.DefaultDevice() == torch.Meta {
		return torch.Options{DType: torch.Float32}.Empty(1, 2*window[0]-1, 2*window[1]-1, 2)
	}
	var of []float32
	scaled := func(i, w int) float32 { return float32(i-w+1) / float32(w-1) * 8 }
	for i := range 2*window[0] - 1 {
		for j := range 2*window[1] - 1 {
			of = append(of, scaled(i, window[0]), scaled(j, window[1]))
		}
	}
	torch.Scope(func() {
		x := torch.FromSlice(of, 1, 2*window[0]-1, 2*window[1]-1, 2).To(torch.DefaultDevice())
		table = torch.Keep(x.Sign().Mul(x.Abs().AddScalar(1).Log2()).DivScalar(3))
	})
	return table
}

// bias returns the bias of the attention between the patches of a window [1, heads, patches, patches].
func (m *attention) bias(window []int) *torch.Tensor {
	table, index := m.RelativePositionBiasTable, m.RelativePositionIndex
	if m.CPBMLP != nil {
		table = m.CPBMLP.Forward(m.RelativeCoordsTable).View(-1, m.heads)
	}
	volume := 1
	for _, w := range window {
		volume *= w
	}
	if index.Dim() == 2 {
		index = index.Index(torch.Slice(0, volume), torch.Slice(0, volume)).Flatten(0)
	}
	b := table.IndexSelect(0, index).View(volume, volume, -1).Permute(2, 0, 1).Contiguous().Unsqueeze(0)
	if m.CPBMLP != nil {
		b = b.Sigmoid().MulScalar(16)
	}
	return b
}

// Forward maps x [N, sizes…, C] to the same shape.
func (m *attention) Forward(x *torch.Tensor) (y *torch.Tensor) {
	d := len(m.window)
	sizes, c := x.Shape()[1:1+d], x.Size(1+d)
	window, shift, shifted := slices.Clone(m.window), slices.Clone(m.shift), false
	for i, size := range sizes {
		if size <= window[i] { // all of it is in one window
			shift[i] = 0
			if d == 3 {
				window[i] = size
			}
		}
		shifted = shifted || shift[i] > 0
	}
	dims := make([]int, d)
	back := slices.Clone(shift)
	for i := range dims {
		dims[i], shift[i] = i+1, -shift[i]
	}
	torch.Scope(func() {
		bias := m.bias(window)
		x := padded(x, padding(sizes, window), true)
		whole := x.Shape()[1 : 1+d]
		var mask *torch.Tensor
		if shifted {
			x = x.Roll(shift, dims...)
			mask = maskOf(whole, window, back, x)
		}
		x = partition(x, window).Then(func(x *torch.Tensor) *torch.Tensor { return m.attend(x, bias, mask) })
		x = x.Then(func(x *torch.Tensor) *torch.Tensor { return join(x, whole, window, c) })
		if shifted {
			x = x.Then(func(x *torch.Tensor) *torch.Tensor { return x.Roll(back, dims...) })
		}
		for i, size := range sizes {
			x = x.Narrow(1+i, 0, size)
		}
		y = torch.Keep(x.Contiguous())
	})
	return y
}

// attend maps windows [N·windows, patches, C] to the same shape.
func (m *attention) attend(x, bias, mask *torch.Tensor) *torch.Tensor {
	n, volume, c := x.Size(0), x.Size(1), x.Size(2)
	qkvBias := m.QKV.Bias
	if m.LogitScale != nil { // version 2 has no bias of the keys
		qkvBias = qkvBias.Clone()
		qkvBias.Narrow(0, c, c).ZeroInPlace()
	}
	qkv := F.Linear(x, m.QKV.Weight, qkvBias).Reshape(n, volume, 3, m.heads, c/m.heads).Permute(2, 0, 3, 1, 4).Unbind(0)
	q, k, v := qkv[0], qkv[1], qkv[2]
	var a *torch.Tensor // [N·windows, heads, patches, patches]
	if m.LogitScale != nil {
		unit := func(x *torch.Tensor) *torch.Tensor { return F.Normalize(x, F.NormalizeOptions{Dim: new(-1)}) }
		a = unit(q).MatMul(unit(k).Transpose(-2, -1)).Then(func(a *torch.Tensor) *torch.Tensor {
			return a.Mul(m.LogitScale.ClampMax(math.Log(100)).Exp())
		})
	} else {
		a = q.MulScalar(math.Pow(float64(c/m.heads), -0.5)).MatMul(k.Transpose(-2, -1))
	}
	a = a.Then(func(a *torch.Tensor) *torch.Tensor { return a.Add(bias) })
	if mask != nil {
		windows := mask.Size(0)
		a = a.Then(func(a *torch.Tensor) *torch.Tensor {
			return a.View(n/windows, windows, m.heads, volume, volume).Add(mask.Unsqueeze(1)).View(n, m.heads, volume, volume)
		})
	}
	a = a.Then(func(a *torch.Tensor) *torch.Tensor { return a.Softmax(-1) })
	a = a.Then(func(a *torch.Tensor) *torch.Tensor { return F.Dropout(a, m.attentionDropout, m.Training) })
	x = a.Then(func(a *torch.Tensor) *torch.Tensor { return a.MatMul(v) }).Transpose(1, 2).Reshape(n, volume, c)
	return F.Dropout(F.Linear(x, m.Proj.Weight, m.Proj.Bias), m.dropout, m.Training)
}

// padding returns the numbers of zeros that make sizes multiples of steps.
func padding(sizes, steps []int) []int {
	pad := make([]int, len(sizes))
	for i, size := range sizes {
		pad[i] = (steps[i] - size%steps[i]) % steps[i]
	}
	return pad
}

// padded adds zeros to the end of the dimensions before the last, with channels, or of the last ones without.
func padded(x *torch.Tensor, pad []int, channelsLast bool) *torch.Tensor {
	var p []int
	if channelsLast {
		p = []int{0, 0}
	}
	for _, n := range slices.Backward(pad) {
		p = append(p, 0, n)
	}
	if slices.Max(pad) == 0 {
		return x
	}
	return F.Pad(x, p)
}

// partition maps [N, sizes…, C] to windows [N·windows, patches, C].
func partition(x *torch.Tensor, window []int) *torch.Tensor {
	d, shape, volume := len(window), []int{x.Size(0)}, 1
	for i, w := range window {
		shape = append(shape, x.Size(1+i)/w, w)
		volume *= w
	}
	order := []int{0}
	for i := range d {
		order = append(order, 1+2*i)
	}
	for i := range d {
		order = append(order, 2+2*i)
	}
	c := x.Size(1 + d)
	return x.Reshape(append(shape, c)...).Permute(append(order, 2*d+1)...).Reshape(-1, volume, c)
}

// join maps windows to [N, sizes…, C].
func join(x *torch.Tensor, sizes, window []int, c int) *torch.Tensor {
	d, shape, order := len(window), []int{-1}, []int{0}
	for i, w := range window {
		shape = append(shape, sizes[i]/w)
		order = append(order, 1+i, 1+d+i)
	}
	shape = append(append(shape, window...), c)
	return x.View(shape...).Permute(append(order, 2*d+1)...).Reshape(append(append([]int{-1}, sizes...), c)...)
}

// maskOf returns what is added to the attention in each window [windows, patches, patches]: -100 for
// patches that were not neighbors before the shift. Its dtype and device are those of like.
func maskOf(sizes, window, shift []int, like *torch.Tensor) *torch.Tensor {
	region := []float32{0} // of each patch
	for i, size := range sizes {
		var longer []float32
		for _, r := range region {
			for at := range size {
				part := float32(2)
				switch {
				case shift[i] == 0:
				case at < size-window[i]:
					part = 0
				case at < size-shift[i]:
					part = 1
				}
				longer = append(longer, 3*r+part)
			}
		}
		region = longer
	}
	x := torch.FromSlice(region, append(append([]int{1}, sizes...), 1)...)
	x = partition(x.To(like.Device()).ToDType(like.DType()), window).Squeeze(2) // [windows, patches]
	return x.Unsqueeze(1).Sub(x.Unsqueeze(2)).NeScalar(0).ToDType(like.DType()).MulScalar(-100)
}

// patchMerging joins 2 × 2 patches.
type patchMerging struct {
	Reduction *nn.Linear
	Norm      nn.Module
	v2        bool
}

func (c Config) merging(features int) *patchMerging {
	m := &patchMerging{Reduction: nn.NewLinear(4*features, 2*features, nn.LinearOptions{NoBias: true}), v2: c.V2}
	if c.V2 {
		m.Norm = c.Norm(2 * features)
	} else {
		m.Norm = c.Norm(4 * features)
	}
	return m
}

// Forward maps x [*, H, W, C] to [*, H/2, W/2, 2·C].
func (m *patchMerging) Forward(x *torch.Tensor) *torch.Tensor {
	if m.v2 {
		return joined(x).Then(m.Reduction.Forward).Then(m.Norm.Forward)
	}
	return joined(x).Then(m.Norm.Forward).Then(m.Reduction.Forward)
}

// joined maps x [*, H, W, C] to [*, H/2, W/2, 4·C].
func joined(x *torch.Tensor) (y *torch.Tensor) {
	torch.Scope(func() {
		x := padded(x, []int{x.Size(-3) % 2, x.Size(-2) % 2}, true)
		part := func(i, j int) *torch.Tensor {
			return x.SliceDim(-3, i, torch.End, 2).SliceDim(-2, j, torch.End, 2)
		}
		y = torch.Keep(torch.Cat([]*torch.Tensor{part(0, 0), part(1, 0), part(0, 1), part(1, 1)}, -1))
	})
	return y
}
