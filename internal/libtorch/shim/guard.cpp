// The guards.

#include "guard.h"

#include <ATen/ExpandUtils.h>
#include <ATen/OpMathType.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/_validate_sparse_coo_tensor_args.h>
#include <ATen/ops/_validate_sparse_csr_tensor_args.h>
#include <ATen/ops/_validate_sparse_csc_tensor_args.h>
#include <ATen/ops/_validate_sparse_bsr_tensor_args.h>
#include <ATen/ops/_validate_sparse_bsc_tensor_args.h>
#include <ATen/ops/_validate_sparse_compressed_tensor_args.h>
#include <torch/version.h>

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

// plain wants dense tensors.
void plain(Args a, std::initializer_list<size_t> which) {
	for (size_t i : which) {
		if (given(a, i))
			dense(tensor(a, i));
		else if (a[i].isTensorList())
			for (const at::Tensor &t : a[i].toTensorVector())
				dense(t);
	}
}

// akin wants dense tensors of one dtype on one device.
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

// sized wants a size of those of the tensors that are given.
void sized(Args a, std::initializer_list<size_t> which, at::IntArrayRef want) {
	for (size_t i : which)
		if (given(a, i))
			size(tensor(a, i), want, ("argument " + std::to_string(i)).c_str());
}

int64_t dim(const at::Tensor &t, int64_t d) {
	TORCH_CHECK_INDEX(d >= -t.dim() && d < t.dim(), "dim ", d, " is out of range for a tensor of ", t.dim(), " dimensions");
	return d < 0 ? d + t.dim() : d;
}

// dims wants dimensions of a tensor, each once.
void dims(const at::Tensor &t, at::IntArrayRef ds) {
	TORCH_CHECK(!ds.empty(), "dim must name a dimension");
	std::vector<bool> seen(size_t(t.dim()));
	for (int64_t d : ds) {
		auto at = size_t(dim(t, d));
		TORCH_CHECK(!seen[at], "dim ", d, " stands twice in dim=", ds);
		seen[at] = true;
	}
}

// range wants integers from 0 to n - 1.
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

// count wants a number of elements that a memory can hold.
void count(std::initializer_list<int64_t> ns) {
	int64_t n = 1;
	for (int64_t v : ns)
		TORCH_CHECK(!__builtin_mul_overflow(n, std::max<int64_t>(v, 1), &n) && n < int64_t(1) << 58, "a tensor of so many elements is too large for any memory");
}

void some(const IValue &list) { TORCH_CHECK(!list.toTensorVector().empty(), "expected a non-empty list of tensors"); }

// lists wants of each list a tensor for each of the first one's, of its size, dtype and device.
void lists(Args a, std::initializer_list<size_t> which, std::initializer_list<size_t> or_none = {}, std::initializer_list<size_t> steps = {}) {
	auto first = a[*which.begin()].toTensorVector();
	auto check = [&](size_t i, bool empty, bool step) {
		auto l = a[i].toTensorVector();
		if (empty && l.empty())
			return;
		TORCH_CHECK(l.size() == first.size(), "list ", i, " has ", l.size(), " tensors; it must have ", first.size());
		for (size_t j = 0; j < l.size(); j++) {
			dense(l[j]);
			if (step) {
				TORCH_CHECK(l[j].numel() == 1 && l[j].scalar_type() == at::kFloat, "a step must be one float32");
				continue;
			}
			TORCH_CHECK(l[j].sizes() == first[j].sizes() && l[j].scalar_type() == first[j].scalar_type() && l[j].strides() == first[j].strides() && l[j].device() == first[j].device(),
			            "tensor ", j, " of list ", i, " must be like that of the first list");
		}
	};
	for (size_t i : which)
		check(i, false, false);
	for (size_t i : or_none)
		check(i, true, false);
	for (size_t i : steps)
		check(i, false, true);
}

void fft(Args a) {
	dense(tensor(a, 0));
	auto ds = a[1].toIntVector();
	dims(tensor(a, 0), ds);
	for (int64_t d : ds)
		TORCH_CHECK_INDEX(d >= 0, "dim ", d, " must not be negative");
}

void c2r(Args a) { // self, dim, normalization, last_dim_size
	fft(a);
	int64_t n = a[3].toInt();
	TORCH_CHECK(n >= 1, "last_dim_size is ", n, " and must be at least 1");
	TORCH_CHECK(tensor(a, 0).is_complex(), "the input must be complex");
	for (int64_t d = 0; d < tensor(a, 0).dim(); d++)
		TORCH_CHECK(tensor(a, 0).size(d) > 0, "the input must have elements");
	TORCH_CHECK(tensor(a, 0).size(a[1].toIntVector().back()) >= n / 2 + 1, "the input is too short for last_dim_size ", n);
}

// into wants an out argument of a dtype.
void into(Args a, size_t out, at::ScalarType t) {
	dense(tensor(a, out));
	TORCH_CHECK(tensor(a, out).scalar_type() == t && tensor(a, out).device() == tensor(a, 0).device(), "out is of ", tensor(a, out).scalar_type(), " on ", tensor(a, out).device(), "; it must be of ", t, " on ", tensor(a, 0).device());
}

void r2c(Args a) {
	fft(a);
	TORCH_CHECK(tensor(a, 0).is_floating_point(), "the input must be real");
}

// padded wants of grad_output, self and padding what the forward gives for n dimensions.
void padded(Args a, size_t n) {
	floating(a, {0, 1});
	auto pad = a[2].toIntVector();
	auto want = tensor(a, 1).sizes().vec();
	TORCH_CHECK(pad.size() == 2 * n && (want.size() == n + 1 || want.size() == n + 2), "the input must have ", n + 1, " or ", n + 2, " dimensions, and ", 2 * n, " paddings");
	for (size_t d = 0; d < n; d++)
		want[want.size() - 1 - d] += pad[2 * d] + pad[2 * d + 1];
	sized(a, {0}, want);
}

// pooled wants a gradient of as many planes as the input, of n dimensions, and indices into these.
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

// normalized wants of batch norm's arguments from first on one number for each channel.
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

// normalized_backward wants what batch norm's forward saves, which is nothing where it was not training.
void normalized_backward(Args a) { // grad_out, input, weight, running_mean, running_var, save_mean, save_invstd, train
	bool train = a[7].toBool();
	akin(a, {0, 1});
	sized(a, {0}, tensor(a, 1).sizes());
	normalized(a, 1, {2, 3, 4});
	if (train || (given(a, 5) && tensor(a, 5).numel()) || (given(a, 6) && tensor(a, 6).numel()))
		normalized(a, 1, {5, 6});
	both(a, train ? 5 : 3, train ? 6 : 4);
}

void csr(Args a) { // crow_indices, col_indices
	akin(a, {0, 1});
	const at::Tensor &crow = tensor(a, 0), &col = tensor(a, 1);
	TORCH_CHECK(crow.dim() >= 1 && crow.dim() == col.dim() && crow.size(-1) >= 1 && crow.sizes().slice(0, crow.dim() - 1) == col.sizes().slice(0, col.dim() - 1),
	            "crow_indices ", crow.sizes(), " and col_indices ", col.sizes(), " do not fit");
	range(crow, col.size(-1) + 1, "crow_indices");
	range(col, INT64_MAX, "col_indices");
	if (crow.is_cpu() && crow.numel() > 0)
		TORCH_CHECK((crow.select(-1, 0) == 0).all().item<bool>() && (crow.select(-1, -1) == col.size(-1)).all().item<bool>() && (crow.diff() >= 0).all().item<bool>(),
		            "crow_indices must rise from 0 to ", col.size(-1));
}

