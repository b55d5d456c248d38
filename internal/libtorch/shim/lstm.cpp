// LSTM cells on the CPU as one node of autograd's graph.
//
// libtorch computes a cell with some fifteen operators, which a backward pass takes apart again: for small cells most of
// the time is spent around the arithmetic. The kernel here calls the same operators for products and activations, so
// that outputs have the same bits, computes the rest in one loop, and has one formula for all gradients. It takes the
// place of aten::lstm_cell's formula where tensors are plain; everything else is left to that.

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/lstm_cell_compositeimplicitautograd_dispatch.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/forward_grad.h>
#include <torch/library.h>

#include <array>

namespace torchhub __attribute__((visibility("hidden"))) {

namespace {

namespace lstm {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The arguments of a cell, in the order in which they are saved.
enum { kInput, kH, kC, kWih, kWhh, kBih, kBhh, kArguments };
using Arguments = std::array<Tensor, kArguments>;

// plain reports whether no transformation of functions is in effect, which would have to see the single operators.
bool plain() {
	return !c10::impl::tls_local_dispatch_key_set().included_.has(c10::DispatchKey::FuncTorchDynamicLayerFrontMode) &&
	       !torch::autograd::ForwardADLevel::try_get_by_idx(0);
}

// fits reports whether the kernel can compute a cell: an input [N, in], states [N, hidden], and weights of one dtype.
bool fits(const Arguments &a) {
	auto dtype = a[kInput].scalar_type();
	if (!plain() || (dtype != at::kFloat && dtype != at::kDouble))
		return false;
	constexpr c10::DispatchKeySet usual =
		c10::DispatchKeySet({c10::DispatchKey::CPU, c10::DispatchKey::Dense, c10::DispatchKey::ADInplaceOrView}) | c10::autograd_dispatch_keyset | c10::autocast_dispatch_keyset;
	for (const Tensor &t : a)
		if (t.defined() && (t.scalar_type() != dtype || (t.key_set() | usual) != usual))
			return false;
	if (a[kInput].dim() != 2 || a[kH].dim() != 2)
		return false;
	int64_t n = a[kInput].size(0), in = a[kInput].size(1), hidden = a[kH].size(1), gates = 4 * hidden;
	auto is = [](const Tensor &t, at::IntArrayRef sizes) { return t.sizes() == sizes; };
	return n > 0 && in > 0 && hidden > 0 && is(a[kH], {n, hidden}) && is(a[kC], {n, hidden}) && is(a[kWih], {gates, in}) && is(a[kWhh], {gates, hidden}) &&
	       a[kBih].defined() == a[kBhh].defined() && (!a[kBih].defined() || (is(a[kBih], {gates}) && is(a[kBhh], {gates})));
}

std::optional<Tensor> optional(const Tensor &t) { return t.defined() ? std::optional(t) : std::nullopt; }

std::tuple<Tensor, Tensor> operators(const Arguments &a) {
	return at::compositeimplicitautograd::lstm_cell(a[kInput], {a[kH], a[kC]}, a[kWih], a[kWhh], optional(a[kBih]), optional(a[kBhh]));
}

// each calls f with the number of each of n·hidden elements of a state, and that of the same element of the first gate.
template <class F> void each(const Tensor &state, F f) {
	int64_t hidden = state.size(1);
	at::parallel_for(0, state.size(0), std::max<int64_t>(1, at::internal::GRAIN_SIZE / hidden), [&](int64_t from, int64_t to) {
		for (int64_t r = from; r < to; r++)
			for (int64_t k = 0; k < hidden; k++)
				f(r * hidden + k, 4 * r * hidden + k);
	});
}

// A State is what a cell computes. The gates i, f, g and o are next to each other in a row.
struct State {
	Tensor h, c, gates, tanh; // [N, hidden], [N, hidden], [N, 4·hidden] activated, tanh(c)
};

template <class T> void update(const Tensor &cx, State &s) {
	int64_t w = cx.size(1);
	const T *i = s.gates.const_data_ptr<T>(), *f = i + w, *g = f + w, *before = cx.const_data_ptr<T>();
	T *after = s.c.mutable_data_ptr<T>();
	each(cx, [=](int64_t at, int64_t gate) { after[at] = f[gate] * before[at] + i[gate] * g[gate]; });
}

template <class T> void output(State &s) {
	const T *o = s.gates.const_data_ptr<T>() + 3 * s.c.size(1), *tanh = s.tanh.const_data_ptr<T>();
	T *h = s.h.mutable_data_ptr<T>();
	each(s.c, [=](int64_t at, int64_t gate) { h[at] = o[gate] * tanh[at]; });
}

State forward(const Arguments &a) {
	at::AutoDispatchBelowADInplaceOrView below;
	int64_t hidden = a[kH].size(1);
	State s;
	s.gates = at::linear(a[kH], a[kWhh], optional(a[kBhh])).add_(at::linear(a[kInput], a[kWih], optional(a[kBih]))).contiguous();
	for (int gate = 0; gate < 4; gate++) { // one by one: how numbers are rounded depends on where they are in a row
		Tensor x = s.gates.narrow(1, gate * hidden, hidden);
		gate == 2 ? x.tanh_() : x.sigmoid_();
	}
	Tensor cx = a[kC].contiguous();
	s.c = at::empty(cx.sizes(), cx.options());
	s.h = at::empty(cx.sizes(), cx.options());
	AT_DISPATCH_FLOATING_TYPES(cx.scalar_type(), "lstm_cell", [&] { update<scalar_t>(cx, s); });
	s.tanh = s.c.tanh();
	AT_DISPATCH_FLOATING_TYPES(cx.scalar_type(), "lstm_cell", [&] { output<scalar_t>(s); });
	return s;
}

// A Backward computes gradients of the gates before their activations, and of the cell's state. Its formulas are those of
// autograd, and so is their order. libtorch's operator differentiates tanh, since it depends on the processor how that rounds.
struct Backward {
	Tensor gates, tanh, c; // the saved ones
	Tensor to_gates = at::empty(gates.sizes(), gates.options());
	Tensor to_c = at::empty(c.sizes(), c.options());

