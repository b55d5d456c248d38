// Package distributions has probability distributions: torch.distributions. They draw
// samples, and compute the logarithms of probabilities, moments, entropies and
// divergences, through which gradients flow to their parameters.
//
//	m := distributions.NewCategorical(model.Forward(input))
//	action := m.Sample()
//	reward := torch.Ones(1) // what follows from the action
//	loss := m.LogProb(action).Neg().Mul(reward)
//	loss.Backward()
//
// is
//
//	m = Categorical(model(input))
//	action = m.sample()
//	reward = torch.ones(1)  # what follows from the action
//	loss = -m.log_prob(action) * reward
//	loss.backward()
//
// Each class of Python is a struct, made by a function of its name after New, and a
// [Distribution]. Python's attributes are fields, or methods where they are computed. Where
// Python takes a float or a tensor, the type is [TensorOrNumber]: NewNormal(0, 1) and
// NewNormal(loc, 1) are right. The sets of values that parameters and samples may have are
// in package constraints.
//
// After the same [torch.ManualSeed] samples have the same bits as in Python, and everything
// computed on the CPU by the same number of threads too: each method applies the same
// operators in the same order.
//
// # Differences from Python
//
// Transforms have no cache: cache_size and with_cache are missing. The registries biject_to
// and transform_to are the functions [BijectTo] and [TransformTo], which take the
// constraints of this module only. Generators are the default ones.
//
// https://docs.pytorch.org/docs/stable/distributions.html
package distributions

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/internal/engine"
)

func fail(op, format string, args ...any) {
	panic(&torch.Error{Op: "distributions." + op, Msg: fmt.Sprintf(format, args...)})
}

func notImplemented(op, format string, args ...any) {
	panic(engine.NotImplemented("distributions."+op, fmt.Sprintf(format, args...)))
}
