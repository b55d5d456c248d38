package mps_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/mps"
)

func TestMPS(t *testing.T) {
	for name, f := range map[string]func(){
		"Synchronize": mps.Synchronize, "EmptyCache": mps.EmptyCache, "CurrentAllocatedMemory": func() { mps.CurrentAllocatedMemory() },
		"DriverAllocatedMemory": func() { mps.DriverAllocatedMemory() }, "RecommendedMaxMemory": func() { require.Positive(t, mps.RecommendedMaxMemory()) },
	} {
		err := torch.Try(f)
		if mps.IsAvailable() {
			require.NoError(t, err, name)
			continue
		}
		var e *torch.Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, "torch: mps."+name+": there is no MPS device", err.Error())
		require.NotContains(t, strings.TrimSpace(err.Error()), "\n", name)
	}
	err := torch.Try(func() { torch.Ones(1).To(torch.MPS) })
	require.Equal(t, mps.IsAvailable(), err == nil)
}

func Example() {
	device := torch.CPU
	if mps.IsAvailable() {
		device = torch.MPS
	}
	fmt.Println(torch.Ones(2).To(device).Sum().Item())
	// Output: 2
}
