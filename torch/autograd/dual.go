package autograd

import (
	"context"
	"sync"

	"github.com/torchhub/torchhub/internal/libtorch"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

var (
	opMakeDual   = torch.NewOp("aten::_make_dual", "")
	opUnpackDual = torch.NewOp("aten::_unpack_dual", "")
	level        sync.Mutex // libtorch has one level, in the whole process
)

// DualLevel calls f in a level of forward-mode differentiation: with
// torch.autograd.forward_ad.dual_level(). In it, dual numbers of [MakeDual] carry
// derivatives forward through operations. Levels do not nest, and libtorch has one for the
// whole process: another goroutine's call waits.
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.forward_ad.dual_level.html
func DualLevel(f func()) {
	if err := torch.Init(context.Background()); err != nil {
		fail("DualLevel", err.Error())
	}
	if libtorch.ThreadState().Dual {
		fail("DualLevel", "there is a level already, and levels do not nest")
	}
	level.Lock()
	defer level.Unlock()
	n, err := libtorch.EnterDualLevel()
	if err != nil {
		fail("DualLevel", err.Error())
	}
	defer func() { _ = libtorch.ExitDualLevel(n) }()
	engine.Within(func(s *libtorch.State) { s.Dual = true }, f)
}

// MakeDual returns a dual number of a primal and its tangent, the derivative in one
// direction, which has the shape of the primal: torch.autograd.forward_ad.make_dual. It
// panics with an [*torch.Error] outside of a [DualLevel].
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.forward_ad.make_dual.html
func MakeDual(primal, tangent *torch.Tensor) *torch.Tensor {
	var c torch.Call
	c.Tensor(primal)
	c.Tensor(tangent)
	c.Int(0)
	return c.One(opMakeDual)
}

// UnpackDual returns the primal and the tangent of a dual number; the tangent of another
// tensor is nil: torch.autograd.forward_ad.unpack_dual.
//
// https://docs.pytorch.org/docs/stable/generated/torch.autograd.forward_ad.unpack_dual.html
func UnpackDual(x *torch.Tensor) (primal, tangent *torch.Tensor) {
	var c torch.Call
	c.Tensor(x)
	c.Int(0)
	return c.Two(opUnpackDual)
}
