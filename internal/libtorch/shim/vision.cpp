// The operators of torchvision's library: non-maximum suppression, the pooling of regions of interest (RoIs), and
// deformable convolution. These are kernels for the CPU; vision_device.cpp has those for other devices.

#include "vision.h"
#include "vision_device.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/functions/basic_ops.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cfloat>
#include <cmath>
#include <string>
#include <tuple>
#include <vector>

namespace torchhub __attribute__((visibility("hidden"))) {

namespace {

using namespace vision;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// VisionKernels are the kernels that are registered. Those of torchvision's own library have kernels for devices, but none for
// autograd, autocast and meta tensors, which Python registers. Ours replace its kernels for the CPU, which read beyond the input
// where a box or an offset is NaN.
enum VisionKernels { kNone, kOurs, kTheirs };
std::atomic<VisionKernels> vision_kernels{kNone};

// call_theirs calls an operator of torchvision's library.
std::vector<c10::IValue> call_theirs(const std::string &name, std::vector<c10::IValue> stack) {
	c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), "").callBoxed(stack);
	return stack;
}

// Non-maximum suppression.

Tensor nms(const Tensor &dets, const Tensor &scores, double threshold) {
	TORCH_CHECK(dets.dim() == 2, "boxes should be a 2d tensor, got ", dets.dim(), "D");
	TORCH_CHECK(dets.size(1) == 4, "boxes should have 4 elements in dimension 1, got ", dets.size(1));
	TORCH_CHECK(scores.dim() == 1, "scores should be a 1d tensor, got ", scores.dim(), "D");
	TORCH_CHECK(dets.size(0) == scores.size(0), "boxes and scores should have same number of elements in dimension 0, got ", dets.size(0), " and ", scores.size(0));
	TORCH_CHECK(dets.scalar_type() == scores.scalar_type(), "dets should have the same type as scores, got ", dets.scalar_type(), " and ", scores.scalar_type());
	TORCH_CHECK(dets.device() == scores.device(), "boxes and scores must be on one device, not on ", dets.device(), " and ", scores.device());
	TORCH_CHECK(!dets.is_meta(), "the number of boxes that nms keeps depends on their values, which a meta tensor does not have");
	if (on_device(dets.device()))
		return device_nms(dets, scores, threshold);
	int64_t n = dets.size(0), kept = 0;
	Tensor order = std::get<1>(scores.cpu().sort(/*stable=*/true, 0, /*descending=*/true));
	Tensor sides = dets.cpu().t().contiguous(), keep = at::empty({n}, at::kLong);
	AT_DISPATCH_FLOATING_TYPES(dets.scalar_type(), "nms", [&] {
		const scalar_t *x1 = sides.const_data_ptr<scalar_t>(), *y1 = x1 + n, *x2 = y1 + n, *y2 = x2 + n;
		const int64_t *by = order.const_data_ptr<int64_t>();
		std::vector<scalar_t> area(n);
		for (int64_t i = 0; i < n; i++)
			area[i] = (x2[i] - x1[i]) * (y2[i] - y1[i]);
		std::vector<char> suppressed(n);
		for (int64_t at = 0; at < n; at++) {
			int64_t i = by[at];
			if (suppressed[i])
				continue;
			keep.mutable_data_ptr<int64_t>()[kept++] = i;
			for (int64_t next = at + 1; next < n; next++) {
				int64_t j = by[next];
				if (suppressed[j])
					continue;
				scalar_t w = std::max(scalar_t(0), std::min(x2[i], x2[j]) - std::max(x1[i], x1[j]));
				scalar_t h = std::max(scalar_t(0), std::min(y2[i], y2[j]) - std::max(y1[i], y1[j]));
				scalar_t inter = w * h;
				if (inter / (area[i] + area[j] - inter) > threshold)
					suppressed[j] = 1;
			}
		}
	});
	return keep.narrow(0, 0, kept).to(dets.device());
}

// Rotated boxes.

using Corner = std::array<double, 2>;

// clip cuts off the part of a convex polygon in which sign · the coordinate is above a limit.
std::vector<Corner> clip(const std::vector<Corner> &polygon, int coordinate, double sign, double limit) {
	std::vector<Corner> out;
	for (size_t i = 0; i < polygon.size(); i++) {
		const Corner &a = polygon[i], &b = polygon[(i + 1) % polygon.size()];
		double over_a = sign * a[coordinate] - limit, over_b = sign * b[coordinate] - limit;
		if (over_a <= 0)
			out.push_back(a);
		if ((over_a < 0 && over_b > 0) || (over_a > 0 && over_b < 0)) {
			double t = over_a / (over_a - over_b);
			out.push_back({a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])});
		}
	}
	return out;
}

