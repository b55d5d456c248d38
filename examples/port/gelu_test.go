package port

import (
	"testing"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/torch/nn/functional"
	"github.com/torchhub/torchhub/torch/torchtest"
)

func TestGELU(t *testing.T) {
	p := torchtest.Python(t)
	x := torchtest.MakeTensor([]int{3, 5}, torch.Float64)
	torchtest.AssertClose(t, F.GELU(x), p.Call("torch.nn.functional.gelu", x))
	torchtest.AssertClose(t, x.Sum(0), p.Call("torch.sum", x, torchtest.Keywords{"dim": 0}))
}