void coo(Args a) { // self, size
	TORCH_CHECK(tensor(a, 0).dim() == 1, "the indices must have 1 dimension");
	count({a[1].toInt()});
	TORCH_CHECK(a[1].toInt() >= 0, "size is ", a[1].toInt());
	range(tensor(a, 0), a[1].toInt(), "the indices");
	if (tensor(a, 0).numel() > 1 && tensor(a, 0).is_cpu())
		TORCH_CHECK((tensor(a, 0).diff() >= 0).all().item<bool>(), "the indices must be sorted");
}

void extremes(Args a) { // self, values, indices, dim
	akin(a, {0, 1});
	plain(a, {2});
	TORCH_CHECK_INDEX(a[3].toInt() >= 0 && a[3].toInt() < tensor(a, 0).dim(), "dim ", a[3].toInt(), " is out of range for a tensor of ", tensor(a, 0).dim(), " dimensions");
	sized(a, {1, 2}, tensor(a, 0).sizes());
	TORCH_CHECK(tensor(a, 2).scalar_type() == at::kLong, "the indices must be int64");
}

void softmax(Args a) { // grad_output, output, dim, input_dtype
	floating(a, {0, 1});
	sized(a, {0}, tensor(a, 1).sizes());
	if (tensor(a, 1).dim())
		dim(tensor(a, 1), a[2].toInt());
}

void cdist(Args a) { // grad, x1, x2, p, cdist
	floating(a, {0, 1, 2, 4});
	const at::Tensor &x = tensor(a, 1), &y = tensor(a, 2);
	TORCH_CHECK(x.dim() >= 2 && y.dim() >= 2 && x.size(-1) == y.size(-1), "the points ", x.sizes(), " and ", y.sizes(), " do not fit");
	auto want = at::infer_size(x.sizes().slice(0, size_t(x.dim() - 2)), y.sizes().slice(0, size_t(y.dim() - 2)));
	want.insert(want.end(), {x.size(-2), y.size(-2)});
	sized(a, {0, 4}, want);
}

void pdist(Args a) { // grad, self, p, pdist
	floating(a, {0, 1, 3});
	const at::Tensor &x = tensor(a, 1);
	TORCH_CHECK(x.dim() == 2, "the points must be a matrix");
	sized(a, {0, 3}, {x.size(0) * (x.size(0) - 1) / 2});
}

void combination(Args a) { // input, coefficients
	akin(a, {0, 1});
	TORCH_CHECK(tensor(a, 0).dim() >= 1 && tensor(a, 1).dim() == 2 && tensor(a, 1).size(1) == tensor(a, 0).size(0), "the coefficients ", tensor(a, 1).sizes(), " do not fit the input ", tensor(a, 0).sizes());
}

void aliased(Args a) { // self, size, stride
	dense(tensor(a, 0));
	const at::Tensor &t = tensor(a, 0);
	auto size = a[1].toIntVector(), stride = a[2].toIntVector();
	TORCH_CHECK(size.size() == stride.size(), "size ", size, " and stride ", stride, " must be of one length");
	int64_t last = t.storage_offset() + 1, step;
	bool none = false;
	for (size_t d = 0; d < size.size(); d++) {
		TORCH_CHECK(size[d] >= 0 && stride[d] >= 0, "size ", size, " and stride ", stride, " must not be negative");
		none = none || size[d] == 0;
		TORCH_CHECK(!__builtin_mul_overflow(std::max<int64_t>(size[d] - 1, 0), stride[d], &step) && !__builtin_add_overflow(last, step, &last), "the strides overflow");
	}
	TORCH_CHECK(none || last <= int64_t(t.storage().nbytes() / t.element_size()), "size ", size, " and stride ", stride, " leave the tensor's memory");
}

// attended wants query, key, value [N, heads, *, E] and a mask that fits.
void attended(Args a, size_t query, size_t mask) {
	floating(a, {query, query + 1, query + 2});
	const at::Tensor &q = tensor(a, query), &k = tensor(a, query + 1), &v = tensor(a, query + 2);
	TORCH_CHECK(q.dim() == 4 && k.dim() == 4 && v.dim() == 4, "query, key and value must have 4 dimensions");
#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 15
	int64_t heads = k.size(1); // each for several heads of the query
	TORCH_CHECK(heads > 0 && q.size(1) % heads == 0, "the ", heads, " heads of the key do not divide the ", q.size(1), " of the query");
#else
	int64_t heads = q.size(1);
#endif
	size(k, {q.size(0), heads, k.size(2), q.size(3)}, "key");
	size(v, k.sizes(), "value");
	if (given(a, mask)) {
		plain(a, {mask});
		at::infer_size(tensor(a, mask).sizes(), {q.size(0), q.size(1), q.size(2), k.size(2)});
		TORCH_CHECK(tensor(a, mask).dim() == 2 || tensor(a, mask).dim() == 4, "attn_mask must have 2 or 4 dimensions");
	}
}

void attention(Args a) { // grad_out, query, key, value, out, logsumexp, dropout_p, is_causal, attn_mask, scale
	attended(a, 1, 8);
	floating(a, {0, 1, 4});
	const at::Tensor &q = tensor(a, 1);
	sized(a, {0, 4}, q.sizes());
	TORCH_CHECK(tensor(a, 5).scalar_type() == at::toOpMathType(q.scalar_type()), "logsumexp is of ", tensor(a, 5).scalar_type(), "; it must be of ", at::toOpMathType(q.scalar_type()));
	size(tensor(a, 5), {q.size(0), q.size(1), q.size(2)}, "logsumexp");
}

std::vector<int64_t> numbers(const IValue &v) {
	if (!v.isTensor())
		return v.toIntVector();
	at::Tensor t = v.toTensor().to(at::kLong).cpu().contiguous().view(-1);
	return {t.const_data_ptr<int64_t>(), t.const_data_ptr<int64_t>() + t.numel()};
}

// ctc wants targets and lengths that lie within log_probs [T, N, C] or [T, C].
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

void ctc_backward(Args a) { // grad, log_probs, targets, input_lengths, target_lengths, neg_log_likelihood, log_alpha, blank
	ctc(a, 1, 7);
	floating(a, {0, 1, 5, 6});
	const at::Tensor &x = tensor(a, 1);
	auto lengths = numbers(a[4]);
	TORCH_CHECK(x.dim() == 3, "log_probs must have 3 dimensions");
	int64_t most = lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
	sized(a, {0, 5}, {x.size(1)});
	sized(a, {6}, {x.size(1), x.size(0), 2 * most + 1});
}

void from_padded(Args a) { // padded, cpu_nested_shape_example, fuse_transform_0213
	plain(a, {0, 1});
	const at::Tensor &x = tensor(a, 0), &shapes = tensor(a, 1);
	TORCH_CHECK(!a[2].toBool() && x.dim() >= 2 && shapes.scalar_type() == at::kLong && shapes.is_cpu() && shapes.dim() == 2 && shapes.size(0) == x.size(0) && shapes.size(1) == x.dim() - 1,
	            "the shapes ", shapes.sizes(), " do not fit ", x.sizes());
	for (int64_t d = 1; d < x.dim(); d++)
		range(shapes.select(1, d - 1), x.size(d) + 1, "the shapes");
}

