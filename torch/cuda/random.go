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

// Seed seeds the generator of the current device with a random number that the system
// draws: torch.cuda.seed(). It does nothing where there is no GPU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.seed.html
func Seed() {
	if IsAvailable() {
		generator("cuda.Seed", nil).Seed()
	}
}

// SeedAll seeds the generators of all GPUs with one random number that the system draws:
// torch.cuda.seed_all(). It does nothing where there is no GPU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.seed_all.html
func SeedAll() {
	if IsAvailable() {
		ManualSeedAll(int64(torch.DefaultGenerator(torch.CUDADevice(0)).Seed()))
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

// RNGStateAll returns the states of the generators of all GPUs:
// torch.cuda.get_rng_state_all().
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.get_rng_state_all.html
func RNGStateAll() (states []*torch.Tensor) {
	for i := range DeviceCount() {
		states = append(states, RNGState(torch.CUDADevice(i)))
	}
	return states
}

// SetRNGStateAll sets the states that [RNGStateAll] returned:
// torch.cuda.set_rng_state_all(states).
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.set_rng_state_all.html
func SetRNGStateAll(states []*torch.Tensor) {
	for i, state := range states {
		SetRNGState(state, torch.CUDADevice(i))
	}
}