// rotated_iou returns the intersection over union of two boxes: the center, width, height and angle of each.
double rotated_iou(const double *a, const double *b) {
	double area_a = a[2] * a[3], area_b = b[2] * b[3];
	if (!(a[2] > 0 && a[3] > 0 && b[2] > 0 && b[3] > 0) || area_a < 1e-14 || area_b < 1e-14)
		return 0;
	constexpr double degree = 0.017453292519943295;
	double cos_a = std::cos(a[4] * degree), sin_a = std::sin(a[4] * degree), cos_b = std::cos(b[4] * degree), sin_b = std::sin(b[4] * degree);
	std::vector<Corner> polygon; // a, along the sides of b, from its center
	for (auto [u, v] : {Corner{.5, .5}, Corner{-.5, .5}, Corner{-.5, -.5}, Corner{.5, -.5}}) {
		double x = a[0] - b[0] + u * a[2] * cos_a + v * a[3] * sin_a, y = a[1] - b[1] - u * a[2] * sin_a + v * a[3] * cos_a;
		polygon.push_back({x * cos_b - y * sin_b, x * sin_b + y * cos_b});
	}
	for (int side = 0; side < 4; side++)
		polygon = clip(polygon, side / 2, side % 2 ? -1 : 1, b[2 + side / 2] / 2);
	double inter = 0;
	for (size_t i = 0; i < polygon.size(); i++) {
		const Corner &p = polygon[i], &q = polygon[(i + 1) % polygon.size()];
		inter += (p[0] * q[1] - p[1] * q[0]) / 2;
	}
	inter = std::abs(inter);
	return inter > 0 ? inter / (area_a + area_b - inter) : 0; // 0 for NaN
}

Tensor box_iou_rotated(const Tensor &boxes1, const Tensor &boxes2) {
	for (const Tensor *t : {&boxes1, &boxes2}) {
		TORCH_CHECK(t->dim() == 2 && t->size(1) == 5, "rotated boxes must have shape [N, 5], not ", t->sizes());
		TORCH_CHECK(t->scalar_type() == at::kFloat || t->scalar_type() == at::kDouble, "rotated boxes must be float32 or float64, not ", t->scalar_type());
	}
	int64_t n = boxes1.size(0), m = boxes2.size(0);
	if (boxes1.is_meta())
		return at::empty({n, m}, boxes1.options().dtype(at::kFloat));
	Tensor a = boxes1.cpu().to(at::kDouble).contiguous(), b = boxes2.cpu().to(at::kDouble).contiguous(), out = at::empty({n, m}, at::kFloat);
	at::parallel_for(0, n, 1, [&](int64_t begin, int64_t end) {
		for (int64_t i = begin; i < end; i++)
			for (int64_t j = 0; j < m; j++)
				out.mutable_data_ptr<float>()[i * m + j] = float(rotated_iou(a.const_data_ptr<double>() + 5 * i, b.const_data_ptr<double>() + 5 * j));
	});
	return out.to(boxes1.device());
}

// Pooling.

// A Point is a sampling point: four pixels and their weights.
template <class T> struct Point {
	int64_t at[4];
	T weight[4];
};

// Points are the sampling points of a RoI that are inside of the picture.
template <class T> struct Points {
	std::vector<Point<T>> all;
	std::vector<size_t> ends; // of each bin
	int64_t count = 1;        // of the points of a bin, with those outside

	Points(const Pooling &p, const T *roi, const Shape &in) {
		auto ys = sides(p, roi[2], roi[4], p.h, in.h, count), xs = sides(p, roi[1], roi[3], p.w, in.w, count);
		for (const auto &bin_y : ys)
			for (const auto &bin_x : xs) {
				for (const auto &y : bin_y)
					for (const auto &x : bin_x)
						if (!y.outside && !x.outside)
							all.push_back({{y.low * in.w + x.low, y.low * in.w + x.high, y.high * in.w + x.low, y.high * in.w + x.high},
							               {y.weight_low * x.weight_low, y.weight_low * x.weight_high, y.weight_high * x.weight_low, y.weight_high * x.weight_high}});
				TORCH_CHECK(all.size() < 1 << 26, p.name(), ": a RoI has more than ", 1 << 26, " points; give smaller boxes or a sampling_ratio");
				ends.push_back(all.size());
			}
	}
};

// each_bin calls f(c, bin, output, plane) for the channels [from, to) of a RoI's output.
template <class F> void each_bin(const Pooling &p, const Shape &in, int64_t roi, int64_t picture, int64_t channels, int64_t from, int64_t to, F f) {
	for (int64_t c = from; c < to; c++)
		for (int64_t b = 0; b < p.bins(); b++) {
			int64_t channel = p.ps() ? c * p.bins() + b : c;
			f(channel, b, (roi * channels + c) * p.bins() + b, (picture * in.c + channel) * in.plane());
		}
}

template <class T> void pool_roi(const Pooling &p, const Shape &in, const T *x, const T *roi, int64_t r, int64_t picture, int64_t channels, T *out, int32_t *aux) {
	if (p.samples()) {
		Points<T> points(p, roi, in);
		T count = T(double(p.ps() ? points.count : std::max(points.count, int64_t(1))));
		each_bin(p, in, r, picture, channels, 0, channels, [&](int64_t channel, int64_t b, int64_t at, int64_t plane) {
			T sum = 0;
			for (size_t i = b ? points.ends[b - 1] : 0; i < points.ends[b]; i++) {
				const Point<T> &q = points.all[i];
				sum += q.weight[0] * x[plane + q.at[0]] + q.weight[1] * x[plane + q.at[1]] + q.weight[2] * x[plane + q.at[2]] + q.weight[3] * x[plane + q.at[3]];
			}
			out[at] = sum / count;
			if (aux)
				aux[at] = int32_t(channel);
		});
		return;
	}
	int64_t skip = p.ps(); // torchvision leaves the last row and column out, but not of the gradient
	auto ys = bounds(p, roi[2], roi[4], p.h, in.h - skip), xs = bounds(p, roi[1], roi[3], p.w, in.w - skip);
	each_bin(p, in, r, picture, channels, 0, channels, [&](int64_t channel, int64_t b, int64_t at, int64_t plane) {
		auto [top, bottom] = ys[b / p.w];
		auto [left, right] = xs[b % p.w];
		bool empty = bottom <= top || right <= left;
		T value = p.kind == kMax && !empty ? T(-FLT_MAX) : T(0);
		int32_t argmax = -1;
		for (int64_t i = top; i < bottom; i++)
			for (int64_t j = left; j < right; j++) {
				T v = x[plane + i * in.w + j];
				if (p.ps())
					value += v;
				else if (v > value) {
					value = v;
					argmax = int32_t(i * in.w + j);
				}
			}
		if (p.ps() && !empty)
			value /= T(double((bottom - top) * (right - left)));
		out[at] = value;
		aux[at] = p.ps() ? int32_t(channel) : argmax;
	});
}

