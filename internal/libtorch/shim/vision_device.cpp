#include "vision_device.h"

#include <ATen/Dispatch.h>
#include <ATen/TensorIndexing.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding_bag.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <cfloat>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace torchhub __attribute__((visibility("hidden"))) {
namespace vision {

bool on_device(c10::Device d) {
	static const bool forced = [] {
		const char *v = getenv("TORCHHUB_VISION");
		return v && strcmp(v, "aten") == 0;
	}();
	return d.is_cpu() ? forced : !d.is_meta() && !d.is_mps();
}

namespace {

constexpr int64_t kElements = 1 << 24; // of an intermediate tensor; results may be larger
constexpr int64_t kAny = std::numeric_limits<int64_t>::min();

// Non-maximum suppression.

// overlapping reports which of the boxes b [4, M] overlap each of the boxes a [4, N], whose scores are not lower:
// [N, M]. NaN counts as on the CPU, where min and max return their first argument unless the other one is beyond it.
Tensor overlapping(const Tensor &a, const Tensor &b, double threshold) {
	auto first = [&](int64_t i) { return a[i].unsqueeze(1); };
	auto least = [](const Tensor &x, const Tensor &y) { return at::where(y < x, y, x); };
	auto most = [](const Tensor &x, const Tensor &y) { return at::where(x < y, y, x); };
	auto positive = [](const Tensor &x) { return at::where(x > 0, x, 0); };
	Tensor inter = positive(least(first(2), b[2]) - most(first(0), b[0])) * positive(least(first(3), b[3]) - most(first(1), b[1]));
	Tensor area_a = (first(2) - first(0)) * (first(3) - first(1)), area_b = (b[2] - b[0]) * (b[3] - b[1]);
	return (inter / (area_a + area_b - inter)).to(at::kDouble) > threshold;
}

} // namespace

// A box is kept unless one that is kept before it overlaps it. Among the boxes of a block, that is repeated from the
// guess that all are kept until nothing changes: after n times the first n are right.
Tensor device_nms(const Tensor &dets, const Tensor &scores, double threshold) {
	constexpr int64_t kBlock = 512;
	Tensor order = std::get<1>(scores.sort(/*stable=*/true, 0, /*descending=*/true));
	Tensor boxes = dets.index_select(0, order).t().contiguous();
	Tensor kept = boxes.narrow(1, 0, 0), positions = order.narrow(0, 0, 0); // in the order
	for (int64_t begin = 0; begin < dets.size(0); begin += kBlock) {
		Tensor block = boxes.narrow(1, begin, std::min(kBlock, dets.size(0) - begin));
		Tensor alive = at::ones({block.size(1)}, block.options().dtype(at::kBool));
		for (const Tensor &before : kept.split(kElements / kBlock, 1))
			alive = alive.logical_and(overlapping(before, block, threshold).any(0).logical_not());
		Tensor over = overlapping(block, block, threshold).triu(1), keep = alive;
		for (bool changed = true; changed;) {
			Tensor next = alive.logical_and(over.logical_and(keep.unsqueeze(1)).any(0).logical_not());
			changed = !next.equal(keep);
			keep = next;
		}
		Tensor more = keep.nonzero().squeeze(1);
		kept = at::cat({kept, block.index_select(1, more)}, 1);
		positions = at::cat({positions, more + begin});
	}
	return order.index_select(0, positions);
}

// Pooling.

namespace {

// An Axis is the points of bins in one direction, the bins one after the other.
struct Axis {
	std::vector<int64_t> begin{0}; // of each bin, and the end of the last one
	std::vector<int64_t> low, high;
	std::vector<double> weight_low, weight_high; // empty for pixels

	int64_t bins() const { return int64_t(begin.size()) - 1; }
	int64_t count(int64_t bin) const { return begin[size_t(bin) + 1] - begin[size_t(bin)]; }

	template <class T> void add(const std::vector<std::vector<Side<T>>> &bins) {
		for (const auto &bin : bins) {
			for (const auto &s : bin)
				if (!s.outside) {
					low.push_back(s.low);
					high.push_back(s.high);
					weight_low.push_back(double(s.weight_low));
					weight_high.push_back(double(s.weight_high));
				}
			begin.push_back(int64_t(low.size()));
		}
	}

