package cuda

import (
	"fmt"
	"strings"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

// The names of the statistics, in the order in which libtorch's are written.
var (
	poolStats = []string{"allocation", "segment", "active", "inactive_split", "allocated_bytes", "reserved_bytes", "active_bytes",
		"inactive_split_bytes", "requested_bytes"}
	pools      = []string{"all", "small_pool", "large_pool"}
	deviceWide = []string{"oversize_allocations", "oversize_segments"}
	counts     = []string{"current", "peak", "allocated", "freed"}
	scalars    = []string{"num_alloc_retries", "num_ooms", "num_sync_all_streams", "num_device_alloc", "num_device_free", "max_split_size"}
)

// statNames returns the names in order.
func statNames() (names []string) {
	for _, s := range poolStats {
		for _, p := range pools {
			for _, c := range counts {
				names = append(names, s+"."+p+"."+c)
			}
		}
	}
	for _, s := range deviceWide {
		for _, c := range counts {
			names = append(names, s+"."+c)
		}
	}
	return append(names, scalars...)
}

// MemoryStats returns the statistics of a device's allocator, by Python's names such as
// "allocated_bytes.all.current": torch.cuda.memory_stats(device). It is empty where
// there is no GPU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.memory.memory_stats.html
func MemoryStats(device ...torch.Device) map[string]int {
	return memoryStats("cuda.MemoryStats", device)
}

func memoryStats(op string, device []torch.Device) map[string]int {
	stats := map[string]int{}
	if d := torch.Only(device); d == "" && !IsAvailable() {
		return stats
	}
	i := indexOf(op, device)
	v, err := engine.Read(func(rets []uint64) error { return libtorch.CUDAStats(i, rets) })
	must(op, err)
	values := v.([]torch.Value)
	for i, name := range statNames() {
		stats[name] = values[i].(int)
	}
	return stats
}

// MemoryAllocated returns the bytes of the tensors on a device:
// torch.cuda.memory_allocated(device). It is 0 where there is no GPU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.memory.memory_allocated.html
func MemoryAllocated(device ...torch.Device) int {
	return memoryStats("cuda.MemoryAllocated", device)["allocated_bytes.all.current"]
}

// MaxMemoryAllocated returns the largest value of [MemoryAllocated] since the program
// began or [ResetPeakMemoryStats]: torch.cuda.max_memory_allocated(device). It is 0
// where there is no GPU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.memory.max_memory_allocated.html
func MaxMemoryAllocated(device ...torch.Device) int {
	return memoryStats("cuda.MaxMemoryAllocated", device)["allocated_bytes.all.peak"]
}

// MemoryReserved returns the bytes that libtorch holds on a device for tensors and for
// new ones: torch.cuda.memory_reserved(device). It is 0 where there is no GPU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.memory.memory_reserved.html
func MemoryReserved(device ...torch.Device) int {
	return memoryStats("cuda.MemoryReserved", device)["reserved_bytes.all.current"]
}

// MaxMemoryReserved returns the largest value of [MemoryReserved] since the program
// began or [ResetPeakMemoryStats]: torch.cuda.max_memory_reserved(device). It is 0
// where there is no GPU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.memory.max_memory_reserved.html
func MaxMemoryReserved(device ...torch.Device) int {
	return memoryStats("cuda.MaxMemoryReserved", device)["reserved_bytes.all.peak"]
}

// ResetPeakMemoryStats makes the peaks of [MemoryStats] the current values:
// torch.cuda.reset_peak_memory_stats(device).
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.memory.reset_peak_memory_stats.html
func ResetPeakMemoryStats(device ...torch.Device) {
	const op = "cuda.ResetPeakMemoryStats"
	must(op, libtorch.CUDAResetStats(indexOf(op, device), true))
}

// ResetAccumulatedMemoryStats sets the sums of [MemoryStats] to 0:
// torch.cuda.reset_accumulated_memory_stats(device).
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.memory.reset_accumulated_memory_stats.html
func ResetAccumulatedMemoryStats(device ...torch.Device) {
	const op = "cuda.ResetAccumulatedMemoryStats"
	must(op, libtorch.CUDAResetStats(indexOf(op, device), false))
}

// MemGetInfo returns the bytes of a device's memory that are free for all processes,
// and all bytes of it: torch.cuda.mem_get_info(device).
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.memory.mem_get_info.html
func MemGetInfo(device ...torch.Device) (free, total int) {
	const op = "cuda.MemGetInfo"
	f, t, err := libtorch.CUDAMemory(indexOf(op, device))
	must(op, err)
	return int(f), int(t)
}

// EmptyCache gives the memory back that libtorch holds for new tensors on the GPUs:
// torch.cuda.empty_cache(). It does nothing where there is no GPU.
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.memory.empty_cache.html
func EmptyCache() {
	if IsAvailable() {
		must("cuda.EmptyCache", libtorch.CUDAEmptyCache())
	}
}

// MemorySummaryOptions are the options of [MemorySummary].
type MemorySummaryOptions struct {
	Device      torch.Device // the current CUDA device by default
	Abbreviated bool         // whether the lines about the two pools are left out
}

// MemorySummary returns a table of [MemoryStats]: torch.cuda.memory_summary(device,
// abbreviated).
//
// https://docs.pytorch.org/docs/stable/generated/torch.cuda.memory.memory_summary.html
func MemorySummary(options ...MemorySummaryOptions) string {
	const op = "cuda.MemorySummary"
	o := torch.Only(options)
	i := index(op, o.Device)
	return summary(memoryStats(op, []torch.Device{torch.CUDADevice(i)}), i, o.Abbreviated)
}

// summaryRows are the rows of the table.
var summaryRows = []struct {
	stat, name string
	format     func(v int, scale float64) string
}{
	{"allocated_bytes", "Allocated memory", summarySize},
	{"active_bytes", "Active memory", summarySize},
	{"requested_bytes", "Requested memory", summarySize},
	{"reserved_bytes", "GPU reserved memory", summarySize},
	{"inactive_split_bytes", "Non-releasable memory", summarySize},
	{"allocation", "Allocations", summaryCount},
	{"active", "Active allocs", summaryCount},
	{"segment", "GPU reserved segments", summaryCount},
	{"inactive_split", "Non-releasable allocs", summaryCount},
}

func summary(stats map[string]int, device int, abbreviated bool) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "|"+format+"|\n", args...) }
	double, single := strings.Repeat("=", 75), strings.Repeat("-", 75)
	row := func(stat, scale, name string, format func(int, float64) string) {
		var cells []any
		for _, c := range counts {
			cells = append(cells, format(stats[stat+"."+c], float64(stats[scale+"."+c])))
		}
		line(" %-21s | %s | %s | %s | %s ", append([]any{name}, cells...)...)
	}
	line("%s", double)
	line(" %16s PyTorch CUDA memory summary, device ID %-17d ", "", device)
	line("%s", single)
	line("  %9s CUDA OOMs: %-12d | %6s cudaMalloc retries: %-8d  ", "", stats["num_ooms"], "", stats["num_alloc_retries"])
	line("%s", double)
	line("        Metric         | Cur Usage  | Peak Usage | Tot Alloc  | Tot Freed  ")
	for _, r := range summaryRows {
		line("%s", single)
		all := r.stat + ".all" // whose unit the rows of the pools have too
		row(all, all, r.name, r.format)
		if !abbreviated {
			row(r.stat+".large_pool", all, "      from large pool", r.format)
			row(r.stat+".small_pool", all, "      from small pool", r.format)
		}
	}
	for i, name := range []string{"Oversize allocations", "Oversize GPU segments"} {
		line("%s", single)
		row(deviceWide[i], deviceWide[i], name, summaryCount)
	}
	line("%s", double)
	return b.String()
}

func summarySize(v int, scale float64) string {
	unit := "B  "
	for _, next := range []string{"KiB", "MiB", "GiB", "TiB", "PiB"} {
		if scale < 768*1024 {
			break
		}
		unit, v, scale = next, v>>10, scale/1024
	}
	return fmt.Sprintf("%6d %s", v, unit)
}

func summaryCount(v int, scale float64) string {
	unit := " "
	for _, next := range []string{"K", "M"} {
		if scale < 750*1000 {
			break
		}
		unit, v, scale = next, v/1000, scale/1000
	}
	return fmt.Sprintf("%7d %s ", v, unit)
}
