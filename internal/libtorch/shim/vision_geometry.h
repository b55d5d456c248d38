// The geometry of the operators of torchvision's library, which their kernels for the CPU share with those for other devices.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace torchhub __attribute__((visibility("hidden"))) {
namespace vision {

using at::Tensor;

// whole converts a coordinate to an integer; infinite and huge ones become large, and NaN 0.
inline int64_t whole(double v) { return std::isnan(v) ? 0 : int64_t(std::clamp(v, -1e9, 1e9)); }

enum Kind : int64_t { kAlign, kPSAlign, kMax, kPSMean };

// A Pooling is the arguments of the pooling of RoIs. With PS, for position-sensitive, each bin is pooled from
// channels of its own.
struct Pooling {
	Kind kind;
	double scale;
	int64_t h, w;       // bins
	int64_t sampling;   // points in each direction of a bin, or as many as pixels if it is not positive
	bool aligned;

	const char *name() const { return kind == kAlign ? "roi_align" : kind == kPSAlign ? "ps_roi_align" : kind == kMax ? "roi_pool" : "ps_roi_pool"; }
	bool ps() const { return kind == kPSAlign || kind == kPSMean; }
	bool samples() const { return kind == kAlign || kind == kPSAlign; }
	int64_t bins() const { return h * w; }
};

// A Shape is that of the input.
struct Shape {
	int64_t n, c, h, w;
	int64_t plane() const { return h * w; }
};

// pictures returns the index in the batch of each RoI.
inline std::vector<int64_t> pictures(const Tensor &rois, int64_t n) {
	Tensor first = rois.select(1, 0).to(at::kDouble).contiguous();
	std::vector<int64_t> all(rois.size(0));
	for (size_t i = 0; i < all.size(); i++) {
		double v = first.const_data_ptr<double>()[i];
		TORCH_CHECK_INDEX(v > -1 && v < double(n), "RoI ", i, " is of picture ", v, ", but the batch has ", n);
		all[i] = int64_t(v);
	}
	return all;
}

// A Side is the position of a sampling point in one direction, between two pixels.
template <class T> struct Side {
	bool outside;
	int64_t low, high;
	T weight_low, weight_high;

	Side(T v, int64_t size) : outside(!(double(v) >= -1 && double(v) <= double(size))) {
		if (outside)
			return;
		v = std::max(v, T(0));
		low = int64_t(double(v));
		high = low + 1;
		if (low >= size - 1) {
			high = low = size - 1;
			v = T(double(low));
		}
		weight_high = v - T(double(low));
		weight_low = T(1. - double(weight_high));
	}
};

// sides returns the points in one direction, for each bin, and multiplies count by their number in a bin, which is
// negative for a box that ends before it begins.
template <class T> std::vector<std::vector<Side<T>>> sides(const Pooling &p, T from, T to, int64_t bins, int64_t size, int64_t &count) {
	T offset = T(p.aligned ? .5 : 0.), start = from * T(p.scale) - offset, length = to * T(p.scale) - offset - start;
	if (!p.aligned)
		length = std::max(length, T(1));
	T bin = length / T(double(bins));
	int64_t grid = p.sampling > 0 ? p.sampling : whole(std::ceil(double(bin)));
	count *= grid;
	TORCH_CHECK(grid <= 1 << 16, p.name(), ": a bin of a RoI has ", grid, " points in one direction; give smaller boxes or a smaller sampling_ratio");
	std::vector<std::vector<Side<T>>> all(bins);
	for (int64_t b = 0; b < bins; b++)
		for (int64_t i = 0; i < grid; i++)
			all[b].emplace_back(start + T(double(b)) * bin + T(float(i) + .5f) * bin / T(double(grid)), size);
	return all;
}

// bounds returns the pixels of each bin in one direction, up to a limit.
template <class T> std::vector<std::pair<int64_t, int64_t>> bounds(const Pooling &p, T from, T to, int64_t bins, int64_t limit) {
	int64_t start = whole(std::round(double(from * T(p.scale)))), end = whole(std::round(double(to * T(p.scale))));
	T bin = T(double(std::max(end - start + (p.kind == kMax), int64_t(1)))) / T(double(bins));
	std::vector<std::pair<int64_t, int64_t>> all;
	for (int64_t b = 0; b < bins; b++) {
		auto in = [&](double v) { return std::clamp(whole(v) + start, int64_t(0), limit); };
		all.emplace_back(in(std::floor(double(T(double(b)) * bin))), in(std::ceil(double(T(double(b + 1)) * bin))));
	}
	return all;
}

// A Deform is the arguments of a deformable convolution.
struct Deform {
	int64_t stride[2], pad[2], dilation[2];
	int64_t groups, offset_groups;
	bool use_mask;
};

// Field is the geometry of a deformable convolution of one picture.
struct Field {
	int64_t c, h, w, kh, kw, oh, ow;
	int64_t taps() const { return kh * kw; }
	int64_t places() const { return oh * ow; }
};

} // namespace vision
} // namespace torchhub
