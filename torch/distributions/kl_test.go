package distributions_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	D "github.com/torchhub/torchhub/torch/distributions"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// A distribution does not diverge from itself, and does from another of its kind.
func TestKL(t *testing.T) {
	tested := 0
	for _, r := range rows {
		if len(r.args) < 2 {
			continue
		}
		p, q := r.make(tensors(r.args[0], torch.Float64)), r.make(tensors(r.args[1], torch.Float64))
		var zero *torch.Tensor
		if err := torch.Try(func() { zero = D.KL(p, p) }); errors.Is(err, torch.ErrNotImplemented) {
			continue
		}
		tested++
		torchtest.AssertClose(t, zero, torch.ZerosLike(zero), torchtest.CloseOptions{Msg: r.python})
		var other *torch.Tensor
		err := torch.Try(func() { other = D.KL(p, q) })
		if errors.Is(err, torch.ErrNotImplemented) { // the transforms differ
			continue
		}
		require.NoError(t, err, r.python)
		if r.class() != "TransformedDistribution" { // of one base
			require.Positive(t, other.Max().Item(), r.python)
		}
	}
	require.Equal(t, 31, tested)
}