void embedded(Args a) { // grad, indices, num_weights
	plain(a, {0});
	range(tensor(a, 1), a[2].toInt(), "the indices");
	TORCH_CHECK(tensor(a, 0).dim() >= 1 && tensor(a, 0).numel() == tensor(a, 1).numel() * tensor(a, 0).size(-1), "the gradient ", tensor(a, 0).sizes(), " does not fit the indices ", tensor(a, 1).sizes());
}

// bags wants indices into weights, and offsets, unless their number is 0, that rise within the indices.
void bags(Args a, int64_t weights, size_t indices, size_t offsets) {
	range(tensor(a, indices), weights, "the indices");
	if (!offsets || tensor(a, indices).dim() != 1)
		return;
	const at::Tensor &o = tensor(a, offsets);
	range(o, tensor(a, indices).numel() + 1, "the offsets");
	if (o.is_cpu() && o.numel() > 1)
		TORCH_CHECK((o.diff() >= 0).all().item<bool>(), "the offsets must rise");
}

// bagged wants of a backward's saved tensors what the forward gives; 0 is none.
// Where offsets are there, an empty offset2bag is made of them.
void bagged(Args a, size_t indices, size_t offsets, size_t offset2bag, size_t bag_size, size_t maximum, size_t mode) {
	const at::Tensor &grad = tensor(a, 0);
	floating(a, {0});
	TORCH_CHECK(grad.dim() == 2, "the gradient must have 2 dimensions");
	range(tensor(a, offset2bag), grad.size(0), "offset2bag");
	if (offsets && tensor(a, offset2bag).numel() == 0) {
		const at::Tensor &o = tensor(a, offsets);
		bool last = o.numel() > 0 && o.is_cpu() && o.select(0, -1).item<int64_t>() == tensor(a, indices).numel();
		TORCH_CHECK(o.dim() == 1 && o.numel() <= grad.size(0) + (last ? 1 : 0), "there are ", o.numel(), " offsets for ", grad.size(0), " bags");
	} else {
		TORCH_CHECK(tensor(a, offset2bag).numel() == tensor(a, indices).numel(), "there must be an offset2bag for each index");
	}
	if (bag_size)
		TORCH_CHECK(tensor(a, bag_size).numel() == grad.size(0) && at::isIntegralType(tensor(a, bag_size).scalar_type(), false), "there must be a bag_size for each bag");
	if (maximum && a[mode].toInt() == 2)
		TORCH_CHECK(tensor(a, maximum).sizes() == grad.sizes() && at::isIntegralType(tensor(a, maximum).scalar_type(), false), "there must be a maximum for each gradient");
}

// pivots wants those of a factorization of matrices [*, m, n], from least to m.
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

// group_norm wants sizes [N, C, HxW], group from the number at on, that are the input's.
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

// gates wants of a cell's tensors the sizes that hx [N, H] and n gates ask for.
void gates(Args a, size_t hx, int64_t n, std::initializer_list<size_t> states, std::initializer_list<size_t> inputs, std::initializer_list<size_t> biases) {
	const at::Tensor &h = tensor(a, hx);
	floating(a, states);
	floating(a, inputs);
	floating(a, biases);
	TORCH_CHECK(h.dim() == 2, "the state must have 2 dimensions");
	sized(a, states, h.sizes());
	sized(a, inputs, {h.size(0), n * h.size(1)});
	sized(a, biases, {n * h.size(1)});
	for (size_t i : inputs)
		TORCH_CHECK(tensor(a, i).scalar_type() == h.scalar_type(), "the dtypes of gates and state differ");
}

// weight_norm wants g, and what is of its size, to have one number for each slice of v along dim.
void weight_norm(Args a, std::initializer_list<size_t> vs, std::initializer_list<size_t> gs, int64_t d) {
	const at::Tensor &v = tensor(a, *vs.begin());
	floating(a, vs);
	plain(a, gs);
	TORCH_CHECK(d == 0 || d == v.dim() - 1, "dim is ", d, " and must be the first or the last");
	std::vector<int64_t> want(size_t(v.dim()), 1);
	if (v.dim())
		want[size_t(d)] = v.size(d);
	sized(a, vs, v.sizes());
	for (size_t i : gs)
		TORCH_CHECK(tensor(a, i).numel() == (v.dim() ? v.size(d) : 1) && tensor(a, i).is_floating_point(), "g and the norms must be of the size ", want);
}

// recurrent wants of a network's weights the sizes that the input and the state ask for.
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

// kernel wants a weight that has kernel_size in its last dimensions, or more, which libtorch takes.
void kernel(Args a) { // self, weight, kernel_size, bias
	akin(a, {0, 1, 3});
	auto ks = a[2].toIntVector();
	bool fits = tensor(a, 1).dim() == int64_t(ks.size() + 2);
	for (size_t d = 0; d < ks.size(); d++)
		fits = fits && ks[d] <= tensor(a, 1).size(int64_t(d) + 2);
	TORCH_CHECK(fits, "the weight ", tensor(a, 1).sizes(), " does not fit kernel_size ", ks);
}

// order wants a degree that is done in a while.
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

void heads(Args a) { // qkv, qkv_bias, num_heads
	floating(a, {0, 1});
	const at::Tensor &qkv = tensor(a, 0);
	int64_t n = a[2].toInt();
	TORCH_CHECK(qkv.dim() == 3 && qkv.size(2) % 3 == 0 && n > 0 && qkv.size(2) / 3 % n == 0, "num_heads ", n, " does not divide qkv ", qkv.sizes());
	sized(a, {1}, {qkv.size(2)});
}

void choose(Args a) { // input, numel, n_bins, ratio, bit_width
	floating(a, {0});
	TORCH_CHECK(a[1].toInt() > 0 && a[1].toInt() <= tensor(a, 0).numel(), "numel is ", a[1].toInt(), " and must lie from 1 to ", tensor(a, 0).numel());
	TORCH_CHECK(a[2].toInt() >= 1 && a[2].toInt() <= 1 << 20, "n_bins is ", a[2].toInt(), " and must be from 1 to ", 1 << 20);
	TORCH_CHECK(a[4].toInt() >= 1 && a[4].toInt() <= 8, "bit_width is ", a[4].toInt(), " and must be from 1 to 8");
}

void cholesky(Args a) { // self, A, upper
	akin(a, {0, 1});
	const at::Tensor &b = tensor(a, 0), &m = tensor(a, 1);
	TORCH_CHECK(m.dim() >= 2 && b.dim() == m.dim() && m.size(-1) == m.size(-2) && b.size(-2) == m.size(-1) && b.sizes().slice(0, b.dim() - 2) == m.sizes().slice(0, b.dim() - 2),
	            "the sizes ", b.sizes(), " and ", m.sizes(), " do not fit");
}

// gather wants an input and a grid of grid_sample whose places can be told in the input's dtype: the kernel for the 16-bit ones on the CPU
// counts in 16 bits, and compares with the sides as that dtype rounds them. It reads beyond the input otherwise.
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

