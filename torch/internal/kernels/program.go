// Package kernels runs programs: lists of instructions on images, in one call of C++ each. Images are held in blocks of
// channels, [N, C/B, H, W, B] with as many channels in a block as a vector register of the processor has floats, which is
// what makes convolutions fast. It knows neither graphs nor models: package graph makes programs of graphs.
package kernels

import "github.com/torchhub/torchhub/torch"

// A Program computes outputs from inputs, all of them dense float32 tensors on the CPU.
type Program struct {
	Values       []Value // what instructions read and write, by number
	Instructions []Instruction
	Inputs       []Port
	Outputs      []Port

	// Lean says that memory counts more than time: Strassen's algorithm is not used, for which the weights of large linear layers
	// become 7/4 as large.
	Lean bool

	// BFloat16 rounds what convolutions of more than 4 channels multiply to bfloat16, but for depthwise ones. Sums are of float32.
	// It needs kernels that [BFloat16] reports.
	BFloat16 bool
}

// A Value is an image [N, C, H, W] that a program computes. Tokens [N, L, C] are an image of one row, [N, C, 1, L], and
// features [N, C] one of one pixel, [N, C, 1, 1].
type Value struct{ N, C, H, W int }

// A Port is where a tensor enters or leaves a program.
type Port struct {
	Value   int
	Strides [4]int // of the elements of the tensor, by N, C, H and W: of tokens [N, L, C] they are L·C, 1, 0 and C
}

// A Kind is what an instruction computes.
type Kind int32

// Kinds of instructions. x and y are the values of In.
const (
	// Conv is act(conv2d(x, Weight, Bias, …) + y), y being an optional residual of the shape of the result. Weight is
	// [C of the result, C of x / Groups, KH, KW]. A linear layer is a convolution of 1×1 pixels.
	Conv Kind = iota
	// MaxPool is max_pool2d. Windows that reach over the edge, as with ceil_mode, are cut; the size is that of the result.
	MaxPool
	// AvgPool is avg_pool2d, likewise.
	AvgPool
	// Mean is the mean over H and W, [N, C, 1, 1].
	Mean
	// Add is act(x + y) and Mul is act(x · y). y has the shape of x, but for N, or H and W, or all, which may be 1.
	Add
	Mul
	// Scale is act(x · Weight + Bias), both [C], or nil for 1 and 0.
	Scale
	// LayerNorm is layer_norm over the C channels of each pixel, with Weight and Bias [C], or nil for 1 and 0, and Eps.
	LayerNorm
	// Concat is cat of all values of In along C, and ConcatPixels along W, of images of one row, whose N may be 1.
	Concat
	ConcatPixels
	// Slice is the channels of x from Offset on, as many as the result has.
	Slice
	// Shuffle is channel_shuffle(x, Groups).
	Shuffle
	// Gather makes each pixel of the result of a pixel of x, or of zeros: Table has for each pixel, in the order N, H, W,
	// its number in x, in the same order, or -1. It is for a sample: the table has so many entries that several
	// samples, as many as N of x and of the result are multiples of, are made alike. So it crops, pads, rolls, flips,
	// repeats, reshapes, and makes windows of an image.
	Gather
	// Attention is scaled_dot_product_attention(q, k, v, attn_mask=Weight, scale=Eps) of the values q, k and v, images of
	// one row, whose channels are those of Heads heads one after the other; each has the channels of its value from
	// Offsets on. The result has the channels of all heads of v. Weight is nil or [M, Heads or 1, L of q, L of k], and image n has row n modulo M.
	Attention
	// Const is Weight, [N, C, H, W]. It is made once, with the plan.
	Const
	// Normalize is normalize of the channels of each of Groups of each pixel, times Weight [C], or nil for 1, with Eps.
	Normalize
)

// An Activation is applied to the result of an instruction.
type Activation int32

// Activations are torch.nn.functional's.
const (
	None Activation = iota
	ReLU
	ReLU6
	HardSwish
	HardSigmoid
	SiLU
	Sigmoid
	GELU     // with erf
	GELUTanh // approximate="tanh"
	Tanh
)

// An Instruction computes the value Out of the values In. Fields that its kind does not name are not read.
type Instruction struct {
	Kind     Kind
	In       []int
	Out      int
	Act      Activation // of Conv, Add, Mul and Scale
	Weight   *torch.Tensor
	Bias     *torch.Tensor
	Kernel   [2]int // of pools; height and width, as all pairs
	Stride   [2]int // of Conv and pools
	Padding  [2]int // likewise; of zeros, and for MaxPool of -Inf
	Dilation [2]int // of Conv and MaxPool
	Groups   int    // of Conv and Shuffle
	Heads    int
	Offset   int
	Offsets  [3]int
	Eps      float64
	// CountPadding is AvgPool's count_include_pad. Divisor, if not 0, is its divisor_override.
	CountPadding bool
	Divisor      int
	Table        []int32
}