	void add(const std::vector<std::pair<int64_t, int64_t>> &bins) {
		for (auto [from, to] : bins) {
			for (int64_t i = from; i < to; i++)
				low.push_back(i);
			begin.push_back(int64_t(low.size()));
		}
	}
};

Tensor tensor_of(const std::vector<int64_t> &v, const at::TensorOptions &like) {
	return at::from_blob(const_cast<int64_t *>(v.data()), {int64_t(v.size())}, at::kLong).to(like.dtype(at::kLong), /*non_blocking=*/false, /*copy=*/true);
}

Tensor tensor_of(const std::vector<double> &v, const at::TensorOptions &like) {
	return at::from_blob(const_cast<double *>(v.data()), {int64_t(v.size())}, at::kDouble).to(like, /*non_blocking=*/false, /*copy=*/true);
}

// A DeviceAxis is the points of an Axis on the device: the pixels below and above, and their weights.
struct DeviceAxis {
	Tensor pixel[2], weight[2];

	DeviceAxis(const Axis &a, const at::TensorOptions &like) : pixel{tensor_of(a.low, like), tensor_of(a.high, like)}, weight{tensor_of(a.weight_low, like), tensor_of(a.weight_high, like)} {}
};

// Positions are those of the points on the device, from which each bin is pooled.
struct Positions {
	Tensor bin;                // of each point, from 0
	Tensor offsets;            // of the first point of each bin
	std::vector<Tensor> row;   // in the table, for one pixel or for each of four around a point
	std::vector<Tensor> weight; // of these; empty for pixels
	Tensor pixel;              // in the picture, of the first
};

// Bins are all bins of all RoIs, in the order of the output [K, h, w].
class Bins {
public:
	// Limits are the sizes of the part of the picture from which is pooled.
	Bins(const Pooling &p, const Tensor &rois, const Shape &in, int64_t limit_h, int64_t limit_w) : p_(p), in_(in), like_(rois.options()) {
		Tensor r = rois.cpu().contiguous();
		picture_ = pictures(r, in.n);
		AT_DISPATCH_FLOATING_TYPES_AND_HALF(r.scalar_type(), "pooling of RoIs", [&] {
			for (int64_t i = 0; i < r.size(0); i++)
				add(r.const_data_ptr<scalar_t>() + 5 * i, limit_h, limit_w);
		});
		y_.emplace(rows_, like_);
		x_.emplace(cols_, like_);
	}

	int64_t size() const { return int64_t(points_.size()); }

	// until returns the end of a range of bins from the given one on that has so many points at most, or is one bin.
	int64_t until(int64_t from, int64_t most) const {
		int64_t to = from, n = 0;
		while (to < size() && (to == from || n + points_[to] <= most))
			n += points_[to++];
		return to;
	}

	Positions at(int64_t from, int64_t to) const {
		std::vector<int64_t> n(points_.begin() + from, points_.begin() + to), offsets, y0, x0, nx, base;
		int64_t total = 0, step = p_.ps() ? p_.bins() : 1;
		for (int64_t b = from; b < to; b++) {
			int64_t roi = b / p_.bins(), in_roi = b % p_.bins(), y = roi * p_.h + in_roi / p_.w, x = roi * p_.w + in_roi % p_.w;
			offsets.push_back(total);
			total += points_[b];
			y0.push_back(rows_.begin[y]);
			x0.push_back(cols_.begin[x]);
			nx.push_back(cols_.count(x));
			base.push_back(picture_[roi] * in_.plane() * step + (p_.ps() ? in_roi : 0));
		}
		Positions all;
		all.offsets = tensor_of(offsets, like_);
		all.bin = at::repeat_interleave(tensor_of(n, like_), std::optional<int64_t>(total));
		auto of = [&](const std::vector<int64_t> &v) { return tensor_of(v, like_).index_select(0, all.bin); };
		Tensor i = at::arange(total, all.bin.options()) - all.offsets.index_select(0, all.bin), width = of(nx);
		Tensor y = of(y0) + i.div(width, "floor"), x = of(x0) + i.remainder(width), first = of(base);
		for (int k = 0; k < (p_.samples() ? 4 : 1); k++) {
			Tensor pixel = y_->pixel[k / 2].index_select(0, y) * in_.w + x_->pixel[k % 2].index_select(0, x);
			all.row.push_back(first + pixel * step);
			if (p_.samples())
				all.weight.push_back(y_->weight[k / 2].index_select(0, y) * x_->weight[k % 2].index_select(0, x));
			else
				all.pixel = pixel;
		}
		return all;
	}

	// counts returns the divisor of each bin, which is at least so large, in a shape that expands to [K, c, h, w].
	Tensor counts(int64_t least) const {
		std::vector<double> n;
		for (int64_t v : p_.samples() ? samples_ : points_)
			n.push_back(double(std::max(v, least)));
		Tensor all = tensor_of(n, like_);
		return p_.samples() ? all.view({-1, 1, 1, 1}) : all.view({-1, 1, p_.h, p_.w});
	}

