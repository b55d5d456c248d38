package libtorch

// #include "table.h"
import "C"

// TensorStorage makes a tensor of the bytes of all memory that t may share with other tensors, on its device. The id is
// equal for tensors that share their memory, as long as one of them is alive.
func TensorStorage(t uint64) (bytes uint64, id uint64, res Result, err error) {
	var b C.thub_tensor
	var n C.uint64_t
	res, err = result(C.t_tensor_storage(C.thub_tensor(t), &b, &n))
	return uint64(b), uint64(n), res, err
}