// unpool_roi adds the gradient of the channels [from, to) of a RoI's output to that of the input.
template <class T> void unpool_roi(const Pooling &p, const Shape &in, const T *grad, const T *roi, const int32_t *aux, int64_t r, int64_t picture, int64_t channels, int64_t from, int64_t to, T *out) {
	if (p.samples()) {
		Points<T> points(p, roi, in);
		T count = T(double(points.count));
		each_bin(p, in, r, picture, channels, from, to, [&](int64_t, int64_t b, int64_t at, int64_t plane) {
			for (size_t i = b ? points.ends[b - 1] : 0; i < points.ends[b]; i++)
				for (int k = 0; k < 4; k++)
					out[plane + points.all[i].at[k]] += grad[at] * points.all[i].weight[k] / count;
		});
		return;
	}
	auto ys = bounds(p, roi[2], roi[4], p.h, in.h), xs = bounds(p, roi[1], roi[3], p.w, in.w);
	each_bin(p, in, r, picture, channels, from, to, [&](int64_t, int64_t b, int64_t at, int64_t plane) {
		if (p.kind == kMax) {
			if (aux[at] >= 0 && aux[at] < in.plane())
				out[plane + aux[at]] += grad[at];
			return;
		}
		auto [top, bottom] = ys[b / p.w];
		auto [left, right] = xs[b % p.w];
		T share = grad[at] / T(double((bottom - top) * (right - left)));
		for (int64_t i = top; i < bottom; i++)
			for (int64_t j = left; j < right; j++)
				out[plane + i * in.w + j] += share;
	});
}

void check_rois(const Pooling &p, const Tensor &input, const Tensor &rois) {
	TORCH_CHECK(input.dim() == 4, p.name(), ": the input must have shape [N, C, H, W], not ", input.sizes());
	TORCH_CHECK(rois.dim() == 2 && rois.size(1) == 5, p.name(), ": rois must have shape as Tensor[K, 5], not ", rois.sizes());
	TORCH_CHECK(input.scalar_type() == rois.scalar_type(), p.name(), ": expected tensor for input to have the same type as tensor for rois; but type ", input.scalar_type(), " does not equal ", rois.scalar_type());
	TORCH_CHECK(input.device() == rois.device(), p.name(), ": the input is on ", input.device(), " and the rois are on ", rois.device());
	TORCH_CHECK(p.h > 0 && p.w > 0 && p.h <= 1 << 16 && p.w <= 1 << 16, p.name(), ": the output size is ", p.h, "×", p.w, "; it must be from 1 to ", 1 << 16);
	TORCH_CHECK(!p.ps() || input.size(1) % p.bins() == 0, p.name(), ": input channels must be a multiple of pooling height * pooling width");
	TORCH_CHECK(input.size(2) * input.size(3) < int64_t(1) << 31, p.name(), ": pictures of ", input.size(2), "×", input.size(3), " are too large");
	TORCH_CHECK(rois.size(0) == 0 || (input.size(2) > 0 && input.size(3) > 0), p.name(), ": the input ", input.sizes(), " has no pixels");
}

// pool returns the result of a pooling, and for gradients the index of each maximum or the channel of each mean.
std::tuple<Tensor, Tensor> pool(const Pooling &p, const Tensor &input, const Tensor &rois) {
	check_rois(p, input, rois);
	Shape in{input.size(0), input.size(1), input.size(2), input.size(3)};
	int64_t n = rois.size(0), channels = p.ps() ? in.c / p.bins() : in.c;
	auto on = input.is_meta() ? input.device() : c10::Device(at::kCPU);
	Tensor out = at::empty({n, channels, p.h, p.w}, input.options().device(on));
	Tensor aux = p.kind == kAlign ? Tensor() : at::empty(out.sizes(), out.options().dtype(at::kInt));
	if (input.is_meta())
		return {out, aux};
	if (on_device(input.device()))
		return device_pool(p, input, rois);
	Tensor x = input.cpu().contiguous(), r = rois.cpu().contiguous();
	auto of = pictures(r, in.n);
	AT_DISPATCH_FLOATING_TYPES_AND_HALF(input.scalar_type(), "pooling of RoIs", [&] {
		at::parallel_for(0, n, 1, [&](int64_t begin, int64_t end) {
			for (int64_t i = begin; i < end; i++)
				pool_roi<scalar_t>(p, in, x.const_data_ptr<scalar_t>(), r.const_data_ptr<scalar_t>() + 5 * i, i, of[i], channels, out.mutable_data_ptr<scalar_t>(),
				                   aux.defined() ? aux.mutable_data_ptr<int32_t>() : nullptr);
		});
	});
	return {out.to(input.device()), aux.defined() ? aux.to(input.device()) : aux};
}