	// empty reports which bins have no points.
	Tensor empty() const { return tensor_of(points_, like_) == 0; }

	// picture returns the index of each RoI's picture.
	Tensor picture() const { return tensor_of(picture_, like_); }

private:
	template <class T> void add(const T *roi, int64_t limit_h, int64_t limit_w) {
		int64_t y = rows_.bins(), x = cols_.bins(), all = 0;
		if (p_.samples()) {
			int64_t count = 1;
			rows_.add(sides(p_, roi[2], roi[4], p_.h, limit_h, count));
			cols_.add(sides(p_, roi[1], roi[3], p_.w, limit_w, count));
			samples_.push_back(count);
		} else {
			rows_.add(bounds(p_, roi[2], roi[4], p_.h, limit_h));
			cols_.add(bounds(p_, roi[1], roi[3], p_.w, limit_w));
		}
		for (int64_t i = y; i < rows_.bins(); i++)
			for (int64_t j = x; j < cols_.bins(); j++) {
				points_.push_back(rows_.count(i) * cols_.count(j));
				all += points_.back();
				TORCH_CHECK(!p_.samples() || all < 1 << 26, p_.name(), ": a RoI has more than ", 1 << 26, " points; give smaller boxes or a sampling_ratio");
			}
	}

	const Pooling p_;
	const Shape in_;
	const at::TensorOptions like_;
	std::vector<int64_t> picture_; // of each RoI
	Axis rows_, cols_;
	std::optional<DeviceAxis> y_, x_;
	std::vector<int64_t> points_;  // of each bin
	std::vector<int64_t> samples_; // of a bin of each RoI, with those outside
};

// table returns the pixels as rows of channels: [n·h·w, c], or for position-sensitive poolings [n·h·w·bins, c/bins].
Tensor table(const Pooling &p, const Tensor &x) {
	if (!p.ps())
		return x.permute({0, 2, 3, 1}).reshape({x.size(0) * x.size(2) * x.size(3), x.size(1)});
	int64_t channels = x.size(1) / p.bins();
	return x.reshape({x.size(0), channels, p.bins(), x.size(2) * x.size(3)}).permute({0, 3, 2, 1}).reshape({x.numel() / std::max(channels, int64_t(1)), channels});
}

// from_table is the inverse of table.
Tensor from_table(const Pooling &p, const Tensor &rows, const Shape &in) {
	if (!p.ps())
		return rows.view({in.n, in.h, in.w, in.c}).permute({0, 3, 1, 2}).contiguous();
	return rows.view({in.n, in.plane(), p.bins(), in.c / p.bins()}).permute({0, 3, 2, 1}).reshape({in.n, in.c, in.h, in.w});
}

// lowest is the smallest number of a maximum, as on the CPU.
double lowest(const Tensor &x) { return x.scalar_type() == at::kHalf ? -std::numeric_limits<double>::infinity() : -double(FLT_MAX); }

// sum adds the weighted rows of each bin, [bins, c].
Tensor sum(const Bins &bins, const Tensor &rows) {
	std::vector<Tensor> all;
	for (int64_t from = 0, to; from < bins.size(); from = to) {
		to = bins.until(from, kElements / 16);
		Positions at = bins.at(from, to);
		if (at.bin.numel() == 0) {
			all.push_back(at::zeros({to - from, rows.size(1)}, rows.options()));
			continue;
		}
		int64_t each = int64_t(at.row.size());
		Tensor weight = at.weight.empty() ? at::ones(at.bin.sizes(), rows.options()) : at::stack(at.weight, 1).flatten();
		all.push_back(std::get<0>(at::embedding_bag(rows, at::stack(at.row, 1).flatten(), at.offsets * each, false, /*mode=sum*/ 0, false, weight)));
	}
	return at::cat(all);
}

// maxima returns the maximum of each bin and its index in the picture, or -1, both [bins, c].
std::tuple<Tensor, Tensor> maxima(const Bins &bins, const Tensor &rows) {
	std::vector<Tensor> values, indices;
	double low = lowest(rows);
	int64_t channels = rows.size(1), none = std::numeric_limits<int64_t>::max();
	for (int64_t from = 0, to; from < bins.size(); from = to) {
		to = bins.until(from, kElements / std::max(channels, int64_t(1)));
		Positions at = bins.at(from, to);
		Tensor all = rows.index_select(0, at.row[0]), bin = at.bin.unsqueeze(1).expand_as(all);
		all = at::where(all > low, all, low); // NaN is no maximum
		Tensor most = at::full({to - from, channels}, low, rows.options()).scatter_reduce_(0, bin, all, "amax");
		Tensor where = at::where(all == most.index_select(0, at.bin), at.pixel.unsqueeze(1), none);
		Tensor first = at::full(most.sizes(), none, bin.options()).scatter_reduce_(0, bin, where, "amin");
		values.push_back(most);
		indices.push_back(at::where(most > low, first, -1).to(at::kInt));
	}
	return {at::cat(values).masked_fill_(bins.empty().unsqueeze(1), 0), at::cat(indices)};
}

} // namespace

std::tuple<Tensor, Tensor> device_pool(const Pooling &p, const Tensor &input, const Tensor &rois) {
	Shape in{input.size(0), input.size(1), input.size(2), input.size(3)};
	int64_t channels = p.ps() ? in.c / p.bins() : in.c, skip = p.kind == kPSMean;
	if (rois.size(0) == 0) {
		Tensor none = at::empty({0, channels, p.h, p.w}, input.options());
		return {none, none.to(at::kInt)};
	}
	Bins bins(p, rois, in, in.h - skip, in.w - skip);
	auto arrange = [&](const Tensor &x) { return x.view({rois.size(0), p.h, p.w, channels}).permute({0, 3, 1, 2}).contiguous(); };
	Tensor rows = table(p, input);
	if (p.kind == kMax) {
		auto [most, where] = maxima(bins, rows);
		return {arrange(most), arrange(where)};
	}
	Tensor channel = p.ps() ? at::arange(in.c, input.options().dtype(at::kInt)).view({1, channels, p.h, p.w}).repeat({rois.size(0), 1, 1, 1}) : Tensor();
	return {arrange(sum(bins, rows)).div_(bins.counts(p.kind == kPSAlign ? kAny : 1)), channel};
}

Tensor device_unpool(const Pooling &p, const Tensor &grad, const Tensor &rois, const Tensor &argmax, const Shape &in) {
	Bins bins(p, rois, in, in.h, in.w);
	if (p.kind == kMax) {
		Tensor plane = bins.picture().unsqueeze(1) * in.c + at::arange(in.c, grad.options().dtype(at::kLong)); // [K, C]
		Tensor valid = (argmax >= 0).logical_and(argmax < in.plane());
		Tensor at = (plane * in.plane()).unsqueeze(-1).unsqueeze(-1) + at::where(valid, argmax, 0);
		Tensor out = at::zeros({in.n * in.c * in.plane()}, grad.options());
		return out.index_add_(0, at.flatten(), at::where(valid, grad, 0).flatten()).view({in.n, in.c, in.h, in.w});
	}
	// Empty bins have no points, so their divisor may be anything.
	Tensor g = grad.div(bins.counts(kAny)).permute({0, 2, 3, 1}).reshape({bins.size(), grad.size(1)});
	Tensor out = at::zeros({in.n * in.plane() * (p.ps() ? p.bins() : 1), grad.size(1)}, grad.options());
	for (int64_t from = 0, to; from < bins.size(); from = to) {
		to = bins.until(from, kElements / std::max(grad.size(1), int64_t(1)));
		Positions at = bins.at(from, to);
		Tensor share = g.narrow(0, from, to - from).index_select(0, at.bin);
		for (size_t k = 0; k < at.row.size(); k++)
			out.index_add_(0, at.row[k], at.weight.empty() ? share : share * at.weight[k].unsqueeze(1));
	}
	return from_table(p, out, in);
}

// Deformable convolution.

namespace {

// Taps are the points that the kernel's elements read: [groups of offsets, 1, taps·places] each.
struct Taps {
	Tensor inside;
	Tensor at[4], in[4];               // the pixels around a point, with 0 outside of the picture
	Tensor low_y, low_x, high_y, high_x; // distances

