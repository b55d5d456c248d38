// The guards of public operators that trust an argument. Those whose name begins
// with an underscore have none, as package unchecked documents.

#include "guard.h"

#include <ATen/ExpandUtils.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <unordered_map>
#include <vector>

namespace torchhub __attribute__((visibility("hidden"))) {

using c10::IValue;

namespace {

const at::Tensor &tensor(Args a, size_t i) { return a[i].toTensor(); }

// given reports whether an argument is a tensor, and not None.
bool given(Args a, size_t i) { return a[i].isTensor() && a[i].toTensor().defined(); }

void dense(const at::Tensor &t) {
	TORCH_CHECK(!t.is_nested(), "the tensors must be dense, not nested");
	TORCH_CHECK(t.layout() == at::kStrided && !t.is_quantized(), "the tensors must be dense, not ", t.layout(), " of ", t.scalar_type());
}

// plain checks that the tensors are dense.
void plain(Args a, std::initializer_list<size_t> which) {
	for (size_t i : which) {
		if (given(a, i))
			dense(tensor(a, i));
		else if (a[i].isTensorList())
			for (const at::Tensor &t : a[i].toTensorVector())
				dense(t);
	}
}

// akin checks that the tensors are dense, of the same dtype and on the same
// device.
void akin(Args a, std::initializer_list<size_t> which) {
	plain(a, which);
	const at::Tensor *first = nullptr;
	for (size_t i : which) {
		if (!given(a, i))
			continue;
		const at::Tensor &t = tensor(a, i);
		if (!first)
			first = &t;
		TORCH_CHECK(t.scalar_type() == first->scalar_type(), "the dtypes ", t.scalar_type(), " and ", first->scalar_type(), " must be equal");
		TORCH_CHECK(t.device() == first->device(), "the tensors lie on ", t.device(), " and ", first->device());
	}
}

void floating(Args a, std::initializer_list<size_t> which) {
	akin(a, which);
	for (size_t i : which)
		TORCH_CHECK(!given(a, i) || tensor(a, i).is_floating_point(), "the tensors must be of a floating-point dtype, not ", tensor(a, i).scalar_type());
}

void size(const at::Tensor &t, at::IntArrayRef want, const char *name) {
	TORCH_CHECK(t.sizes() == want, name, " has the size ", t.sizes(), "; it must be ", want);
}

// sized checks the size of the tensors that are given.
void sized(Args a, std::initializer_list<size_t> which, at::IntArrayRef want) {
	for (size_t i : which)
		if (given(a, i))
			size(tensor(a, i), want, ("argument " + std::to_string(i)).c_str());
}

int64_t dim(const at::Tensor &t, int64_t d) {
	TORCH_CHECK_INDEX(d >= -t.dim() && d < t.dim(), "dim ", d, " is out of range for a tensor of ", t.dim(), " dimensions");
	return d < 0 ? d + t.dim() : d;
}

// range checks that a tensor has integers from 0 to n - 1.
void range(const at::Tensor &t, int64_t n, const char *name) {
	TORCH_CHECK(at::isIntegralType(t.scalar_type(), false), name, " must hold integers, not ", t.scalar_type());
	dense(t);
	if (t.numel() == 0 || !t.is_cpu())
		return;
	auto min = t.min().item<int64_t>(), max = t.max().item<int64_t>();
	TORCH_CHECK_INDEX(min >= 0 && max < n, name, " must lie from 0 to ", n - 1, "; they lie from ", min, " to ", max);
}

void finite(const at::Tensor &t, const char *name) {
	if (t.is_cpu() && t.layout() == at::kStrided)
		TORCH_CHECK(at::isfinite(t).all().item<bool>(), name, " must not contain infs or NaNs");
}

// count checks that so many elements fit into memory.
void count(std::initializer_list<int64_t> ns) {
	int64_t n = 1;
	for (int64_t v : ns)
		TORCH_CHECK(!__builtin_mul_overflow(n, std::max<int64_t>(v, 1), &n) && n < int64_t(1) << 58, "a tensor of so many elements is too large for any memory");
}

void some(const IValue &list) { TORCH_CHECK(!list.toTensorVector().empty(), "expected a non-empty list of tensors"); }

// padded checks grad_output, self and padding against the forward of n dimensions.
void padded(Args a, size_t n) {
	floating(a, {0, 1});
	auto pad = a[2].toIntVector();
	auto want = tensor(a, 1).sizes().vec();
	TORCH_CHECK(pad.size() == 2 * n && (want.size() == n + 1 || want.size() == n + 2), "the input must have ", n + 1, " or ", n + 2, " dimensions, and ", 2 * n, " paddings");
	for (size_t d = 0; d < n; d++)
		want[want.size() - 1 - d] += pad[2 * d] + pad[2 * d + 1];
	sized(a, {0}, want);
}

// pooled checks that the gradient has as many planes of n dimensions as the input, and that the indices are within
// them.
void pooled(Args a, size_t n, size_t indices) {
	const at::Tensor &grad = tensor(a, 0), &self = tensor(a, 1);
	floating(a, {0, 1});
	TORCH_CHECK((self.dim() == int64_t(n + 1) || self.dim() == int64_t(n + 2)) && grad.dim() == self.dim(), "the input and the gradient must both have ", n + 1, " or ", n + 2, " dimensions");
	int64_t planes = self.dim() - int64_t(n), elements = 1;
	TORCH_CHECK(grad.sizes().slice(0, planes) == self.sizes().slice(0, planes), "the gradient has the size ", grad.sizes(), " for an input of ", self.sizes());
	for (int64_t d = planes; d < self.dim(); d++)
		elements *= self.size(d);
	if (indices) {
		TORCH_CHECK(tensor(a, indices).scalar_type() == at::kLong, "the indices must be int64");
		sized(a, {indices}, grad.sizes());
		range(tensor(a, indices), elements, "the indices");
	}
}

// normalized checks that these arguments of batch norm have a number for each channel.
void normalized(Args a, size_t input, std::initializer_list<size_t> channels) {
	const at::Tensor &x = tensor(a, input);
	plain(a, channels);
	dense(x);
	TORCH_CHECK(x.dim() >= 2, "the input must have 2 dimensions or more");
	TORCH_CHECK(x.is_floating_point(), "the input must be of a floating-point dtype, not ", x.scalar_type());
	sized(a, channels, {x.size(1)});
	for (size_t i : channels)
		if (given(a, i))
			TORCH_CHECK((tensor(a, i).scalar_type() == x.scalar_type() || tensor(a, i).scalar_type() == at::kFloat) && tensor(a, i).device() == x.device(),
			            "argument ", i, " is of ", tensor(a, i).scalar_type(), " for an input of ", x.scalar_type());
}

void both(Args a, size_t i, size_t j) {
	TORCH_CHECK(given(a, i) && given(a, j), "arguments ", i, " and ", j, " must be given");
}

// normalized_backward checks the tensors that batch norm's forward saves, which are none outside of
// training.
void normalized_backward(Args a) { // grad_out, input, weight, running_mean, running_var, save_mean, save_invstd, train
	bool train = a[7].toBool();
	akin(a, {0, 1});
	sized(a, {0}, tensor(a, 1).sizes());
	normalized(a, 1, {2, 3, 4});
	if (train || (given(a, 5) && tensor(a, 5).numel()) || (given(a, 6) && tensor(a, 6).numel()))
		normalized(a, 1, {5, 6});
	both(a, train ? 5 : 3, train ? 6 : 4);
}

std::vector<int64_t> numbers(const IValue &v) {
	if (!v.isTensor())
		return v.toIntVector();
	at::Tensor t = v.toTensor().to(at::kLong).cpu().contiguous().view(-1);
	return {t.const_data_ptr<int64_t>(), t.const_data_ptr<int64_t>() + t.numel()};
}

// ctc checks that the targets and lengths are within log_probs [T, N, C] or [T, C].
void ctc(Args a, size_t log_probs, size_t blank) { // log_probs, targets, input_lengths, target_lengths
	const at::Tensor &x = tensor(a, log_probs), &targets = tensor(a, log_probs + 1);
	floating(a, {log_probs});
	TORCH_CHECK(x.dim() == 2 || x.dim() == 3, "log_probs must have 2 or 3 dimensions");
	int64_t time = x.size(0), batch = x.dim() == 3 ? x.size(1) : 1, classes = x.size(-1), sum = 0;
	TORCH_CHECK(targets.dim() == 1 || (targets.dim() == 2 && targets.size(0) == batch), "the targets ", targets.sizes(), " do not fit a batch of ", batch);
	range(targets, classes, "the targets");
	TORCH_CHECK(a[blank].toInt() >= 0 && a[blank].toInt() < classes, "blank is ", a[blank].toInt(), " and must lie from 0 to ", classes - 1);
	auto inputs = numbers(a[log_probs + 2]), lengths = numbers(a[log_probs + 3]);
	TORCH_CHECK(int64_t(inputs.size()) == batch && int64_t(lengths.size()) == batch, "there must be ", batch, " input_lengths and target_lengths");
	for (int64_t n : inputs)
		TORCH_CHECK(n >= 0 && n <= time, "an input length is ", n, " and must lie from 0 to ", time);
	for (int64_t n : lengths) {
		TORCH_CHECK(n >= 0 && n <= targets.size(-1), "a target length is ", n, " and must lie from 0 to ", targets.size(-1));
		sum += n;
	}
	TORCH_CHECK(targets.dim() == 2 || sum <= targets.size(0), "the target lengths sum up to ", sum, "; there are ", targets.size(0), " targets");
}

void embedded(Args a) { // grad, indices, num_weights
	plain(a, {0});
	range(tensor(a, 1), a[2].toInt(), "the indices");
	TORCH_CHECK(tensor(a, 0).dim() >= 1 && tensor(a, 0).numel() == tensor(a, 1).numel() * tensor(a, 0).size(-1), "the gradient ", tensor(a, 0).sizes(), " does not fit the indices ", tensor(a, 1).sizes());
}

// bags checks that the indices are within the weights, and that the offsets, unless their number is 0, rise within the indices.
void bags(Args a, int64_t weights, size_t indices, size_t offsets) {
	range(tensor(a, indices), weights, "the indices");
	if (!offsets || tensor(a, indices).dim() != 1)
		return;
	const at::Tensor &o = tensor(a, offsets);
	range(o, tensor(a, indices).numel() + 1, "the offsets");
	if (o.is_cpu() && o.numel() > 1)
		TORCH_CHECK((o.diff() >= 0).all().item<bool>(), "the offsets must rise");
}

// pivots checks that the pivots of a factorization of matrices [*, m, n] are from least
// to m.
void pivots(Args a, size_t lu, size_t pivots, int64_t least) {
	const at::Tensor &m = tensor(a, lu), &p = tensor(a, pivots);
	TORCH_CHECK(m.dim() >= 2 && p.scalar_type() == at::kInt, "the pivots must be int32, of a matrix or several");
	dense(p);
	if (p.numel() == 0 || !p.is_cpu())
		return;
	auto min = p.min().item<int64_t>(), max = p.max().item<int64_t>(), rows = m.size(-2);
	TORCH_CHECK(min >= std::max(least, -rows) && min != 0 && max <= rows, "the pivots must lie from 1 to ", rows, "; they lie from ", min, " to ", max);
	TORCH_CHECK((p != 0).all().item<bool>(), "a pivot is 0");
}

void layer_norm(Args a) { // grad_out, input, normalized_shape, mean, rstd, weight, bias
	floating(a, {0, 1});
	plain(a, {3, 4, 5, 6});
	auto shape = a[2].toIntVector();
	const at::Tensor &x = tensor(a, 1);
	sized(a, {0}, x.sizes());
	TORCH_CHECK(!shape.empty() && x.dim() >= int64_t(shape.size()) && x.sizes().slice(x.dim() - shape.size()) == at::IntArrayRef(shape), "normalized_shape ", shape, " does not fit the input ", x.sizes());
	sized(a, {5, 6}, shape);
	int64_t rows = 1;
	for (int64_t d = 0; d < x.dim() - int64_t(shape.size()); d++)
		rows *= x.size(d);
	TORCH_CHECK(tensor(a, 3).numel() == rows && tensor(a, 4).numel() == rows && tensor(a, 3).scalar_type() == tensor(a, 4).scalar_type() && (tensor(a, 3).scalar_type() == x.scalar_type() || tensor(a, 3).scalar_type() == at::kFloat),
	            "mean and rstd must have ", rows, " numbers of the input's dtype");
}

// group_norm checks N, C, HxW and group, the arguments from at on, against the input.
void group_norm(Args a, size_t input, std::initializer_list<size_t> channels, size_t at) {
	const at::Tensor &x = tensor(a, input);
	floating(a, {input});
	plain(a, channels);
	int64_t n = a[at].toInt(), c = a[at + 1].toInt(), rest = a[at + 2].toInt(), groups = a[at + 3].toInt();
	count({n, c, rest});
	TORCH_CHECK(n >= 0 && c >= 0 && rest >= 0 && x.numel() == n * c * rest, "N, C and HxW are not those of the input ", x.sizes());
	TORCH_CHECK(groups > 0 && c % groups == 0, "group is ", groups, " and must divide ", c);
	sized(a, channels, {c});
}

void classes(Args a) { // grad_output, self, target, weight, reduction, ignore_index
	const at::Tensor &x = tensor(a, 1), &target = tensor(a, 2);
	TORCH_CHECK(x.dim() >= 1 && at::isIntegralType(target.scalar_type(), false), "the targets must be integers, and the input have classes");
	dense(target);
	int64_t n = x.size(x.dim() == 1 ? 0 : 1);
	if (target.is_cpu())
		TORCH_CHECK_INDEX((((target >= 0) & (target < n)) | (target == a[5].toInt())).all().item<bool>(), "the targets must lie from 0 to ", n - 1);
}

// recurrent checks that a network's weights have the sizes that follow from the input and the state.
void recurrent(Args a, bool packed, int64_t n) { // input or data and batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional
	size_t at = packed ? 2 : 1;
	std::vector<at::Tensor> hx;
	if (a[at].isTensorList())
		hx = a[at].toTensorVector();
	else
		hx.push_back(tensor(a, at));
	auto params = a[at + 1].toTensorVector();
	bool biases = a[at + 2].toBool();
	int64_t layers = a[at + 3].toInt(), directions = a[at + 6].toBool() ? 2 : 1;
	const at::Tensor &x = tensor(a, 0);
	dense(x);
	TORCH_CHECK(layers >= 1 && layers < 1 << 20, "num_layers is ", layers);
	TORCH_CHECK(x.dim() == (packed ? 2 : 3) && x.is_floating_point(), "the input must be floating-point numbers of ", packed ? 2 : 3, " dimensions");
	TORCH_CHECK(hx.size() == (n == 4 ? 2u : 1u), "the state must be ", n == 4 ? "two tensors" : "one tensor");
	for (const auto &h : hx) {
		dense(h);
		TORCH_CHECK(h.dim() == 3 && h.size(0) == layers * directions && h.scalar_type() == x.scalar_type() && h.device() == x.device(),
		            "the state is ", h.sizes(), " of ", h.scalar_type(), "; it must be of ", layers * directions, " layers and the input's dtype and device");
		TORCH_CHECK(h.size(1) == hx[0].size(1), "the states are of different batches");
		if (!packed)
			TORCH_CHECK(h.size(1) == x.size(a[at + 7].toBool() ? 0 : 1), "the state is of a batch of ", h.size(1), " for an input ", x.sizes());
	}
	int64_t hidden = hx.back().size(2), out = hx[0].size(2);
	size_t each = (biases ? 4 : 2) + (out != hidden ? 1 : 0);
	TORCH_CHECK(params.size() == each * size_t(layers * directions), "there are ", params.size(), " weights; it takes ", each * size_t(layers * directions));
	for (const auto &p : params) {
		dense(p);
		TORCH_CHECK(p.scalar_type() == x.scalar_type() && p.device() == x.device(), "a weight is of ", p.scalar_type(), " on ", p.device());
	}
	size_t i = 0;
	for (int64_t l = 0; l < layers * directions; l++) {
		int64_t in = l < directions ? x.size(-1) : out * directions;
		size(params[i++], {n * hidden, in}, "a weight_ih");
		size(params[i++], {n * hidden, out}, "a weight_hh");
		for (int b = 0; biases && b < 2; b++)
			size(params[i++], {n * hidden}, "a bias");
		if (out != hidden)
			size(params[i++], {out, hidden}, "a weight_hr");
	}
	if (packed) {
		const at::Tensor &sizes = tensor(a, 1);
		TORCH_CHECK(sizes.dim() == 1 && sizes.scalar_type() == at::kLong && sizes.is_cpu() && sizes.layout() == at::kStrided && sizes.numel() > 0, "batch_sizes must be int64 numbers on the CPU");
		TORCH_CHECK(sizes.sum().item<int64_t>() == x.size(0) && sizes.min().item<int64_t>() > 0 && sizes[0].item<int64_t>() == hx[0].size(1) && (sizes.diff() <= 0).all().item<bool>(),
		            "batch_sizes must fall from the state's ", hx[0].size(1), " and sum up to ", x.size(0));
	}
}

void layer(Args a) { // input, weight_ih, weight_hh, bias_ih, bias_hh, hx, cx, reverse, batch_sizes, mode, hidden_size
	floating(a, {0, 1, 2, 3, 4, 5, 6});
	const at::Tensor &x = tensor(a, 0);
	int64_t hidden = a[10].toInt(), mode = a[9].toInt();
	TORCH_CHECK(mode == 2 && a[11].toInt() >= 1, "the mode must be 2, an LSTM, of a layer or more");
	TORCH_CHECK(x.dim() == 3 && hidden > 0 && hidden < 1 << 24, "the input must have 3 dimensions, and hidden_size be above 0");
	sized(a, {1}, {4 * hidden, x.size(2)});
	sized(a, {2}, {4 * hidden, hidden});
	sized(a, {3, 4}, {4 * hidden});
	for (size_t i : {5, 6})
		TORCH_CHECK(tensor(a, i).numel() == x.size(1) * hidden && tensor(a, i).dim() >= 2 && tensor(a, i).size(-1) == hidden, "the states must be of ", x.size(1), " by ", hidden, " numbers");
}

// kernel checks that the last dimensions of the weight are at least kernel_size; libtorch accepts
// more.
void kernel(Args a) { // self, weight, kernel_size, bias
	akin(a, {0, 1, 3});
	auto ks = a[2].toIntVector();
	bool fits = tensor(a, 1).dim() == int64_t(ks.size() + 2);
	for (size_t d = 0; d < ks.size(); d++)
		fits = fits && ks[d] <= tensor(a, 1).size(int64_t(d) + 2);
	TORCH_CHECK(fits, "the weight ", tensor(a, 1).sizes(), " does not fit kernel_size ", ks);
}

// order checks that a degree is small enough to be computed.
void order(const IValue &n) {
	if (n.isTensor()) {
		const at::Tensor &t = n.toTensor();
		if (t.is_cpu() && t.layout() == at::kStrided && t.numel() > 0 && !t.is_complex())
			TORCH_CHECK(!(t.to(at::kDouble).max().item<double>() > 1e6), "n must be at most 1000000");
	} else if (n.isScalar() && !n.isComplexDouble()) {
		TORCH_CHECK(!(n.toScalar().to<double>() > 1e6), "n must be at most 1000000");
	}
}

void polynomial(Args a) { // x, n
	order(a[1]);
}

void binomial(Args a) { // count, prob
	floating(a, {0, 1});
	finite(tensor(a, 0), "count");
	finite(tensor(a, 1), "prob");
}

void combinations(Args a) { // self, r
	int64_t r = a[1].toInt(), n = tensor(a, 0).numel();
	TORCH_CHECK(r <= 32, "r is ", r, " and must be at most 32");
	for (int64_t i = 0, total = 1; i < r; i++, total *= std::max<int64_t>(n, 1))
		TORCH_CHECK(total < int64_t(1) << 40, "there are too many combinations");
}

void choose(Args a) { // input, numel, n_bins, ratio, bit_width
	floating(a, {0});
	TORCH_CHECK(a[1].toInt() > 0 && a[1].toInt() <= tensor(a, 0).numel(), "numel is ", a[1].toInt(), " and must lie from 1 to ", tensor(a, 0).numel());
	TORCH_CHECK(a[2].toInt() >= 1 && a[2].toInt() <= 1 << 20, "n_bins is ", a[2].toInt(), " and must be from 1 to ", 1 << 20);
	TORCH_CHECK(a[4].toInt() >= 1 && a[4].toInt() <= 8, "bit_width is ", a[4].toInt(), " and must be from 1 to 8");
}

// gather checks that the input's dtype can represent the positions in grid_sample's input and grid. The kernel for
// 16-bit dtypes on the CPU counts in 16 bits, and compares with the sizes rounded to that dtype; it would read beyond
// the input.
void gather(Args a, bool backward = false) { // grad_output where backward, input, grid, interpolation_mode, padding_mode
	size_t input = backward ? 1 : 0;
	const at::Tensor &t = tensor(a, input), &grid = tensor(a, input + 1);
	auto d = t.scalar_type();
	if (!t.is_cpu() || t.layout() != at::kStrided || t.dim() != 4 || grid.dim() != 4 || (d != at::kHalf && d != at::kBFloat16))
		return;
	auto exceeds = [&](int64_t n) { return (d == at::kHalf ? float(at::Half(float(n))) : float(at::BFloat16(float(n)))) > float(n); };
	int64_t h = t.size(2), w = t.size(3), down = t.stride(2), right = t.stride(3);
	if (backward) // the gradient is contiguous, whatever the input is
		down = std::max(down, w), right = std::max<int64_t>(right, 1);
	constexpr int64_t lanes = 32;
	bool bad = std::max((h - 1) * down + (w - 1) * right, grid.stride(2) * (lanes - 1)) > INT16_MAX;
	bool clips = a[input + 3].toInt() != 0;
	for (int64_t n : {h, w})
		bad = bad || exceeds(n) || (clips && exceeds(n - 1));
	TORCH_CHECK(!bad, "libtorch cannot sample an input of ", h, "x", w, " in ", d, " on the CPU, and would read beyond it; convert it to float32");
}

// segments checks that the lengths or offsets describe segments within the
// data.
void segments(Args a, size_t data, size_t lengths, size_t offsets, int64_t axis) {
	const at::Tensor &x = tensor(a, data);
	dense(x);
	axis = dim(x, axis);
	auto fits = [&](const at::Tensor &t, const char *name) {
		TORCH_CHECK(at::isIntegralType(t.scalar_type(), false), name, " must hold integers, not ", t.scalar_type());
		dense(t);
		TORCH_CHECK(t.dim() == axis + 1 && t.sizes().slice(0, size_t(axis)) == x.sizes().slice(0, size_t(axis)), name, " ", t.sizes(), " do not fit the data ", x.sizes(), " along axis ", axis);
	};
	if (given(a, lengths)) {
		const at::Tensor &t = tensor(a, lengths);
		fits(t, "the lengths");
		if (t.is_cpu() && t.numel() > 0)
			TORCH_CHECK((t >= 0).all().item<bool>() && (t <= x.size(axis)).all().item<bool>() && (t.sum(-1) <= x.size(axis)).all().item<bool>(), "the lengths must not be negative, and must sum up to at most ", x.size(axis));
	}
	if (given(a, offsets)) {
		const at::Tensor &t = tensor(a, offsets);
		fits(t, "the offsets");
		TORCH_CHECK(t.size(-1) > 0, "there must be an offset");
		range(t, x.size(axis) + 1, "the offsets");
		if (t.is_cpu())
			TORCH_CHECK((t.diff() >= 0).all().item<bool>(), "the offsets must rise");
	}
}

// nested_dim checks that a dim of a nested tensor is not negative, since libtorch does not wrap it.
void nested_dim(Args a) { // self, dim
	if (tensor(a, 0).is_nested())
		TORCH_CHECK_INDEX(a[1].toInt() >= 0, "dim is ", a[1].toInt(), " and must not be negative for a nested tensor");
}

void finite_input(Args a) { finite(tensor(a, 0), "the input"); }

void nonempty(Args a) { some(a[0]); }

void one_count(Args a) { count({a[0].toInt()}); }

void power(Args a) { // self, n
	TORCH_CHECK(a[1].toInt() > INT64_MIN, "n is too low");
}

void power_out(Args a) { // self, n, out
	plain(a, {0, 2});
	power(a);
}

void segment_reduce(Args a) { // data, reduce, lengths, indices, offsets, axis
	segments(a, 0, 2, 4, a[5].toInt());
}

void batch_norm(Args a) { // input, weight, bias, running_mean, running_var, training
	normalized(a, 0, {1, 2, 3, 4});
	if (!a[5].toBool())
		both(a, 3, 4);
}

void batch_norm_out(Args a) {
	if (tensor(a, 0).numel())
		normalized(a, 0, {1, 2, 3, 4});
	if (!a[5].toBool())
		both(a, 3, 4);
}

void batch_norm_stats(Args a) { // input, running_mean, running_var
	normalized(a, 0, {1, 2});
	TORCH_CHECK(given(a, 1) == given(a, 2), "running_mean and running_var go together");
}

void group_norm_backward(Args a) { // grad_out, input, mean, rstd, weight, N, C, HxW, group
	sized(a, {0}, tensor(a, 1).sizes());
	akin(a, {0, 1});
	group_norm(a, 1, {4}, 5);
	akin(a, {2, 3});
	sized(a, {2, 3}, {a[5].toInt(), a[8].toInt()});
}

// embedding_bag requires a bag for the indices, since without one the kernels read and write bag -1.
void embedding_bag(Args a) { // weight, indices, offsets, scale_grad_by_freq, mode, sparse, per_sample_weights, include_last_offset
	bags(a, tensor(a, 0).dim() ? tensor(a, 0).size(0) : 0, 1, 2);
	int64_t n = tensor(a, 1).numel(), offsets = tensor(a, 2).numel();
	TORCH_CHECK(n == 0 || tensor(a, 1).dim() != 1 || offsets > (a[7].toBool() ? 1 : 0), "the ", offsets, " offsets make no bag for the ", n, " indices");
}

void step(Args a) { // start, end, step, out
	if (a[2].isComplexDouble())
		return;
	double by = a[2].toScalar().to<double>();
	TORCH_CHECK(by != 0 && (!at::isIntegralType(tensor(a, 3).scalar_type(), true) || std::abs(by) >= 1), "step must not be 0 as out's dtype");
}

// A Row is a public operator that has a guard, and the reason.
struct Row {
	const char *name;
	const char *overloads[7]; // "" is the one without a name
	Guard guard;
	const char *why;
};

#define ALL_POLYNOMIALS {"", "x_scalar", "n_scalar", "out", "x_scalar_out", "n_scalar_out"}

const char *const backward_sizes = "takes the sizes of the gradient from self";
const char *const backward_indices = "takes the sizes of the gradient from self, and writes at the indices unchecked";
const char *const channels = "reads each parameter and statistic as if it had a number for each channel";
const char *const network = "reads states and weights as if they had the sizes that the input asks for";
const char *const weight_size = "reads the weight as if it had kernel_size";
const char *const out_size = "computes the size of out without a check for overflow, and writes beyond it";
const char *const never_ends = "iterates n times, which never ends where n is large";
const char *const layouts = "takes other layouts for the dense one";

// How each operator uses arguments that libtorch does not check.
const Row rows[] = {
    {"adaptive_avg_pool3d_backward", {"grad_input"}, [](Args a) { pooled(a, 3, 0); }, backward_sizes},
    {"adaptive_max_pool2d_backward", {"", "grad_input"}, [](Args a) { pooled(a, 2, 2); }, backward_indices},
    {"adaptive_max_pool3d_backward", {"", "grad_input"}, [](Args a) { pooled(a, 3, 2); }, backward_indices},
    {"avg_pool2d_backward", {"", "grad_input"}, [](Args a) { pooled(a, 2, 0); }, backward_sizes},
    {"avg_pool3d_backward", {"", "grad_input"}, [](Args a) { pooled(a, 3, 0); }, backward_sizes},
    {"batch_norm_backward", {""}, normalized_backward, channels},
    {"batch_norm_update_stats", {"", "out"}, batch_norm_stats, channels},
    {"binomial", {"", "out"}, binomial, "draws forever where count or prob is not finite"},
    {"cat", {"out"}, nonempty, "reads the first tensor of an empty list"},
    {"choose_qparams_optimized", {""}, choose, "reads numel elements of the input, and tries n_bins bins"},
    {"combinations", {""}, combinations, "makes all tuples of r indices before it chooses among them"},
    {"concat", {"out"}, nonempty, "reads the first tensor of an empty list"},
    {"concatenate", {"out"}, nonempty, "reads the first tensor of an empty list"},
    {"copy", {"", "out"}, [](Args a) { plain(a, {0, 1}); }, layouts},
    {"ctc_loss", {"IntList", "Tensor"}, [](Args a) { ctc(a, 0, 4); }, "reads log_probs at the targets and as far as the lengths say, unchecked"},
    {"embedding_backward", {""}, embedded, "writes at the indices unchecked"},
    {"embedding_bag", {"", "padding_idx"}, embedding_bag, "reads weights at the indices and indices at the offsets, unchecked"},
    {"embedding_dense_backward", {"", "out"}, embedded, "writes at the indices unchecked"},
    {"embedding_sparse_backward", {""}, embedded, "writes at the indices unchecked"},
    {"eye", {"out"}, [](Args a) { count({a[0].toInt(), a[0].toInt()}); }, out_size},
    {"eye", {"m_out"}, [](Args a) { count({a[0].toInt(), a[1].toInt()}); }, out_size},
    {"fft_fftfreq", {"out"}, one_count, out_size},
    {"fft_rfftfreq", {"out"}, one_count, out_size},
    {"fractional_max_pool2d_backward", {"", "grad_input"}, [](Args a) { pooled(a, 2, 4); }, backward_indices},
    {"fractional_max_pool3d_backward", {"", "grad_input"}, [](Args a) { pooled(a, 3, 4); }, backward_indices},
    {"grid_sampler", {""}, [](Args a) { gather(a); }, "counts places in the input's dtype, and reads beyond it where that has 16 bits"},
    {"grid_sampler_2d", {"", "out"}, [](Args a) { gather(a); }, "counts places in the input's dtype, and reads beyond it where that has 16 bits"},
    {"grid_sampler_2d_backward", {"", "out"}, [](Args a) { gather(a, true); }, "counts places in the input's dtype, and reads beyond it where that has 16 bits"},
    {"gru", {"input"}, [](Args a) { recurrent(a, false, 3); }, network},
    {"gru", {"data"}, [](Args a) { recurrent(a, true, 3); }, network},
    {"linalg_eigvals", {"", "out"}, finite_input, "MKL leaves its arrays where the input is not finite"},
    {"linalg_ldl_solve", {"", "out"}, [](Args a) { pivots(a, 0, 1, INT32_MIN); }, "swaps rows at the pivots unchecked"},
    {"linalg_lu_solve", {"", "out"}, [](Args a) { pivots(a, 0, 1, 1); }, "swaps rows at the pivots unchecked"},
    {"linalg_matrix_power", {""}, power, "halves the lowest integer forever"},
    {"linalg_matrix_power", {"out"}, power_out, "halves the lowest integer forever, and takes other layouts for the dense one"},
    {"lstm", {"input"}, [](Args a) { recurrent(a, false, 4); }, network},
    {"lstm", {"data"}, [](Args a) { recurrent(a, true, 4); }, network},
    {"lu_solve", {"", "out"}, [](Args a) { pivots(a, 1, 2, 1); }, "swaps rows at the pivots unchecked"},
    {"lu_unpack", {"", "out"}, [](Args a) { if (a[3].toBool()) pivots(a, 0, 1, 1); }, "swaps rows at the pivots unchecked"},
    {"matrix_power", {""}, power, "halves the lowest integer forever"},
    {"matrix_power", {"out"}, power_out, "halves the lowest integer forever, and takes other layouts for the dense one"},
    {"max_pool2d_with_indices_backward", {"", "grad_input"}, [](Args a) { pooled(a, 2, 7); }, backward_indices},
    {"max_pool3d_with_indices_backward", {"", "grad_input"}, [](Args a) { pooled(a, 3, 7); }, backward_indices},
    {"mkldnn_rnn_layer", {"", "out"}, layer, network},
    {"native_batch_norm", {""}, batch_norm, channels},
    {"native_batch_norm", {"out"}, batch_norm_out, channels},
    {"native_batch_norm_backward", {"", "out"}, normalized_backward, channels},
    {"native_group_norm", {"", "out"}, [](Args a) { group_norm(a, 0, {1, 2}, 3); }, "reads the input as if it had N, C and HxW"},
    {"native_group_norm_backward", {"", "out"}, group_norm_backward, "reads the input, the gradient and the statistics as if they had N, C and HxW"},
    {"native_layer_norm_backward", {"", "out"}, layer_norm, "reads the gradient, the statistics and the parameters as if they had the input's sizes"},
    {"nll_loss2d_backward", {"", "grad_input"}, classes, "writes at the targets unchecked"},
    {"nll_loss_backward", {"", "grad_input"}, classes, "writes at the targets unchecked"},
    {"random_", {"from"}, [](Args a) { TORCH_CHECK(!tensor(a, 0).is_floating_point() || a[1].toInt() < int64_t(1) << 62, "from is too high"); }, "looks forever for a number that the dtype has"},
    {"randperm", {"out", "generator_out"}, one_count, out_size},
    {"range", {"out"}, step, "divides by step as out's dtype has it, which may be 0"},
    {"reflection_pad1d_backward", {"", "grad_input"}, [](Args a) { padded(a, 1); }, backward_sizes},
    {"reflection_pad2d_backward", {"", "grad_input"}, [](Args a) { padded(a, 2); }, backward_sizes},
    {"reflection_pad3d_backward", {"", "grad_input"}, [](Args a) { padded(a, 3); }, backward_sizes},
    {"replication_pad1d_backward", {"", "grad_input"}, [](Args a) { padded(a, 1); }, backward_sizes},
    {"replication_pad2d_backward", {"", "grad_input"}, [](Args a) { padded(a, 2); }, backward_sizes},
    {"replication_pad3d_backward", {"", "grad_input"}, [](Args a) { padded(a, 3); }, backward_sizes},
    {"rnn_relu", {"input"}, [](Args a) { recurrent(a, false, 1); }, network},
    {"rnn_relu", {"data"}, [](Args a) { recurrent(a, true, 1); }, network},
    {"rnn_tanh", {"input"}, [](Args a) { recurrent(a, false, 1); }, network},
    {"rnn_tanh", {"data"}, [](Args a) { recurrent(a, true, 1); }, network},
    {"segment_reduce", {"", "out"}, segment_reduce, "reads data as far as lengths and offsets say, unchecked"},
    {"select", {"int"}, nested_dim, "takes a negative dim of a nested tensor as it is"},
    {"slow_conv3d", {"", "out"}, kernel, weight_size},
    {"slow_conv3d_forward", {"", "output"}, kernel, weight_size},
    {"slow_conv_dilated2d", {"", "out"}, kernel, weight_size},
    {"slow_conv_dilated3d", {"", "out"}, kernel, weight_size},
    {"slow_conv_transpose2d", {"", "out"}, kernel, weight_size},
    {"slow_conv_transpose3d", {"", "out"}, kernel, weight_size},
    {"smooth_l1_loss_backward", {"", "grad_input"}, [](Args a) { floating(a, {0, 1, 2}); }, "divides integers by beta, which may be 0"},
    {"special_chebyshev_polynomial_t", ALL_POLYNOMIALS, polynomial, never_ends},
    {"special_chebyshev_polynomial_u", ALL_POLYNOMIALS, polynomial, never_ends},
    {"special_chebyshev_polynomial_v", ALL_POLYNOMIALS, polynomial, never_ends},
    {"special_chebyshev_polynomial_w", ALL_POLYNOMIALS, polynomial, never_ends},
    {"special_hermite_polynomial_h", ALL_POLYNOMIALS, polynomial, never_ends},
    {"special_hermite_polynomial_he", ALL_POLYNOMIALS, polynomial, never_ends},
    {"special_laguerre_polynomial_l", ALL_POLYNOMIALS, polynomial, never_ends},
    {"special_legendre_polynomial_p", ALL_POLYNOMIALS, polynomial, never_ends},
    {"special_shifted_chebyshev_polynomial_t", ALL_POLYNOMIALS, polynomial, never_ends},
    {"special_shifted_chebyshev_polynomial_u", ALL_POLYNOMIALS, polynomial, never_ends},
    {"special_shifted_chebyshev_polynomial_v", ALL_POLYNOMIALS, polynomial, never_ends},
    {"special_shifted_chebyshev_polynomial_w", ALL_POLYNOMIALS, polynomial, never_ends},
    {"thnn_conv2d", {"", "out"}, kernel, weight_size},
    {"view_copy", {"dtype"}, [](Args a) { plain(a, {0}); }, layouts},
    {"view_copy", {"dtype_out"}, [](Args a) { plain(a, {0, 2}); }, layouts},
};

#undef ALL_POLYNOMIALS

const std::unordered_map<std::string, Guard> &table() {
	static const auto *t = [] {
		auto *t = new std::unordered_map<std::string, Guard>;
		for (const Row &row : rows)
			for (size_t i = 0; i < std::size(row.overloads) && row.overloads[i]; i++)
				t->emplace(std::string("aten::") + row.name + (*row.overloads[i] ? "." : "") + row.overloads[i], row.guard);
		return t;
	}();
	return *t;
}

} // namespace

Guard guard_of(const c10::OperatorName &name) {
	const auto &t = table();
	auto at = t.find(c10::toString(name));
	return at == t.end() ? nullptr : at->second;
}

std::vector<std::string> guarded() {
	std::vector<std::string> names;
	for (const auto &g : table())
		names.push_back(g.first);
	return names;
}

} // namespace torchhub