Tensor unpool(const Pooling &p, const Tensor &grad, const Tensor &rois, const Tensor &aux, at::IntArrayRef size) {
	TORCH_CHECK(size.size() == 4, p.name(), ": the input must have shape [N, C, H, W], not ", size);
	Shape in{size[0], size[1], size[2], size[3]};
	int64_t channels = p.ps() ? in.c / p.bins() : in.c;
	check_rois(p, at::empty(size, grad.options().device(at::kMeta)), rois.to(at::kMeta));
	TORCH_CHECK(grad.device() == rois.device(), p.name(), ": the gradient is on ", grad.device(), " and the rois are on ", rois.device());
	TORCH_CHECK(grad.sizes() == at::IntArrayRef({rois.size(0), channels, p.h, p.w}), p.name(), ": the gradient has the shape ", grad.sizes());
	TORCH_CHECK(p.kind != kMax || (aux.sizes() == grad.sizes() && aux.scalar_type() == at::kInt), p.name(), ": the indices are not those of the forward");
	if (grad.is_meta())
		return at::empty(size, grad.options());
	if (on_device(grad.device()))
		return device_unpool(p, grad, rois, aux, in);
	Tensor out = at::zeros(size, grad.options().device(at::kCPU));
	Tensor g = grad.cpu().contiguous(), r = rois.cpu().contiguous(), a = p.kind == kMax ? aux.cpu().contiguous() : Tensor();
	auto of = pictures(r, in.n);
	AT_DISPATCH_FLOATING_TYPES_AND_HALF(grad.scalar_type(), "pooling of RoIs", [&] {
		// Channels are independent of each other; RoIs are added in their order.
		at::parallel_for(0, channels, 16, [&](int64_t begin, int64_t end) {
			for (int64_t i = 0; i < rois.size(0); i++)
				unpool_roi<scalar_t>(p, in, g.const_data_ptr<scalar_t>(), r.const_data_ptr<scalar_t>() + 5 * i, p.kind == kMax ? a.const_data_ptr<int32_t>() : nullptr,
				                     i, of[i], channels, begin, end, out.mutable_data_ptr<scalar_t>());
		});
	});
	return out.to(grad.device());
}

// once makes the second derivative of gradients an error, if it would be taken.
variable_list once(const char *name, const variable_list &grads, variable_list results) {
	bool recorded = at::GradMode::is_enabled() && std::any_of(grads.begin(), grads.end(), [](const Tensor &g) { return g.defined() && g.requires_grad(); });
	if (!recorded)
		return results;
	for (Tensor &t : results)
		if (t.defined())
			t = t.detach().requires_grad_(true);
	torch::autograd::DelayedError failing(std::string("double backwards on ") + name + " not supported", int64_t(results.size()));
	return failing(std::move(results));
}

std::tuple<Tensor, Tensor> pool_below(const Pooling &p, const Tensor &input, const Tensor &rois) {
	if (vision_kernels != kTheirs || input.is_meta() || input.is_cpu())
		return pool(p, input, rois);
	std::vector<c10::IValue> stack{input, rois, p.scale, p.h, p.w};
	if (p.samples())
		stack.emplace_back(p.sampling);
	if (p.kind == kAlign)
		stack.emplace_back(p.aligned);
	stack = call_theirs(std::string("torchvision::") + p.name(), std::move(stack));
	return {stack[0].toTensor(), stack.size() > 1 ? stack[1].toTensor() : Tensor()};
}

struct PoolingFunction : torch::autograd::Function<PoolingFunction> {
	static variable_list forward(AutogradContext *ctx, const Tensor &input, const Tensor &rois, const Pooling &p) {
		at::AutoDispatchBelowADInplaceOrView below;
		auto [out, aux] = pool_below(p, input, rois);
		ctx->save_for_backward({rois, aux});
		ctx->saved_data["size"] = input.sizes().vec();
		ctx->saved_data["ints"] = std::vector<int64_t>{p.kind, p.h, p.w, p.sampling, p.aligned};
		ctx->saved_data["scale"] = p.scale;
		if (!aux.defined())
			return {out};
		ctx->mark_non_differentiable({aux});
		return {out, aux};
	}
	static variable_list backward(AutogradContext *ctx, const variable_list &grads) {
		auto saved = ctx->get_saved_variables();
		auto v = ctx->saved_data["ints"].toIntVector();
		Pooling p{Kind(v[0]), ctx->saved_data["scale"].toDouble(), v[1], v[2], v[3], bool(v[4])};
		Tensor grad;
		{
			at::AutoDispatchBelowADInplaceOrView below;
			grad = unpool(p, grads[0], saved[0], saved[1], ctx->saved_data["size"].toIntVector());
		}
		auto result = once(p.name(), grads, {grad});
		return {result[0], Tensor(), Tensor()};
	}
};

template <bool record> std::tuple<Tensor, Tensor> run(const Pooling &p, const Tensor &input, const Tensor &rois) {
	if (!record)
		return pool(p, input, rois);
	auto all = PoolingFunction::apply(input, rois, p);
	return {all[0], all.size() > 1 ? all[1] : Tensor()};
}

