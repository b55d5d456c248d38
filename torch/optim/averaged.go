package optim

import (
	"iter"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// AveragedModelOptions are the options of [NewAveragedModel].
type AveragedModelOptions struct {
	Device     torch.Device                                               // of the averages; "" is that of the model
	AvgFn      func(averaged, current *torch.Tensor, n int) *torch.Tensor // returns the next average, given that of n models
	MultiAvgFn func(averaged, current []*torch.Tensor, n int)             // changes averages in place, of one device and dtype at a time
	UseBuffers bool                                                       // averages buffers too, which otherwise are those of the last model
}

// An AveragedModel has the averages of a model's parameters:
// torch.optim.swa_utils.AveragedModel. Without options they are means with equal weights.
// It is a module, whose keys are Python's: n_averaged, and those of the model after "module.".
//
//	ema := optim.NewAveragedModel(model, optim.AveragedModelOptions{MultiAvgFn: optim.GetEMAMultiAvgFn(0.999)})
//	for _, batch := range batches {
//		opt.ZeroGrad()
//		F.CrossEntropy(model.Forward(batch.Input), batch.Target).Backward()
//		opt.Step()
//		ema.UpdateParameters(model)
//	}
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.swa_utils.AveragedModel.html
type AveragedModel[M any] struct {
	NAveraged *torch.Tensor `nn:"n_averaged,buffer"` // [] int64: how many models are averaged
	Module    M
	how       AveragedModelOptions
}

// NewAveragedModel makes an AveragedModel of a copy of a model, which is that of no
// updates: torch.optim.swa_utils.AveragedModel(model). It panics with a *[torch.Error] if
// both functions are given.
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.swa_utils.AveragedModel.html
func NewAveragedModel[M any](model M, options ...AveragedModelOptions) *AveragedModel[M] {
	o := torch.Only(options)
	if o.AvgFn != nil && o.MultiAvgFn != nil {
		fail("NewAveragedModel", "AvgFn and MultiAvgFn are both given; give one of them")
	}
	a := &AveragedModel[M]{Module: nn.Clone(model), how: o}
	if o.Device != "" {
		nn.To(a.Module, o.Device)
	}
	a.NAveraged = torch.Options{DType: torch.Int64, Device: o.Device}.Zeros()
	return a
}

// Forward calls the averaged model. It panics with a *[torch.Error] if that is not an
// [nn.Module]; call the method of a.Module then.
func (a *AveragedModel[M]) Forward(x *torch.Tensor) *torch.Tensor {
	m, ok := any(a.Module).(nn.Module)
	if !ok {
		fail("AveragedModel.Forward", "a %T has no method Forward of one tensor; call a method of Module", a.Module)
	}
	return nn.Call(m, x)
}

// UpdateParameters adds a model to the averages: averaged.update_parameters(model). The
// first time they become the model's parameters.
func (a *AveragedModel[M]) UpdateParameters(model M) {
	torch.NoGrad(func() { torch.Scope(func() { a.update(model) }) })
}

func (a *AveragedModel[M]) update(model M) {
	mine, theirs := nn.Parameters(a.Module), nn.Parameters(model)
	myBuffers, theirBuffers := nn.Buffers(a.Module), nn.Buffers(model)
	if a.how.UseBuffers {
		mine, theirs = append(mine, myBuffers...), append(theirs, theirBuffers...)
	}
	if len(mine) != len(theirs) || len(myBuffers) != len(theirBuffers) {
		fail("AveragedModel.UpdateParameters", "the model has %d tensors and the average %d; they must be of the same kind", len(theirs), len(mine))
	}
	n := torch.Item[int](a.NAveraged)
	current := make([]*torch.Tensor, len(theirs))
	averaged := make([]*torch.Tensor, len(mine))
	for i, p := range theirs {
		averaged[i], current[i] = mine[i].Detach(), p.Detach().To(mine[i].Device())
		if n == 0 {
			averaged[i].CopyInPlace(current[i])
		}
	}
	if n > 0 {
		a.average(averaged, current, n)
	}
	if !a.how.UseBuffers {
		for i, b := range myBuffers {
			b.CopyInPlace(theirBuffers[i])
		}
	}
	a.NAveraged.FillInPlace(n + 1)
}

// average updates the averages of n models.
func (a *AveragedModel[M]) average(averaged, current []*torch.Tensor, n int) {
	one := a.how.AvgFn
	if a.how.MultiAvgFn == nil && one == nil {
		one = GetSWAAvgFn()
	}
	type kind struct {
		device torch.Device
		dtype  torch.DType
	}
	groups := map[kind][2][]*torch.Tensor{}
	var kinds []kind
	for i, x := range averaged {
		if one != nil && (a.how.AvgFn != nil || x.Device().Type() != "cuda") {
			x.CopyInPlace(one(x, current[i], n))
			continue
		}
		k := kind{x.Device(), x.DType()}
		g, ok := groups[k]
		if !ok {
			kinds = append(kinds, k)
		}
		groups[k] = [2][]*torch.Tensor{append(g[0], x), append(g[1], current[i])}
	}
	several := a.how.MultiAvgFn
	if several == nil {
		several = GetSWAMultiAvgFn()
	}
	for _, k := range kinds {
		several(groups[k][0], groups[k][1], n)
	}
}

// GetSWAAvgFn returns a function for [AveragedModelOptions] by which all models have equal
// weights: torch.optim.swa_utils.get_swa_avg_fn().
//
// https://docs.pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema
func GetSWAAvgFn() func(averaged, current *torch.Tensor, n int) *torch.Tensor {
	return func(averaged, current *torch.Tensor, n int) *torch.Tensor {
		return averaged.Add(current.Sub(averaged).DivScalar(n + 1))
	}
}

// GetEMAAvgFn returns a function for [AveragedModelOptions] by which averages decay
// exponentially: torch.optim.swa_utils.get_ema_avg_fn(decay). It panics with a
// *[torch.Error] if decay is not between 0 and 1.
//
// https://docs.pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema
func GetEMAAvgFn(decay float64) func(averaged, current *torch.Tensor, n int) *torch.Tensor {
	checkDecay("GetEMAAvgFn", decay)
	return func(averaged, current *torch.Tensor, _ int) *torch.Tensor {
		return averaged.MulScalar(decay).Add(current.MulScalar(1 - decay))
	}
}

func checkDecay(op string, decay float64) {
	if !(decay >= 0 && decay <= 1) {
		fail(op, "the decay is %v; it must be between 0 and 1", decay)
	}
}

// GetSWAMultiAvgFn is [GetSWAAvgFn] for several tensors:
// torch.optim.swa_utils.get_swa_multi_avg_fn().
//
// https://docs.pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema
func GetSWAMultiAvgFn() func(averaged, current []*torch.Tensor, n int) {
	return func(averaged, current []*torch.Tensor, n int) {
		if floating(averaged) {
			lists{true}.by(opLerp_, float64(float32(1)/float32(n+1)), averaged, current)
			return
		}
		one := GetSWAAvgFn()
		for i, x := range averaged {
			x.CopyInPlace(one(x, current[i], n))
		}
	}
}

// GetEMAMultiAvgFn is [GetEMAAvgFn] for several tensors:
// torch.optim.swa_utils.get_ema_multi_avg_fn(decay).
//
// https://docs.pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema
func GetEMAMultiAvgFn(decay float64) func(averaged, current []*torch.Tensor, n int) {
	checkDecay("GetEMAMultiAvgFn", decay)
	return func(averaged, current []*torch.Tensor, n int) {
		if floating(averaged) {
			lists{true}.by(opLerp_, 1-decay, averaged, current)
			return
		}
		one := GetEMAAvgFn(decay)
		for i, x := range averaged {
			x.CopyInPlace(one(x, current[i], n))
		}
	}
}

// floating reports whether tensors of one dtype are not integers.
func floating(xs []*torch.Tensor) bool {
	d := xs[0].DType()
	return d.IsFloatingPoint() || d.IsComplex()
}

// UpdateBNOptions are the options of [UpdateBN].
type UpdateBNOptions struct {
	Device torch.Device // to which inputs are moved; "" leaves them where they are
}

// UpdateBN sets the running statistics of a model's batch normalizations to those of
// inputs: torch.optim.swa_utils.update_bn(loader, model). Averages of weights need that,
// since the statistics of their activations are those of none of the models.
//
// https://docs.pytorch.org/docs/stable/generated/torch.optim.swa_utils.update_bn.html
func UpdateBN(inputs iter.Seq[*torch.Tensor], model nn.Module, options ...UpdateBNOptions) {
	o := torch.Only(options)
	var norms []*nn.BatchNorm
	for _, m := range nn.Modules(model) {
		switch m := m.(type) {
		case *nn.BatchNorm1d:
			norms = append(norms, &m.BatchNorm)
		case *nn.BatchNorm2d:
			norms = append(norms, &m.BatchNorm)
		case *nn.BatchNorm3d:
			norms = append(norms, &m.BatchNorm)
		}
	}
	if len(norms) == 0 {
		return
	}
	was := make([]nn.BatchNorm2dOptions, len(norms))
	training := norms[0].Training
	torch.NoGrad(func() {
		for i, n := range norms {
			was[i] = n.Options
			n.Options.Cumulative, n.Options.Momentum = true, nil
			if n.RunningMean != nil {
				n.RunningMean.ZeroInPlace()
				n.RunningVar.FillInPlace(1)
				n.NumBatchesTracked.ZeroInPlace()
			}
		}
		nn.Train(model)
		defer func() {
			for i, n := range norms {
				n.Options = was[i]
			}
			if !training {
				nn.Eval(model)
			}
		}()
		for x := range inputs {
			torch.Scope(func() {
				if o.Device != "" {
					x = x.To(o.Device)
				}
				nn.Call(model, x)
			})
		}
	})
}
