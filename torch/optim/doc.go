// Package optim changes parameters by their gradients: torch.optim, with
// torch.optim.lr_scheduler and torch.optim.swa_utils.
//
//	opt := optim.NewSGD(nn.Parameters(model), optim.SGDOptions{LR: 0.1, Momentum: 0.9})
//	sched := optim.NewStepLR(opt, 30)
//	for range 90 {
//		for _, batch := range batches {
//			opt.ZeroGrad()
//			F.CrossEntropy(model.Forward(batch.Input), batch.Target).Backward()
//			opt.Step()
//		}
//		sched.Step()
//	}
//
// All optimizers are an [Optimizer]. On the CPU their parameters have the same bits as in
// Python after any number of steps: each applies the same operators in the same order, and
// takes powers and cosines from the C library. State dicts are Python's, in both directions.
//
// # Differences from Python
//
// The options capturable, for CUDA graphs that contain the step, and differentiable, for
// gradients of the step itself, are missing; state dicts say that they are off. The
// arguments betas and weight_decay take no tensors. One tensor given twice is an error, also
// in one group. A state dict of another optimizer is an error of [Optimizer.LoadStateDict],
// where Python fails at the next step or loads what it does not use. [NewLambdaLR] and
// [NewMultiplicativeLR] have no last_epoch; load a state to resume them.
//
// What Python warns of, this package logs with [slog.Warn]. The first step of a scheduler does not warn if the optimizer
// has loaded the state of one that made steps, as after a training that was stopped at the end of its first epoch.
//
// https://docs.pytorch.org/docs/stable/optim.html
package optim

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
)

func fail(op, format string, args ...any) {
	panic(&torch.Error{Op: "optim." + op, Msg: fmt.Sprintf(format, args...)})
}