template <bool record> Tensor roi_align(const Tensor &input, const Tensor &rois, double scale, int64_t h, int64_t w, int64_t sampling, bool aligned) {
	return std::get<0>(run<record>({kAlign, scale, h, w, sampling, aligned}, input, rois));
}
template <bool record> std::tuple<Tensor, Tensor> ps_roi_align(const Tensor &input, const Tensor &rois, double scale, int64_t h, int64_t w, int64_t sampling) {
	return run<record>({kPSAlign, scale, h, w, sampling, true}, input, rois);
}
template <bool record> std::tuple<Tensor, Tensor> roi_pool(const Tensor &input, const Tensor &rois, double scale, int64_t h, int64_t w) {
	return run<record>({kMax, scale, h, w, 0, false}, input, rois);
}
template <bool record> std::tuple<Tensor, Tensor> ps_roi_pool(const Tensor &input, const Tensor &rois, double scale, int64_t h, int64_t w) {
	return run<record>({kPSMean, scale, h, w, 0, false}, input, rois);
}

// Deformable convolution.

// A Tap is a point that a kernel's element reads: the pixels around it, with 0 outside of the picture.
template <class T> struct Tap {
	bool outside;
	int64_t at[4];
	bool in[4];
	T low_y, low_x, high_y, high_x; // distances

	Tap(const Field &f, T y, T x) : outside(!(double(y) > -1 && double(y) < double(f.h) && double(x) > -1 && double(x) < double(f.w))) {
		if (outside)
			return;
		auto top = int64_t(std::floor(double(y))), left = int64_t(std::floor(double(x)));
		low_y = y - T(double(top));
		low_x = x - T(double(left));
		high_y = T(1) - low_y;
		high_x = T(1) - low_x;
		for (int k = 0; k < 4; k++) {
			int64_t i = top + k / 2, j = left + k % 2;
			in[k] = i >= 0 && i < f.h && j >= 0 && j < f.w;
			at[k] = i * f.w + j;
		}
	}
	T weight(int k) const { return (k / 2 ? low_y : high_y) * (k % 2 ? low_x : high_x); }
	T value(const T *plane, int k) const { return in[k] ? plane[at[k]] : T(0); }
	T sample(const T *plane) const {
		return outside ? T(0) : weight(0) * value(plane, 0) + weight(1) * value(plane, 1) + weight(2) * value(plane, 2) + weight(3) * value(plane, 3);
	}
};

// each_tap calls f(column, offset, mask, plane, tap) for all channels [from, to), elements of the kernel and places.
template <class T, class F> void each_tap(const Deform &d, const Field &f, const T *offset, int64_t from, int64_t to, F call) {
	for (int64_t c = from; c < to; c++) {
		int64_t group = c / (f.c / d.offset_groups);
		for (int64_t k = 0; k < f.taps(); k++)
			for (int64_t o = 0; o < f.places(); o++) {
				int64_t at = ((group * f.taps() + k) * 2) * f.places() + o, mask = (group * f.taps() + k) * f.places() + o;
				T y = T(double(o / f.ow * d.stride[0] - d.pad[0] + k / f.kw * d.dilation[0])) + offset[at];
				T x = T(double(o % f.ow * d.stride[1] - d.pad[1] + k % f.kw * d.dilation[1])) + offset[at + f.places()];
				call((c * f.taps() + k) * f.places() + o, at, mask, c * f.h * f.w, Tap<T>(f, y, x));
			}
	}
}

Field check_deform(const Deform &d, const Tensor &input, const Tensor &weight, const Tensor &offset, const Tensor &mask, const Tensor &bias) {
	TORCH_CHECK(input.dim() == 4 && offset.dim() == 4 && weight.dim() == 4 && (!d.use_mask || mask.dim() == 4),
	            "deform_conv2d: the input, the weight, the offset and the mask must have 4 dimensions; their shapes are ", input.sizes(), ", ", weight.sizes(), ", ", offset.sizes(), " and ", mask.sizes());
	for (const Tensor *t : {&weight, &offset, &mask, &bias})
		TORCH_CHECK(t->scalar_type() == input.scalar_type() && t->device() == input.device(), "deform_conv2d: all tensors must be ", input.scalar_type(), " on ", input.device(), ", as the input is");
	TORCH_CHECK(d.stride[0] > 0 && d.stride[1] > 0, "deform_conv2d: the stride is ", d.stride[0], ", ", d.stride[1], "; it must be positive");
	TORCH_CHECK(d.pad[0] >= 0 && d.pad[1] >= 0, "deform_conv2d: the padding is ", d.pad[0], ", ", d.pad[1], "; it must not be negative");
	TORCH_CHECK(d.dilation[0] > 0 && d.dilation[1] > 0, "deform_conv2d: the dilation is ", d.dilation[0], ", ", d.dilation[1], "; it must be positive");
	Field f{input.size(1), input.size(2), input.size(3), weight.size(2), weight.size(3), 0, 0};
	TORCH_CHECK(f.taps() > 0 && d.groups > 0 && d.offset_groups > 0, "deform_conv2d: the kernel and the groups must not be empty");
	TORCH_CHECK(weight.size(1) * d.groups == f.c && weight.size(0) % d.groups == 0, "deform_conv2d: a weight ", weight.sizes(), " in ", d.groups, " groups does not fit an input of ", f.c, " channels");
	TORCH_CHECK(f.c % d.offset_groups == 0, "deform_conv2d: ", f.c, " channels cannot be divided into ", d.offset_groups, " groups of offsets");
	f.oh = (f.h + 2 * d.pad[0] - (d.dilation[0] * (f.kh - 1) + 1)) / d.stride[0] + 1;
	f.ow = (f.w + 2 * d.pad[1] - (d.dilation[1] * (f.kw - 1) + 1)) / d.stride[1] + 1;
	TORCH_CHECK(f.oh > 0 && f.ow > 0, "deform_conv2d: calculated output size too small: ", f.oh, "×", f.ow);
	auto sized = [&](const Tensor &t, int64_t channels, const char *name) {
		TORCH_CHECK(t.sizes() == at::IntArrayRef({input.size(0), channels, f.oh, f.ow}), "deform_conv2d: the ", name, " has the shape ", t.sizes(), "; it must be [", input.size(0), ", ", channels, ", ", f.oh, ", ", f.ow, "]");
	};
	sized(offset, 2 * d.offset_groups * f.taps(), "offset");
	if (d.use_mask)
		sized(mask, d.offset_groups * f.taps(), "mask");
	TORCH_CHECK(bias.sizes() == at::IntArrayRef({weight.size(0)}), "deform_conv2d: the bias has the shape ", bias.sizes(), " for ", weight.size(0), " channels");
	return f;
}

