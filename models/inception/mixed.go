package inception

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
)

// mixed joins the channels of several branches. Its modules are the convolutions of all branches.
type mixed struct {
	nn.SequentialDict
	layers   *Layers
	branches []branch
	joins    []Join // of the splits, then of all branches; those of the model before quantization have no modules
}

// A branch is a pooling, if any, and convolutions.
type branch struct {
	pool  func(x *torch.Tensor) *torch.Tensor
	convs nn.Sequential
	split nn.Sequential // at the end, whose outputs are joined
}

// A conv is the shape of a convolution. Those without stride keep the size.
type conv struct {
	out    int
	h, w   int // the kernel
	stride int
}

func square(out, side int) conv { return conv{out, side, side, 1} }

func strided(out int) conv { return conv{out, 3, 3, 2} }

// add adds a branch. The names of several convolutions end in numbers.
func (m *mixed) add(name string, in int, pool func(*torch.Tensor) *torch.Tensor, convs ...conv) {
	b := branch{pool: pool}
	for i, c := range convs {
		full := name
		if len(convs) > 1 {
			full = fmt.Sprint(name, "_", i+1)
		}
		b.convs = append(b.convs, m.conv(full, in, c))
		in = c.out
	}
	m.branches = append(m.branches, b)
}

func (m *mixed) conv(name string, in int, c conv) nn.Module {
	o := nn.Conv2dOptions{Stride: c.stride}
	if c.stride == 1 {
		o.Padding = []int{c.h / 2, c.w / 2}
	}
	b := m.layers.Conv(in, c.out, []int{c.h, c.w}, o)
	m.SequentialDict = append(m.SequentialDict, nn.Child{Name: name, Module: b})
	return b
}

// splits ends the last branch in two convolutions side by side.
func (m *mixed) splits(name string, in, out int) {
	b := &m.branches[len(m.branches)-1]
	b.split = nn.Sequential{m.conv(name+"a", in, conv{out, 1, 3, 1}), m.conv(name+"b", in, conv{out, 3, 1, 1})}
}

func mean(x *torch.Tensor) *torch.Tensor {
	return F.AvgPool2d(x, 3, F.AvgPool2dOptions{Stride: 1, Padding: 1})
}

func halve(x *torch.Tensor) *torch.Tensor {
	return F.MaxPool2d(x, 3, F.MaxPool2dOptions{Stride: 2})
}

func (l *Layers) newA(in, pool int) *mixed {
	m := &mixed{layers: l}
	m.add("branch1x1", in, nil, square(64, 1))
	m.add("branch5x5", in, nil, square(48, 1), square(64, 5))
	m.add("branch3x3dbl", in, nil, square(64, 1), square(96, 3), square(96, 3))
	m.add("branch_pool", in, mean, square(pool, 1))
	return m.joined()
}

func (l *Layers) newB(in int) *mixed {
	m := &mixed{layers: l}
	m.add("branch3x3", in, nil, strided(384))
	m.add("branch3x3dbl", in, nil, square(64, 1), square(96, 3), strided(96))
	m.add("", in, halve)
	return m.joined()
}

func (l *Layers) newC(in, c7 int) *mixed {
	m := &mixed{layers: l}
	m.add("branch1x1", in, nil, square(192, 1))
	m.add("branch7x7", in, nil, square(c7, 1), conv{c7, 1, 7, 1}, conv{192, 7, 1, 1})
	m.add("branch7x7dbl", in, nil, square(c7, 1), conv{c7, 7, 1, 1}, conv{c7, 1, 7, 1}, conv{c7, 7, 1, 1}, conv{192, 1, 7, 1})
	m.add("branch_pool", in, mean, square(192, 1))
	return m.joined()
}

func (l *Layers) newD(in int) *mixed {
	m := &mixed{layers: l}
	m.add("branch3x3", in, nil, square(192, 1), strided(320))
	m.add("branch7x7x3", in, nil, square(192, 1), conv{192, 1, 7, 1}, conv{192, 7, 1, 1}, strided(192))
	m.add("", in, halve)
	return m.joined()
}

func (l *Layers) newE(in int) *mixed {
	m := &mixed{layers: l}
	m.add("branch1x1", in, nil, square(320, 1))
	m.add("branch3x3_1", in, nil, square(384, 1))
	m.splits("branch3x3_2", 384, 384)
	m.add("branch3x3dbl", in, nil, square(448, 1), square(384, 3))
	m.splits("branch3x3dbl_3", 384, 384)
	m.add("branch_pool", in, mean, square(192, 1))
	return m.joined()
}

// joined ends the construction with the joins, whose names are myop or, of several, myop1, myop2, ….
func (m *mixed) joined() *mixed {
	n := 1
	for _, b := range m.branches {
		if b.split != nil {
			n++
		}
	}
	for i := range n {
		j := m.layers.Join()
		name := "myop"
		if n > 1 {
			name = fmt.Sprint("myop", i+1)
		}
		m.joins = append(m.joins, j)
		if _, ok := j.(cat); !ok {
			m.SequentialDict = append(m.SequentialDict, nn.Child{Name: name, Module: j})
		}
	}
	return m
}

// Forward maps [N, in, H, W] to the channels of all branches.
func (m *mixed) Forward(x *torch.Tensor) (y *torch.Tensor) {
	torch.Scope(func() {
		var all []*torch.Tensor
		joins := m.joins
		for _, b := range m.branches {
			y := x
			if b.pool != nil {
				y = b.pool(x)
			}
			y = b.convs.Forward(y)
			if b.split != nil {
				y = joins[0].Cat([]*torch.Tensor{nn.Call(b.split[0], y), nn.Call(b.split[1], y)}, 1)
				joins = joins[1:]
			}
			all = append(all, y)
		}
		y = torch.Keep(joins[0].Cat(all, 1))
	})
	return y
}