// segments wants lengths, or offsets, of segments that are in the data.
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

void segments_backward(Args a) { // grad, output, data, reduce, lengths, offsets, axis
	segments(a, 2, 4, 5, a[6].toInt());
	akin(a, {0, 1, 2});
	TORCH_CHECK(given(a, 4) != given(a, 5), "lengths or offsets must be given");
	auto want = tensor(a, 2).sizes().vec();
	auto axis = size_t(dim(tensor(a, 2), a[6].toInt()));
	want[axis] = given(a, 4) ? tensor(a, 4).size(-1) : tensor(a, 5).size(-1) - 1;
	sized(a, {0, 1}, want);
}

// indexed wants at most an index for each dimension.
void indexed(Args a) { // self, mask, indices
	TORCH_CHECK_INDEX(int64_t(a[2].toListRef().size()) <= tensor(a, 0).dim(), a[2].toListRef().size(), " indices are too many for a tensor of ", tensor(a, 0).dim(), " dimensions");
}

// nested_dim wants a dim that is not negative of a nested tensor, which libtorch does not wrap.
void nested_dim(Args a) { // self, dim
	if (tensor(a, 0).is_nested())
		TORCH_CHECK_INDEX(a[1].toInt() >= 0, "dim is ", a[1].toInt(), " and must not be negative for a nested tensor");
}

