// Storages: the memory that tensors share.

#include "values.h"

#include <ATen/ops/empty.h>

namespace torchhub __attribute__((visibility("hidden"))) {

void tensor_storage(thub_tensor t, thub_tensor *ret_bytes, uint64_t *ret_id) {
	Lent lent(t);
	const at::Tensor &x = lent.t;
	TORCH_CHECK(x.has_storage(), "the tensor has no memory of its own");
	const c10::Storage &s = x.storage();
	at::Tensor bytes = at::empty({0}, at::TensorOptions().dtype(at::kByte).device(x.device()));
	bytes.set_(s, 0, {int64_t(s.nbytes())}, {1});
	*ret_bytes = give(std::move(bytes));
	*ret_id = reinterpret_cast<uint64_t>(s.unsafeGetStorageImpl());
}

} // namespace torchhub
