package mvit

import (
	"math"

	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

type block struct {
	PoolSkip        *pool // nil without
	Norm1, Norm2    nn.Module
	Attn            *attention
	MLP             nn.Sequential
	StochasticDepth *ops.StochasticDepth
	Project         *nn.Linear // nil without
	projAfterAttn   bool
}

// attention pools its queries, keys and values, as pictures of heads.
type attention struct {
	RelPosH, RelPosW, RelPosT   *torch.Tensor // [distances, C/heads], nil without
	QKV                         *nn.Linear
	Project                     nn.Sequential
	PoolQ, PoolK, PoolV         *pool // nil without
	heads                       int
	residualPool, residualClass bool
}

// pool pools patches, and leaves the class token as it is.
type pool struct {
	Pool    nn.Module
	NormAct nn.Sequential // nil without
}

func (c Config) block(b Block, size [3]int, depth float64) *block {
	m := &block{projAfterAttn: c.ProjAfterAttn, StochasticDepth: ops.NewStochasticDepth(depth, "row")}
	if product(b.StrideQ) > 1 {
		kernel, padding := make([]int, 3), make([]int, 3)
		for i, stride := range b.StrideQ {
			if kernel[i] = stride; stride > 1 {
				kernel[i]++
			}
			padding[i] = kernel[i] / 2
		}
		m.PoolSkip = &pool{Pool: nn.NewMaxPool3d(kernel, nn.MaxPool3dOptions{Stride: b.StrideQ, Padding: padding})}
	}
	channels := b.In
	if c.ProjAfterAttn {
		channels = b.Out
	}
	m.Norm1, m.Norm2 = c.Norm(b.In), c.Norm(channels)
	m.Attn = c.attention(b, channels, size)
	m.MLP = ops.NewMLP(channels, []int{4 * channels, b.Out}, ops.MLPOptions{Activation: func() nn.Module { return &nn.GELU{} }, Dropout: c.AttentionDropout})
	if b.In != b.Out {
		m.Project = nn.NewLinear(b.In, b.Out)
	}
	return m
}

func (c Config) attention(b Block, out int, size [3]int) *attention {
	m := &attention{heads: b.Heads, residualPool: c.ResidualPool, residualClass: c.ResidualClass}
	m.QKV, m.Project = nn.NewLinear(b.In, 3*out), nn.Sequential{nn.NewLinear(out, out)}
	if c.AttentionDropout > 0 {
		m.Project = append(m.Project, nn.NewDropout(c.AttentionDropout))
	}
	head := out / b.Heads
	m.PoolQ, m.PoolK, m.PoolV = c.pool(head, b.KernelQ, b.StrideQ), c.pool(head, b.KernelKV, b.StrideKV), c.pool(head, b.KernelKV, b.StrideKV)
	if c.RelPosEmbed {
		side := max(size[1], size[2])
		pooled := func(stride []int) int {
			if len(stride) == 0 {
				return side
			}
			return side / stride[1]
		}
		distances := 2*max(pooled(b.StrideQ), pooled(b.StrideKV)) - 1
		m.RelPosH, m.RelPosW, m.RelPosT = parameter(distances, head), parameter(distances, head), parameter(2*size[0]-1, head)
		truncNormal(m.RelPosH)
		truncNormal(m.RelPosW)
		truncNormal(m.RelPosT)
	}
	return m
}

// pool returns a pooling of the patches of heads, or nil if it would change nothing.
func (c Config) pool(channels int, kernel, stride []int) *pool {
	if product(kernel) <= 1 && product(stride) <= 1 {
		return nil
	}
	padding := make([]int, len(kernel))
	for i, k := range kernel {
		padding[i] = k / 2
	}
	conv := nn.NewConv3d(channels, channels, kernel, nn.Conv3dOptions{Stride: stride, Padding: padding, Groups: channels, NoBias: true})
	return &pool{conv, nn.Sequential{c.Norm(channels)}}
}

func product(v []int) int {
	p := 1
	for _, n := range v {
		p *= n
	}
	return p
}

// forward maps x [N, 1 + patches, In] with patches of a size T, H, W to [N, 1 + patches', Out] and the size of
// what is pooled.
func (m *block) forward(x *torch.Tensor, size [3]int) (*torch.Tensor, [3]int) {
	normed := m.Norm1.Forward(x)
	y, pooled := m.Attn.forward(normed, size)
	if m.Project != nil && m.projAfterAttn {
		x = m.Project.Forward(normed)
	}
	if m.PoolSkip != nil {
		x, _ = m.PoolSkip.forward(x, size)
	}
	x = x.Add(nn.Call(m.StochasticDepth, y))
	normed = m.Norm2.Forward(x)
	if m.Project != nil && !m.projAfterAttn {
		x = m.Project.Forward(normed)
	}
	return x.Add(nn.Sequential{m.MLP, m.StochasticDepth}.Forward(normed)), pooled
}

// forward maps x [N, 1 + patches, C] or, of heads, [N, heads, 1 + patches, C] to the pooled x and its size.
func (m *pool) forward(x *torch.Tensor, size [3]int) (*torch.Tensor, [3]int) {
	noHeads := x.Dim() == 3
	if noHeads {
		x = x.Unsqueeze(1)
	}
	n, heads, c := x.Size(0), x.Size(1), x.Size(3)
	token, patches := x.Narrow(2, 0, 1), x.Narrow(2, 1, x.Size(2)-1)
	patches = patches.Transpose(2, 3).Reshape(n*heads, c, size[0], size[1], size[2]).Then(m.Pool.Forward) // [N·heads, C, T', H', W']
	size = [3]int(patches.Shape()[2:])
	x = torch.Cat([]*torch.Tensor{token, patches.Reshape(n, heads, c, -1).Transpose(2, 3)}, 2)
	if m.NormAct != nil {
		x = x.Then(m.NormAct.Forward)
	}
	if noHeads {
		x = x.Squeeze(1)
	}
	return x, size
}

// forward maps x [N, 1 + patches, C] to [N, 1 + patches', C'] and the size of what is pooled.
func (m *attention) forward(x *torch.Tensor, size [3]int) (*torch.Tensor, [3]int) {
	n, out := x.Size(0), m.QKV.Weight.Size(0)/3
	qkv := m.QKV.Forward(x).Reshape(n, x.Size(1), 3, m.heads, out/m.heads).Transpose(1, 3).Unbind(2)
	q, k, v := qkv[0], qkv[1], qkv[2] // [N, heads, 1 + patches, C'/heads]
	sizeK := size
	if m.PoolK != nil {
		k, sizeK = m.PoolK.forward(k, size)
		v, _ = m.PoolV.forward(v, size)
	}
	if m.PoolQ != nil {
		q, size = m.PoolQ.forward(q, size)
	}
	a := q.MulScalar(1 / math.Sqrt(float64(out/m.heads))).MatMul(k.Transpose(2, 3))
	if m.RelPosH != nil {
		rest := a.Narrow(2, 1, a.Size(2)-1).Narrow(3, 1, a.Size(3)-1)
		rest.AddInPlace(m.positions(q, size, sizeK))
	}
	y := a.Then(func(a *torch.Tensor) *torch.Tensor {
		return a.Softmax(-1)
	}).Then(func(a *torch.Tensor) *torch.Tensor {
		return a.MatMul(v)
	})
	switch {
	case m.residualPool && m.residualClass:
		y.AddInPlace(q)
	case m.residualPool:
		y.Narrow(2, 1, y.Size(2)-1).AddInPlace(q.Narrow(2, 1, q.Size(2)-1))
	}
	return m.Project.Forward(y.Transpose(1, 2).Reshape(n, -1, out)), size
}

// positions returns what is added to the attention of patches q to those of size k [N, heads, patches of q, patches of k].
func (m *attention) positions(q *torch.Tensor, sizeQ, sizeK [3]int) *torch.Tensor {
	n, c := q.Size(0), q.Size(3)
	t, h, w := sizeQ[0], sizeQ[1], sizeQ[2]
	q = q.Narrow(2, 1, q.Size(2)-1).Reshape(n, m.heads, t, h, w, c)
	overT := relative(m.RelPosT, sizeQ[0], sizeK[0])
	overH := torch.Einsum("bythwc,hkc->bythwk", []*torch.Tensor{q, relative(m.RelPosH, sizeQ[1], sizeK[1])})
	overW := torch.Einsum("bythwc,wkc->bythwk", []*torch.Tensor{q, relative(m.RelPosW, sizeQ[2], sizeK[2])})
	overT = torch.Einsum("bythwc,tkc->bythwk", []*torch.Tensor{q, overT})
	all := overH.Unsqueeze(6).Unsqueeze(5).Add(overW.Unsqueeze(5).Unsqueeze(5)).Add(overT.Unsqueeze(6).Unsqueeze(7)) // [N, heads, T, H, W, T', H', W']
	return all.Reshape(n, m.heads, t*h*w, product(sizeK[:]))
}

// relative returns the row of a table for each pair of positions of queries and keys [q, k, C].
func relative(table *torch.Tensor, q, k int) *torch.Tensor {
	if d := 2*max(q, k) - 1; table.Size(0) != d {
		table = F.Interpolate(table.Permute(1, 0).Unsqueeze(0), F.InterpolateOptions{Size: d, Mode: "linear"}).Squeeze(0).Permute(1, 0)
	}
	ratioQ, ratioK := float32(max(float64(k)/float64(q), 1)), float32(max(float64(q)/float64(k), 1))
	var rows []int64
	for i := range q {
		for j := range k {
			// In single precision, as in torchvision, since it is cut to an int.
			rows = append(rows, int64(float32(float32(i)*ratioQ)-float32(float32(j+1-k)*ratioK)))
		}
	}
	index := torch.FromSlice(rows, q*k).To(table.Device())
	return table.IndexSelect(0, index).View(q, k, -1)
}