// columns returns what each element of the kernel reads of a picture: [groups, c/groups·taps, places].
Tensor columns(const Deform &d, const Field &f, const Tensor &x, const Tensor &offset, const Tensor &mask) {
	if (on_device(x.device()))
		return device_columns(d, f, x, offset, mask);
	Tensor all = at::empty({d.groups, f.c / d.groups * f.taps(), f.places()}, x.options());
	AT_DISPATCH_FLOATING_TYPES_AND_HALF(x.scalar_type(), "deform_conv2d", [&] {
		const auto *in = x.const_data_ptr<scalar_t>(), *m = d.use_mask ? mask.const_data_ptr<scalar_t>() : nullptr;
		auto *out = all.mutable_data_ptr<scalar_t>();
		at::parallel_for(0, f.c, 1, [&](int64_t from, int64_t to) {
			each_tap(d, f, offset.const_data_ptr<scalar_t>(), from, to, [&](int64_t column, int64_t, int64_t at, int64_t plane, const Tap<scalar_t> &tap) {
				out[column] = m ? m[at] * tap.sample(in + plane) : tap.sample(in + plane);
			});
		});
	});
	return all;
}

// worker returns the device that computes for tensors on a device.
c10::Device worker(c10::Device d) { return d.is_meta() || on_device(d) ? d : c10::Device(at::kCPU); }

Tensor ready(const Tensor &x) { return x.to(worker(x.device())).contiguous(); }

Tensor convolve(const Deform &d, const Tensor &input, const Tensor &weight, const Tensor &offset, const Tensor &mask, const Tensor &bias) {
	Field f = check_deform(d, input, weight, offset, mask, bias);
	Tensor out = at::empty({input.size(0), weight.size(0), f.oh, f.ow}, input.options().device(worker(input.device())));
	if (input.is_meta())
		return out;
	Tensor x = ready(input), o = ready(offset), m = ready(mask);
	Tensor w = ready(weight).reshape({d.groups, weight.size(0) / d.groups, -1});
	for (int64_t i = 0; i < x.size(0); i++)
		out[i].copy_(at::matmul(w, columns(d, f, x[i], o[i], d.use_mask ? m[i] : m)).reshape(out[i].sizes()));
	return (out + ready(bias).view({1, -1, 1, 1})).to(input.device());
}

