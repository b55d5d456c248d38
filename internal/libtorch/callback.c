#include "_cgo_export.h"
#include "table.h"

uint64_t t_callback(uint64_t id, uint64_t *args, void *node, void *ret_tensors, uint64_t *ret_word) {
	return torchhubCallback(id, args, node, ret_tensors, ret_word);
}

void t_finish_exit(uint64_t failure) { torchhubFinishExit(failure); }

int t_entered(int n) {
	static _Thread_local int entered;
	return entered += n;
}
