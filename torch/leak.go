//go:build torchleak

package torch

import "runtime/pprof"

// With the build tag torchleak the profile "torch.tensors" holds the tensors
// alive by the stacks that made them, as runtime/pprof writes it.
const leaking = true

var leaks = pprof.NewProfile("torch.tensors")

func leakBegin(ref *uint64) { leaks.Add(ref, 3) }

func leakEnd(ref *uint64) { leaks.Remove(ref) }