// spread adds the gradient of the columns of a picture to those of the picture, the offset and the mask.
template <class T> void spread(const Deform &d, const Field &f, const Tensor &grad, const Tensor &x, const Tensor &offset, const Tensor &mask, const Tensor &gx, const Tensor &go, const Tensor &gm) {
	const T *g = grad.const_data_ptr<T>(), *in = x.const_data_ptr<T>(), *m = d.use_mask ? mask.const_data_ptr<T>() : nullptr;
	T *to_x = gx.mutable_data_ptr<T>(), *to_o = go.mutable_data_ptr<T>(), *to_m = d.use_mask ? gm.mutable_data_ptr<T>() : nullptr;
	int64_t each = f.c / d.offset_groups;
	at::parallel_for(0, d.offset_groups, 1, [&](int64_t from, int64_t to) {
		each_tap(d, f, offset.const_data_ptr<T>(), from * each, to * each, [&](int64_t column, int64_t at_offset, int64_t at_mask, int64_t plane, const Tap<T> &tap) {
			if (tap.outside)
				return;
			T scaled = m ? m[at_mask] * g[column] : g[column];
			for (int k = 0; k < 4; k++)
				if (tap.in[k])
					to_x[plane + tap.at[k]] += tap.weight(k) * scaled;
			T v[4];
			for (int k = 0; k < 4; k++)
				v[k] = tap.value(in + plane, k);
			to_o[at_offset] += scaled * (tap.high_x * (v[2] - v[0]) + tap.low_x * (v[3] - v[1]));
			to_o[at_offset + f.places()] += scaled * (tap.high_y * (v[1] - v[0]) + tap.low_y * (v[3] - v[2]));
			if (m)
				to_m[at_mask] += g[column] * tap.sample(in + plane);
		});
	});
}

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor> deconvolve(const Deform &d, const Tensor &grad, const Tensor &input, const Tensor &weight, const Tensor &offset, const Tensor &mask, const Tensor &bias) {
	Field f = check_deform(d, input, weight, offset, mask, bias);
	TORCH_CHECK(grad.sizes() == at::IntArrayRef({input.size(0), weight.size(0), f.oh, f.ow}) && grad.scalar_type() == input.scalar_type(), "deform_conv2d: the gradient has the shape ", grad.sizes());
	if (input.is_meta())
		return {at::empty_like(input), at::empty_like(weight), at::empty_like(offset), at::empty_like(mask), at::empty_like(bias)};
	Tensor g = ready(grad), x = ready(input), o = ready(offset), m = ready(mask);
	Tensor w = ready(weight).reshape({d.groups, weight.size(0) / d.groups, -1});
	Tensor gx = at::zeros_like(x), gw = at::zeros_like(w), go = at::zeros_like(o), gm = at::zeros_like(m);
	for (int64_t i = 0; i < x.size(0); i++) {
		Tensor gi = g[i].reshape({d.groups, w.size(1), f.places()}), mi = d.use_mask ? m[i] : m, gmi = d.use_mask ? gm[i] : gm;
		gw += at::matmul(gi, columns(d, f, x[i], o[i], mi).transpose(1, 2));
		Tensor gc = at::matmul(w.transpose(1, 2), gi).contiguous();
		if (on_device(x.device()))
			device_spread(d, f, gc, x[i], o[i], mi, gx[i], go[i], gmi);
		else
			AT_DISPATCH_FLOATING_TYPES_AND_HALF(x.scalar_type(), "deform_conv2d", [&] { spread<scalar_t>(d, f, gc, x[i], o[i], mi, gx[i], go[i], gmi); });
	}
	auto at = input.device();
	return {gx.to(at), gw.view(weight.sizes()).to(at), go.to(at), gm.to(at), g.sum({0, 2, 3}).to(at)};
}

struct DeformFunction : torch::autograd::Function<DeformFunction> {
	static Tensor forward(AutogradContext *ctx, const Tensor &input, const Tensor &weight, const Tensor &offset, const Tensor &mask, const Tensor &bias, const Deform &d) {
		at::AutoDispatchBelowADInplaceOrView below;
		ctx->save_for_backward({input, weight, offset, mask, bias});
		ctx->saved_data["ints"] = std::vector<int64_t>{d.stride[0], d.stride[1], d.pad[0], d.pad[1], d.dilation[0], d.dilation[1], d.groups, d.offset_groups, d.use_mask};
		if (vision_kernels != kTheirs || input.is_meta() || input.is_cpu())
			return convolve(d, input, weight, offset, mask, bias);
		return call_theirs("torchvision::deform_conv2d", {input, weight, offset, mask, bias, d.stride[0], d.stride[1], d.pad[0], d.pad[1], d.dilation[0], d.dilation[1], d.groups, d.offset_groups, d.use_mask})[0].toTensor();
	}
	static variable_list backward(AutogradContext *ctx, const variable_list &grads) {
		auto s = ctx->get_saved_variables();
		auto v = ctx->saved_data["ints"].toIntVector();
		variable_list all;
		{
			at::AutoDispatchBelowADInplaceOrView below;
			auto [gx, gw, go, gm, gb] = deconvolve({{v[0], v[1]}, {v[2], v[3]}, {v[4], v[5]}, v[6], v[7], bool(v[8])}, grads[0], s[0], s[1], s[2], s[3], s[4]);
			all = {gx, gw, go, gm, gb};
		}
		all = once("deform_conv2d", grads, std::move(all));
		all.emplace_back();
		return all;
	}
};

template <bool record> Tensor deform_conv2d(const Tensor &input, const Tensor &weight, const Tensor &offset, const Tensor &mask, const Tensor &bias, int64_t stride_h, int64_t stride_w,
                                            int64_t pad_h, int64_t pad_w, int64_t dilation_h, int64_t dilation_w, int64_t groups, int64_t offset_groups, bool use_mask) {
	Deform d{{stride_h, stride_w}, {pad_h, pad_w}, {dilation_h, dilation_w}, groups, offset_groups, use_mask};
	return record ? DeformFunction::apply(input, weight, offset, mask, bias, d) : convolve(d, input, weight, offset, mask, bias);
}

// Autocast computes in float32.

template <class F> auto in_float(F f) {
	c10::impl::ExcludeDispatchKeyGuard none(c10::autocast_dispatch_keyset);
	return f();
}

template <c10::DeviceType device> Tensor wide(const Tensor &x) { return at::autocast::cached_cast(at::kFloat, x, device); }

template <c10::DeviceType device> Tensor nms_autocast(const Tensor &dets, const Tensor &scores, double threshold) {
	return in_float([&] {
		Tensor boxes = wide<device>(dets), by = wide<device>(scores);
		return vision_kernels == kTheirs ? call_theirs("torchvision::nms", {boxes, by, threshold})[0].toTensor() : nms(boxes, by, threshold);
	});
}

template <c10::DeviceType device> Tensor roi_align_autocast(const Tensor &input, const Tensor &rois, double scale, int64_t h, int64_t w, int64_t sampling, bool aligned) {
	return in_float([&] { return roi_align<true>(wide<device>(input), wide<device>(rois), scale, h, w, sampling, aligned); }).to(input.scalar_type());
}

