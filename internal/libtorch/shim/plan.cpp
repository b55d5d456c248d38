// Plans: programs of package kernels, checked, with packed weights. A plan that is wrong in any number is an error, since
// the kernels use the numbers unchecked. The weights of convolutions are packed once all of the program is checked, so that
// nothing can be wrong any more when the first of them is given up.

#include "engine.h"
#include "shim.hpp"
#include "values.h"

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <numeric>
#include <span>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace torchhub {
namespace {

const Kernels *choose_kernels() {
#if defined(__x86_64__)
	const char *set = getenv("ATEN_CPU_CAPABILITY"); // libtorch's own setting, for the same purpose
	std::string_view most = set ? set : "avx512";
	if (const Kernels *k = kernels_avx512(); k && most == "avx512" && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
	                                         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
		return k;
	if (const Kernels *k = kernels_avx2(); k && most != "default" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return k;
#endif
	return kernels_base();
}

const Kernels *engine() {
	static const Kernels *k = choose_kernels();
	return k;
}

// half_engine returns the kernels that also multiply bfloat16, or null. They have the blocks of engine's.
const Kernels *half_engine() {
#if defined(__x86_64__)
	static const bool has = [] { // not every compiler that knows the instructions has a name for this bit
		unsigned a, b, c, d;
		return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1);
	}();
	if (has && engine() == kernels_avx512())
		return kernels_avx512bf16();
#endif
	return nullptr;
}

void pause_briefly() {
#if defined(__x86_64__)
	_mm_pause();
#elif defined(__aarch64__)
	asm volatile("isb"); // yield takes no time on most processors
#endif
}

// Memory is floats for vectors. Large pieces lie in pages of 2 MB where the system has them.
struct Free {
	void operator()(float *p) const { free(p); }
};
using Memory = std::unique_ptr<float[], Free>;

Memory allocate(int64_t floats) {
	constexpr size_t large = 2 << 20;
	size_t bytes = (floats + 16) * sizeof(float), unit = bytes >= large ? large : 64;
#ifdef __SANITIZE_ADDRESS__
	bytes = std::max<int64_t>(floats, 1) * sizeof(float), unit = 64; // to see what is behind it
#endif
	bytes = (bytes + unit - 1) / unit * unit;
	void *p = aligned_alloc(unit, bytes);
	if (!p)
		throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
	if (unit == large)
		madvise(p, bytes, MADV_HUGEPAGE);
#endif
	return Memory(static_cast<float *>(p));
}

// A Team is threads that work together, the caller being the first. They sleep when there is nothing to do. What they wait for is
// written in the one order of all threads, or who writes might not see who begins to sleep.
class Team {
  public:
	explicit Team(int32_t size) : size_(size), groups_(size + 1) {
		for (int32_t t = 1; t < size; t++)
			std::thread([this, t] { wait(t); }).detach(); // teams are never freed
	}

	// run calls f with the number of each thread, on all of them at once.
	template <class F> void run(F f) {
		call_ = [](void *f, int32_t t) { (*static_cast<F *>(f))(t); };
		argument_ = &f;
		left_.store(size_ - 1, std::memory_order_relaxed);
		job_.fetch_add(1);
		wake(job_);
		f(0);
		for (int32_t left; (left = left_.load(std::memory_order_acquire)) != 0;)
			watch(left_, left);
	}

	// meet returns when all threads of a group, a number of them, have called it. All threads are the group behind the last.
	void meet(int32_t group, int32_t members) {
		if (members == 1)
			return;
		Group &g = groups_[group];
		uint32_t round = g.round.load(std::memory_order_relaxed);
		if (g.arrived.fetch_add(1, std::memory_order_acq_rel) == members - 1) {
			g.arrived.store(0, std::memory_order_relaxed);
			g.round.store(round + 1);
			wake(g.round);
			return;
		}
		watch(g.round, round);
	}

	int32_t size() const { return size_; }

  private:
	// watch returns when a number has changed. It sleeps after some time: what it waits for may need this core.
	template <class T> void watch(const std::atomic<T> &number, T old) {
		for (int k = 1; k < 4096; k++) {
			if (number.load(std::memory_order_acquire) != old)
				return;
			if (k % 512)
				pause_briefly();
			else
				std::this_thread::yield();
		}
		asleep_.fetch_add(1);
		number.wait(old);
		asleep_.fetch_sub(1);
	}

	// wake wakes those that watch a number, after it was changed. Calls of the system are only made where there are some.
	template <class T> void wake(std::atomic<T> &number) {
		if (asleep_.load())
			number.notify_all();
	}

	void wait(int32_t t) {
		for (uint32_t seen = 0;; seen++) {
			watch(job_, seen);
			call_(argument_, t);
			if (left_.fetch_sub(1) == 1)
				wake(left_);
		}
	}

	struct alignas(64) Group {
		std::atomic<uint32_t> round = 0;
		std::atomic<int32_t> arrived = 0;
	};

	const int32_t size_;
	std::vector<Group> groups_;
	void (*call_)(void *, int32_t) = nullptr;
	void *argument_ = nullptr;
	std::atomic<uint32_t> job_ = 0;
	std::atomic<int32_t> left_ = 0, asleep_ = 0;
};

// Teams without work, to use again. As many exist as plans run at once, which the caller limits.
std::mutex teams_mutex;
std::vector<Team *> idle_teams;

class Borrowed {
  public:
	explicit Borrowed(int32_t size) {
		std::lock_guard lock(teams_mutex);
		for (auto &t : idle_teams)
			if (t->size() == size) {
				team_ = std::exchange(t, idle_teams.back());
				idle_teams.pop_back();
				return;
			}
		team_ = new Team(size);
	}
	Borrowed(const Borrowed &) = delete;
	~Borrowed() {
		std::lock_guard lock(teams_mutex);
		idle_teams.push_back(team_);
	}
	Team &operator*() { return *team_; }

  private:
	Team *team_;
};

// A Workspace is the memory of one run.
struct Workspace {
	Memory arena;
	std::vector<Memory> scratch, local; // of each thread
};

// A Loop is steps that are computed for one image after the other, so that results are still in the cache when they are read. Groups
// of threads share the images.
struct Loop {
	size_t from, to; // steps
	int32_t turns;   // images; 1 for a step that computes all of them at once
};

// A Packing is a convolution whose weights are not packed yet.
struct Packing {
	Step step;
	at::Tensor weight, bias; // bias may be undefined
	float *to, *to_bias;
	int32_t *read, *start;
	int64_t floats;
};

struct Plan {
	const Kernels *kernels = engine();
	std::vector<Image> values;
	std::vector<Step> steps;
	std::vector<Loop> loops; // of all steps, in their order
	std::vector<std::unique_ptr<Image[]>> inputs;
	std::vector<Memory> floats;
	std::vector<std::vector<int32_t>> numbers;
	std::vector<Packing> packings; // until plan_pack
	bool packed = false, lean = false;
	int64_t arena = 0, local = 0, scratch = 0;
	std::vector<int64_t> in, out; // elements of the tensors of each port
	std::mutex mutex;
	std::vector<std::unique_ptr<Workspace>> idle; // guarded by mutex
};

constexpr int64_t MOST = INT32_MAX / 2;  // of all sizes, so that sums of two are in range
constexpr int32_t LOOP_INPUTS = 64; // the most of an instruction in a loop

// Words are a program, read word by word.
class Words {
  public:
	Words(const int64_t *words, size_t n) : at_(words), end_(words + n) {}

	int64_t word() {
		TORCH_CHECK(at_ < end_, "the program ends too early");
		return *at_++;
	}

	int64_t number(int64_t least, int64_t most, const char *what) {
		int64_t v = word();
		TORCH_CHECK(v >= least && v <= most, what, " is ", v, ", and not from ", least, " to ", most);
		return v;
	}

	int64_t left() const { return end_ - at_; }

  private:
	const int64_t *at_, *end_;
};

// A Builder makes the plan of a program.
class Builder {
  public:
	Builder(Plan *p, Words r, const thub_tensor *weights, size_t n) : p_(*p), r_(r) {
		for (size_t i = 0; i < n; i++)
			weights_.push_back(borrow(weights[i]));
	}

	void build() {
		p_.arena = r_.number(0, int64_t(1) << 36, "the arena");
		p_.local = r_.number(0, int64_t(1) << 36, "the arena of loops");
		p_.lean = r_.number(0, 1, "whether memory counts more than time");
		int64_t n = r_.number(0, r_.left(), "the number of values");
		for (int64_t i = 0; i < n; i++)
			value();
		written_.resize(n, -1);
		int64_t in = r_.number(0, 64, "the number of inputs"), out = r_.number(0, 64, "the number of outputs");
		p_.in.assign(in, -1), p_.out.assign(out, -1);
		n = r_.number(0, r_.left(), "the number of instructions");
		for (int64_t i = 0; i < n; i++)
			instruction();
		TORCH_CHECK(r_.left() == 0, "the program has words behind its end");
		for (int64_t v : p_.in)
			TORCH_CHECK(v >= 0, "an input is not read");
		for (int64_t v : p_.out)
			TORCH_CHECK(v >= 0, "an output is not written");
		check_memory();
	}

  private:
	void value() {
		Image v{};
		v.n = r_.number(1, MOST, "N of a value"), v.c = r_.number(1, MOST, "C of a value");
		v.h = r_.number(1, MOST, "H of a value"), v.w = r_.number(1, MOST, "W of a value");
		v.top = r_.number(0, 4096, "a border"), v.side = r_.number(0, 4096, "a border");
		v.block = r_.number(1, 64, "a block");
		TORCH_CHECK(v.block == 1 || v.block == p_.kernels->block, "a block has ", v.block, " channels, and not 1 or ", p_.kernels->block);
		v.halves = r_.number(0, 1, "whether there is bfloat16");
		if (v.halves) {
			TORCH_CHECK(v.block > 1 && half_engine(), "a value has bfloat16, for which there are no kernels");
			p_.kernels = half_engine();
		}
		v.local = r_.number(0, 1, "whether a value is of a turn of a loop");
		v.offset = r_.number(0, v.local ? p_.local : p_.arena, "an offset");
		TORCH_CHECK(v.offset % 16 == 0, "an offset is not a multiple of 16");
		__int128 size = __int128(v.n) * ((v.c + v.block - 1) / v.block);
		size = size * ((v.h + 2 * v.top) * __int128(v.w + 2 * v.side) * v.block + 32); // a plane is a little larger
		TORCH_CHECK(size < MOST, "a value is too large");
		p_.values.push_back(v);
	}

	// take returns a value that an instruction reads or writes, as it sees it: in a loop, the image of the first turn.
	Image take(bool write, int64_t *ret_number) {
		int64_t i = *ret_number = r_.number(0, p_.values.size() - 1, "the number of a value");
		TORCH_CHECK((written_[i] >= 0) != write, "value ", i, write ? " is written twice" : " is read before it is written");
		Image v = p_.values[i];
		if (write)
			written_[i] = loop_;
		TORCH_CHECK(!v.local || (turns_ > 1 && v.n == 1 && written_[i] == loop_), "value ", i, " is not of this loop");
		if (turns_ > 1) {
			TORCH_CHECK(v.n == 1 || v.n == turns_, "value ", i, " has ", v.n, " images, and the loop ", turns_, " turns");
			TORCH_CHECK(!v.halves, "a loop has bfloat16");
			v.next = v.n == 1 ? 0 : v.image();
			v.n = 1;
		}
		return v;
	}

	const at::Tensor *weight() {
		int64_t i = r_.number(-1, int64_t(weights_.size()) - 1, "the number of a weight");
		if (i < 0)
			return nullptr;
		const at::Tensor &t = weights_[i];
		TORCH_CHECK(t.defined() && t.device().is_cpu() && t.scalar_type() == at::kFloat && t.is_contiguous(), "a weight is not a contiguous float32 tensor on the CPU");
		return &t;
	}

	void pair(int32_t *to, int64_t least, const char *what) {
		to[0] = r_.number(least, 65536, what), to[1] = r_.number(least, 65536, what);
	}

	void instruction() {
		Step s{};
		s.lean = p_.lean;
		int64_t turns = r_.number(1, MOST, "the turns of a loop");
		if (r_.number(0, 1, "whether a loop begins") || turns == 1)
			loop_++;
		else
			TORCH_CHECK(turns == turns_, "a loop has ", turns_, " turns, and then ", turns);
		turns_ = turns;
		s.kind = Kind(r_.number(0, KINDS - 1, "a kind"));
		TORCH_CHECK(turns == 1 || (s.kind != GATHER && s.kind != ATTENTION && s.kind != CONCAT_PIXELS && s.kind != CONST && s.kind != WRITE), "an instruction of a kind that is not for loops");
		s.act = Act(r_.number(0, ACTS - 1, "an activation"));
		s.inputs = r_.number(0, r_.left(), "the number of inputs");
		auto in = std::make_unique<Image[]>(s.inputs);
		std::vector<int64_t> numbers(s.inputs + 1);
		TORCH_CHECK(turns == 1 || s.inputs <= LOOP_INPUTS, "an instruction of a loop has too many inputs");
		for (int32_t i = 0; i < s.inputs; i++)
			in[i] = take(false, &numbers[i + 1]);
		s.in = in.get();
		p_.inputs.push_back(std::move(in));
		if (s.kind == WRITE) { // the tensor of a port is no value
			TORCH_CHECK(s.inputs == 1, "an output is not of one value");
			numbers[0] = r_.number(0, 0, "the value of an output");
			s.out = s.in[0];
		} else {
			s.out = take(true, &numbers[0]);
			TORCH_CHECK(turns == 1 || s.out.local || s.out.next > 0, "all turns of a loop write the same image");
		}
		const at::Tensor *w = weight(), *b = weight();
		pair(s.kernel, 1, "a kernel");
		pair(s.stride, 1, "a stride");
		pair(s.padding, 0, "a padding");
		pair(s.dilation, 1, "a dilation");
		s.groups = r_.number(1, MOST, "groups");
		s.heads = r_.number(1, MOST, "heads");
		s.offset = r_.number(0, MOST, "an offset");
		for (int32_t &o : s.offsets)
			o = r_.number(0, MOST, "an offset");
		s.count_padding = r_.number(0, 1, "whether padding counts");
		s.divisor = r_.number(0, MOST, "a divisor");
		s.eps = float(std::bit_cast<double>(r_.word()));
		s.port = r_.number(0, 63, "a port");
		for (int64_t &v : s.strides)
			v = r_.number(0, MOST, "a stride");
		std::vector<int32_t> table(r_.number(0, r_.left(), "the size of a table"));
		for (int32_t &v : table)
			v = r_.number(-1, MOST, "an entry of a table");
		check(s, w, b, std::move(table));
		p_.scratch = std::max(p_.scratch, p_.kernels->scratch(s));
		if (s.kind == CONST) {
			p_.values[numbers[0]].data = s.out.data;
			return;
		}
		if (s.kind == WRITE)
			numbers[0] = -1;
		if (p_.loops.empty() || loop_ != last_loop_)
			p_.loops.push_back({p_.steps.size(), p_.steps.size(), int32_t(turns_)});
		last_loop_ = loop_;
		p_.steps.push_back(s);
		p_.loops.back().to = p_.steps.size();
		operands_.push_back(std::move(numbers));
	}

	static bool same(const Image &a, const Image &b) { return a.n == b.n && a.c == b.c && a.h == b.h && a.w == b.w; }

	void inputs(const Step &s, int32_t least, int32_t most) { TORCH_CHECK(s.inputs >= least && s.inputs <= most, "an instruction has ", s.inputs, " inputs"); }

	void check(Step &s, const at::Tensor *w, const at::Tensor *b, std::vector<int32_t> table) {
		const Image &out = s.out;
		const int32_t block = p_.kernels->block;
		TORCH_CHECK(s.kind == READ || s.kind == WRITE || out.block == block, "a result is not in blocks");
		for (int32_t i = 0; i < s.inputs; i++)
			TORCH_CHECK(s.in[i].block == block || (s.kind == CONV && i == 0) || s.kind == WRITE, "an input is not in blocks");
		const Image *x = s.in;
		switch (s.kind) {
		case CONV:
			inputs(s, 1, 2);
			convolution(s, w, b);
			break;
		case MAX_POOL:
		case AVG_POOL:
			inputs(s, 1, 1);
			TORCH_CHECK(x->n == out.n && x->c == out.c, "a pool has another N or C");
			for (int d = 0; d < 2; d++) {
				int64_t size = d ? x->w : x->h, last = (int64_t(d ? out.w : out.h) - 1) * s.stride[d] - s.padding[d];
				TORCH_CHECK(s.padding[d] <= s.kernel[d] / 2 && last < size, "a window of a pool is outside of the image");
			}
			break;
		case MEAN:
			inputs(s, 1, 1);
			TORCH_CHECK(x->n == out.n && x->c == out.c && out.h == 1 && out.w == 1, "a mean has another shape");
			break;
		case ADD:
		case MUL:
			inputs(s, 2, 2);
			TORCH_CHECK(same(x[0], out) && x[1].c == out.c && (x[1].n == out.n || x[1].n == 1) && ((x[1].h == out.h && x[1].w == out.w) || (x[1].h == 1 && x[1].w == 1)),
			            "the shapes of a sum or product do not fit");
			break;
		case SCALE:
		case LAYER_NORM:
			inputs(s, 1, 1);
			TORCH_CHECK(same(*x, out), "a result has another shape");
			s.weight = channels(w, out.c, 1), s.bias = channels(b, out.c, 0);
			break;
		case NORMALIZE:
			inputs(s, 1, 1);
			TORCH_CHECK(same(*x, out) && x->c % s.groups == 0, "the groups to normalize do not fit");
			s.weight = channels(w, out.c, 1);
			break;
		case CONCAT: {
			inputs(s, 1, 4096);
			s.offset = 0;
			int64_t c = 0;
			for (int32_t i = 0; i < s.inputs; i++) {
				TORCH_CHECK(x[i].n == out.n && x[i].h == out.h && x[i].w == out.w, "the shapes to concatenate do not fit");
				c += x[i].c;
			}
			TORCH_CHECK(c == out.c, "the channels to concatenate are ", c, ", and not ", out.c);
			break;
		}
		case CONCAT_PIXELS: {
			inputs(s, 1, 4096);
			int64_t width = 0;
			for (int32_t i = 0; i < s.inputs; i++) {
				TORCH_CHECK((x[i].n == out.n || x[i].n == 1) && x[i].c == out.c && x[i].h == 1, "the shapes to concatenate do not fit");
				width += x[i].w;
			}
			TORCH_CHECK(width == out.w && out.h == 1, "the pixels to concatenate are ", width, ", and not ", out.w);
			break;
		}
		case SLICE:
			inputs(s, 1, 1);
			TORCH_CHECK(x->n == out.n && x->h == out.h && x->w == out.w && s.offset + out.c <= x->c, "a slice is outside of its value");
			break;
		case SHUFFLE:
			inputs(s, 1, 1);
			TORCH_CHECK(same(*x, out) && x->c % s.groups == 0, "a shuffle does not fit");
			break;
		case GATHER: {
			inputs(s, 1, 1);
			int64_t area = int64_t(out.h) * out.w, images = table.size() / area;
			TORCH_CHECK(images > 0 && table.size() % area == 0 && out.n % images == 0 && x->c == out.c, "a table does not fit");
			s.groups = out.n / images; // samples
			TORCH_CHECK(x->n % s.groups == 0, "a table does not fit");
			int64_t most = int64_t(x->n / s.groups) * x->h * x->w;
			for (int32_t v : table)
				TORCH_CHECK(v < most, "an entry of a table is outside of the image");
			p_.numbers.push_back(std::move(table));
			s.table = p_.numbers.back().data();
			break;
		}
		case ATTENTION: {
			inputs(s, 3, 3);
			TORCH_CHECK(out.h == 1 && out.n == x[0].n && out.w == x[0].w && x[1].w == x[2].w && out.c % s.heads == 0, "the shapes of an attention do not fit");
			TORCH_CHECK(out.c / s.heads % block == 0, "the heads of an attention have ", out.c / s.heads, " channels, which is no multiple of ", block);
			for (int i = 0; i < 3; i++)
				TORCH_CHECK(x[i].n == out.n && x[i].h == 1 && s.offsets[i] % block == 0 && s.offsets[i] + out.c <= x[i].c, "the shapes of an attention do not fit");
			if (w) {
				TORCH_CHECK(w->dim() == 4 && w->size(2) == x[0].w && w->size(3) == x[1].w && (w->size(1) == 1 || w->size(1) == s.heads) && w->size(0) > 0 && out.n % w->size(0) == 0,
				            "the mask of an attention does not fit");
				s.divisor = w->size(0), s.count_padding = w->size(1);
				s.weight = copy(*w);
			}
			break;
		}
		case CONST:
			constant(s, w);
			break;
		case READ:
			inputs(s, 0, 0);
			port(s, p_.in);
			break;
		case WRITE:
			inputs(s, 1, 1);
			TORCH_CHECK(same(*x, out), "a result has another shape");
			port(s, p_.out);
			break;
		default:
			TORCH_CHECK(false, "an instruction of an unknown kind");
		}
	}

	void convolution(Step &s, const at::Tensor *w, const at::Tensor *b) {
		const Image &x = s.in[0], &out = s.out;
		TORCH_CHECK(x.n == out.n && x.c % s.groups == 0 && out.c % s.groups == 0 && (x.block > 1 || s.groups == 1), "the groups of a convolution do not fit");
		TORCH_CHECK(s.inputs == 1 || same(s.in[1], out), "a residual has another shape");
		for (int d = 0; d < 2; d++) {
			int64_t size = d ? x.w : x.h, border = d ? x.side : x.top;
			int64_t last = (int64_t(d ? out.w : out.h) - 1) * s.stride[d] - s.padding[d] + (s.kernel[d] - 1) * int64_t(s.dilation[d]);
			TORCH_CHECK(s.padding[d] <= border && last < size + border, "a convolution reads behind the border of its input");
		}
		int64_t taps = int64_t(s.kernel[0]) * s.kernel[1];
		TORCH_CHECK(taps <= 65536 && w && w->numel() == out.c * (x.c / s.groups) * taps, "the weight of a convolution has another size");
		TORCH_CHECK(!b || b->numel() == out.c, "the bias of a convolution has another size");
		int64_t nw, nb;
		int32_t reads;
		p_.kernels->choose(&s, &nw, &nb, &reads);
		float *pw = floats(nw), *pb = floats(nb);
		p_.numbers.emplace_back(reads);
		int32_t *read = p_.numbers.back().data();
		p_.numbers.emplace_back(s.panels);
		int32_t *start = p_.numbers.back().data();
		s.weight = pw, s.bias = pb, s.read = read, s.start = start;
		p_.packings.push_back({s, *w, b ? *b : at::Tensor(), pw, pb, read, start, nw});
	}

	void constant(Step &s, const at::Tensor *w) {
		Image &out = s.out;
		inputs(s, 0, 0);
		TORCH_CHECK(w && w->numel() == int64_t(out.n) * out.c * out.h * out.w, "a constant has another size");
		s.strides[3] = 1, s.strides[2] = out.w, s.strides[1] = int64_t(out.h) * out.w, s.strides[0] = s.strides[1] * out.c;
		float *to = floats(out.size());
		const float *from = w->const_data_ptr<float>();
		Step r = s;
		r.kind = READ, r.port = 0, r.out.offset = 0;
		p_.kernels->run(r, {.arena = to, .local = nullptr, .in = &from, .out = nullptr, .scratch = nullptr}, 0, 1);
		out.data = to;
	}

	void port(const Step &s, std::vector<int64_t> &ports) {
		Image v = s.out;
		v.n = turns_ > 1 ? turns_ : v.n;
		TORCH_CHECK(s.port < int64_t(ports.size()) && ports[s.port] < 0, "a port is used twice, or not there");
		__int128 last = __int128(v.n - 1) * s.strides[0] + __int128(v.c - 1) * s.strides[1] + __int128(v.h - 1) * s.strides[2] + __int128(v.w - 1) * s.strides[3];
		int64_t elements = int64_t(v.n) * v.c * v.h * v.w;
		TORCH_CHECK(last == elements - 1, "the strides of a port are not those of a dense tensor");
		ports[s.port] = elements;
	}

	// floats returns memory that the plan keeps. Pieces are parts of larger ones, so that most lie in large pages.
	float *floats(int64_t n) {
#ifndef __SANITIZE_ADDRESS__
		constexpr int64_t least = 1 << 16, most = 4 << 20;
		n = (n + 15) / 16 * 16;
		if (n > left_) {
			left_ = std::max(n, std::clamp(4 * used_, least, most));
			p_.floats.push_back(allocate(left_));
			free_ = p_.floats.back().get();
		}
		float *to = free_;
		free_ += n, left_ -= n, used_ += n;
		return to;
#else // to see what is behind each
		p_.floats.push_back(allocate(n));
		return p_.floats.back().get();
#endif
	}

	const float *copy(const at::Tensor &t) {
		float *to = floats(t.numel());
		memcpy(to, t.const_data_ptr<float>(), t.numel() * sizeof(float));
		return to;
	}

	// channels returns the numbers of the channels, in whole blocks.
	const float *channels(const at::Tensor *t, int32_t c, float otherwise) {
		TORCH_CHECK(!t || t->numel() == c, "a weight has ", t ? t->numel() : 0, " elements for ", c, " channels");
		int64_t n = (c + p_.kernels->block - 1) / p_.kernels->block * p_.kernels->block;
		float *to = floats(n);
		for (int64_t i = 0; i < n; i++)
			to[i] = i >= c ? 0 : t ? t->const_data_ptr<float>()[i] : otherwise;
		return to;
	}

	// in_place returns whether the result of a step takes over the memory of its first input, which the kernels allow.
	static bool in_place(const Step &s) {
		const Image &x = s.in[0];
		return (s.kind == ADD || s.kind == MUL || s.kind == SCALE) && same(x, s.out) && !x.data && x.local == s.out.local && x.offset == s.out.offset && x.top == s.out.top &&
		       x.side == s.out.side;
	}

	static void apart(const Image &a, const Image &b) {
		TORCH_CHECK(a.local != b.local || a.offset + a.size() <= b.offset || b.offset + b.size() <= a.offset, "a value overlaps one that is still read");
	}

	// check_memory checks that what a step writes overlaps nothing that it, or a later one, reads. In a loop, a later one is also an earlier
	// one of the next turn.
	void check_memory() {
		for (const Image &v : p_.values)
			TORCH_CHECK(v.data || written_[&v - p_.values.data()] < 0 || v.offset + v.size() <= (v.local ? p_.local : p_.arena), "a value is outside of the arena");
		std::map<int64_t, const Image *> live; // by number: what later steps read
		for (size_t l = p_.loops.size(); l-- > 0;) {
			const Loop &loop = p_.loops[l];
			if (loop.turns > 1) {
				std::map<int64_t, const Image *> written;
				for (size_t i = loop.from; i < loop.to; i++) {
					int64_t number = operands_[i][0];
					const Image &v = p_.values[number];
					if (!v.local)
						written[number] = &v;
					for (int64_t n : std::span(operands_[i]).subspan(1))
						if (!p_.values[n].local && !p_.values[n].data)
							live[n] = &p_.values[n];
				}
				live.insert(written.begin(), written.end());
				for (auto [number, v] : written)
					for (auto [other, u] : live)
						if (other != number)
							apart(*v, *u);
				for (auto [number, v] : written)
					live.erase(number);
			}
			for (size_t i = loop.to; i-- > loop.from;) {
				const Step &s = p_.steps[i];
				const std::vector<int64_t> &numbers = operands_[i]; // the result's first
				live.erase(numbers[0]);
				int64_t taken = in_place(s) && !live.contains(numbers[1]) && (loop.turns == 1 || s.out.local) ? numbers[1] : -1;
				for (int32_t k = 0; k < s.inputs; k++)
					if (!s.in[k].data && (loop.turns == 1 || s.in[k].local))
						live[numbers[k + 1]] = &p_.values[numbers[k + 1]];
				if (s.kind == WRITE || (loop.turns > 1 && !s.out.local))
					continue;
				for (auto [number, v] : live)
					if (number != taken)
						apart(s.out, *v);
			}
		}
	}

	Plan &p_;
	float *free_ = nullptr; // where the last memory has room for left_ floats; used_ are taken
	int64_t left_ = 0, used_ = 0;
	Words r_;
	std::vector<at::Tensor> weights_;
	std::vector<int64_t> written_; // the loop that writes each value, or -1
	int64_t loop_ = 0, last_loop_ = -1, turns_ = 1; // of the instruction, of the last step
	std::vector<std::vector<int64_t>> operands_; // the numbers of the values of each step
};

} // namespace

int32_t engine_block(const char **ret_name) {
	*ret_name = engine()->name;
	return engine()->block;
}

int32_t engine_bfloat16() { return half_engine() != nullptr; }

void plan_new(const int64_t *words, size_t n, const thub_tensor *weights, size_t nweights, thub_plan *ret_plan) {
	auto p = std::make_unique<Plan>();
	Builder(p.get(), Words(words, n), weights, nweights).build();
	*ret_plan = reinterpret_cast<thub_plan>(p.release());
}

void plan_pack(thub_plan plan, int32_t threads) {
	auto &p = *reinterpret_cast<Plan *>(plan);
	for (Packing &k : p.packings) {
		const float *from = k.weight.const_data_ptr<float>(), *bias = k.bias.defined() ? k.bias.const_data_ptr<float>() : nullptr;
		{
			Borrowed team(k.floats > 100000 && threads > 1 ? threads : 1);
			(*team).run([&](int32_t t) { p.kernels->pack(k.step, from, bias, k.to, k.to_bias, k.read, k.start, t, (*team).size()); });
		}
		int64_t live = live_bytes();
		k.weight.reset();
		k.bias.reset();
		if (live_bytes() < live) // no one else holds the weight: it is not kept in the cache beside the packed one
			trim();
	}
	p.packings.clear();
	p.packed = true;
}

// run_turn runs a step of a loop for the image of a turn.
static void run_turn(const Plan &p, const Step &step, int64_t turn, const Frame &frame, int32_t thread, int32_t threads) {
	Step s = step;
	Frame f = frame;
	Image in[LOOP_INPUTS];
	for (int32_t k = 0; k < s.inputs; k++) {
		in[k] = step.in[k];
		int64_t distance = turn * in[k].next;
		if (in[k].data)
			in[k].data += distance;
		else
			in[k].offset += distance;
	}
	s.in = in;
	s.out.offset += turn * s.out.next;
	const float *tensor = nullptr;
	if (s.kind == READ) {
		tensor = f.in[s.port] + turn * s.strides[0];
		f.in = &tensor;
		s.port = 0;
	}
	p.kernels->run(s, f, thread, threads);
}

void plan_run(thub_plan plan, const thub_tensor *tensors, size_t n, int32_t threads, const int32_t *cancel, int32_t *ret_canceled, int64_t *ret_ns, size_t cap) {
	auto &p = *reinterpret_cast<Plan *>(plan);
	TORCH_CHECK(p.packed, "the plan is not packed");
	TORCH_CHECK(n == p.in.size() + p.out.size(), "the plan has ", p.in.size(), " inputs and ", p.out.size(), " outputs, and ", n, " tensors are given");
	std::vector<at::Tensor> held;
	std::vector<const float *> in;
	std::vector<float *> out;
	for (size_t i = 0; i < n; i++) {
		held.push_back(borrow(tensors[i]));
		const at::Tensor &t = held.back();
		int64_t elements = i < p.in.size() ? p.in[i] : p.out[i - p.in.size()];
		TORCH_CHECK(t.defined() && t.device().is_cpu() && t.scalar_type() == at::kFloat && t.is_contiguous() && t.numel() == elements,
		            "tensor ", i, " of the plan is not a contiguous float32 tensor of ", elements, " elements on the CPU");
		if (i < p.in.size())
			in.push_back(t.const_data_ptr<float>());
		else
			out.push_back(static_cast<float *>(t.data_ptr()));
	}
	threads = threads < 1 ? 1 : threads;
	std::unique_ptr<Workspace> w;
	{
		std::lock_guard lock(p.mutex);
		if (!p.idle.empty()) {
			w = std::move(p.idle.back());
			p.idle.pop_back();
		}
	}
	if (!w) {
		w = std::make_unique<Workspace>();
		w->arena = allocate(p.arena);
	}
	while (w->scratch.size() < size_t(threads)) {
		w->scratch.push_back(allocate(p.scratch));
		w->local.push_back(allocate(p.local));
	}
	std::vector<float *> scratch;
	for (const Memory &m : w->scratch)
		scratch.push_back(m.get());
	std::atomic<size_t> last = p.loops.size(); // the loop behind which all threads stop
	std::vector<std::atomic<int32_t>> stop(threads); // the turn before which those of a group do
	for (auto &turn : stop)
		turn.store(INT32_MAX, std::memory_order_relaxed);
	{
		Borrowed team(threads);
		(*team).run([&](int32_t t) {
			auto canceled = [cancel] { return __atomic_load_n(cancel, __ATOMIC_RELAXED) != 0; };
			auto before = std::chrono::steady_clock::now();
			auto note = [&](size_t i) {
				if (t == 0 && i < cap) {
					auto now = std::chrono::steady_clock::now();
					ret_ns[i] += std::chrono::duration_cast<std::chrono::nanoseconds>(now - before).count();
					before = now;
				}
			};
			for (size_t l = 0; l < last.load(std::memory_order_relaxed); l++) {
				if (t == 0 && canceled())
					last.store(l + 1, std::memory_order_relaxed);
				const Loop &loop = p.loops[l];
				int32_t groups = std::gcd(loop.turns, threads), members = threads / groups, group = t / members;
				Frame f{.arena = w->arena.get(), .local = w->local[group].get(), .in = in.data(), .out = out.data(), .scratch = scratch.data() + group * members};
				for (int32_t turn = group; turn < std::min(loop.turns, stop[group].load(std::memory_order_relaxed)); turn += groups) {
					if (t % members == 0 && canceled())
						stop[group].store(turn + groups, std::memory_order_relaxed);
					for (size_t i = loop.from; i < loop.to; i++) {
						if (loop.turns == 1)
							p.kernels->run(p.steps[i], f, t, threads);
						else
							run_turn(p, p.steps[i], turn, f, t % members, members);
						(*team).meet(group, members);
						note(i);
					}
				}
				if (groups > 1)
					(*team).meet(threads, threads);
				note(loop.to - 1);
			}
		});
	}
	*ret_canceled = last < p.loops.size();
	std::lock_guard lock(p.mutex);
	p.idle.push_back(std::move(w));
}

void plan_free(thub_plan plan) { delete reinterpret_cast<Plan *>(plan); }

} // namespace torchhub
