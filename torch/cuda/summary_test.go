package cuda

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

// TestSummaryIsPythons compares tables of statistics that no GPU is needed for.
func TestSummaryIsPythons(t *testing.T) {
	p := reference.Start(t, `
import torch
from torch.cuda import memory
memory._get_device_index = lambda device, optional=False: device

def summary(stats, device, abbreviated):
	memory.memory_stats = lambda device: stats
	return memory.memory_summary(device, abbreviated)
`)
	r := rand.New(rand.NewPCG(1, 2))
	for device := range 8 {
		stats := map[string]int{}
		for _, name := range statNames() {
			stats[name] = int(r.Uint64() >> (24 + r.IntN(40)))
		}
		for _, abbreviated := range []bool{false, true} {
			var want string
			p.Call(&want, "summary", stats, device, abbreviated)
			require.Equal(t, want, summary(stats, device, abbreviated))
		}
	}
}

func TestStatNames(t *testing.T) {
	names := statNames()
	require.Len(t, names, 9*3*4+2*4+6) // as device.cpp writes them
	require.Equal(t, "allocation.all.current", names[0])
	require.Equal(t, "max_split_size", names[len(names)-1])
}

func TestProperties(t *testing.T) {
	list := []torch.Value{"GPU", "0123456789abcdef", 5}
	for i := range 19 {
		list = append(list, i)
	}
	p := properties(list)
	require.Equal(t, Properties{
		Name: "GPU", UUID: [16]byte([]byte("0123456789abcdef")), TotalMemory: 5, Major: 0, Minor: 1,
		MultiProcessorCount: 2, WarpSize: 3, MaxThreadsPerMultiProcessor: 4, MaxThreadsPerBlock: 5,
		SharedMemoryPerBlock: 6, SharedMemoryPerMultiprocessor: 7, SharedMemoryPerBlockOptin: 8, RegsPerMultiprocessor: 9,
		L2CacheSize: 10, ClockRate: 11, MemoryClockRate: 12, MemoryBusWidth: 13, IsIntegrated: true, IsMultiGPUBoard: true,
		PCIDomainID: 16, PCIBusID: 17, PCIDeviceID: 18,
	}, p)
}
