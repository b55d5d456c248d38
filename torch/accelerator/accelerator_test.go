package accelerator_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/accelerator"
	"github.com/torchhub/torchhub/torch/torchtest"
)

func TestAccelerator(t *testing.T) {
	device := accelerator.CurrentAccelerator()
	require.Equal(t, accelerator.IsAvailable(), device != "")
	require.Equal(t, accelerator.IsAvailable(), accelerator.DeviceCount() > 0)
	require.Equal(t, 2., torch.Ones(2).To(device).Sum().Item(), "%q", device)
}

func TestAcceleratorLive(t *testing.T) {
	p := torchtest.Python(t, "import torch")
	if p.Call("torch.accelerator.is_available") == true && !accelerator.IsAvailable() {
		t.Skip("Python's libtorch is another one, for a GPU")
	}
	require.Equal(t, p.Call("torch.accelerator.is_available"), accelerator.IsAvailable())
	require.Equal(t, p.Call("torch.accelerator.device_count"), accelerator.DeviceCount())
	if accelerator.IsAvailable() {
		require.Equal(t, p.Call("lambda: torch.accelerator.current_accelerator().type"), accelerator.CurrentAccelerator().Type())
	}
}

func Example() {
	device := torch.CPU
	if accelerator.IsAvailable() {
		device = accelerator.CurrentAccelerator()
	}
	fmt.Println(torch.Ones(2).To(device).Sum().Item())
	// Output: 2
}