// The other poolings, which only CUDA casts.
template <auto pooling, class... Args> std::tuple<Tensor, Tensor> pooling_autocast(const Tensor &input, const Tensor &rois, Args... args) {
	auto [out, aux] = in_float([&] { return pooling(wide<at::kCUDA>(input), wide<at::kCUDA>(rois), args...); });
	return {out.to(input.scalar_type()), aux};
}

Tensor deform_autocast(const Tensor &input, const Tensor &weight, const Tensor &offset, const Tensor &mask, const Tensor &bias, int64_t stride_h, int64_t stride_w, int64_t pad_h, int64_t pad_w,
                       int64_t dilation_h, int64_t dilation_w, int64_t groups, int64_t offset_groups, bool use_mask) {
	constexpr auto cast = wide<at::kCUDA>;
	return in_float([&] {
		return deform_conv2d<true>(cast(input), cast(weight), cast(offset), cast(mask), cast(bias), stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, groups, offset_groups, use_mask);
	}).to(input.scalar_type());
}

void define(torch::Library &m) {
	m.def("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor");
	m.def("roi_align(Tensor input, Tensor rois, float spatial_scale, int pooled_height, int pooled_width, int sampling_ratio, bool aligned) -> Tensor");
	m.def("roi_pool(Tensor input, Tensor rois, float spatial_scale, int pooled_height, int pooled_width) -> (Tensor, Tensor)");
	m.def("ps_roi_align(Tensor input, Tensor rois, float spatial_scale, int pooled_height, int pooled_width, int sampling_ratio) -> (Tensor, Tensor)");
	m.def("ps_roi_pool(Tensor input, Tensor rois, float spatial_scale, int pooled_height, int pooled_width) -> (Tensor, Tensor)");
	m.def("deform_conv2d(Tensor input, Tensor weight, Tensor offset, Tensor mask, Tensor bias, int stride_h, int stride_w, int pad_h, int pad_w, int dilation_h, int dilation_w, int groups, int offset_groups, bool use_mask) -> Tensor");
	m.def("box_iou_rotated(Tensor boxes1, Tensor boxes2) -> Tensor");
	m.impl("box_iou_rotated", torch::dispatch(c10::DispatchKey::CompositeExplicitAutograd, TORCH_FN(box_iou_rotated)));
	m.impl("nms", torch::dispatch(c10::DispatchKey::CompositeExplicitAutograd, TORCH_FN(nms)));
}

// implement registers kernels of the poolings and convolutions under a key.
template <bool record> void implement(torch::Library &m, c10::DispatchKey key) {
	m.impl("roi_align", torch::dispatch(key, TORCH_FN(roi_align<record>)));
	m.impl("roi_pool", torch::dispatch(key, TORCH_FN(roi_pool<record>)));
	m.impl("ps_roi_align", torch::dispatch(key, TORCH_FN(ps_roi_align<record>)));
	m.impl("ps_roi_pool", torch::dispatch(key, TORCH_FN(ps_roi_pool<record>)));
	m.impl("deform_conv2d", torch::dispatch(key, TORCH_FN(deform_conv2d<record>)));
}

void autocast(torch::Library &m) {
	constexpr auto cpu = c10::DispatchKey::AutocastCPU, cuda = c10::DispatchKey::AutocastCUDA;
	m.impl("nms", torch::dispatch(cpu, TORCH_FN(nms_autocast<at::kCPU>)));
	m.impl("nms", torch::dispatch(cuda, TORCH_FN(nms_autocast<at::kCUDA>)));
	m.impl("roi_align", torch::dispatch(cpu, TORCH_FN(roi_align_autocast<at::kCPU>)));
	m.impl("roi_align", torch::dispatch(cuda, TORCH_FN(roi_align_autocast<at::kCUDA>)));
	m.impl("roi_pool", torch::dispatch(cuda, TORCH_FN((pooling_autocast<roi_pool<true>, double, int64_t, int64_t>))));
	m.impl("ps_roi_align", torch::dispatch(cuda, TORCH_FN((pooling_autocast<ps_roi_align<true>, double, int64_t, int64_t, int64_t>))));
	m.impl("ps_roi_pool", torch::dispatch(cuda, TORCH_FN((pooling_autocast<ps_roi_pool<true>, double, int64_t, int64_t>))));
	m.impl("deform_conv2d", torch::dispatch(cuda, TORCH_FN(deform_autocast)));
}

// A Silent handler drops warnings, such as the one that a kernel is replaced.
struct Silent : c10::WarningHandler {
	void process(const c10::Warning &) override {}
};

} // namespace

void need_vision() {
	static bool once = [] {
		vision_kernels = c10::Dispatcher::singleton().findSchema({"torchvision::nms", ""}) ? kTheirs : kOurs;
		static torch::Library m(torch::Library::FRAGMENT, "torchvision", std::nullopt, __FILE__, __LINE__);
		if (vision_kernels == kOurs) {
			define(m);
			implement<false>(m, c10::DispatchKey::CompositeExplicitAutograd);
		} else {
			Silent silent;
			c10::WarningUtils::WarningHandlerGuard guard(&silent);
			implement<false>(m, c10::DispatchKey::Meta);
			implement<false>(m, c10::DispatchKey::CPU);
		}
		implement<true>(m, c10::DispatchKey::Autograd);
		autocast(m);
		return true;
	}();
	(void)once;
}

bool vision_is_ours() { return vision_kernels == kOurs; }

} // namespace torchhub
