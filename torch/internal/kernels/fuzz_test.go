package kernels

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
)

// fuzzed returns a program with many kinds of instructions.
func fuzzed() *Program {
	filled := func(shape ...int) *torch.Tensor { return torch.Full(0.5, shape...) }
	pair := func(n int) [2]int { return [2]int{n, n} }
	table := make([]int32, 64)
	for i := range table {
		table[i] = int32(63 - i)
	}
	return &Program{
		Values: []Value{
			{2, 3, 16, 16}, {2, 16, 8, 8}, {2, 16, 8, 8}, {2, 16, 8, 8}, {2, 32, 8, 8}, {2, 32, 1, 64}, {2, 32, 1, 64}, {2, 32, 1, 64}, {1, 32, 1, 1}, {2, 32, 1, 65}, {2, 20, 1, 65}, {2, 20, 1, 1}, {2, 32, 1, 64}, {2, 32, 8, 8}, {2, 384, 8, 8}, {2, 384, 8, 8}, {2, 32, 8, 8},
		},
		Instructions: []Instruction{
			{Kind: Conv, In: []int{0}, Out: 1, Weight: filled(16, 3, 3, 3), Stride: pair(2), Padding: pair(1), Act: ReLU},
			{Kind: Conv, In: []int{1}, Out: 2, Weight: filled(16, 1, 3, 3), Padding: pair(1), Groups: 16, Act: SiLU},
			{Kind: MaxPool, In: []int{2}, Out: 3, Kernel: pair(3), Padding: pair(1)},
			{Kind: Concat, In: []int{1, 3}, Out: 4},
			{Kind: Conv, In: []int{4, 4}, Out: 13, Weight: filled(32, 32, 3, 3), Padding: pair(1)},
			{Kind: Concat, In: []int{13, 13, 4, 13, 13, 13, 13, 13, 13, 13, 13, 13}, Out: 14},
			{Kind: Conv, In: []int{14}, Out: 15, Weight: filled(384, 384, 1, 1)},
			{Kind: Slice, In: []int{15}, Out: 16, Offset: 7},
			{Kind: Gather, In: []int{16}, Out: 5, Table: table},
			{Kind: LayerNorm, In: []int{5}, Out: 12, Eps: 1e-5},
			{Kind: Attention, In: []int{12, 12, 12}, Out: 6, Heads: 2, Eps: 0.25},
			{Kind: Add, In: []int{6, 5}, Out: 7, Act: GELU},
			{Kind: Const, Out: 8, Weight: filled(1, 32, 1, 1)},
			{Kind: ConcatPixels, In: []int{8, 7}, Out: 9},
			{Kind: Slice, In: []int{9}, Out: 10, Offset: 7},
			{Kind: Mean, In: []int{10}, Out: 11},
		},
		Inputs:  []Port{{0, [4]int{768, 256, 16, 1}}},
		Outputs: []Port{{11, [4]int{20, 1, 1, 1}}},
	}
}

// FuzzPlan changes words of a program: a wrong one is an error, and one that is accepted runs. With .ci/sanitize it is seen whether
// it also reads and writes only what it may.
func FuzzPlan(f *testing.F) {
	_, block, err := Available()
	require.NoError(f, err)
	p := fuzzed()
	instructions, err := withPorts(p)
	require.NoError(f, err)
	var programs [3]*words // with loops, without, and in bfloat16 where there is that
	for k := range programs {
		if k == 2 {
			p.BFloat16, err = BFloat16()
			require.NoError(f, err)
		}
		images := layout(p, instructions, block)
		w := &words{numbers: map[*torch.Tensor]int{}}
		var loops []loop
		if k == 0 {
			loops = findLoops(instructions, images, 1)
			require.Len(f, loops, 2)
		}
		arena, local := allocate(images, instructions, loops)
		w.program(p, instructions, images, loops, arena, local)
		programs[k] = w
		rest := make([]byte, k)
		f.Add(rest) // as it is
		for i := range w.words {
			if i%7 == 0 {
				f.Add(append([]byte{byte(i), byte(i >> 8), 1}, rest...)) // one more
			}
		}
	}
	f.Add([]byte{1, 0, 200, 2, 0, 100})
	x, y := torch.Ones(2, 3, 16, 16), torch.Empty(2, 20, 1, 1)
	f.Fuzz(func(t *testing.T, changes []byte) {
		w := programs[len(changes)%3]
		v := &words{words: append([]int64(nil), w.words...), weights: w.weights}
		for ; len(changes) >= 3; changes = changes[3:] {
			at := int(binary.LittleEndian.Uint16(changes)) % len(v.words)
			v.words[at] += int64(int8(changes[2]))
		}
		var plan libtorch.Plan
		err := v.call(func(handles []uint64) (err error) {
			plan, err = libtorch.NewPlan(v.words, handles)
			return err
		})
		if err != nil {
			return
		}
		defer plan.Free()
		require.NoError(t, plan.Pack(1))
		var cancel int32
		c := &words{weights: []*torch.Tensor{x, y}}
		err = c.call(func(handles []uint64) error {
			_, err := plan.Run(handles, 2, &cancel, nil)
			return err
		})
		_ = err // a port of another size
	})
}
