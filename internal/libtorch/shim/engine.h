// The engine runs programs of package kernels (torch/internal/kernels): plan.cpp checks a program and turns it into steps,
// kernels.cpp computes a step. kernels.cpp is compiled once for each instruction set, so this header and that file use no
// templates of the standard library: the linker could take their code, made for another processor, for the rest.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace torchhub __attribute__((visibility("hidden"))) {

// The kinds and activations are those of package kernels, in its order.
enum Kind : int32_t { CONV, MAX_POOL, AVG_POOL, MEAN, ADD, MUL, SCALE, LAYER_NORM, CONCAT, CONCAT_PIXELS, SLICE, SHUFFLE, GATHER, ATTENTION, CONST, NORMALIZE, READ, WRITE, KINDS };
enum Act : int32_t { NO_ACT, RELU, RELU6, HARD_SWISH, HARD_SIGMOID, SILU, SIGMOID, GELU, GELU_TANH, TANH, ACTS };

// An Image is a value: [n][blocks of channels][top + h + top][side + w + side][block]. The border is of zeros, so that
// convolutions need not treat the edges of an image apart. Lanes behind the last channel hold any finite number. The same numbers
// in bfloat16 may follow, in the same order, for convolutions that multiply those: two channels are what a float is.
struct Image {
	int32_t n, c, h, w, top, side, block;
	bool halves;       // whether bfloat16 follows
	bool local;        // whether it is of a turn of a loop, and in the memory of those who take turns together
	int64_t offset;    // of its first float in the arena
	const float *data; // of a constant; null otherwise
	int64_t next;      // in a loop, the distance to the image of the next turn; 0 if it has the same

	int32_t blocks() const { return (c + block - 1) / block; }
	int64_t row() const { return int64_t(w + 2 * side) * block; }
	// plane is the distance between blocks of channels: an odd number of lines of the cache, so that the same pixel of many
	// blocks is not in the same few places of it.
	int64_t plane() const {
		int64_t n = (h + 2 * top) * row();
		return n < 512 ? n : ((n + 15) / 16 | 1) * 16;
	}
	int64_t image() const { return blocks() * plane(); }
	int64_t floats() const { return n * image(); }
	int64_t size() const { return halves ? floats() / 2 * 3 : floats(); }
	int64_t first() const { return top * row() + int64_t(side) * block; } // its first pixel behind the border
	int64_t at(int32_t i, int32_t b, int32_t y, int32_t x) const { return i * image() + b * plane() + first() + y * row() + int64_t(x) * block; }
};

// A Step is an instruction, checked and with packed weights. Pointers are the plan's.
struct Step {
	Kind kind;
	Act act;
	const Image *in;
	int32_t inputs;
	Image out;
	const float *weight, *bias;
	int32_t kernel[2], stride[2], padding[2], dilation[2];
	int32_t groups, heads, offset, offsets[3], divisor, count_padding, port;
	float eps;
	const int32_t *table;
	int64_t strides[4]; // of the tensor of a port

	// A convolution has panels of some blocks of output channels. For each it adds up the products of reads pieces of the input,
	// each of piece floats, which are the channels of a block or of half of one, and at a distance from the pixel, which begin at a
	// start for each panel. Algorithms that need fewer products have such panels for each of a number of planes, of sums of pixels
	// and of weights; otherwise there is one.
	bool depthwise, lean, halves; // lean: memory counts more than time; halves: it multiplies bfloat16, two in a float
	int32_t panel, panels, piece, reads, planes;
	const int32_t *read, *start;

	// pieces returns how many there are in a block of the input.
	int32_t pieces() const { return halves ? 1 : in[0].block / piece; }
};

// A Frame is what a run of a plan uses.
struct Frame {
	float *arena, *local;
	const float *const *in;
	float *const *out;
	float *const *scratch; // of each thread
};

// Kernels are the functions of an instruction set.
struct Kernels {
	const char *name;
	int32_t block;
	// choose decides on the panels of a convolution, whose groups and images are set; it returns the floats of its packed
	// weight, and of its bias. -1 if this convolution is not computed.
	void (*choose)(Step *s, int64_t *ret_weight, int64_t *ret_bias, int32_t *ret_reads);
	// pack writes the weight of a convolution, bias, read and start. It does so for every threads-th panel from thread on.
	void (*pack)(const Step &s, const float *weight, const float *bias, float *ret_weight, float *ret_bias, int32_t *ret_read, int32_t *ret_start, int32_t thread, int32_t threads);
	// scratch returns the floats that a thread needs for a step.
	int64_t (*scratch)(const Step &s);
	// run computes the part of one of a number of threads.
	void (*run)(const Step &s, const Frame &f, int32_t thread, int32_t threads);
};

// For each instruction set a function that returns its kernels, or null if this file was compiled without it.
const Kernels *kernels_base();
const Kernels *kernels_avx2();
const Kernels *kernels_avx512();
const Kernels *kernels_avx512bf16();

} // namespace torchhub
