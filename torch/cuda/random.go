package cuda

import "github.com/torchhub/torchhub/torch"

// generator returns the default generator of a device.
func generator(op string, device []torch.Device) *torch.Generator {
	return torch.DefaultGenerator(torch.CUDADevice(indexOf(op, device)))
}

// ManualSeed seeds the generator of the current device: torch.cuda.manual_seed. It does
// nothing where there is no GPU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.manual_seed.html
func ManualSeed(seed int64) {
	if IsAvailable() {
		generator("cuda.ManualSeed", nil).ManualSeed(seed)
	}
}

// ManualSeedAll seeds the generators of all GPUs: torch.cuda.manual_seed_all. It does
// nothing where there is no GPU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.manual_seed_all.html
func ManualSeedAll(seed int64) {
	for i := range DeviceCount() {
		torch.DefaultGenerator(torch.CUDADevice(i)).ManualSeed(seed)
	}
}

// InitialSeed returns the number with which the generator of the current device was
// seeded last: torch.cuda.initial_seed().
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.initial_seed.html
func InitialSeed() uint64 { return generator("cuda.InitialSeed", nil).InitialSeed() }

// RNGState returns a copy of the state of a device's generator, with the same bytes as
// in Python: torch.cuda.get_rng_state(device).
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.get_rng_state.html
func RNGState(device ...torch.Device) *torch.Tensor {
	return generator("cuda.RNGState", device).State()
}

// SetRNGState sets a state that [RNGState] or Python returned:
// torch.cuda.set_rng_state(state, device).
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.set_rng_state.html
func SetRNGState(state *torch.Tensor, device ...torch.Device) {
	generator("cuda.SetRNGState", device).SetState(state)
}