	// run does so, given the gradients of the new states, either of which may be undefined.
	void run(const Tensor &gh, const Tensor &gc) {
		int64_t hidden = c.size(1);
		Tensor now = gc;
		if (gh.defined()) {
			AT_DISPATCH_FLOATING_TYPES(c.scalar_type(), "lstm_cell", [&] { of_output<scalar_t>(gh); });
			now = at::tanh_backward(to_c, tanh);
			if (gc.defined())
				now.add_(gc);
		} else {
			to_gates.narrow(1, 3 * hidden, hidden).zero_();
		}
		AT_DISPATCH_FLOATING_TYPES(c.scalar_type(), "lstm_cell", [&] { of_state<scalar_t>(now); });
		Tensor g = to_gates.narrow(1, 2 * hidden, hidden);
		at::tanh_backward_out(g, g, gates.narrow(1, 2 * hidden, hidden));
	}

private:
	// of_output computes the gradients of the gate o, and of tanh(c) into to_c.
	template <class T> void of_output(const Tensor &gh) {
		int64_t w = c.size(1);
		const T *by = gh.const_data_ptr<T>(), *o = gates.const_data_ptr<T>() + 3 * w, *t = tanh.const_data_ptr<T>();
		T *to_o = to_gates.mutable_data_ptr<T>() + 3 * w, *to_tanh = to_c.mutable_data_ptr<T>();
		each(c, [=](int64_t at, int64_t gate) {
			to_o[gate] = by[at] * t[at] * (1 - o[gate]) * o[gate];
			to_tanh[at] = by[at] * o[gate];
		});
	}

	// of_state computes the gradients of the gates i and f, of g but for the derivative of tanh, and of the state before.
	template <class T> void of_state(const Tensor &grad) {
		int64_t w = c.size(1);
		const T *by = grad.const_data_ptr<T>(), *i = gates.const_data_ptr<T>(), *f = i + w, *g = f + w, *before = c.const_data_ptr<T>();
		T *to_i = to_gates.mutable_data_ptr<T>(), *to_f = to_i + w, *to_g = to_f + w, *to_before = to_c.mutable_data_ptr<T>();
		each(c, [=](int64_t at, int64_t gate) {
			to_i[gate] = by[at] * g[gate] * (1 - i[gate]) * i[gate];
			to_f[gate] = by[at] * before[at] * (1 - f[gate]) * f[gate];
			to_g[gate] = by[at] * i[gate];
			to_before[at] = by[at] * f[gate];
		});
	}
};

struct Cell : torch::autograd::Function<Cell> {
	static variable_list forward(AutogradContext *ctx, const Tensor &input, const Tensor &h, const Tensor &c, const Tensor &w_ih, const Tensor &w_hh, const std::optional<Tensor> &b_ih, const std::optional<Tensor> &b_hh) {
		Arguments a{input, h, c, w_ih, w_hh, b_ih.value_or(Tensor()), b_hh.value_or(Tensor())};
		State s = lstm::forward(a);
		ctx->set_materialize_grads(false);
		variable_list saved(a.begin(), a.end());
		saved.push_back(s.gates);
		saved.push_back(s.tanh);
		ctx->save_for_backward(std::move(saved));
		return {s.h, s.c};
	}

