package graph_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/graph"
	"github.com/torchhub/torchhub/torch/nn"
)

// TestReleaseMemory optimizes a model of 120 MB with Release: what is packed and what is not are never in memory at once of more
// than a layer, if the parameters were made, and if they are those of a mapped file.
func TestReleaseMemory(t *testing.T) {
	const layers, channels, weights = 30, 1024, 30 * 4 // in MB
	for _, from := range []string{"made", "file"} {
		t.Run(from, func(t *testing.T) {
			var net nn.Sequential
			for range layers {
				net = append(net, nn.NewConv2d(channels, channels, 1), nn.NewBatchNorm2d(channels))
			}
			nn.Eval(net)
			if from == "file" {
				path := filepath.Join(t.TempDir(), "net.pt")
				require.NoError(t, nn.SaveStateDict(path, net))
				require.NoError(t, nn.LoadStateDictFile(path, net, nn.LoadOptions{Assign: true}))
			}
			x := torch.Randn(1, channels, 4, 4)
			for _, layer := range net { // all of them are in memory
				layer.Forward(x).Free()
			}
			parameters := nn.StateDict(net)
			c := graph.Compile(func(x ...*torch.Tensor) []*torch.Tensor { return []*torch.Tensor{net.Forward(x[0])} },
				graph.CompileOptions{Names: parameters, OptimizeOptions: graph.OptimizeOptions{Release: parameters.Free}})
			runtime.GC()
			torch.EmptyCache()
			require.NoError(t, os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)) // the peak is that from now on
			before := peak(t)
			r, err := c.Prepare(t.Context(), x)
			require.NoError(t, err)
			require.Empty(t, r.Reason)
			more := peak(t) - before
			t.Logf("%d MB more than %d MB", more, before)
			require.Less(t, more, weights/2)
		})
	}
}

// peak returns the megabytes that the process had in memory at most.
func peak(t *testing.T) (kilobytes int) {
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	_, err = fmt.Sscan(line, &kilobytes)
	require.NoError(t, err)
	return kilobytes >> 10
}
