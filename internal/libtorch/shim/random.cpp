// Random number generators.

#include "values.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/MT19937RNGEngine.h>
#include <ATen/detail/AcceleratorHooksInterface.h>

#include <mutex>

namespace torchhub __attribute__((visibility("hidden"))) {

namespace {

at::Generator &generator(thub_generator g) { return *reinterpret_cast<at::Generator *>(g); }

thub_generator handle(at::Generator g) { return reinterpret_cast<thub_generator>(new at::Generator(std::move(g))); }

// The generator's own mutex is locked during the use of its state.
using Hold = std::lock_guard<std::mutex>;

// check_cpu_state checks the numbers in the state of a generator of the CPU that are indices into
// the words that the engine has drawn, which libtorch does not check against each other.
void check_cpu_state(const at::Tensor &state) {
	struct {
		uint64_t seed;
		int32_t left, seeded; // words that are left, before the next ones are computed
		uint64_t next;        // the index of the next word
	} head;
	if (state.numel() < int64_t(sizeof head))
		return; // libtorch says what size it must have
	memcpy(&head, state.const_data_ptr(), sizeof head);
	TORCH_CHECK(head.left >= 1 && head.left <= at::MERSENNE_STATE_N && head.next <= uint64_t(at::MERSENNE_STATE_N + 1 - head.left),
	            "the state is not one of a generator: ", head.left, " words are left from word ", head.next, " on");
}

} // namespace

void manual_seed(uint64_t seed) { at::manual_seed(seed); }

void generator_new(int32_t type, int32_t index, thub_generator *ret_generator) {
	auto d = at::DeviceType(type);
	*ret_generator = handle(d == at::kCPU ? at::make_generator<at::CPUGeneratorImpl>()
	                                    : at::globalContext().getAcceleratorHooksInterface(d).getNewGenerator(c10::DeviceIndex(index)));
}

void generator_default(int32_t type, int32_t index, thub_generator *ret_generator) {
	*ret_generator = handle(at::globalContext().defaultGenerator(at::Device(at::DeviceType(type), c10::DeviceIndex(index))));
}

void generator_device(thub_generator g, int32_t *ret_type, int32_t *ret_index) {
	at::Device d = generator(g).device();
	*ret_type = int32_t(d.type());
	*ret_index = d.index();
}

void generator_seed(thub_generator g, uint64_t seed) {
	Hold hold(generator(g).mutex());
	generator(g).set_current_seed(seed);
}

void generator_draw_seed(thub_generator g, uint64_t *ret_seed) {
	Hold hold(generator(g).mutex());
	*ret_seed = generator(g).seed();
}

void generator_get_seed(thub_generator g, uint64_t *ret_seed) {
	Hold hold(generator(g).mutex());
	*ret_seed = generator(g).current_seed();
}

void generator_get_state(thub_generator g, thub_tensor *ret_state) {
	Hold hold(generator(g).mutex());
	*ret_state = give(generator(g).get_state());
}

void generator_set_state(thub_generator g, thub_tensor state) {
	Lent lent(state);
	at::detail::check_rng_state(*lent.t.unsafeGetTensorImpl());
	TORCH_CHECK(!lent.t.is_nested() && (lent.t.const_data_ptr() || !lent.t.numel()), "the state must be a dense tensor");
	if (generator(g).device().is_cpu())
		check_cpu_state(lent.t);
	Hold hold(generator(g).mutex());
	generator(g).set_state(lent.t);
}

void generator_free(thub_generator g) { delete reinterpret_cast<at::Generator *>(g); }

} // namespace torchhub