	Taps(const Deform &d, const Field &f, const Tensor &offset) {
		auto line = [&](int64_t n, int64_t step, int64_t from) { return at::arange(n, offset.options().dtype(at::kLong)) * step - from; };
		Tensor y0 = line(f.kh, d.dilation[0], 0).view({-1, 1, 1, 1}) + line(f.oh, d.stride[0], d.pad[0]).view({-1, 1});
		Tensor x0 = line(f.kw, d.dilation[1], 0).view({-1, 1, 1}) + line(f.ow, d.stride[1], d.pad[1]);
		auto point = [&](const Tensor &from, int64_t which) {
			Tensor moved = from.expand({f.kh, f.kw, f.oh, f.ow}).reshape({f.taps(), f.places()}).to(offset.scalar_type()) + offset.view({d.offset_groups, f.taps(), 2, f.places()}).select(2, which);
			return moved.reshape({d.offset_groups, 1, -1});
		};
		Tensor y = point(y0, 0), x = point(x0, 1);
		inside = (y > -1).logical_and(y < f.h).logical_and(x > -1).logical_and(x < f.w);
		y = at::where(inside, y, 0); // NaN would be no index
		x = at::where(inside, x, 0);
		Tensor top = y.floor(), left = x.floor();
		low_y = y - top;
		low_x = x - left;
		high_y = 1 - low_y;
		high_x = 1 - low_x;
		for (int k = 0; k < 4; k++) {
			Tensor i = top.to(at::kLong) + k / 2, j = left.to(at::kLong) + k % 2;
			in[k] = inside.logical_and(i >= 0).logical_and(i < f.h).logical_and(j >= 0).logical_and(j < f.w);
			at[k] = at::where(in[k], i * f.w + j, 0);
		}
	}
	Tensor weight(int k) const { return (k / 2 ? low_y : high_y) * (k % 2 ? low_x : high_x); }

