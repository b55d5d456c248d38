package builtin_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models/builtin"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/jit"
)

func TestModel(t *testing.T) {
	m, err := jit.LoadBytes(builtin.Model())
	require.NoError(t, err)
	defer m.Close()
	size := builtin.Preset().Crop
	y, err := m.Forward(torch.Zeros(2, 3, size, size))
	require.NoError(t, err)
	require.Equal(t, []int{2, len(builtin.Labels())}, y.(*torch.Tensor).Shape())
	require.LessOrEqual(t, len(builtin.Model())+len(builtin.Picture()), 1<<20)
	require.Regexp(t, `Held-out accuracy: top-1 \d\d\.\d %`, builtin.Card())
}

func Example() {
	labels := builtin.Labels()
	fmt.Println(len(labels), labels[0], labels[35])
	// Output: 36 letter A digit 9
}
