package optim

import (
	"math"

	"github.com/torchhub/torchhub/internal/libm"
	"github.com/torchhub/torchhub/torch"
)

// SWALROptions are the options of [NewSWALR].
type SWALROptions struct {
	AnnealEpochs   *int   // the epochs in which learning rates move to the last one; nil is 10
	AnnealStrategy string // "cos" or "linear"; "" is "cos"
	LastEpoch      *int   // the epoch at which a schedule is resumed; nil is -1, which begins it
}

var swaLR = &schedule{
	name: "SWALR",
	rates: func(s *Scheduler) []num {
		epochs := s.int("anneal_epochs")
		step := s.int("_step_count") - 1
		if epochs == 0 {
			step = max(1, step)
		}
		alpha := func(step int) float64 {
			t := max(0, min(1, float64(step)/float64(max(1, epochs))))
			if s.fields.get("_anneal_strategy") == "cos" {
				return (1 - libm.Cos(math.Pi*t)) / 2
			}
			return t
		}
		before, now := alpha(step-1), alpha(step)
		return s.of(func(lr num, i int) num {
			last := s.opt.groups[i].options.num("swa_lr")
			first := last
			if before != 1 {
				first = lr.sub(float(before).mul(last)).div(float(1 - before))
			}
			return last.mul(float(now)).add(first.mul(float(1 - now)))
		})
	},
}

// NewSWALR makes a scheduler that moves learning rates to a constant one, for averages of
// weights: torch.optim.swa_utils.SWALR(optimizer, swa_lr).
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.swa_utils.SWALR.html
func NewSWALR(opt *Optimizer, lr Floats, options ...SWALROptions) *Scheduler {
	const op = "NewSWALR"
	o := torch.Only(options)
	rates := perGroup(op, "the learning rate", opt, lr, 0)
	how := o.AnnealStrategy
	if how == "" {
		how = "cos"
	}
	if how != "cos" && how != "linear" {
		fail(op, `AnnealStrategy is %q; it can be "cos" or "linear"`, how)
	}
	epochs := or(o.AnnealEpochs, 10)
	if epochs < 0 {
		fail(op, "AnnealEpochs is %d; it must be at least 0", epochs)
	}
	for i, g := range opt.groups {
		g.Set("swa_lr", rates[i])
	}
	return newScheduler(swaLR, opt, o.LastEpoch, dict{{"_anneal_strategy", how}, {"anneal_epochs", epochs}})
}
