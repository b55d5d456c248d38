// The kernels of the engine for one instruction set, which ENGINE selects: base, avx2, avx512 or avx512bf16. See engine.h for why there
// are no templates of the standard library. With ENGINE_ABSENT it is compiled by a compiler that cannot do so.

#include "engine.h"

#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" // which GCC 12 says of its own header
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

#define ENGINE_NAME_(name) kernels_##name
#define ENGINE_NAME(name) ENGINE_NAME_(name)
#define ENGINE_TEXT_(name) #name
#define ENGINE_TEXT(name) ENGINE_TEXT_(name)

namespace torchhub {

#if defined(ENGINE_ABSENT)

const Kernels *ENGINE_NAME(ENGINE)() { return nullptr; }

#else

namespace {

// B is the number of floats in a vector, WIDE the most blocks of channels that a tile of a convolution computes: its sums
// must fit into the registers.
#if defined(__AVX512F__) || defined(ENGINE_WIDE) // ENGINE_WIDE tests the former on machines without it
constexpr int B = 16, WIDE = 4;
#elif defined(__AVX2__)
constexpr int B = 8, WIDE = 3;
#elif defined(__aarch64__)
constexpr int B = 4, WIDE = 4;
#if !defined(__clang__)
#pragma GCC optimize("no-schedule-insns") // before registers are given out, which would then be too few
#endif
#else
constexpr int B = 4, WIDE = 2;
#endif

#if defined(__AVX512BF16__)
constexpr bool HALVES = true; // whether convolutions can multiply bfloat16
#else
constexpr bool HALVES = false;
#endif

constexpr int TILE = 6;         // the most pixels of a tile of a convolution
constexpr int ROUND = 2 * TILE; // a multiple of the pixels of the tiles of any number of blocks
constexpr int HALF = B < 16 || HALVES ? 1 : B / 2; // channels of a piece of the input that is not a whole block; 1 if there are none
constexpr int UNROLLED = B == 8 ? 4 : 1; // steps of a tile over channels, so that fewer instructions are for the loop
constexpr int EIGHTH = 8;      // tiles that prefetch the weight of the next panel
constexpr int BAND = 1536;     // the most pixels whose places are noted at once, a multiple of ROUND
constexpr int L2 = 96 * 1024; // bytes of an input that are read again from a core's own cache. Weights and results pass there too, and a neighbor may have half of it.
constexpr int GROUP = 256 * 1024; // bytes of transformed results that are restored at once
constexpr int UNITS = 144;     // the most squares or pairs of pixels that are transformed at once, a multiple of ROUND
constexpr int SQUARES = 16, PAIRS = 7; // the planes of Winograd's and of Strassen's algorithm

// pixels_of returns how many pixels the tiles of some blocks have, but for the last ones: with 16 registers, 12 are for sums.
constexpr int pixels_of(int blocks) { return B == 8 && blocks == 3 ? 4 : TILE; }

// part_of returns the most floats of a pixel of the input whose weight is used for all pixels before the next: it stays in the nearest cache.
constexpr int part_of(int blocks) { return B == 16 ? 128 : B == 8 && blocks == 3 ? 168 : 256; }

typedef float V __attribute__((vector_size(B * 4), may_alias));
typedef float Unaligned __attribute__((vector_size(B * 4), aligned(4), may_alias));
typedef int32_t I __attribute__((vector_size(B * 4), may_alias));

inline __attribute__((always_inline)) V load(const float *p) { return *reinterpret_cast<const V *>(p); }
inline __attribute__((always_inline)) void store(float *p, V v) { *reinterpret_cast<V *>(p) = v; }
// The compilers make these of chains of masks, if they are not said like this. larger and smaller return b if a is no number.
#if defined(__AVX512F__)
inline __attribute__((always_inline)) V splat(float x) { return (V)_mm512_set1_ps(x); }
inline __attribute__((always_inline)) V larger(V a, V b) { return (V)_mm512_max_ps((__m512)a, (__m512)b); }
inline __attribute__((always_inline)) V smaller(V a, V b) { return (V)_mm512_min_ps((__m512)a, (__m512)b); }
#elif defined(__AVX2__) && !defined(ENGINE_WIDE)
inline __attribute__((always_inline)) V splat(float x) { return (V)_mm256_set1_ps(x); }
inline __attribute__((always_inline)) V larger(V a, V b) { return (V)_mm256_max_ps((__m256)a, (__m256)b); }
inline __attribute__((always_inline)) V smaller(V a, V b) { return (V)_mm256_min_ps((__m256)a, (__m256)b); }
#else
inline __attribute__((always_inline)) V splat(float x) { return x - V{}; } // a sum would make 0 of -0, and so be computed
inline __attribute__((always_inline)) V larger(V a, V b) { return a > b ? a : b; }
inline __attribute__((always_inline)) V smaller(V a, V b) { return a < b ? a : b; }
#endif

// add_product adds a product to a sum, in its register.
#if defined(__AVX2__) && !defined(__AVX512F__) && !defined(ENGINE_WIDE)
inline __attribute__((always_inline)) void add_product(V &sum, V a, V b) { asm("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b)); }
#else
inline __attribute__((always_inline)) void add_product(V &sum, V a, V b) { sum += a * b; }
#endif

// narrow writes a vector in bfloat16, and add_pairs adds the products of pairs of bfloat16 to a sum.
#if defined(__AVX512BF16__)
inline __attribute__((always_inline)) void narrow(float *p, V v) { *reinterpret_cast<__m256i *>(p) = (__m256i)_mm512_cvtneps_pbh((__m512)v); }
inline __attribute__((always_inline)) V add_pairs(V sum, V a, V b) { return (V)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b); }
#else
inline void narrow(float *, V) {}
inline V add_pairs(V sum, V, V) { return sum; }
#endif

template <class T> inline T least(T a, T b) { return a < b ? a : b; }
template <class T> inline T most(T a, T b) { return a > b ? a : b; }

// times_power is x times the power of 2 whose exponent are the last bits of n, below chooses by whether x is less than a limit, and
// reciprocal is 1 / x of a positive number, within 2e-7 of it.
inline V times_power(V x, V n) { return (V)((I)x + ((I)n << 23)); }
inline V below(V x, float limit, V then, V otherwise) { return x < limit ? then : otherwise; }
inline V reciprocal(V x) {
#if defined(__AVX512F__)
	V r = (V)_mm512_rcp14_ps((__m512)x);
	return r + r * (1.f - x * r);
#else
	return 1.f / x;
#endif
}

// Some are vectors that are computed side by side, which keeps the multipliers busy where each number waits for the one before.
struct Some {
	static constexpr int N = 2;
	V v[N];
	Some() = default;
	inline __attribute__((always_inline)) Some(float x) { *this = each([x](int) { return splat(x); }); }
	template <class F> static inline __attribute__((always_inline)) Some each(F f) {
		Some y;
#pragma GCC unroll 4
		for (int k = 0; k < N; k++)
			y.v[k] = f(k);
		return y;
	}
};
#define SOME inline __attribute__((always_inline)) Some
SOME operator+(Some a, Some b) { return Some::each([&](int k) { return a.v[k] + b.v[k]; }); }
SOME operator-(Some a, Some b) { return Some::each([&](int k) { return a.v[k] - b.v[k]; }); }
SOME operator*(Some a, Some b) { return Some::each([&](int k) { return a.v[k] * b.v[k]; }); }
SOME operator-(Some a) { return Some::each([&](int k) { return -a.v[k]; }); }
SOME larger(Some a, Some b) { return Some::each([&](int k) { return larger(a.v[k], b.v[k]); }); }
SOME smaller(Some a, Some b) { return Some::each([&](int k) { return smaller(a.v[k], b.v[k]); }); }
SOME times_power(Some x, Some n) { return Some::each([&](int k) { return times_power(x.v[k], n.v[k]); }); }
SOME below(Some x, float limit, Some then, Some otherwise) {
	return Some::each([&](int k) { return below(x.v[k], limit, then.v[k], otherwise.v[k]); });
}
SOME reciprocal(Some x) { return Some::each([&](int k) { return reciprocal(x.v[k]); }); }
#undef SOME

template <class T> inline __attribute__((always_inline)) T all(float x) {
	if constexpr (sizeof(T) == sizeof(V))
		return splat(x);
	else
		return T(x);
}

template <class T> inline __attribute__((always_inline)) T clamp(T x, float from, float to) { return smaller(larger(x, all<T>(from)), all<T>(to)); }

// exponential is e to the power of x, within 2e-7 of it: 2 to the power of a whole number, times a polynomial of the rest.
template <class T> inline __attribute__((always_inline)) T exponential(T x) {
	x = clamp(x, -87.f, 88.f);
	T t = x * 1.44269504f + 0x1.8p23f; // so large a number has no fraction: its last bits are the whole number
	T n = t - 0x1.8p23f;
	T r = x - n * 0.693359375f + n * 2.12194440e-4f; // the logarithm of 2 in two parts
	T p = all<T>(1.381459878757596e-3f);             // of least error, relative, where 2|r| is at most the logarithm of 2
	p = p * r + 8.368716575205326e-3f;
	p = p * r + 4.166838899254799e-2f;
	p = p * r + 1.666652113199234e-1f;
	p = p * r + 4.999999403953552e-1f;
	p = p * r + 1.f;
	p = p * r + 1.f;
	return times_power(p, t);
}

template <class T> inline __attribute__((always_inline)) T sigmoid(T x) { return reciprocal(1.f + exponential(-x)); }

// hyperbolic is tanh: a quotient of exponentials, and its series near zero, where that would cancel.
template <class T> inline __attribute__((always_inline)) T hyperbolic(T x) {
	T e = exponential(2.f * clamp(x, -20.f, 20.f));
	T far = (e - 1.f) * reciprocal(e + 1.f);
	T s = x * x;
	T near = x * (1.f + s * (-1.f / 3 + s * (2.f / 15 + s * (-17.f / 315 + s * (62.f / 2835)))));
	return below(s, .04f, near, far);
}

// error_function is erf, within 4e-7: a quotient of polynomials of least error up to 3.8, where erf is 1 but for 8e-8.
template <class T> inline __attribute__((always_inline)) T error_function(T x) {
	x = clamp(x, -3.8f, 3.8f);
	T s = x * x;
	T p = s * 2.124065545672238e-8f - 2.0199338450765936e-6f;
	p = p * s + 1.4062991249375045e-4f;
	p = p * s + 3.532089525833726e-3f;
	p = p * s + 4.996635019779205e-2f;
	p = p * s + 1.9514938957188944e-1f;
	p = p * s + 1.1283788681030273f;
	T q = s * 9.243268286809325e-4f + 1.3974105007946491e-2f;
	q = q * s + 1.1305300891399384e-1f;
	q = q * s + 5.062767267227173e-1f;
	q = q * s + 1.f;
	return x * p * reciprocal(q);
}

template <Act act, class T> inline __attribute__((always_inline)) T activate(T x) {
	switch (act) {
	case RELU:
		return larger(x, all<T>(0));
	case RELU6:
		return clamp(x, 0, 6);
	case HARD_SWISH:
		return x * clamp(x * (1.f / 6) + .5f, 0, 1);
	case HARD_SIGMOID:
		return clamp(x * (1.f / 6) + .5f, 0, 1);
	case SILU:
		return x * sigmoid(x);
	case SIGMOID:
		return sigmoid(x);
	case GELU:
		return .5f * x * (1.f + error_function(x * .70710678f));
	case GELU_TANH:
		return .5f * x * (1.f + hyperbolic(.79788456f * (x + .044715f * x * x * x)));
	case TANH:
		return hyperbolic(x);
	default:
		return x;
	}
}

template <Act act, class At> void activate_some(float *y, int n, At at) {
	int i = 0;
	for (; i + Some::N <= n; i += Some::N) {
		Some x = activate<act>(Some::each([&](int k) { return load(y + at(i + k)); }));
		for (int k = 0; k < Some::N; k++)
			store(y + at(i + k), x.v[k]);
	}
	for (; i < n; i++)
		store(y + at(i), activate<act>(load(y + at(i))));
}

template <class At> void activate_at(float *y, int n, Act act, At at) {
	switch (act) {
	case RELU:
		return activate_some<RELU>(y, n, at);
	case RELU6:
		return activate_some<RELU6>(y, n, at);
	case HARD_SWISH:
		return activate_some<HARD_SWISH>(y, n, at);
	case HARD_SIGMOID:
		return activate_some<HARD_SIGMOID>(y, n, at);
	case SILU:
		return activate_some<SILU>(y, n, at);
	case SIGMOID:
		return activate_some<SIGMOID>(y, n, at);
	case GELU:
		return activate_some<GELU>(y, n, at);
	case GELU_TANH:
		return activate_some<GELU_TANH>(y, n, at);
	case TANH:
		return activate_some<TANH>(y, n, at);
	default:
		return;
	}
}

// activate_all and activate_pixels are out of the loops of the kernels, whose registers are full.
__attribute__((noinline)) void activate_all(float *y, int n, Act act) {
	activate_at(y, n, act, [](int i) { return i * B; });
}

__attribute__((noinline)) void activate_pixels(float *y, const int32_t *places, int n, Act act) {
	activate_at(y, n, act, [places](int i) { return places[i]; });
}

float sum(V v) {
	float s = 0;
	for (int i = 0; i < B; i++)
		s += v[i];
	return s;
}

// share returns the part of n pieces of work of one of a number of threads.
void share(int64_t n, int thread, int threads, int64_t *ret_from, int64_t *ret_to) {
	*ret_from = n * thread / threads;
	*ret_to = n * (thread + 1) / threads;
}

float *write_of(const Image &x, const Frame &f) { return (x.local ? f.local : f.arena) + x.offset; }
const float *read_of(const Image &x, const Frame &f) { return x.data ? x.data : write_of(x, f); }

// clear_border writes the zeros around a block of channels of an image.
void clear_border(const Image &x, float *data, int n, int b) {
	if (!x.top && !x.side)
		return;
	for (int half = 0; half <= x.halves; half++) {
		float *p = data + half * x.floats() + ((n * x.image() + b * x.plane()) >> half);
		int64_t row = x.row() >> half, side = (int64_t(x.side) * x.block) >> half;
		memset(p, 0, x.top * row * sizeof(float));
		memset(p + (x.top + x.h) * row, 0, x.top * row * sizeof(float));
		for (int y = 0; side && y < x.h; y++) {
			float *q = p + (x.top + y) * row;
			memset(q, 0, side * sizeof(float));
			memset(q + row - side, 0, side * sizeof(float));
		}
	}
}

// clear_borders does so for the images whose first pixel is among n, of area an image.
void clear_borders(const Image &x, float *data, int64_t from, int64_t n, int64_t area, int b) {
	for (int64_t i = (from + area - 1) / area; i * area < from + n; i++)
		clear_border(x, data, i, b);
}

// halve writes n neighboring pixels of a block of channels of an image in bfloat16, if it has such numbers.
inline void halve(const Image &x, float *data, const float *from, int n) {
	if (!x.halves)
		return;
	float *to = data + x.floats() + (from - data) / 2;
	for (int i = 0; i < n; i++)
		narrow(to + i * (B / 2), load(from + i * B));
}

// Tiles are some blocks of channels of pixels of a convolution, all computed with the same weight.
struct Tiles {
	const float *x; // of the input, with the places of the pixels
	const int32_t *xs;
	int32_t width;       // floats of a block of a pixel
	const int32_t *read; // where pieces of a pixel are, from its place
	int32_t reads;
	const float *w, *bias; // bias is null if the results so far are added to
	int64_t apart;         // of the weights of panels
	float *y;
	const int32_t *ys;
	int64_t yplane;
	const float *r; // what is added, or null
	const int32_t *rs;
	int64_t rplane;
	Act act;
	const float *next; // the weight that is used next

	// line returns whether some pixels lie side by side. They would be further apart otherwise.
	bool line(int from, int pixels) const {
		const int last = from + pixels - 1, all = (pixels - 1) * B;
		return xs[last] - xs[from] == (pixels - 1) * width && ys[last] - ys[from] == all && (!r || rs[last] - rs[from] == all);
	}
};

// tile computes n tiles of O blocks of channels of P pixels, from the k-th pixel on, and so for G panels. The pieces of the input have
// C floats, which are pairs of bfloat16 where C is half a block. The pixels of the next tile are prefetched, and an eighth of the weight
// that is used next. LINE says that the pixels of a tile lie side by side, which takes fewer registers and instructions.
template <int O, int P, int C, int G = 1, bool LINE = false>
void tile(const Tiles &t, int64_t k, int n) {
	// A single block has too few sums to keep the multipliers busy: two for each, of even and of odd channels.
	constexpr int S = O == 1 && C > 1 ? 2 : 1;
	constexpr int X = HALVES && C == B / 2 ? B / 2 : B; // floats of a block of a pixel of the input
	constexpr int64_t EACH = C * O * B / EIGHTH;        // floats of the next weight that are prefetched with each piece
	const float *x = t.x, *next = k < EIGHTH * P ? t.next + k / P * t.reads * EACH : t.w; // that is there already
	const int32_t *xs = t.xs + k, *ys = t.ys + k, *rs = t.rs + k, *read = t.read;
	float *y = t.y;
	const int64_t yplane = t.yplane, apart = t.apart;
	const int32_t reads = t.reads;
	for (int i = 0; i < n; i++, xs += P, ys += P, rs += P) {
		V c[S][O * G][P];
#pragma GCC unroll 8
		for (int o = 0; o < O * G; o++)
#pragma GCC unroll 8
			for (int p = 0; p < P; p++) {
				c[0][o][p] = t.bias ? load(t.bias + o * B) : load(y + (LINE ? ys[0] + p * B : ys[p]) + o * yplane);
				if constexpr (S == 2)
					c[S - 1][o][p] = V{};
			}
		const float *px[P]; // LINE: the first only
#pragma GCC unroll 8
		for (int p = 0; p < (LINE ? 1 : P); p++)
			px[p] = x + xs[p];
		if constexpr (P == pixels_of(O) && C > 1) {
#pragma GCC unroll 4
			for (int o = 0; o < O; o++)
#pragma GCC unroll 6
				for (int p = 0; p < P; p += 16 / B)
					__builtin_prefetch(y + (LINE ? ys[0] + (P + p) * B : ys[P + p]) + o * yplane, 1);
		}
		const float *w = t.w;
		for (int k = 0; k < reads; k++) {
			int64_t at = read[k];
			const float *line = px[0] + at + P / 2 * X; // in the middle of the pixels, so that distances fit into a byte
			if constexpr (LINE)
				asm("" : "+r"(line));
			if constexpr (P == pixels_of(O) && C > 1) {
#pragma GCC unroll 6
				for (int p = 0; p < P; p += 16 / C) // once for each line of the cache
					__builtin_prefetch(LINE ? line + (P - P / 2 + p) * X : x + xs[P + p] + at);
#pragma GCC unroll 8
				for (int i = 0; i < EACH; i += 16)
					__builtin_prefetch(next + i, 0, 2);
				next += EACH;
			}
#pragma GCC unroll UNROLLED
			for (int i = 0; i < C; i += 2) {
#pragma GCC unroll 2
				for (int j = 0; j < (C < 2 ? 1 : 2); j++, at++, line++, w += O * B) {
					V wv[O * G];
#pragma GCC unroll 8
					for (int o = 0; o < O * G; o++)
						wv[o] = load(w + o / O * apart + o % O * B);
#pragma GCC unroll 8
					for (int p = 0; p < P; p++) {
						V xv = splat(LINE ? line[(p - P / 2) * X] : px[p][at]);
#if defined(__AVX2__) && !defined(ENGINE_WIDE)
						if constexpr (O > 1)
							asm volatile("" : "+v"(xv)); // keep it in a register and the order, where the compiler would run out of registers
#endif
#pragma GCC unroll 8
						for (int o = 0; o < O * G; o++)
							if constexpr (HALVES && C == B / 2)
								c[j % S][o][p] = add_pairs(c[j % S][o][p], wv[o], xv);
							else
								add_product(c[j % S][o][p], wv[o], xv);
					}
				}
			}
		}
		auto each = [&](auto f) __attribute__((always_inline)) {
#pragma GCC unroll 8
			for (int o = 0; o < O * G; o++)
#pragma GCC unroll 8
				for (int p = 0; p < P; p++)
					f(c[0][o][p], o, p);
		};
		if constexpr (S == 2)
			each([&](V &v, int o, int p) __attribute__((always_inline)) { v += c[S - 1][o][p]; });
		if (t.r)
			each([&](V &v, int o, int p) __attribute__((always_inline)) { v += load(t.r + (LINE ? rs[0] + p * B : rs[p]) + o * t.rplane); });
		if (t.act == RELU)
			each([&](V &v, int, int) __attribute__((always_inline)) { v = larger(v, V{}); });
		else if (t.act == HARD_SWISH)
			each([&](V &v, int, int) __attribute__((always_inline)) { v = activate<HARD_SWISH>(v); });
		each([&](V &v, int o, int p) __attribute__((always_inline)) { store(y + (LINE ? ys[0] + p * B : ys[p]) + o * yplane, v); });
		if (t.act > RELU && t.act != HARD_SWISH)
			for (int o = 0; o < O * G; o++)
				activate_pixels(y + o * yplane, ys, P, t.act);
	}
}

typedef void (*Tile)(const Tiles &, int64_t, int);

// columns returns how many panels are computed together for a single pixel, whose few sums would wait for each other and for the weights.
constexpr int columns(int blocks) { return blocks > 2 ? 2 : 4; }
constexpr int COLUMN = TILE + 1; // the index of the tile that does so
constexpr int ALONG = TILE + 2;  // the index of the tile of pixels that lie side by side

// Pixels are the tiles of some blocks of channels, by their pixels. The input has C floats in a block.
template <int O, int C> struct Pixels {
	static constexpr int N = pixels_of(O);
	static constexpr Tile by[ALONG + 1] = {nullptr, tile<O, 1, C>, tile<O, 2, C>, tile<O, 3, C>, tile<O, 4, C>, nullptr, tile<O, N, C>, tile<O, 1, C, columns(O)>, tile<O, N, C, 1, (C > 1)>};
};

template <int C> const Tile *tiles_of(int blocks) {
	if (blocks == 1)
		return Pixels<1, C>::by;
	if constexpr (WIDE > 3) {
		if (blocks == 4)
			return Pixels<4, C>::by;
	}
	if constexpr (WIDE > 2) {
		if (blocks == 3)
			return Pixels<3, C>::by;
	}
	return Pixels<2, C>::by;
}

// tiles returns the tiles of some blocks, for pieces of the input of some floats.
const Tile *tiles(int blocks, int piece) {
	if constexpr (HALVES || HALF > 1) {
		if (piece == B / 2)
			return tiles_of<B / 2>(blocks);
	}
	return piece == 1 ? tiles_of<1>(blocks) : tiles_of<B>(blocks);
}

// compute computes n pixels of some blocks, or of a column of panels if there is a single pixel. There are tiles of few sizes, since
// each takes time to compile, and those of one or two pixels take as long as those of four.
void compute(int blocks, int piece, bool column, int n, const Tiles &t) {
	const Tile *by = tiles(blocks, piece);
	const int most = pixels_of(blocks), early = EIGHTH * most;
	int rest = n % most, k = n - rest;
	if (most == TILE && k && (rest == 1 || rest == 2)) // with the tile before, two of four and less
		k -= most;
	for (int from = 0, to; from < k; from = to) {
		bool line = t.line(from, most);
		for (to = from + most; to < k && to != early && t.line(to, most) == line; to += most)
			;
		by[line ? ALONG : most](t, from, (to - from) / most);
	}
	while (k < n) {
		int pixels = n - k > 4 ? n - k == 5 ? 3 : 4 : n - k;
		by[column ? COLUMN : pixels](t, k, 1);
		k += pixels;
	}
}

// Units are what a convolution in planes computes at once: squares of 2 × 2 pixels of the result by Winograd's algorithm, pairs of
// pixels by Strassen's. Transformed units lie in the scratch memory: [planes][blocks of channels][units][B].
struct Units {
	int32_t planes, h, w, at_once, group; // of an image; that are transformed at once; panels whose results are restored at once
	int64_t images, in, out;              // blocks of channels in a plane
	explicit Units(const Step &s) : planes(s.planes), images(s.out.n) {
		if (planes == SQUARES) {
			h = (s.out.h + 1) / 2, w = (s.out.w + 1) / 2;
			in = s.in[0].blocks(), out = s.out.blocks();
		} else {
			h = 1, w = (s.out.h * s.out.w + 1) / 2;
			in = s.in[0].blocks() / 2, out = s.out.blocks() / 2;
		}
		at_once = least<int64_t>(most_at_once(), (n() + ROUND - 1) / ROUND * ROUND);
		group = most<int64_t>(1, GROUP / int64_t(planes * plane() * s.panel * sizeof(float)));
		group = least(group, s.panels);
	}
	int64_t most_at_once() const {
		if (planes == SQUARES)
			return 96;
		return UNITS;
	}
	int64_t n() const { return images * h * w; }
	int64_t plane() const { return int64_t(at_once) * B; }
	// The planes of a unit are not in the same few places of the cache.
	int64_t input() const { return (in * plane() / 16 | 1) * 16; }
	int64_t output(const Step &s) const { return (int64_t(group) * s.panel * plane() / 16 | 1) * 16; }
	int64_t scratch(const Step &s) const { return WIDE * B + planes * (input() + output(s)); }
};

// A Reach is which blocks of the input a panel of a convolution reads.
struct Reach {
	int32_t from, n;
};

Reach reach(const Step &s, int32_t wide, int32_t panel) {
	const Image &x = s.in[0];
	int32_t in = x.c / s.groups, out = s.out.c / s.groups;
	int32_t first = panel * wide * B, last = least((panel + 1) * wide * B, s.out.c) - 1;
	int32_t from = first / out * in / x.block, to = ((last / out + 1) * in - 1) / x.block;
	return {from, to - from + 1};
}

// planes_of returns in how many planes a convolution is computed.
int32_t planes_of(const Step &s) {
	const Image &x = s.in[0], &y = s.out;
	if (s.groups > 1 || x.block != B || s.halves) // bfloat16 has as much to gain, and needs no transforms
		return 1;
	int64_t units = int64_t((y.h + 1) / 2) * ((y.w + 1) / 2); // of an image: results do not depend on their number
	bool plain = true, small = true;
	for (int d = 0; d < 2; d++) {
		plain = plain && s.kernel[d] == 3 && s.stride[d] == 1 && s.dilation[d] == 1;
		small = small && s.kernel[d] == 1;
	}
	if (plain && x.c >= 32 && y.c >= 32 && units >= 12)
		return SQUARES;
	// The sums cost as much as some hundred channels save, and reading a larger weight as much as some ten pixels do.
	if (!s.lean && small && x.c % (2 * B) == 0 && y.c % (2 * B) == 0 && least(x.c, y.c) >= 384 && y.h * y.w >= 64)
		return PAIRS;
	return 1;
}

void choose(Step *s, int64_t *ret_weight, int64_t *ret_bias, int32_t *ret_reads) {
	const Image &x = s->in[0];
	int32_t taps = s->kernel[0] * s->kernel[1], blocks = s->out.blocks();
	s->piece = x.block, s->planes = 1;
	s->depthwise = s->groups > 1 && s->groups == x.c && x.c == s->out.c;
	if (s->depthwise) {
		s->panel = 1, s->panels = blocks, s->reads = taps;
		*ret_weight = int64_t(blocks) * taps * B, *ret_bias = int64_t(blocks) * B, *ret_reads = taps;
		return;
	}
	s->halves = x.halves;
	s->planes = planes_of(*s);
	if (s->planes == PAIRS)
		blocks /= 2;
	if (HALF > 1 && s->groups == 1 && s->planes == 1 && x.block == B && x.c % B > 0 && x.c % B <= HALF && x.c < 8 * B)
		s->piece = HALF; // the last half of the last block is of zeros
	else if (s->halves)
		s->piece = x.block / 2; // floats, of two channels each
	int32_t pieces = s->pieces();
	double best = INFINITY;
	for (int32_t wide = 1; wide <= WIDE; wide++) {
		int32_t panels = (blocks + wide - 1) / wide, n = 0;
		for (int32_t p = 0; p < panels; p++)
			n = most(n, reach(*s, wide, p).n * pieces - (pieces > 1));
		n = s->planes == PAIRS ? n / 2 : n;
		auto of = [](int32_t blocks) { return blocks == 1 ? 1.2 : pixels_of(blocks) < TILE ? 1.02 * blocks : blocks; }; // what a panel costs for each block that it reads
		double cost = n * (of(wide) * (blocks / wide) + of(blocks % wide));
		if (cost <= best)
			best = cost, s->panel = wide, s->panels = panels, s->reads = n * (s->planes == SQUARES ? 1 : taps);
	}
	*ret_weight = int64_t(s->planes) * s->panels * s->reads * s->piece * s->panel * B;
	*ret_bias = (s->planes == PAIRS ? 2 : 1) * int64_t(s->panels) * s->panel * B;
	*ret_reads = s->reads;
}

// pack_winograd writes the weight of a panel for Winograd's algorithm: G w Gᵀ, of which G has the rows (1, 0, 0),
// (1, 1, 1)/2, (1, -1, 1)/2 and (0, 0, 1).
void pack_winograd(const Step &s, const float *weight, float *to, int32_t first, int32_t width) {
	int32_t in = s.in[0].c;
	int64_t each = int64_t(s.reads) * B * width;
	memset(to, 0, 16 * each * sizeof(float));
	for (int32_t c = 0; c < width && first + c < s.out.c; c++)
		for (int32_t i = 0; i < in; i++) {
			const float *w = weight + (int64_t(first + c) * in + i) * 9;
			double rows[4][3];
			for (int k = 0; k < 3; k++) {
				double sum = double(w[k]) + w[6 + k];
				rows[0][k] = w[k], rows[1][k] = (sum + w[3 + k]) / 2, rows[2][k] = (sum - w[3 + k]) / 2, rows[3][k] = w[6 + k];
			}
			float *q = to + int64_t(i) * width + c;
			for (int k = 0; k < 4; k++, q += 4 * each) {
				double sum = rows[k][0] + rows[k][2];
				q[0] = rows[k][0], q[each] = (sum + rows[k][1]) / 2, q[2 * each] = (sum - rows[k][1]) / 2, q[3 * each] = rows[k][2];
			}
		}
}

// pack_strassen writes the weight of a panel for Strassen's algorithm, of which first is the first of the channels in the first half.
void pack_strassen(const Step &s, const float *weight, float *to, int32_t first, int32_t width) {
	int32_t in = s.in[0].c, half_in = in / 2, half_out = s.out.c / 2;
	int64_t each = int64_t(s.reads) * B * width;
	for (int32_t c = 0; c < width; c++) {
		const float *w = weight + int64_t(first + c) * in, *v = w + int64_t(half_out) * in;
		for (int32_t i = 0; i < half_in; i++) {
			float b11 = w[i], b21 = w[half_in + i], b12 = v[i], b22 = v[half_in + i];
			float *q = to + int64_t(i) * width + c;
			q[0] = b11 + b22, q[each] = b11, q[2 * each] = b12 - b22, q[3 * each] = b21 - b11, q[4 * each] = b22, q[5 * each] = b11 + b12, q[6 * each] = b21 + b22;
		}
	}
}

// pair returns two numbers in bfloat16, rounded to the nearest, in the place of a float.
float pair(const float *x) {
	uint32_t bits[2];
	memcpy(bits, x, sizeof bits);
	for (int i = 0; i < 2; i++)
		bits[i] = x[i] != x[i] ? 0x7fc0 : (bits[i] + 0x7fff + (bits[i] >> 16 & 1)) >> 16;
	uint32_t both = bits[0] | bits[1] << 16; // the first one in the lower half, as it comes first in memory
	float y;
	memcpy(&y, &both, sizeof y);
	return y;
}

void pack(const Step &s, const float *weight, const float *bias, float *ret_weight, float *ret_bias, int32_t *ret_read, int32_t *ret_start, int32_t thread, int32_t threads) {
	const Image &x = s.in[0];
	const int32_t taps = s.kernel[0] * s.kernel[1], in = x.c / s.groups, out = s.out.c / s.groups;
	if (s.planes > 1) {
		const Units units(s);
		for (int32_t b = 0; b < s.reads && thread == 0; b++)
			ret_read[b] = b * units.plane();
	} else if (thread == 0) {
		int32_t n = s.reads / taps, pieces = s.pieces();
		for (int32_t t = 0; t < taps; t++)
			for (int32_t b = 0; b < n; b++)
				ret_read[t * n + b] = (b / pieces * x.plane() + b % pieces * s.piece + t / s.kernel[1] * s.dilation[0] * x.row() + t % s.kernel[1] * s.dilation[1] * x.block) >> s.halves;
	}
	for (int32_t p = thread; p < s.panels; p += threads) {
		if (s.planes == PAIRS) {
			int32_t first = p * s.panel * B, half = s.out.c / 2, width = least(s.panel * B, half - first);
			for (int32_t c = 0; c < width; c++) {
				ret_bias[first + c] = bias ? bias[first + c] : 0;
				ret_bias[half + first + c] = bias ? bias[half + first + c] : 0;
			}
			ret_start[p] = 0;
			pack_strassen(s, weight, ret_weight + int64_t(p) * PAIRS * s.reads * B * s.panel * B, first, width);
			continue;
		}
		int32_t first = p * s.panel * B, channels = least(s.panel * B, s.out.c - first);
		for (int32_t c = 0; c < s.panel * B; c++)
			ret_bias[first + c] = c < channels && bias ? bias[first + c] : 0;
		if (s.depthwise) {
			ret_start[p] = p * x.plane();
			for (int32_t t = 0; t < taps; t++)
				for (int32_t c = 0; c < B; c++)
					ret_weight[(p * taps + t) * B + c] = c < channels ? weight[int64_t(first + c) * taps + t] : 0;
			continue;
		}
		int32_t width = least(s.panel, s.out.blocks() - p * s.panel) * B; // the last panel may have fewer blocks
		if (s.planes == SQUARES) {
			ret_start[p] = 0;
			pack_winograd(s, weight, ret_weight + int64_t(p) * SQUARES * s.reads * B * s.panel * B, first, width);
			continue;
		}
		int32_t n = s.reads / taps, from = most(0, least(reach(s, s.panel, p).from, x.blocks() - n));
		ret_start[p] = (from * x.plane()) >> s.halves;
		float *to = ret_weight + int64_t(p) * s.reads * s.piece * s.panel * B;
		for (int32_t t = 0; t < taps; t++)
			for (int32_t ci = 0; ci < n * s.piece << s.halves; ci += 1 + s.halves, to += width) {
				int32_t channel = from * x.block + ci;
				for (int32_t c = 0; c < width; c++) {
					float w[2];
					for (int k = 0; k <= s.halves; k++) {
						int32_t i = channel + k - (first + c) / out * in; // in its group
						w[k] = c < channels && i >= 0 && i < in ? weight[(int64_t(first + c) * in + i) * taps + t] : 0;
					}
					to[c] = s.halves ? pair(w) : w[0];
				}
			}
	}
}

// Places are where the pixels of a band are in the images of a convolution.
struct Places {
	int32_t x[BAND + 2 * TILE], y[BAND + 2 * TILE], r[BAND]; // x and y have room for the tile behind the last, which is prefetched
};

void place(const Step &s, int64_t from, int n, Places *ret) {
	const Image &x = s.in[0], &y = s.out;
	const Image *r = s.inputs > 1 ? &s.in[1] : nullptr;
	int64_t area = int64_t(y.h) * y.w;
	int32_t i = from / area, yy = from % area / y.w, xx = from % y.w;
	for (int k = 0; k < n;) {
		int32_t run = least(n - k, y.w - xx);
		int64_t px = x.at(i, 0, yy * s.stride[0] - s.padding[0], xx * s.stride[1] - s.padding[1]), py = y.at(i, 0, yy, xx);
		int32_t step = s.stride[1] * x.block;
		for (int32_t j = 0; j < run; j++) {
			ret->x[k + j] = (px + j * step) >> s.halves;
			ret->y[k + j] = py + j * B;
		}
		if (r) {
			int64_t pr = r->at(i, 0, yy, xx);
			for (int32_t j = 0; j < run; j++)
				ret->r[k + j] = pr + j * B;
		}
		k += run;
		xx = 0;
		if (++yy == y.h)
			yy = 0, i++;
	}
}

// dense_part computes the panels and pixels of a convolution in two ranges.
void dense_part(const Step &s, const Frame &f, Places *places, int64_t panel0, int64_t panel1, int64_t pixel0, int64_t pixel1) {
	const Image &x = s.in[0], &y = s.out;
	const Image *r = s.inputs > 1 ? &s.in[1] : nullptr;
	const float *xd = read_of(x, f) + s.halves * x.floats(), *rd = r ? read_of(*r, f) : nullptr;
	float *yd = write_of(y, f);
	int64_t area = int64_t(y.h) * y.w, each = int64_t(s.reads) * s.piece * s.panel * B;
	int32_t taps = s.kernel[0] * s.kernel[1];
	int32_t most_reads = part_of(s.panel) / s.piece;
	int64_t pieces = least(s.reads / taps, most_reads), bytes = pieces * s.piece * (taps > 1 ? s.stride[0] * s.stride[1] : 1) * sizeof(float); // of the input, for each pixel and part
	int64_t band = most<int64_t>(8 * TILE, least<int64_t>(BAND, L2 / bytes / ROUND * ROUND));
	int64_t bands = (pixel1 - pixel0 + band - 1) / band; // of equal size, since each reads the whole weight
	band = bands ? ((pixel1 - pixel0 + bands - 1) / bands + ROUND - 1) / ROUND * ROUND : ROUND;
	for (int64_t at = pixel0; at < pixel1; at += band) {
		int n = least(band, pixel1 - at);
		place(s, at, n, places);
		for (int32_t part = 0; part < s.reads; part += most_reads) {
			int32_t reads = least(most_reads, s.reads - part);
			bool first = part == 0, last = part + reads == s.reads;
			for (int64_t p = panel0, many; p < panel1; p += many) {
				many = n == 1 && s.groups == 1 && p + columns(s.panel) <= panel1 && (p + columns(s.panel)) * s.panel <= y.blocks() ? columns(s.panel) : 1;
				int32_t wide = least<int64_t>(s.panel, y.blocks() - p * s.panel), blocks = wide * many;
				const float *xp = xd + s.start[p], *w = s.weight + p * each + int64_t(part) * s.piece * wide * B, *rp = rd && last ? rd + p * s.panel * r->plane() : nullptr;
				float *yp = yd + p * s.panel * y.plane();
				const float *after = p + many < panel1 ? w + many * each : s.weight + panel0 * each + (last ? 0 : int64_t(part + reads) * s.piece * s.panel * B);
				for (int32_t b = 0; first && b < blocks; b++)
					clear_borders(y, yd, at, n, area, p * s.panel + b);
				compute(wide, s.piece, many > 1, n, {.x = xp, .xs = places->x, .width = B >> s.halves, .read = s.read + part, .reads = reads, .w = w,
				                                     .bias = first ? s.bias + p * s.panel * B : nullptr, .apart = each, .y = yp, .ys = places->y, .yplane = y.plane(),
				                                     .r = rp, .rs = places->r, .rplane = r ? r->plane() : 0, .act = last ? s.act : NO_ACT, .next = after});
				for (int32_t b = 0; last && y.halves && b < blocks; b++)
					for (int k = 0; k < n; k++)
						halve(y, yd, yp + b * y.plane() + places->y[k], 1);
			}
		}
	}
}

// A Corner is where a square of 4 × 4 pixels of the input begins, of which the last row and column may be outside.
struct Corner {
	int64_t x, y, r;     // of the input, the result and what is added
	int32_t row, column; // the distance of the last row and column of the input
	bool below, right;   // whether the result has the second row and column
};

// transform_squares writes Bᵀ x B of squares x of a block of channels, of which B has the columns (1, 0, -1, 0), (0, 1, 1, 0),
// (0, -1, 1, 0) and (0, 1, 0, -1).
void transform_squares(const float *x, int64_t row, const Corner *corners, int n, float *to, int64_t each) {
	for (int k = 0; k < n; k++, to += B) {
		const float *p = x + corners[k].x;
		const float *rows[4] = {p, p + row, p + 2 * row, p + corners[k].row};
		int32_t columns[4] = {0, B, 2 * B, corners[k].column};
		V d[4][4];
#pragma GCC unroll 4
		for (int c = 0; c < 4; c++) {
			V a = load(rows[0] + columns[c]), b = load(rows[1] + columns[c]), e = load(rows[2] + columns[c]), g = load(rows[3] + columns[c]);
			d[0][c] = a - e, d[1][c] = b + e, d[2][c] = e - b, d[3][c] = b - g;
		}
		float *q = to;
#pragma GCC unroll 4
		for (int r = 0; r < 4; r++, q += 4 * each) {
			store(q, d[r][0] - d[r][2]);
			store(q + each, d[r][1] + d[r][2]);
			store(q + 2 * each, d[r][2] - d[r][1]);
			store(q + 3 * each, d[r][1] - d[r][3]);
		}
	}
}

// restore_squares writes Aᵀ m A of squares m of a block of channels, of which A has the columns (1, 1, 1, 0) and (0, 1, -1, -1).
void restore_squares(const float *m, int64_t each, V bias, const Corner *corners, int n, float *y, int64_t row, const float *r, int64_t rrow, Act act) {
	for (int k = 0; k < n; k++, m += B) {
		V t[2][4];
#pragma GCC unroll 4
		for (int c = 0; c < 4; c++) {
			V a = load(m + c * each), b = load(m + (4 + c) * each), e = load(m + (8 + c) * each), g = load(m + (12 + c) * each);
			t[0][c] = a + b + e, t[1][c] = b - e - g;
		}
		const Corner &at = corners[k];
		alignas(64) float out[4 * B];
#pragma GCC unroll 2
		for (int i = 0; i < 2; i++) {
			store(out + 2 * i * B, t[i][0] + t[i][1] + t[i][2] + bias);
			store(out + (2 * i + 1) * B, t[i][1] - t[i][2] - t[i][3] + bias);
		}
		for (int i = 0; i < 1 + at.below; i++)
			for (int j = 0; j < 1 + at.right; j++) {
				V v = load(out + (2 * i + j) * B);
				if (r)
					v += load(r + at.r + i * rrow + j * B);
				store(out + (2 * i + j) * B, v);
			}
		if (act)
			activate_all(out, 4, act);
		for (int i = 0; i < 1 + at.below; i++)
			for (int j = 0; j < 1 + at.right; j++)
				store(y + at.y + i * row + j * B, load(out + (2 * i + j) * B));
	}
}

// A Pair is where two pixels of an image are in the input, in the result, and in what is added.
struct Pair {
	int64_t x[2], y[2], r[2];
	bool both;    // the second is there
	bool zero[2]; // all channels of the input are 0
};

// transform_pairs writes the sums of two pixels and of two blocks of channels, half apart, that Strassen's algorithm multiplies.
// It notes in seen which bits there are in the numbers of each pixel.
void transform_pairs(const float *x, int64_t half, const Pair *pairs, int n, float *to, int64_t each, I (*seen)[2]) {
	for (int k = 0; k < n; k++, to += B) {
		const float *p = x + pairs[k].x[0], *q = x + pairs[k].x[1];
		V a11 = load(p), a12 = load(p + half), a21 = load(q), a22 = load(q + half);
		seen[k][0] |= (I)a11 | (I)a12;
		seen[k][1] |= (I)a21 | (I)a22;
		store(to, a11 + a22);
		store(to + each, a21 + a22);
		store(to + 2 * each, a11);
		store(to + 3 * each, a22);
		store(to + 4 * each, a11 + a12);
		store(to + 5 * each, a21 - a11);
		store(to + 6 * each, a12 - a22);
	}
}

// note_zeros notes which pixels are of zeros.
void note_zeros(Pair *pairs, int n, const I (*seen)[2]) {
	for (int k = 0; k < n; k++)
		for (int i = 0; i < 2; i++) {
			uint32_t bits = 0;
			for (int l = 0; l < B; l++)
				bits |= uint32_t(seen[k][i][l]);
			pairs[k].zero[i] = bits << 1 == 0; // but for the sign
		}
}

// restore_pairs writes two pixels of two blocks of channels, which are yhalf and rhalf apart, of their products. Errors are relative
// to the larger pixel of the two, so that what is 0 would not stay 0, on which networks rely that normalize it.
void restore_pairs(const float *m, int64_t each, V bias1, V bias2, const Pair *pairs, int n, float *y, int64_t yhalf, const float *r, int64_t rhalf, Act act) {
	for (int k = 0; k < n; k++, m += B) {
		V m1 = load(m), m2 = load(m + each), m3 = load(m + 2 * each), m4 = load(m + 3 * each), m5 = load(m + 4 * each), m6 = load(m + 5 * each), m7 = load(m + 6 * each);
		const Pair &at = pairs[k];
		V c[2][2] = {{m1 + m4 - m5 + m7 + bias1, m3 + m5 + bias2}, {m2 + m4 + bias1, m1 - m2 + m3 + m6 + bias2}};
		alignas(64) float out[4 * B];
		for (int i = 0; i < 2; i++)
			for (int j = 0; j < 2; j++) {
				if (at.zero[i])
					c[i][j] = j ? bias2 : bias1;
				if (r && (i == 0 || at.both))
					c[i][j] += load(r + at.r[i] + j * rhalf);
				store(out + (2 * i + j) * B, c[i][j]);
			}
		if (act)
			activate_all(out, 4, act);
		for (int i = 0; i < 1 + at.both; i++)
			for (int j = 0; j < 2; j++)
				store(y + at.y[i] + j * yhalf, load(out + (2 * i + j) * B));
	}
}

// products multiplies n transformed units by the weights of panels, in each plane.
void products(const Step &s, const Units &u, const float *zeros, const int32_t *places, const float *in, float *out, int n, int64_t panel0, int64_t panel1, int64_t after_last) {
	int64_t plane = u.plane(), all = int64_t(s.reads) * B * s.panel * B, out_blocks = u.out;
	for (int64_t e = 0; e < u.planes; e++)
		for (int64_t p = panel0; p < panel1; p++) {
			int32_t blocks = least<int64_t>(s.panel, out_blocks - p * s.panel);
			const float *w = s.weight + p * u.planes * all + e * s.reads * B * blocks * B;
			const int32_t most_reads = part_of(s.panel) / B;
			for (int32_t part = 0; part < s.reads; part += most_reads) {
				int32_t reads = least(most_reads, s.reads - part);
				int64_t size = int64_t(reads) * B * blocks * B;
				const float *after = w + size;
				if (part + reads == s.reads) { // the weight of the next panel, of the next plane, or of the next panels
					if (p + 1 < panel1)
						after = s.weight + (p + 1) * u.planes * all + e * s.reads * B * s.panel * B;
					else if (e + 1 < u.planes)
						after = s.weight + panel0 * u.planes * all + (e + 1) * s.reads * B * s.panel * B;
					else
						after = s.weight + after_last * u.planes * all;
				}
				compute(blocks, B, false, n, {.x = in + e * u.input(), .xs = places, .width = B, .read = s.read + part, .reads = reads, .w = w, .bias = part ? nullptr : zeros, .apart = 0,
				                              .y = out + e * u.output(s) + (p - panel0) * s.panel * plane, .ys = places, .yplane = plane, .r = nullptr, .rs = places, .rplane = 0,
				                              .act = NO_ACT, .next = after});
				w += size;
			}
		}
}

// planes_part computes the panels and units of a convolution in two ranges, by an algorithm that needs fewer products: that of
// Winograd needs 16 where there are 36, and that of Strassen 7 where there are 8.
// https://arxiv.org/abs/1509.09308
// https://doi.org/10.1007/BF02165411
void planes_part(const Step &s, const Frame &f, float *scratch, int64_t panel0, int64_t panel1, int64_t from, int64_t to) {
	const Image &x = s.in[0], &y = s.out;
	const Image *r = s.inputs > 1 ? &s.in[1] : nullptr;
	const float *xd = read_of(x, f), *rd = r ? read_of(*r, f) : nullptr;
	float *yd = write_of(y, f);
	const Units u(s);
	int32_t places[UNITS + 2 * TILE];
	for (int k = 0; k < UNITS + 2 * TILE; k++)
		places[k] = k * B;
	float *zeros = scratch, *in = zeros + WIDE * B, *out = in + u.planes * u.input();
	memset(zeros, 0, WIDE * B * sizeof(float));
	int64_t area = int64_t(u.h) * u.w, plane = u.plane();
	int64_t bands = (to - from + u.at_once - 1) / u.at_once;
	int64_t band = bands ? ((to - from + bands - 1) / bands + ROUND - 1) / ROUND * ROUND : ROUND;
	for (int64_t at = from; at < to; at += band) {
		int n = least(band, to - at);
		Corner corners[UNITS];
		Pair pairs[UNITS];
		I seen[UNITS][2];
		memset(seen, 0, sizeof seen);
		for (int k = 0; k < n; k++) {
			int32_t i = (at + k) / area;
			if (u.planes == SQUARES) {
				int32_t yy = (at + k) % area / u.w * 2, xx = (at + k) % u.w * 2;
				bool below = yy + 1 < y.h, right = xx + 1 < y.w;
				corners[k] = {x.at(i, 0, yy - s.padding[0], xx - s.padding[1]), y.at(i, 0, yy, xx), r ? r->at(i, 0, yy, xx) : 0, int32_t((below ? 3 : 2) * x.row()), (right ? 3 : 2) * B, below, right};
				continue;
			}
			int32_t first = (at + k) % area * 2;
			pairs[k].both = first + 1 < y.h * y.w;
			for (int j = 0; j < 2; j++) {
				int32_t pixel = first + (pairs[k].both ? j : 0), yy = pixel / y.w, xx = pixel % y.w;
				pairs[k].x[j] = x.at(i, 0, yy * s.stride[0] - s.padding[0], xx * s.stride[1] - s.padding[1]);
				pairs[k].y[j] = y.at(i, 0, yy, xx);
				pairs[k].r[j] = r ? r->at(i, 0, yy, xx) : 0;
			}
		}
		for (int32_t b = 0; b < s.reads; b++)
			if (u.planes == SQUARES)
				transform_squares(xd + b * x.plane(), x.row(), corners, n, in + b * plane, u.input());
			else
				transform_pairs(xd + b * x.plane(), u.in * x.plane(), pairs, n, in + b * plane, u.input(), seen);
		if (u.planes == PAIRS)
			note_zeros(pairs, n, seen);
		for (int64_t p = panel0, last; p < panel1; p = last) {
			last = least(p + u.group, panel1);
			products(s, u, zeros, places, in, out, n, p, last, last < panel1 ? last : panel0);
			for (int64_t b = p * s.panel; b < least(last * s.panel, u.out); b++) {
				const float *m = out + (b - p * s.panel) * plane, *rp = rd ? rd + b * r->plane() : nullptr;
				clear_borders(y, yd, at, n, area, b);
				if (u.planes == SQUARES) {
					restore_squares(m, u.output(s), load(s.bias + b * B), corners, n, yd + b * y.plane(), y.row(), rp, r ? r->row() : 0, s.act);
					continue;
				}
				clear_borders(y, yd, at, n, area, u.out + b);
				restore_pairs(m, u.output(s), load(s.bias + b * B), load(s.bias + (u.out + b) * B), pairs, n, yd + b * y.plane(), u.out * y.plane(), rp, r ? u.out * r->plane() : 0, s.act);
			}
		}
	}
}

void dense(const Step &s, const Frame &f, int32_t thread, int32_t threads) {
	const Image &x = s.in[0], &y = s.out;
	int64_t pixels = s.planes > 1 ? Units(s).n() : int64_t(y.n) * y.h * y.w, count = (pixels + TILE - 1) / TILE;
	// Threads share the larger of the weight and the input, and each reads all of the other. Parts of the weight of a
	// few panels would be of unequal size.
	int64_t weight = int64_t(s.planes) * s.panels * s.reads * s.piece * s.panel * B, input = x.floats() >> s.halves;
	bool by_panel = s.panels >= threads && (s.panels % threads == 0 || s.panels >= 8 * threads) && (s.groups > 1 || weight > input || count < 4 * threads);
	int64_t panel0 = 0, panel1 = s.panels, pixel0 = 0, pixel1 = pixels;
	if (by_panel) {
		share(s.panels, thread, threads, &panel0, &panel1);
	} else {
		share(count, thread, threads, &pixel0, &pixel1);
		pixel0 *= TILE, pixel1 = least(pixel1 * TILE, pixels);
	}
	if (s.planes > 1)
		planes_part(s, f, f.scratch[thread], panel0, panel1, pixel0, pixel1);
	else
		dense_part(s, f, reinterpret_cast<Places *>(f.scratch[thread]), panel0, panel1, pixel0, pixel1);
}

// depthwise_pixels computes P pixels of a row of a convolution of each channel of its own.
template <int P> void depthwise_pixels(const float *x, int32_t step, const int32_t *read, int reads, const float *w, V bias, float *y, Act act) {
	V c[P];
#pragma GCC unroll 8
	for (int p = 0; p < P; p++)
		c[p] = bias;
	for (int t = 0; t < reads; t++) {
		V wv = load(w + t * B);
		const float *q = x + read[t];
#pragma GCC unroll 8
		for (int p = 0; p < P; p++)
			c[p] += wv * load(q + p * step);
	}
#pragma GCC unroll 8
	for (int p = 0; p < P; p++)
		store(y + p * B, act == RELU ? larger(c[p], V{}) : act == HARD_SWISH ? activate<HARD_SWISH>(c[p]) : c[p]);
	if (act > RELU && act != HARD_SWISH)
		activate_all(y, P, act);
}

// each_row calls fn with the places of each row of a block of channels of the result of a thread's part, after the border was
// cleared, and then writes the row in bfloat16.
template <class F> void each_row(const Step &s, const Frame &f, int32_t thread, int32_t threads, F fn) {
	const Image &y = s.out;
	float *yd = write_of(y, f);
	int32_t blocks = y.blocks();
	int64_t from, to;
	share(int64_t(y.n) * blocks * y.h, thread, threads, &from, &to);
	for (int64_t k = from; k < to; k++) {
		int32_t i = k / y.h / blocks, b = k / y.h % blocks, yy = k % y.h;
		if (yy == 0)
			clear_border(y, yd, i, b);
		float *q = yd + y.at(i, b, yy, 0);
		fn(i, b, yy, q);
		halve(y, yd, q, y.w);
	}
}

// each_pixel calls fn with the place of the first channels of each pixel of a thread's part, likewise.
template <class F> void each_pixel(const Step &s, const Frame &f, int32_t thread, int32_t threads, F fn) {
	const Image &y = s.out;
	float *yd = write_of(y, f);
	int64_t area = int64_t(y.h) * y.w, from, to;
	share(y.n * area, thread, threads, &from, &to);
	for (int64_t k = from; k < to; k++) {
		int32_t i = k / area, yy = k % area / y.w, xx = k % y.w;
		if (k % area == 0)
			for (int32_t b = 0; b < y.blocks(); b++)
				clear_border(y, yd, i, b);
		float *q = yd + y.at(i, 0, yy, xx);
		fn(i, yy, xx, q);
		for (int32_t b = 0; y.halves && b < y.blocks(); b++)
			halve(y, yd, q + b * y.plane(), 1);
	}
}

void depthwise(const Step &s, const Frame &f, int32_t thread, int32_t threads) {
	const Image &x = s.in[0], &y = s.out;
	const Image *r = s.inputs > 1 ? &s.in[1] : nullptr;
	const float *xd = read_of(x, f);
	int32_t step = s.stride[1] * B;
	Act act = r ? NO_ACT : s.act;
	each_row(s, f, thread, threads, [&](int32_t i, int32_t b, int32_t yy, float *q) {
		const float *p = xd + x.at(i, b, yy * s.stride[0] - s.padding[0], -s.padding[1]), *w = s.weight + int64_t(b) * s.reads * B;
		V bias = load(s.bias + b * B);
		int32_t xx = 0;
		for (; xx + 8 <= y.w; xx += 8)
			depthwise_pixels<8>(p + xx * step, step, s.read, s.reads, w, bias, q + xx * B, act);
		for (; xx + 7 <= y.w; xx += 7) // the width of the last maps of many networks
			depthwise_pixels<7>(p + xx * step, step, s.read, s.reads, w, bias, q + xx * B, act);
		for (; xx + 3 <= y.w; xx += 3)
			depthwise_pixels<3>(p + xx * step, step, s.read, s.reads, w, bias, q + xx * B, act);
		for (; xx < y.w; xx++)
			depthwise_pixels<1>(p + xx * step, step, s.read, s.reads, w, bias, q + xx * B, act);
		if (r) {
			const float *rp = read_of(*r, f) + r->at(i, b, yy, 0);
			for (xx = 0; xx < y.w; xx++)
				store(q + xx * B, load(q + xx * B) + load(rp + xx * B));
			activate_all(q, y.w, s.act);
		}
	});
}

void pool(const Step &s, const Frame &f, int32_t thread, int32_t threads) {
	const Image &x = s.in[0], &y = s.out;
	const float *xd = read_of(x, f);
	bool max = s.kind == MAX_POOL;
	each_row(s, f, thread, threads, [&](int32_t i, int32_t b, int32_t yy, float *q) {
		for (int32_t xx = 0; xx < y.w; xx++, q += B) {
			int32_t dy = max ? s.dilation[0] : 1, dx = max ? s.dilation[1] : 1;
			int32_t y0 = yy * s.stride[0] - s.padding[0], x0 = xx * s.stride[1] - s.padding[1];
			int32_t y1 = y0 + s.kernel[0] * dy, x1 = x0 + s.kernel[1] * dx;
			int32_t window = (least(y1, x.h + s.padding[0]) - y0) * (least(x1, x.w + s.padding[1]) - x0);
			y0 = y0 < 0 ? y0 + (-y0 + dy - 1) / dy * dy : y0;
			x0 = x0 < 0 ? x0 + (-x0 + dx - 1) / dx * dx : x0;
			y1 = least(y1, x.h), x1 = least(x1, x.w);
			V v = max ? splat(-INFINITY) : V{};
			for (int32_t a = y0; a < y1; a += dy) {
				const float *p = xd + x.at(i, b, a, 0);
				if (max)
					for (int32_t c = x0; c < x1; c += dx)
						v = larger(load(p + int64_t(c) * B), v); // keeps NaN of neither side; the proof by timing compares with eager
				else
					for (int32_t c = x0; c < x1; c++)
						v += load(p + int64_t(c) * B);
			}
			if (!max) {
				int32_t divisor = s.divisor ? s.divisor : s.count_padding ? window : (y1 - y0) * (x1 - x0);
				v *= 1.f / divisor;
			}
			store(q, v);
		}
	});
}

void mean(const Step &s, const Frame &f, int32_t thread, int32_t threads) {
	const Image &x = s.in[0];
	const float *xd = read_of(x, f);
	each_row(s, f, thread, threads, [&](int32_t i, int32_t b, int32_t, float *q) {
		V v[4] = {};
		for (int32_t yy = 0; yy < x.h; yy++) {
			const float *p = xd + x.at(i, b, yy, 0);
			for (int32_t xx = 0; xx < x.w; xx++)
				v[xx % 4] += load(p + int64_t(xx) * B);
		}
		store(q, (v[0] + v[1] + v[2] + v[3]) * (1.f / (int64_t(x.h) * x.w)));
	});
}

void binary(const Step &s, const Frame &f, int32_t thread, int32_t threads) {
	const Image &a = s.in[0], &b = s.in[1];
	const float *ad = read_of(a, f), *bd = read_of(b, f);
	bool one = b.h == 1 && b.w == 1, mul = s.kind == MUL;
	each_row(s, f, thread, threads, [&](int32_t i, int32_t c, int32_t yy, float *q) {
		const float *p = ad + a.at(i, c, yy, 0), *r = bd + b.at(b.n == 1 ? 0 : i, c, b.h == 1 ? 0 : yy, 0);
		int32_t w = s.out.w;
		if (one && mul) {
			V v = load(r);
			for (int32_t x = 0; x < w; x++)
				store(q + x * B, load(p + x * B) * v);
		} else if (one) {
			V v = load(r);
			for (int32_t x = 0; x < w; x++)
				store(q + x * B, load(p + x * B) + v);
		} else if (mul) {
			for (int32_t x = 0; x < w; x++)
				store(q + x * B, load(p + x * B) * load(r + x * B));
		} else {
			for (int32_t x = 0; x < w; x++)
				store(q + x * B, load(p + x * B) + load(r + x * B));
		}
		if (s.act)
			activate_all(q, w, s.act);
	});
}

void scale(const Step &s, const Frame &f, int32_t thread, int32_t threads) {
	const Image &x = s.in[0];
	const float *xd = read_of(x, f);
	each_row(s, f, thread, threads, [&](int32_t i, int32_t b, int32_t yy, float *q) {
		const float *p = xd + x.at(i, b, yy, 0);
		V w = load(s.weight + b * B), o = load(s.bias + b * B);
		for (int32_t xx = 0; xx < x.w; xx++)
			store(q + xx * B, load(p + xx * B) * w + o);
		if (s.act)
			activate_all(q, x.w, s.act);
	});
}

void layer_norm(const Step &s, const Frame &f, int32_t thread, int32_t threads) {
	const Image &x = s.in[0], &y = s.out;
	const float *xd = read_of(x, f);
	int32_t blocks = x.blocks(), rest = x.c % B ? x.c % B : B;
	V mask; // of the lanes of the last block
	for (int l = 0; l < B; l++)
		mask[l] = l < rest ? 1 : 0;
	each_pixel(s, f, thread, threads, [&](int32_t i, int32_t yy, int32_t xx, float *q) {
		const float *p = xd + x.at(i, 0, yy, xx);
		int64_t xp = x.plane(), yp = y.plane();
		V t = {};
		for (int32_t b = 0; b + 1 < blocks; b++)
			t += load(p + b * xp);
		t += load(p + (blocks - 1) * xp) * mask;
		float m = sum(t) / x.c;
		V v = {};
		for (int32_t b = 0; b < blocks; b++) {
			V d = load(p + b * xp) - m;
			v += b + 1 < blocks ? d * d : d * d * mask;
		}
		float inverse = 1.f / __builtin_sqrtf(sum(v) / x.c + s.eps);
		for (int32_t b = 0; b < blocks; b++)
			store(q + b * yp, (load(p + b * xp) - m) * inverse * load(s.weight + b * B) + load(s.bias + b * B));
	});
}

// copy_channels copies channels of a row: n from channel from of x on, to channel to of y on. Blocks that they share with other
// channels keep those.
void copy_channels(const float *x, int64_t xplane, int32_t from, float *y, int64_t yplane, int32_t to, int32_t n, int32_t w) {
	for (int32_t c = 0; c < n;) {
		int32_t a = from + c, b = to + c;
		const float *p = x + a / B * xplane;
		float *q = y + b / B * yplane;
		int32_t run = least(n - c, least(B - a % B, B - b % B));
		if (run == B)
			memcpy(q, p, int64_t(w) * B * sizeof(float));
		else
			for (int32_t i = 0; i < w; i++)
				for (int32_t k = 0; k < run; k++)
					q[i * B + b % B + k] = p[i * B + a % B + k];
		c += run;
	}
}

// channels is of instructions whose result has channels of their inputs.
void channels(const Step &s, const Frame &f, int32_t thread, int32_t threads) {
	const Image &y = s.out;
	float *yd = write_of(y, f);
	int64_t from, to;
	share(int64_t(y.n) * y.h, thread, threads, &from, &to);
	for (int64_t k = from; k < to; k++) { // a row
		int32_t i = k / y.h, yy = k % y.h;
		if (yy == 0)
			for (int32_t b = 0; b < y.blocks(); b++)
				clear_border(y, yd, i, b);
		float *q = yd + y.at(i, 0, yy, 0);
		if (y.c % B) // the lanes behind the last channel
			memset(q + (y.blocks() - 1) * y.plane(), 0, int64_t(y.w) * B * sizeof(float));
		if (s.kind == SHUFFLE) {
			const Image &x = s.in[0];
			const float *p = read_of(x, f) + x.at(i, 0, yy, 0);
			int32_t each = x.c / s.groups;
			for (int32_t c = 0; c < y.c; c++) {
				int32_t a = c % s.groups * each + c / s.groups;
				const float *px = p + a / B * x.plane() + a % B;
				float *qx = q + c / B * y.plane() + c % B;
				for (int32_t xx = 0; xx < y.w; xx++)
					qx[xx * B] = px[xx * B];
			}
		} else {
			int32_t c = 0;
			for (int32_t j = 0; j < s.inputs; j++) {
				const Image &x = s.in[j];
				int32_t n = s.kind == SLICE ? y.c : x.c;
				copy_channels(read_of(x, f) + x.at(i, 0, yy, 0), x.plane(), s.offset, q, y.plane(), c, n, y.w);
				c += n;
			}
		}
		for (int32_t b = 0; y.halves && b < y.blocks(); b++)
			halve(y, yd, q + b * y.plane(), y.w);
	}
}

void concat_pixels(const Step &s, const Frame &f, int32_t thread, int32_t threads) {
	each_row(s, f, thread, threads, [&](int32_t i, int32_t b, int32_t, float *q) {
		for (int32_t j = 0; j < s.inputs; j++) {
			const Image &x = s.in[j];
			memcpy(q, read_of(x, f) + x.at(x.n == 1 ? 0 : i, b, 0, 0), int64_t(x.w) * B * sizeof(float));
			q += int64_t(x.w) * B;
		}
	});
}

void gather(const Step &s, const Frame &f, int32_t thread, int32_t threads) {
	const Image &x = s.in[0], &y = s.out;
	const float *xd = read_of(x, f);
	int32_t in = x.n / s.groups, out = y.n / s.groups; // images of a sample
	each_row(s, f, thread, threads, [&](int32_t i, int32_t b, int32_t yy, float *q) {
		const int32_t *table = s.table + (int64_t(i % out) * y.h + yy) * y.w;
		int32_t first = i / out * in;
		for (int32_t xx = 0, run; xx < y.w; xx += run) {
			int32_t a = table[xx], left = least(y.w - xx, x.w - a % x.w);
			for (run = 1; run < left && a >= 0 && table[xx + run] == a + run; run++)
				;
			if (a < 0)
				store(q + xx * B, V{});
			else // neighbors in a row remain neighbors
				memcpy(q + xx * B, xd + x.at(first + a / (x.h * x.w), b, a / x.w % x.h, a % x.w), int64_t(run) * B * sizeof(float));
		}
	});
}

// normalize divides the channels of each group of a pixel by their norm.
void normalize(const Step &s, const Frame &f, int32_t thread, int32_t threads) {
	const Image &x = s.in[0], &y = s.out;
	const float *xd = read_of(x, f);
	int32_t each = x.c / s.groups;
	each_pixel(s, f, thread, threads, [&](int32_t i, int32_t yy, int32_t xx, float *q) {
		const float *p = xd + x.at(i, 0, yy, xx);
		if (y.c % B)
			store(q + (y.blocks() - 1) * y.plane(), V{});
		for (int32_t g = 0; g < s.groups; g++) {
			float squares = 0;
			for (int32_t c = g * each; c < (g + 1) * each; c++) {
				float v = p[c / B * x.plane() + c % B];
				squares += v * v;
			}
			float factor = 1.f / most(__builtin_sqrtf(squares), s.eps);
			for (int32_t c = g * each; c < (g + 1) * each; c++)
				q[c / B * y.plane() + c % B] = p[c / B * x.plane() + c % B] * factor * s.weight[c];
		}
	});
}

// attention computes heads of images, for ROWS queries at a time: scores, softmax and the weighted sums of the values. Keys and
// values are packed as the weights of convolutions.
constexpr int ROWS = 8 * TILE;

struct Heads {
	int32_t width, keys;    // channels of a head; blocks of keys
	int64_t packed, scores; // floats of the keys, and as many of the values; of the scores
	explicit Heads(const Step &s) {
		width = s.out.c / s.heads;
		keys = (s.in[1].w + B - 1) / B;
		packed = int64_t(keys) * B * width;
		scores = int64_t(keys) * B * ROWS;
	}
};

void attention(const Step &s, const Frame &f, int32_t thread, int32_t threads) {
	const Image &xq = s.in[0], &xk = s.in[1], &xv = s.in[2], &y = s.out;
	const Heads h(s);
	float *zeros = f.scratch[thread], *weights = zeros + WIDE * B, *values = weights + h.packed, *scores = values + h.packed;
	auto *read = reinterpret_cast<int32_t *>(scores + h.scores);
	auto *places = reinterpret_cast<Places *>(read + most(h.width / B, h.keys));
	memset(zeros, 0, WIDE * B * sizeof(float));
	int32_t keys = xk.w, rows = xq.w;
	float *yd = write_of(y, f);
	// Several threads may share the queries of a head where there are too few heads, and each packs its keys.
	int32_t parts = (rows + ROWS - 1) / ROWS;
	int64_t from, to, packed = -1;
	share(int64_t(y.n) * s.heads * parts, thread, threads, &from, &to);
	for (int64_t k = from; k < to; k++) {
		int64_t head = k / parts;
		int32_t i = head / s.heads, hd = head % s.heads, row = k % parts * ROWS, n = least(ROWS, rows - row);
		const float *q = read_of(xq, f) + xq.at(i, (s.offsets[0] + hd * h.width) / B, 0, row);
		if (packed != head) {
			packed = head;
			const float *kd = read_of(xk, f) + xk.at(i, (s.offsets[1] + hd * h.width) / B, 0, 0);
			for (int32_t p = 0; p < h.keys; p += WIDE) { // channels become rows
				int32_t wide = least(WIDE, h.keys - p) * B;
				float *to_key = weights + int64_t(p) * B * h.width;
				for (int32_t l = 0; l < wide; l++)
					for (int32_t b = 0; b < h.width / B; b++) {
						int32_t key = p * B + l;
						alignas(64) float k[B];
						store(k, key < keys ? load(kd + b * xk.plane() + int64_t(key) * B) * s.eps : V{});
						for (int32_t c = 0; c < B; c++)
							to_key[(b * B + c) * wide + l] = k[c];
					}
			}
			const float *vd = read_of(xv, f) + xv.at(i, (s.offsets[2] + hd * h.width) / B, 0, 0);
			int32_t blocks = h.width / B;
			float *to_value = values;
			for (int32_t p = 0; p < blocks; p += WIDE)
				for (int32_t key = 0; key < h.keys * B; key++)
					for (int32_t o = p; o < least(p + WIDE, blocks); o++, to_value += B)
						store(to_value, key < keys ? load(vd + o * xv.plane() + int64_t(key) * B) : V{});
		}
		int64_t plane = int64_t(ROWS) * B; // of the scores: [blocks of keys][ROWS][B]
		for (int32_t b = 0; b < h.width / B; b++)
			read[b] = b * xq.plane();
		for (int32_t p = 0; p < n; p++)
			places->x[p] = places->y[p] = p * B;
		for (int32_t p = 0; p < h.keys; p += WIDE)
			compute(least(WIDE, h.keys - p), B, false, n, {.x = q, .xs = places->x, .width = B, .read = read, .reads = h.width / B, .w = weights + int64_t(p) * B * h.width, .bias = zeros, .apart = 0,
			                                               .y = scores + p * plane, .ys = places->y, .yplane = plane, .r = nullptr, .rs = places->y, .rplane = 0, .act = NO_ACT, .next = weights});
		const float *mask = s.weight ? s.weight + ((int64_t(i % s.divisor) * s.count_padding + (s.count_padding > 1 ? hd : 0)) * rows + row) * keys : nullptr;
		float inverse[ROWS]; // of the sums of the rows
		for (int32_t r = 0; r < n; r++) {
			float *p = scores + r * B;
			int32_t rest = keys - (h.keys - 1) * B; // keys of the last block
			V m = splat(-INFINITY);
			for (int32_t b = 0; b < h.keys; b++) {
				V v = load(p + b * plane);
				if (mask) {
					const float *from_mask = mask + int64_t(r) * keys + b * B;
					if (b + 1 < h.keys || rest == B)
						v += *reinterpret_cast<const Unaligned *>(from_mask);
					else
						for (int32_t l = 0; l < rest; l++)
							v[l] += from_mask[l];
				}
				if (b + 1 == h.keys)
					for (int32_t l = rest; l < B; l++)
						v[l] = -INFINITY;
				store(p + b * plane, v);
				m = larger(m, v);
			}
			float top = m[0];
			for (int l = 1; l < B; l++)
				top = most(top, m[l]);
			top = top == -INFINITY ? 0 : top; // a row that is masked wholly
			V total = {};
			for (int32_t b = 0; b < h.keys; b++) {
				V v = load(p + b * plane), e = exponential(v - top);
				e = v == -INFINITY ? V{} : e;
				store(p + b * plane, e);
				total += e;
			}
			inverse[r] = 1.f / sum(total);
		}
		for (int32_t b = 0; b < h.keys; b++)
			read[b] = b * plane;
		int32_t blocks = h.width / B;
		float *out = yd + y.at(i, hd * blocks, 0, row);
		const float *w = values;
		for (int32_t p = 0; p < blocks; p += WIDE) {
			int32_t wide = least(WIDE, blocks - p);
			compute(wide, B, false, n, {.x = scores, .xs = places->x, .width = B, .read = read, .reads = h.keys, .w = w, .bias = zeros, .apart = 0, .y = out + p * y.plane(),
			                            .ys = places->y, .yplane = y.plane(), .r = nullptr, .rs = places->y, .rplane = 0, .act = NO_ACT, .next = weights});
			w += int64_t(h.keys) * B * wide * B;
		}
		for (int32_t b = 0; b < blocks; b++) {
			float *p = out + b * y.plane();
			for (int32_t r = 0; r < n; r++)
				store(p + r * B, load(p + r * B) * inverse[r]);
			halve(y, yd, p, n);
		}
		if (row == 0)
			for (int32_t b = 0; b < blocks; b++)
				clear_border(y, yd, i, hd * blocks + b);
	}
}

// read_port and write_port copy tensors to images and back.
void read_port(const Step &s, const Frame &f, int32_t thread, int32_t threads) {
	const Image &y = s.out;
	const float *x = f.in[s.port];
	each_row(s, f, thread, threads, [&](int32_t i, int32_t b, int32_t yy, float *q) {
		int32_t n = least(y.block, y.c - b * y.block);
		const float *p = x + i * s.strides[0] + int64_t(b) * y.block * s.strides[1] + yy * s.strides[2];
		int64_t cs = s.strides[1], ws = s.strides[3];
		if (y.block == 1 && ws == 1) {
			memcpy(q, p, y.w * sizeof(float));
		} else if (cs == 1 && n == B) {
			for (int32_t xx = 0; xx < y.w; xx++)
				*reinterpret_cast<Unaligned *>(q + xx * B) = *reinterpret_cast<const Unaligned *>(p + xx * ws);
		} else if (n == B) {
			for (int32_t xx = 0; xx < y.w; xx++)
				for (int32_t c = 0; c < B; c++)
					q[xx * B + c] = p[xx * ws + c * cs];
		} else {
			for (int32_t xx = 0; xx < y.w; xx++)
				for (int32_t c = 0; c < y.block; c++)
					q[xx * y.block + c] = c < n ? p[xx * ws + c * cs] : 0;
		}
	});
}

void write_port(const Step &s, const Frame &f, int32_t thread, int32_t threads) {
	const Image &x = s.in[0];
	const float *xd = read_of(x, f);
	float *y = f.out[s.port];
	int64_t from, to;
	int32_t blocks = x.blocks();
	share(int64_t(x.n) * blocks * x.h, thread, threads, &from, &to);
	for (int64_t k = from; k < to; k++) {
		int32_t i = k / x.h / blocks, b = k / x.h % blocks, yy = k % x.h, n = least(x.block, x.c - b * x.block);
		const float *p = xd + x.at(i, b, yy, 0);
		float *q = y + i * s.strides[0] + int64_t(b) * x.block * s.strides[1] + yy * s.strides[2];
		int64_t cs = s.strides[1], ws = s.strides[3];
		if (cs == 1 && n == B) {
			for (int32_t xx = 0; xx < x.w; xx++)
				*reinterpret_cast<Unaligned *>(q + xx * ws) = *reinterpret_cast<const Unaligned *>(p + xx * B);
		} else {
			for (int32_t c = 0; c < n; c++)
				for (int32_t xx = 0; xx < x.w; xx++)
					q[xx * ws + c * cs] = p[xx * x.block + c];
		}
	}
}

int64_t scratch(const Step &s) {
	constexpr int64_t places = sizeof(Places) / sizeof(float);
	if (s.kind == CONV)
		return s.planes > 1 ? Units(s).scratch(s) : places;
	if (s.kind != ATTENTION)
		return 0;
	const Heads h(s);
	return WIDE * B + 2 * h.packed + h.scores + most(h.width / B, h.keys) + places;
}

void run(const Step &s, const Frame &f, int32_t thread, int32_t threads) {
	switch (s.kind) {
	case CONV:
		return s.depthwise ? depthwise(s, f, thread, threads) : dense(s, f, thread, threads);
	case MAX_POOL:
	case AVG_POOL:
		return pool(s, f, thread, threads);
	case MEAN:
		return mean(s, f, thread, threads);
	case ADD:
	case MUL:
		return binary(s, f, thread, threads);
	case SCALE:
		return scale(s, f, thread, threads);
	case LAYER_NORM:
		return layer_norm(s, f, thread, threads);
	case CONCAT:
	case SLICE:
	case SHUFFLE:
		return channels(s, f, thread, threads);
	case CONCAT_PIXELS:
		return concat_pixels(s, f, thread, threads);
	case GATHER:
		return gather(s, f, thread, threads);
	case ATTENTION:
		return attention(s, f, thread, threads);
	case NORMALIZE:
		return normalize(s, f, thread, threads);
	case READ:
		return read_port(s, f, thread, threads);
	case WRITE:
		return write_port(s, f, thread, threads);
	default:
		return;
	}
}

const Kernels kernels = {ENGINE_TEXT(ENGINE), B, choose, pack, scratch, run};

} // namespace

const Kernels *ENGINE_NAME(ENGINE)() { return &kernels; }

#endif

} // namespace torchhub
