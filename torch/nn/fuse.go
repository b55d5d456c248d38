package nn

import (
	"slices"

	"github.com/torchhub/torchhub/torch"
)

// A BatchNormOf is a [BatchNorm1d], [BatchNorm2d] or [BatchNorm3d].
type BatchNormOf interface{ batchNorm() *BatchNorm }

func (m *BatchNorm) batchNorm() *BatchNorm { return m }

// FuseConvBNEvalOptions are the options of [FuseConvBNEval].
type FuseConvBNEvalOptions struct {
	Transpose bool // the convolution is a transposed one
}

// FuseConvBNEval returns a convolution that equals a convolution and the batch normalization
// after it, in evaluation: torch.nn.utils.fusion.fuse_conv_bn_eval(conv, bn). The convolution is
// a *[Conv2d] or another of this package. It panics with a *torch.Error if bn is in training
// mode or has no running statistics.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.fuse_conv_bn_eval.html
func FuseConvBNEval[C any](conv C, bn BatchNormOf, options ...FuseConvBNEvalOptions) C {
	o := torch.Only(options)
	return fused("FuseConvBNEval", conv, bn, func(w *torch.Tensor) []int {
		shape := slices.Repeat([]int{1}, w.Dim())
		if o.Transpose {
			shape[1] = -1
		} else {
			shape[0] = -1
		}
		return shape
	})
}

// FuseLinearBNEval returns a linear layer that equals one and the batch normalization after
// it, in evaluation: torch.nn.utils.fusion.fuse_linear_bn_eval(linear, bn). It panics with a
// *torch.Error if bn is in training mode, has no running statistics or weights, or another number
// of features than the layer.
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.fuse_linear_bn_eval.html
func FuseLinearBNEval(linear *Linear, bn BatchNormOf) *Linear {
	b := bn.batchNorm()
	if out := linear.Weight.Size(0); b.RunningMean != nil && b.RunningMean.Size(0) != out && b.RunningMean.Size(0) != 1 {
		fail("FuseLinearBNEval: the linear layer has %d outputs and the normalization %d features; they must be as many, or 1 feature", out, b.RunningMean.Size(0))
	}
	if b.Weight == nil || b.Bias == nil {
		fail("FuseLinearBNEval: the normalization has no weight or no bias, which PyTorch does not fuse")
	}
	return fused("FuseLinearBNEval", linear, bn, nil)
}

// fused returns a copy of a layer with a normalization in its weight and bias. The scale has
// a shape for the weight of a convolution, and is a column without one.
func fused[L any](op string, layer L, bn BatchNormOf, shape func(w *torch.Tensor) []int) L {
	b := bn.batchNorm()
	switch {
	case b.Training:
		fail("%s: the normalization is in training mode; call Eval first", op)
	case b.RunningMean == nil || b.RunningVar == nil:
		fail("%s: the normalization has no running statistics", op)
	}
	out := Clone(layer)
	at, _ := tensorField(out, "weight")
	biasAt, _ := optionalField(out, "bias")
	if at == nil || biasAt == nil {
		fail("%s: a %T has no weight and bias", op, layer)
	}
	w, bias, bnW, bnB := *at, *biasAt, b.Weight, b.Bias
	biasType, biasNeeds := w.DType(), false
	torch.NoGrad(func() {
		if bias != nil {
			biasType, biasNeeds = bias.DType(), bias.RequiresGrad()
		} else {
			bias = torch.ZerosLike(b.RunningMean)
		}
		if bnW == nil {
			bnW = torch.OnesLike(b.RunningMean)
		}
		if bnB == nil {
			bnB = torch.ZerosLike(b.RunningMean)
		}
		rsqrt := b.RunningVar.AddScalar(or(b.Options.Eps, 1e-5)).Rsqrt()
		scale := bnW.Mul(rsqrt)
		shifted := bias.Sub(b.RunningMean)
		if shape != nil {
			w, bias = w.Mul(scale.Reshape(shape(w)...)).ToDType(w.DType()), shifted.Mul(rsqrt).Mul(bnW).Add(bnB)
		} else {
			w, bias = w.Mul(scale.Unsqueeze(-1).ToDType(w.DType())), shifted.Mul(scale).Add(bnB)
		}
	})
	*at, *biasAt = w.RequireGrad((*at).RequiresGrad()), bias.ToDType(biasType).RequireGrad(biasNeeds)
	return out
}