const std::unordered_map<std::string, Guard> &rows() {
	static const auto *t = new std::unordered_map<std::string, Guard>{
	    {"aten::linalg_eigvals", [](Args a) { finite(tensor(a, 0), "the input"); }}, // MKL leaves its arrays
	    {"aten::linalg_eigvals.out", [](Args a) { finite(tensor(a, 0), "the input"); }},
	    {"aten::_unsafe_masked_index", [](Args a) { indexed(a); }},
	    {"aten::_unsafe_masked_index_put_accumulate", [](Args a) { indexed(a); }},
	    {"aten::segment_reduce", [](Args a) { segments(a, 0, 2, 4, a[5].toInt()); }},
	    {"aten::segment_reduce.out", [](Args a) { segments(a, 0, 2, 4, a[5].toInt()); }},
	    {"aten::_segment_reduce_backward", [](Args a) { segments_backward(a); }},
	    {"aten::_segment_reduce_backward.out", [](Args a) { segments_backward(a); }},
	    {"aten::select.int", [](Args a) { nested_dim(a); }},
	    {"aten::_fft_r2c", [](Args a) { r2c(a); }},
	    {"aten::_fft_r2c.out", [](Args a) { r2c(a); into(a, 4, c10::toComplexType(tensor(a, 0).scalar_type())); }},
	    {"aten::_fft_c2c", [](Args a) { fft(a); }},
	    {"aten::_fft_c2c.out", [](Args a) { fft(a); into(a, 4, tensor(a, 0).scalar_type()); }},
	    {"aten::_fft_c2r", [](Args a) { c2r(a); }},
	    {"aten::_fft_c2r.out", [](Args a) { c2r(a); into(a, 4, c10::toRealValueType(tensor(a, 0).scalar_type())); }},
	    {"aten::_cholesky_solve_helper", [](Args a) { cholesky(a); }},
	    {"aten::_cholesky_solve_helper.out", [](Args a) { cholesky(a); }},
	    {"aten::_convert_indices_from_csr_to_coo", [](Args a) { csr(a); }},
	    {"aten::_convert_indices_from_csr_to_coo.out", [](Args a) { csr(a); }},
	    {"aten::_convert_indices_from_coo_to_csr", [](Args a) { coo(a); }},
	    {"aten::_convert_indices_from_coo_to_csr.out", [](Args a) { coo(a); }},
	    {"aten::smooth_l1_loss_backward", [](Args a) { floating(a, {0, 1, 2}); }}, // divides integers
	    {"aten::smooth_l1_loss_backward.grad_input", [](Args a) { floating(a, {0, 1, 2}); }},
	    {"aten::_transform_bias_rescale_qkv", [](Args a) { heads(a); }}, // divides by num_heads
	    {"aten::_transform_bias_rescale_qkv.out", [](Args a) { heads(a); }},
	    {"aten::grid_sampler", [](Args a) { gather(a); }},
	    {"aten::grid_sampler_2d", [](Args a) { gather(a); }},
	    {"aten::grid_sampler_2d.out", [](Args a) { gather(a); }},
	    {"aten::grid_sampler_2d_backward", [](Args a) { gather(a, true); }},
	    {"aten::grid_sampler_2d_backward.out", [](Args a) { gather(a, true); }},
	    {"aten::_stack", [](Args a) { some(a[0]); }},
	    {"aten::_stack.out", [](Args a) { some(a[0]); }},
	    {"aten::cat.out", [](Args a) { some(a[0]); }},
	    {"aten::fft_rfftfreq.out", [](Args a) { count({a[0].toInt()}); }},
	    {"aten::fft_fftfreq.out", [](Args a) { count({a[0].toInt()}); }},
	    {"aten::eye.out", [](Args a) { count({a[0].toInt(), a[0].toInt()}); }},
	    {"aten::eye.m_out", [](Args a) { count({a[0].toInt(), a[1].toInt()}); }},
	    {"aten::randperm.out", [](Args a) { count({a[0].toInt()}); }},
	    {"aten::randperm.generator_out", [](Args a) { count({a[0].toInt()}); }},
	    {"aten::_weight_norm", [](Args a) { weight_norm(a, {0}, {1}, a[2].toInt() < 0 ? dim(tensor(a, 0), a[2].toInt()) : a[2].toInt()); }},
	    {"aten::_weight_norm_interface", [](Args a) { weight_norm(a, {0}, {1}, a[2].toInt()); }},
	    {"aten::_weight_norm_interface.out", [](Args a) { weight_norm(a, {0}, {1}, a[2].toInt()); }},
	    {"aten::_weight_norm_interface_backward", [](Args a) { weight_norm(a, {0, 1}, {2, 3}, a[4].toInt()); }},
	    {"aten::_weight_norm_interface_backward.out", [](Args a) { weight_norm(a, {0, 1}, {2, 3}, a[4].toInt()); }},
	    {"aten::_weight_norm_differentiable_backward", [](Args a) { weight_norm(a, {0, 1}, {2, 3}, a[4].toInt()); }},
	    {"aten::fractional_max_pool2d_backward", [](Args a) { pooled(a, 2, 4); }},
	    {"aten::fractional_max_pool2d_backward.grad_input", [](Args a) { pooled(a, 2, 4); }},
	    {"aten::fractional_max_pool3d_backward", [](Args a) { pooled(a, 3, 4); }},
	    {"aten::fractional_max_pool3d_backward.grad_input", [](Args a) { pooled(a, 3, 4); }},
	    {"aten::max_pool2d_with_indices_backward", [](Args a) { pooled(a, 2, 7); }},
	    {"aten::max_pool2d_with_indices_backward.grad_input", [](Args a) { pooled(a, 2, 7); }},
	    {"aten::max_pool3d_with_indices_backward", [](Args a) { pooled(a, 3, 7); }},
	    {"aten::max_pool3d_with_indices_backward.grad_input", [](Args a) { pooled(a, 3, 7); }},
	    {"aten::adaptive_max_pool2d_backward", [](Args a) { pooled(a, 2, 2); }},
	    {"aten::adaptive_max_pool2d_backward.grad_input", [](Args a) { pooled(a, 2, 2); }},
	    {"aten::adaptive_max_pool3d_backward", [](Args a) { pooled(a, 3, 2); }},
	    {"aten::adaptive_max_pool3d_backward.grad_input", [](Args a) { pooled(a, 3, 2); }},
	    {"aten::_adaptive_avg_pool2d_backward", [](Args a) { pooled(a, 2, 0); }},
	    {"aten::_adaptive_avg_pool2d_backward.out", [](Args a) { pooled(a, 2, 0); }},
	    {"aten::_adaptive_avg_pool3d_backward", [](Args a) { pooled(a, 3, 0); }},
	    {"aten::_adaptive_avg_pool3d_backward.out", [](Args a) { pooled(a, 3, 0); }},
	    {"aten::adaptive_avg_pool3d_backward.grad_input", [](Args a) { pooled(a, 3, 0); }},
	    {"aten::avg_pool2d_backward", [](Args a) { pooled(a, 2, 0); }},
	    {"aten::avg_pool2d_backward.grad_input", [](Args a) { pooled(a, 2, 0); }},
	    {"aten::avg_pool3d_backward", [](Args a) { pooled(a, 3, 0); }},
	    {"aten::avg_pool3d_backward.grad_input", [](Args a) { pooled(a, 3, 0); }},
	    {"aten::reflection_pad1d_backward", [](Args a) { padded(a, 1); }},
	    {"aten::reflection_pad1d_backward.grad_input", [](Args a) { padded(a, 1); }},
	    {"aten::reflection_pad2d_backward", [](Args a) { padded(a, 2); }},
	    {"aten::reflection_pad2d_backward.grad_input", [](Args a) { padded(a, 2); }},
	    {"aten::reflection_pad3d_backward", [](Args a) { padded(a, 3); }},
	    {"aten::reflection_pad3d_backward.grad_input", [](Args a) { padded(a, 3); }},
	    {"aten::replication_pad1d_backward", [](Args a) { padded(a, 1); }},
	    {"aten::replication_pad1d_backward.grad_input", [](Args a) { padded(a, 1); }},
	    {"aten::replication_pad2d_backward", [](Args a) { padded(a, 2); }},
	    {"aten::replication_pad2d_backward.grad_input", [](Args a) { padded(a, 2); }},
	    {"aten::replication_pad3d_backward", [](Args a) { padded(a, 3); }},
	    {"aten::replication_pad3d_backward.grad_input", [](Args a) { padded(a, 3); }},
	    {"aten::native_batch_norm", [](Args a) { normalized(a, 0, {1, 2, 3, 4}); if (!a[5].toBool()) both(a, 3, 4); }},
	    {"aten::native_batch_norm.out", [](Args a) { if (tensor(a, 0).numel()) normalized(a, 0, {1, 2, 3, 4}); if (!a[5].toBool()) both(a, 3, 4); }},
	    {"aten::_native_batch_norm_legit", [](Args a) { normalized(a, 0, {1, 2, 3, 4}); }},
	    {"aten::_native_batch_norm_legit.out", [](Args a) { normalized(a, 0, {1, 2, 3, 4}); }},
	    {"aten::_native_batch_norm_legit_functional", [](Args a) { normalized(a, 0, {1, 2, 3, 4}); }},
	    {"aten::_native_batch_norm_legit.no_stats", [](Args a) { normalized(a, 0, {1, 2}); TORCH_CHECK(a[3].toBool(), "training must be true where there are no statistics"); }},
	    {"aten::_native_batch_norm_legit.no_stats_out", [](Args a) { normalized(a, 0, {1, 2}); TORCH_CHECK(a[3].toBool(), "training must be true where there are no statistics"); }},
	    {"aten::_native_batch_norm_legit_no_training", [](Args a) { normalized(a, 0, {1, 2, 3, 4}); }},
	    {"aten::_native_batch_norm_legit_no_training.out", [](Args a) { normalized(a, 0, {1, 2, 3, 4}); }},
	    {"aten::_batch_norm_with_update", [](Args a) { normalized(a, 0, {1, 2, 3, 4}); }},
	    {"aten::_batch_norm_with_update.out", [](Args a) { normalized(a, 0, {1, 2, 3, 4}); }},
	    {"aten::_batch_norm_with_update_functional", [](Args a) { normalized(a, 0, {1, 2, 3, 4}); }},
	    {"aten::_batch_norm_no_update", [](Args a) { normalized(a, 0, {1, 2, 3, 4}); both(a, 3, 4); }},
	    {"aten::_batch_norm_no_update.out", [](Args a) { normalized(a, 0, {1, 2, 3, 4}); both(a, 3, 4); }},
	    {"aten::native_batch_norm_backward", [](Args a) { normalized_backward(a); }},
	    {"aten::native_batch_norm_backward.out", [](Args a) { normalized_backward(a); }},
	    {"aten::batch_norm_backward", [](Args a) { normalized_backward(a); }},
	    {"aten::_cummax_helper", [](Args a) { extremes(a); }},
	    {"aten::_cummin_helper", [](Args a) { extremes(a); }},
	    {"aten::_log_softmax_backward_data", [](Args a) { softmax(a); }},
	    {"aten::_log_softmax_backward_data.out", [](Args a) { softmax(a); }},
	    {"aten::_softmax_backward_data", [](Args a) { softmax(a); }},
	    {"aten::_softmax_backward_data.out", [](Args a) { softmax(a); }},
	    {"aten::_cdist_backward", [](Args a) { cdist(a); }},
	    {"aten::_cdist_backward.out", [](Args a) { cdist(a); }},
	    {"aten::_pdist_backward", [](Args a) { pdist(a); }},
	    {"aten::_pdist_backward.out", [](Args a) { pdist(a); }},
	    {"aten::_compute_linear_combination", [](Args a) { combination(a); }},
	    {"aten::_compute_linear_combination.out", [](Args a) { combination(a); }},
	    {"aten::_foreach_copy", [](Args a) { plain(a, {0, 1}); TORCH_CHECK(a[0].toListRef().size() == a[1].toListRef().size(), "the lists are of different lengths"); }},
	    {"aten::_foreach_copy.out", [](Args a) { plain(a, {0, 1}); TORCH_CHECK(a[0].toListRef().size() == a[1].toListRef().size(), "the lists are of different lengths"); }},
	    {"aten::_foreach_copy_", [](Args a) { plain(a, {0, 1}); TORCH_CHECK(a[0].toListRef().size() == a[1].toListRef().size(), "the lists are of different lengths"); }},
	    {"aten::copy", [](Args a) { plain(a, {0, 1}); }}, // takes a sparse tensor for a dense one
	    {"aten::copy.out", [](Args a) { plain(a, {0, 1}); }},
	    {"aten::_neg_view", [](Args a) { plain(a, {0}); }},
	    {"aten::_neg_view_copy", [](Args a) { plain(a, {0}); }},
	    {"aten::_neg_view_copy.out", [](Args a) { plain(a, {0}); }},
	    {"aten::_conj_copy", [](Args a) { plain(a, {0}); }},
	    {"aten::_conj_copy.out", [](Args a) { plain(a, {0}); }},
	    {"aten::_new_zeros_with_same_feature_meta", [](Args a) { plain(a, {0, 1}); TORCH_CHECK(a[2].toInt() >= 0 && a[2].toInt() <= tensor(a, 0).dim(), "self_num_batch_dims is ", a[2].toInt()); }},
	    {"aten::_new_zeros_with_same_feature_meta.out", [](Args a) { plain(a, {0, 1}); TORCH_CHECK(a[2].toInt() >= 0 && a[2].toInt() <= tensor(a, 0).dim(), "self_num_batch_dims is ", a[2].toInt()); }},
	    {"aten::_reshape_alias", [](Args a) { aliased(a); }},
	    {"aten::_reshape_alias_copy", [](Args a) { aliased(a); }},
	    {"aten::_reshape_alias_copy.out", [](Args a) { aliased(a); }},
	    {"aten::_scaled_dot_product_flash_attention_for_cpu_backward", [](Args a) { attention(a); }},
	    {"aten::_thnn_differentiable_lstm_cell_backward", [](Args a) { TORCH_CHECK(given(a, 0) || given(a, 1), "a gradient must be given"); gates(a, 6, 4, {6, 7, 0, 1}, {2, 3}, {4, 5}); }},
	    {"aten::_thnn_differentiable_gru_cell_backward", [](Args a) { gates(a, 3, 3, {3, 0}, {1, 2}, {4, 5}); }},
	    {"aten::_nnpack_spatial_convolution", [](Args a) { floating(a, {0, 1, 2}); TORCH_CHECK(tensor(a, 0).scalar_type() == at::kFloat && tensor(a, 0).dim() == 4 && tensor(a, 1).dim() == 4 && tensor(a, 0).size(1) == tensor(a, 1).size(1), "the input and the weight do not fit"); sized(a, {2}, {tensor(a, 1).size(0)}); }},
	    {"aten::_nnpack_spatial_convolution.out", [](Args a) { floating(a, {0, 1, 2}); TORCH_CHECK(tensor(a, 0).scalar_type() == at::kFloat && tensor(a, 0).dim() == 4 && tensor(a, 1).dim() == 4 && tensor(a, 0).size(1) == tensor(a, 1).size(1), "the input and the weight do not fit"); sized(a, {2}, {tensor(a, 1).size(0)}); }},
	    {"aten::lstm.input", [](Args a) { recurrent(a, false, 4); }},
	    {"aten::lstm.data", [](Args a) { recurrent(a, true, 4); }},
	    {"aten::gru.input", [](Args a) { recurrent(a, false, 3); }},
	    {"aten::gru.data", [](Args a) { recurrent(a, true, 3); }},
	    {"aten::rnn_tanh.input", [](Args a) { recurrent(a, false, 1); }},
	    {"aten::rnn_tanh.data", [](Args a) { recurrent(a, true, 1); }},
	    {"aten::rnn_relu.input", [](Args a) { recurrent(a, false, 1); }},
	    {"aten::rnn_relu.data", [](Args a) { recurrent(a, true, 1); }},
	    {"aten::mkldnn_rnn_layer", [](Args a) { layer(a); }},
	    {"aten::mkldnn_rnn_layer.out", [](Args a) { layer(a); }},
	    {"aten::binomial", [](Args a) { binomial(a); }}, // draws for ever
	    {"aten::binomial.out", [](Args a) { binomial(a); }},
	    {"aten::combinations", [](Args a) { combinations(a); }}, // makes all before it chooses
	    {"aten::matrix_power", [](Args a) { TORCH_CHECK(a[1].toInt() > INT64_MIN, "n is too low"); }}, // halves for ever
	    {"aten::matrix_power.out", [](Args a) { plain(a, {0, 2}); TORCH_CHECK(a[1].toInt() > INT64_MIN, "n is too low"); }},
	    {"aten::linalg_matrix_power", [](Args a) { TORCH_CHECK(a[1].toInt() > INT64_MIN, "n is too low"); }},
	    {"aten::linalg_matrix_power.out", [](Args a) { plain(a, {0, 2}); TORCH_CHECK(a[1].toInt() > INT64_MIN, "n is too low"); }},
	    {"aten::choose_qparams_optimized", [](Args a) { choose(a); }},
	    {"aten::_sparse_coo_tensor_unsafe", [](Args a) { at::_validate_sparse_coo_tensor_args(tensor(a, 0), tensor(a, 1), a[2].toIntVector()); }}, // an invalid one crashes whoever uses it
	    {"aten::_sparse_csr_tensor_unsafe", [](Args a) { at::_validate_sparse_csr_tensor_args(tensor(a, 0), tensor(a, 1), tensor(a, 2), a[3].toIntVector()); }},
	    {"aten::_sparse_csc_tensor_unsafe", [](Args a) { at::_validate_sparse_csc_tensor_args(tensor(a, 0), tensor(a, 1), tensor(a, 2), a[3].toIntVector()); }},
	    {"aten::_sparse_bsr_tensor_unsafe", [](Args a) { at::_validate_sparse_bsr_tensor_args(tensor(a, 0), tensor(a, 1), tensor(a, 2), a[3].toIntVector()); }},
	    {"aten::_sparse_bsc_tensor_unsafe", [](Args a) { at::_validate_sparse_bsc_tensor_args(tensor(a, 0), tensor(a, 1), tensor(a, 2), a[3].toIntVector()); }},
	    {"aten::_sparse_compressed_tensor_unsafe", [](Args a) { TORCH_CHECK(!a[5].isNone(), "layout must be given"); at::_validate_sparse_compressed_tensor_args(tensor(a, 0), tensor(a, 1), tensor(a, 2), a[3].toIntVector(), a[5].toLayout()); }},
	    {"aten::special_chebyshev_polynomial_t", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_t.x_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_t.n_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_t.out", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_t.x_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_t.n_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_u", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_u.x_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_u.n_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_u.out", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_u.x_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_u.n_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_v", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_v.x_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_v.n_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_v.out", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_v.x_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_v.n_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_w", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_w.x_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_w.n_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_w.out", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_w.x_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_chebyshev_polynomial_w.n_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_hermite_polynomial_h", [](Args a) { polynomial(a); }},
	    {"aten::special_hermite_polynomial_h.x_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_hermite_polynomial_h.n_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_hermite_polynomial_h.out", [](Args a) { polynomial(a); }},
	    {"aten::special_hermite_polynomial_h.x_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_hermite_polynomial_h.n_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_hermite_polynomial_he", [](Args a) { polynomial(a); }},
	    {"aten::special_hermite_polynomial_he.x_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_hermite_polynomial_he.n_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_hermite_polynomial_he.out", [](Args a) { polynomial(a); }},
	    {"aten::special_hermite_polynomial_he.x_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_hermite_polynomial_he.n_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_laguerre_polynomial_l", [](Args a) { polynomial(a); }},
	    {"aten::special_laguerre_polynomial_l.x_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_laguerre_polynomial_l.n_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_laguerre_polynomial_l.out", [](Args a) { polynomial(a); }},
	    {"aten::special_laguerre_polynomial_l.x_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_laguerre_polynomial_l.n_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_legendre_polynomial_p", [](Args a) { polynomial(a); }},
	    {"aten::special_legendre_polynomial_p.x_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_legendre_polynomial_p.n_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_legendre_polynomial_p.out", [](Args a) { polynomial(a); }},
	    {"aten::special_legendre_polynomial_p.x_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_legendre_polynomial_p.n_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_t", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_t.x_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_t.n_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_t.out", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_t.x_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_t.n_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_u", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_u.x_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_u.n_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_u.out", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_u.x_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_u.n_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_v", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_v.x_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_v.n_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_v.out", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_v.x_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_v.n_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_w", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_w.x_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_w.n_scalar", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_w.out", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_w.x_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::special_shifted_chebyshev_polynomial_w.n_scalar_out", [](Args a) { polynomial(a); }},
	    {"aten::_linalg_eigvals", [](Args a) { finite(tensor(a, 0), "the input"); }},
	    {"aten::random_.from", [](Args a) { TORCH_CHECK(!tensor(a, 0).is_floating_point() || a[1].toInt() < int64_t(1) << 62, "from is too high"); }}, // searches for ever
	    {"aten::_nested_compute_contiguous_strides_offsets", [](Args a) { akin(a, {0}); TORCH_CHECK(tensor(a, 0).dim() == 2 && tensor(a, 0).scalar_type() == at::kLong && tensor(a, 0).is_cpu() && tensor(a, 0).numel() > 0 && tensor(a, 0).is_contiguous(), "nested_size must be a contiguous matrix of int64"); }},
	    {"aten::batch_norm_update_stats", [](Args a) { normalized(a, 0, {1, 2}); TORCH_CHECK(given(a, 1) == given(a, 2), "running_mean and running_var go together"); }},
	    {"aten::batch_norm_update_stats.out", [](Args a) { normalized(a, 0, {1, 2}); TORCH_CHECK(given(a, 1) == given(a, 2), "running_mean and running_var go together"); }},
	    {"aten::slow_conv_transpose2d", [](Args a) { kernel(a); }},
	    {"aten::slow_conv_transpose2d.out", [](Args a) { kernel(a); }},
	    {"aten::slow_conv_transpose3d", [](Args a) { kernel(a); }},
	    {"aten::slow_conv_transpose3d.out", [](Args a) { kernel(a); }},
	    {"aten::slow_conv_dilated2d", [](Args a) { kernel(a); }},
	    {"aten::slow_conv_dilated2d.out", [](Args a) { kernel(a); }},
	    {"aten::slow_conv_dilated3d", [](Args a) { kernel(a); }},
	    {"aten::slow_conv_dilated3d.out", [](Args a) { kernel(a); }},
	    {"aten::thnn_conv2d", [](Args a) { kernel(a); }},
	    {"aten::thnn_conv2d.out", [](Args a) { kernel(a); }},
	    {"aten::slow_conv3d", [](Args a) { kernel(a); }},
	    {"aten::slow_conv3d.out", [](Args a) { kernel(a); }},
	    {"aten::_slow_conv2d_forward", [](Args a) { kernel(a); }},
	    {"aten::_slow_conv2d_forward.output", [](Args a) { kernel(a); }},
	    {"aten::slow_conv3d_forward", [](Args a) { kernel(a); }},
	    {"aten::slow_conv3d_forward.output", [](Args a) { kernel(a); }},
	    {"aten::_fused_adam_", [](Args a) { lists(a, {0, 1, 2, 3}, {4}, {5}); }},
	    {"aten::_fused_adam_.tensor_lr", [](Args a) { lists(a, {0, 1, 2, 3}, {4}, {5}); }},
	    {"aten::_fused_adam", [](Args a) { lists(a, {0, 1, 2, 3}, {4}, {5}); }},
	    {"aten::_fused_adam.out", [](Args a) { lists(a, {0, 1, 2, 3}, {4}, {5}); }},
	    {"aten::_fused_adam.tensor_lr", [](Args a) { lists(a, {0, 1, 2, 3}, {4}, {5}); }},
	    {"aten::_fused_adam.tensor_lr_out", [](Args a) { lists(a, {0, 1, 2, 3}, {4}, {5}); }},
	    {"aten::_fused_adamw_", [](Args a) { lists(a, {0, 1, 2, 3}, {4}, {5}); }},
	    {"aten::_fused_adamw_.tensor_lr", [](Args a) { lists(a, {0, 1, 2, 3}, {4}, {5}); }},
	    {"aten::_fused_adamw", [](Args a) { lists(a, {0, 1, 2, 3}, {4}, {5}); }},
	    {"aten::_fused_adamw.out", [](Args a) { lists(a, {0, 1, 2, 3}, {4}, {5}); }},
	    {"aten::_fused_adamw.tensor_lr", [](Args a) { lists(a, {0, 1, 2, 3}, {4}, {5}); }},
	    {"aten::_fused_adamw.tensor_lr_out", [](Args a) { lists(a, {0, 1, 2, 3}, {4}, {5}); }},
	    {"aten::_fused_sgd_", [](Args a) { lists(a, {0, 1}, {2}); }},
	    {"aten::_fused_sgd_.tensor_lr", [](Args a) { lists(a, {0, 1}, {2}); }},
	    {"aten::_fused_sgd", [](Args a) { lists(a, {0, 1}, {2}); }},
	    {"aten::_fused_sgd.out", [](Args a) { lists(a, {0, 1}, {2}); }},
	    {"aten::_fused_sgd.tensor_lr", [](Args a) { lists(a, {0, 1}, {2}); }},
	    {"aten::_fused_sgd.tensor_lr_out", [](Args a) { lists(a, {0, 1}, {2}); }},
	    {"aten::_fused_adagrad_", [](Args a) { lists(a, {0, 1, 2}, {}, {3}); }},
	    {"aten::_fused_adagrad_.tensor_lr", [](Args a) { lists(a, {0, 1, 2}, {}, {3}); }},
	    {"aten::_fused_adagrad", [](Args a) { lists(a, {0, 1, 2}, {}, {3}); }},
	    {"aten::_fused_adagrad.out", [](Args a) { lists(a, {0, 1, 2}, {}, {3}); }},
	    {"aten::_fused_adagrad.tensor_lr", [](Args a) { lists(a, {0, 1, 2}, {}, {3}); }},
	    {"aten::_fused_adagrad.tensor_lr_out", [](Args a) { lists(a, {0, 1, 2}, {}, {3}); }},
	    {"aten::_logcumsumexp.out", [](Args a) { plain(a, {0}); into(a, 2, tensor(a, 0).scalar_type()); }},
	    {"aten::concat.out", [](Args a) { some(a[0]); }},
	    {"aten::concatenate.out", [](Args a) { some(a[0]); }},
	    {"aten::range.out", [](Args a) { TORCH_CHECK(a[2].isComplexDouble() || (a[2].toScalar().to<double>() != 0 && (!at::isIntegralType(tensor(a, 3).scalar_type(), true) || std::abs(a[2].toScalar().to<double>()) >= 1)), "step must not be 0 as out's dtype"); }},
	    {"aten::view_copy.dtype", [](Args a) { plain(a, {0}); }},
	    {"aten::view_copy.dtype_out", [](Args a) { plain(a, {0, 2}); }},
	    {"aten::_scaled_dot_product_flash_attention_for_cpu", [](Args a) { attended(a, 0, 5); }},
	    {"aten::_ctc_loss", [](Args a) { ctc(a, 0, 4); }},
	    {"aten::_ctc_loss.out", [](Args a) { ctc(a, 0, 4); }},
	    {"aten::_ctc_loss.Tensor", [](Args a) { ctc(a, 0, 4); }},
	    {"aten::_ctc_loss.Tensor_out", [](Args a) { ctc(a, 0, 4); }},
	    {"aten::ctc_loss.IntList", [](Args a) { ctc(a, 0, 4); }},
	    {"aten::ctc_loss.Tensor", [](Args a) { ctc(a, 0, 4); }},
	    {"aten::_ctc_loss_backward", [](Args a) { ctc_backward(a); }},
	    {"aten::_ctc_loss_backward.out", [](Args a) { ctc_backward(a); }},
	    {"aten::_ctc_loss_backward.Tensor", [](Args a) { ctc_backward(a); }},
	    {"aten::_nested_from_padded", [](Args a) { from_padded(a); }},
	    {"aten::_nested_from_padded.out", [](Args a) { from_padded(a); }},
	    {"aten::embedding_backward", [](Args a) { embedded(a); }},
	    {"aten::embedding_dense_backward", [](Args a) { embedded(a); }},
	    {"aten::embedding_dense_backward.out", [](Args a) { embedded(a); }},
	    {"aten::embedding_sparse_backward", [](Args a) { embedded(a); }},
	    {"aten::embedding_bag", [](Args a) { bags(a, tensor(a, 0).dim() ? tensor(a, 0).size(0) : 0, 1, 2); }},
	    {"aten::embedding_bag.padding_idx", [](Args a) { bags(a, tensor(a, 0).dim() ? tensor(a, 0).size(0) : 0, 1, 2); }},
	    {"aten::_embedding_bag", [](Args a) { bags(a, tensor(a, 0).dim() ? tensor(a, 0).size(0) : 0, 1, 2); }},
	    {"aten::_embedding_bag.out", [](Args a) { bags(a, tensor(a, 0).dim() ? tensor(a, 0).size(0) : 0, 1, 2); }},
	    {"aten::_embedding_bag_forward_only", [](Args a) { bags(a, tensor(a, 0).dim() ? tensor(a, 0).size(0) : 0, 1, 2); }},
	    {"aten::_embedding_bag_forward_only.out", [](Args a) { bags(a, tensor(a, 0).dim() ? tensor(a, 0).size(0) : 0, 1, 2); }},
	    {"aten::_embedding_bag_backward", [](Args a) { bags(a, a[6].toInt(), 1, 2); bagged(a, 1, 2, 3, 4, 5, 8); }},
	    {"aten::_embedding_bag_sparse_backward", [](Args a) { bags(a, a[5].toInt(), 1, 2); bagged(a, 1, 0, 3, 4, 0, 0); }},
	    {"aten::_embedding_bag_dense_backward", [](Args a) { bags(a, a[5].toInt(), 1, 0); bagged(a, 1, 0, 2, 3, 4, 7); }},
	    {"aten::_embedding_bag_dense_backward.out", [](Args a) { bags(a, a[5].toInt(), 1, 0); bagged(a, 1, 0, 2, 3, 4, 7); }},
	    {"aten::_embedding_bag_per_sample_weights_backward", [](Args a) { bags(a, tensor(a, 1).dim() ? tensor(a, 1).size(0) : 0, 2, 3); bagged(a, 2, 3, 4, 0, 0, 0); }},
	    {"aten::_embedding_bag_per_sample_weights_backward.out", [](Args a) { bags(a, tensor(a, 1).dim() ? tensor(a, 1).size(0) : 0, 2, 3); bagged(a, 2, 3, 4, 0, 0, 0); }},
	    {"aten::lu_unpack", [](Args a) { if (a[3].toBool()) pivots(a, 0, 1, 1); }},
	    {"aten::lu_unpack.out", [](Args a) { if (a[3].toBool()) pivots(a, 0, 1, 1); }},
	    {"aten::linalg_lu_solve", [](Args a) { pivots(a, 0, 1, 1); }},
	    {"aten::linalg_lu_solve.out", [](Args a) { pivots(a, 0, 1, 1); }},
	    {"aten::lu_solve", [](Args a) { pivots(a, 1, 2, 1); }},
	    {"aten::lu_solve.out", [](Args a) { pivots(a, 1, 2, 1); }},
	    {"aten::linalg_ldl_solve", [](Args a) { pivots(a, 0, 1, INT32_MIN); }},
	    {"aten::linalg_ldl_solve.out", [](Args a) { pivots(a, 0, 1, INT32_MIN); }},
	    {"aten::native_layer_norm_backward", [](Args a) { layer_norm(a); }},
	    {"aten::native_layer_norm_backward.out", [](Args a) { layer_norm(a); }},
	    {"aten::native_group_norm", [](Args a) { group_norm(a, 0, {1, 2}, 3); }},
	    {"aten::native_group_norm.out", [](Args a) { group_norm(a, 0, {1, 2}, 3); }},
	    {"aten::native_group_norm_backward", [](Args a) { sized(a, {0}, tensor(a, 1).sizes()); akin(a, {0, 1}); group_norm(a, 1, {4}, 5); akin(a, {2, 3}); sized(a, {2, 3}, {a[5].toInt(), a[8].toInt()}); }},
	    {"aten::native_group_norm_backward.out", [](Args a) { sized(a, {0}, tensor(a, 1).sizes()); akin(a, {0, 1}); group_norm(a, 1, {4}, 5); akin(a, {2, 3}); sized(a, {2, 3}, {a[5].toInt(), a[8].toInt()}); }},
	    {"aten::nll_loss_backward", [](Args a) { classes(a); }},
	    {"aten::nll_loss_backward.grad_input", [](Args a) { classes(a); }},
	    {"aten::nll_loss2d_backward", [](Args a) { classes(a); }},
	    {"aten::nll_loss2d_backward.grad_input", [](Args a) { classes(a); }},
	    {"aten::_native_multi_head_attention", [](Args a) { TORCH_CHECK(a[4].toInt() > 0, "num_head is ", a[4].toInt(), " and must be at least 1"); }},
	    {"aten::_native_multi_head_attention.out", [](Args a) { TORCH_CHECK(a[4].toInt() > 0, "num_head is ", a[4].toInt(), " and must be at least 1"); }},
	    {"aten::_transformer_encoder_layer_fwd", [](Args a) { TORCH_CHECK(a[2].toInt() > 0, "num_heads is ", a[2].toInt(), " and must be at least 1"); }},
	    {"aten::_transformer_encoder_layer_fwd.out", [](Args a) { TORCH_CHECK(a[2].toInt() > 0, "num_heads is ", a[2].toInt(), " and must be at least 1"); }},
	};
	return *t;
}

} // namespace

Guard guard_of(const c10::OperatorName &name) {
	const auto &t = rows();
	auto at = t.find(c10::toString(name));
	return at == t.end() ? nullptr : at->second;
}

std::vector<std::string> guarded() {
	std::vector<std::string> names;
	for (const auto &g : rows())
		names.push_back(g.first);
	return names;
}

} // namespace torchhub