	static variable_list backward(AutogradContext *ctx, const variable_list &grads) {
		if (!grads[0].defined() && !grads[1].defined()) // as after a function that returned no gradient
			return variable_list(kArguments);
		auto saved = ctx->get_saved_variables();
		Arguments a;
		std::copy_n(saved.begin(), a.size(), a.begin());
		if (c10::GradMode::is_enabled() || !plain())
			return again(ctx, a, grads);
		at::AutoDispatchBelowADInplaceOrView below;
		auto whole = [](const Tensor &t) { return t.defined() ? t.resolve_neg().contiguous() : t; };
		Backward b{saved[kArguments], saved[kArguments + 1], a[kC].contiguous()};
		b.run(whole(grads[0]), whole(grads[1]));
		variable_list out(kArguments);
		auto need = [&](int i) { return a[i].defined() && ctx->needs_input_grad(i); };
		if (need(kInput))
			out[kInput] = b.to_gates.mm(a[kWih]);
		if (need(kH))
			out[kH] = b.to_gates.mm(a[kWhh]);
		if (need(kC))
			out[kC] = b.to_c;
		if (need(kWih))
			out[kWih] = b.to_gates.t().mm(a[kInput]);
		if (need(kWhh))
			out[kWhh] = b.to_gates.t().mm(a[kH]);
		if (need(kBih) || need(kBhh)) {
			Tensor sum = b.to_gates.sum(0);
			if (need(kBih))
				out[kBih] = sum;
			if (need(kBhh))
				out[kBhh] = need(kBih) ? sum.clone() : sum; // gradients of two leaves, which share no memory
		}
		return out;
	}

	// again is the backward pass by libtorch's operators, which can itself be differentiated.
	static variable_list again(AutogradContext *ctx, const Arguments &a, const variable_list &grads) {
		at::AutoGradMode record(true);
		Arguments alias;
		variable_list inputs, outputs, by;
		for (int i = 0; i < kArguments; i++)
			if (a[i].defined()) {
				alias[i] = a[i].view_as(a[i]); // the same tensor may be two arguments
				if (ctx->needs_input_grad(i))
					inputs.push_back(alias[i]);
			}
		auto [h, c] = operators(alias);
		for (auto &[y, g] : {std::pair(h, grads[0]), std::pair(c, grads[1])})
			if (g.defined()) {
				outputs.push_back(y);
				by.push_back(g);
			}
		variable_list found = torch::autograd::grad(outputs, inputs, by, true, true, true);
		variable_list out(kArguments);
		size_t next = 0;
		for (int i = 0; i < kArguments; i++)
			if (a[i].defined() && ctx->needs_input_grad(i))
				out[i] = found[next++];
		return out;
	}
};

std::tuple<Tensor, Tensor> cell(const Tensor &input, at::TensorList hx, const Tensor &w_ih, const Tensor &w_hh, const std::optional<Tensor> &b_ih, const std::optional<Tensor> &b_hh) {
	if (hx.size() != 2 || !input.defined() || !hx[0].defined() || !hx[1].defined() || !w_ih.defined() || !w_hh.defined())
		return at::compositeimplicitautograd::lstm_cell(input, hx, w_ih, w_hh, b_ih, b_hh); // which says what is wrong
	Arguments a{input, hx[0], hx[1], w_ih, w_hh, b_ih.value_or(Tensor()), b_hh.value_or(Tensor())};
	if (!fits(a))
		return operators(a);
	if (!c10::GradMode::is_enabled() || std::none_of(a.begin(), a.end(), [](const Tensor &t) { return t.defined() && t.requires_grad(); })) {
		State s = forward(a);
		return {s.h, s.c};
	}
	auto out = Cell::apply(a[kInput], a[kH], a[kC], a[kWih], a[kWhh], optional(a[kBih]), optional(a[kBhh]));
	return {out[0], out[1]};
}

const torch::Library library = [] {
	torch::Library m(torch::Library::IMPL, "aten", c10::DispatchKey::AutogradCPU, __FILE__, __LINE__);
	m.impl("lstm_cell", TORCH_FN(cell));
	return m;
}();

} // namespace lstm

} // namespace

} // namespace torchhub
