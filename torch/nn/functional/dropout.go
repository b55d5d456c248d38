package functional

import "github.com/torchhub/torchhub/torch"

var (
	opFeatureDropout      = torch.NewOp("aten::feature_dropout", "")
	opFeatureAlphaDropout = torch.NewOp("aten::feature_alpha_dropout", "")
)

func dropChannels(op *torch.Op, x *torch.Tensor, p float64, train bool) *torch.Tensor {
	var c torch.Call
	c.Tensor(x)
	c.Float(p)
	c.Bool(train)
	return c.One(op)
}

// Dropout1d is [Dropout] of whole channels of x [N, C, L] or [C, L]: F.dropout1d(x, p, train).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout1d.html
func Dropout1d(x *torch.Tensor, p float64, train bool) *torch.Tensor {
	checkProbability("Dropout1d", p)
	switch x.Dim() {
	case 2:
		return dropChannels(opFeatureDropout, x.Unsqueeze(0), p, train).Squeeze(0)
	case 3:
		return dropChannels(opFeatureDropout, x, p, train)
	}
	fail("Dropout1d", "x is %v; it must be [N, C, L] or [C, L]", x.Shape())
	return nil
}

// Dropout2d is [Dropout] of whole channels of x [N, C, H, W], or of [N, C, …] as
// in PyTorch, which warns of others: F.dropout2d(x, p, train).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout2d.html
func Dropout2d(x *torch.Tensor, p float64, train bool) *torch.Tensor {
	checkProbability("Dropout2d", p)
	return dropChannels(opFeatureDropout, x, p, train)
}

// Dropout3d is [Dropout] of whole channels of x [N, C, D, H, W] or [C, D, H, W]: F.dropout3d(x, p, train).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout3d.html
func Dropout3d(x *torch.Tensor, p float64, train bool) *torch.Tensor {
	checkProbability("Dropout3d", p)
	if x.Dim() == 5 {
		return dropChannels(opFeatureDropout, x, p, train)
	}
	return dropChannels(opFeatureDropout, x.Unsqueeze(0), p, train).Squeeze(0)
}

// FeatureAlphaDropout is [AlphaDropout] of whole channels of x [N, C, …]: F.feature_alpha_dropout(x, p, train).
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.feature_alpha_dropout.html
func FeatureAlphaDropout(x *torch.Tensor, p float64, train bool) *torch.Tensor {
	checkProbability("FeatureAlphaDropout", p)
	return dropChannels(opFeatureAlphaDropout, x, p, train)
}