	// value returns the pixels k of planes [groups of offsets, channels, h·w].
	Tensor value(const Tensor &planes, int k) const {
		return planes.gather(2, at[k].expand({-1, planes.size(1), -1})).masked_fill_(in[k].logical_not(), 0);
	}
	Tensor sample(const Tensor &planes) const {
		return weight(0) * value(planes, 0) + weight(1) * value(planes, 1) + weight(2) * value(planes, 2) + weight(3) * value(planes, 3);
	}
};

// each_part calls call(from, n) for ranges of the channels of a group of offsets.
template <class F> void each_part(const Deform &d, const Field &f, F call) {
	int64_t all = f.c / d.offset_groups, most = std::max(kElements / (d.offset_groups * f.taps() * f.places()), int64_t(1));
	for (int64_t from = 0; from < all; from += most)
		call(from, std::min(most, all - from));
}

} // namespace

Tensor device_columns(const Deform &d, const Field &f, const Tensor &x, const Tensor &offset, const Tensor &mask) {
	Taps taps(d, f, offset);
	Tensor planes = x.reshape({d.offset_groups, -1, f.h * f.w});
	Tensor all = at::empty({d.offset_groups, f.c / d.offset_groups, f.taps() * f.places()}, x.options());
	each_part(d, f, [&](int64_t from, int64_t n) {
		Tensor v = taps.sample(planes.narrow(1, from, n));
		all.narrow(1, from, n).copy_(d.use_mask ? mask.reshape({d.offset_groups, 1, -1}) * v : v);
	});
	return all.view({d.groups, f.c / d.groups * f.taps(), f.places()});
}

void device_spread(const Deform &d, const Field &f, const Tensor &grad, const Tensor &x, const Tensor &offset, const Tensor &mask, const Tensor &gx, const Tensor &go, const Tensor &gm) {
	Taps taps(d, f, offset);
	Tensor planes = x.reshape({d.offset_groups, -1, f.h * f.w}), to = gx.view(planes.sizes()), g = grad.reshape({d.offset_groups, -1, f.taps() * f.places()});
	Tensor to_y = go.view({d.offset_groups, f.taps(), 2, f.places()}).select(2, 0), to_x = go.view({d.offset_groups, f.taps(), 2, f.places()}).select(2, 1);
	auto add = [&](const Tensor &to, const Tensor &v) { to.add_(v.masked_fill(taps.inside.logical_not(), 0).sum(1).view(to.sizes())); };
	each_part(d, f, [&](int64_t from, int64_t n) {
		Tensor part = planes.narrow(1, from, n), share = g.narrow(1, from, n), scaled = d.use_mask ? mask.reshape({d.offset_groups, 1, -1}) * share : share;
		Tensor v[4];
		for (int k = 0; k < 4; k++) {
			v[k] = taps.value(part, k);
			to.narrow(1, from, n).scatter_add_(2, taps.at[k].expand_as(scaled), (taps.weight(k) * scaled).masked_fill_(taps.in[k].logical_not(), 0));
		}
		add(to_y, scaled * (taps.high_x * (v[2] - v[0]) + taps.low_x * (v[3] - v[1])));
		add(to_x, scaled * (taps.high_y * (v[1] - v[0]) + taps.low_y * (v[3] - v[2])));
		if (d.use_mask)
			add(gm.view({d.offset_groups, f.taps(), f.places()}), share * taps.sample(part));
	});
}

} // namespace vision
} // namespace torchhub
