package functional

import "github.com/torchhub/torchhub/torch"

// The functions of this file check what PyTorch checks in Python, before it calls
// the operator. Functions of zfunctional.go call them.

// checkProbability refuses a p outside of [0, 1].
func checkProbability(op string, p float64) {
	if p < 0 || p > 1 {
		fail(op, "the probability is %v; it must be between 0 and 1", p)
	}
}

func checkDropout(_ *torch.Tensor, p float64, _ bool) { checkProbability("Dropout", p) }

func checkAlphaDropout(_ *torch.Tensor, p float64, _ bool) { checkProbability("AlphaDropout", p) }

func checkGLU(x *torch.Tensor, _ GLUOptions) {
	if x.Dim() == 0 {
		fail("GLU", "x has no dimension that could be halved")
	}
}

func checkHardtanh(_ *torch.Tensor, o HardtanhOptions) {
	lo, hi := number("Hardtanh", "MinVal", o.MinVal, -1), number("Hardtanh", "MaxVal", o.MaxVal, 1)
	if lo > hi {
		fail("Hardtanh", "MinVal %v is above MaxVal %v", lo, hi)
	}
}

// checkValues refuses sizes [N, C, …] that have one value for each channel, whose variance is no number.
func checkValues(op string, size []int) {
	if len(size) == 0 {
		fail(op, "x has no dimensions; it must be [N, C, …]")
	}
	n := size[0]
	for _, s := range size[min(2, len(size)):] {
		n *= s
	}
	if n == 1 {
		fail(op, "there is 1 value for each channel of %v; training needs more", size)
	}
}

func checkGroupNorm(x *torch.Tensor, groups int, _ GroupNormOptions) {
	size := x.Shape()
	switch {
	case len(size) < 2:
		fail("GroupNorm", "x has %d dimensions; it must have at least 2", len(size))
	case groups == 0:
		fail("GroupNorm", "there are 0 groups; there must be at least 1")
	}
	checkValues("GroupNorm", append([]int{size[0] * size[1] / groups, groups}, size[2:]...))
}

func checkAffineGrid(theta *torch.Tensor, size []int, alignCorners bool) {
	const op = "AffineGrid"
	if !theta.DType().IsFloatingPoint() {
		fail(op, "theta is %v; it must be floating-point", theta.DType())
	}
	n := len(size) - 2
	if n != 2 && n != 3 {
		fail(op, "size %v has %d elements; it must be [N, C, H, W] or [N, C, D, H, W]", size, len(size))
	}
	if s := theta.Shape(); len(s) != 3 || s[1] != n || s[2] != n+1 {
		fail(op, "theta is %v; for the size %v it must be [N, %d, %d]", s, size, n, n+1)
	}
	least := size[2]
	for _, s := range size[2:] {
		least = min(least, s)
	}
	if alignCorners && least == 1 {
		return // Python warns of these, and looks no further
	}
	if min(least, size[0], size[1]) <= 0 {
		fail(op, "size %v has elements that are not positive", size)
	}
}

// checkSameShape refuses a target of another shape than x.
func checkSameShape(op string, x, target *torch.Tensor) {
	if !x.SameShape(target) {
		fail(op, "x is %v and target %v; they must have the same shape", x.Shape(), target.Shape())
	}
}

func checkBinaryCrossEntropy(x, target *torch.Tensor, _ BinaryCrossEntropyOptions) {
	checkSameShape("BinaryCrossEntropy", x, target)
}

func checkBinaryCrossEntropyWithLogits(x, target *torch.Tensor, _ BinaryCrossEntropyWithLogitsOptions) {
	checkSameShape("BinaryCrossEntropyWithLogits", x, target)
}

// checkSameDim refuses tensors of different numbers of dimensions.
func checkSameDim(op string, names string, a, b, c *torch.Tensor) {
	if a.Dim() != b.Dim() || a.Dim() != c.Dim() {
		fail(op, "%s are %v, %v and %v; they must have the same number of dimensions", names, a.Shape(), b.Shape(), c.Shape())
	}
}

func checkMarginRankingLoss(input1, input2, target *torch.Tensor, _ MarginRankingLossOptions) {
	checkSameDim("MarginRankingLoss", "input1, input2 and target", input1, input2, target)
}

// checkMargin refuses margins that are not positive.
func checkMargin(op string, margin *float64) {
	if margin != nil && *margin <= 0 {
		fail(op, "the margin is %v; it must be above 0", *margin)
	}
}

func checkTripletMarginLoss(_, _, _ *torch.Tensor, o TripletMarginLossOptions) {
	checkMargin("TripletMarginLoss", o.Margin)
}

func checkMultiMarginLoss(_, _ *torch.Tensor, o MultiMarginLossOptions) {
	if p := number("MultiMarginLoss", "P", o.P, 1); p != 1 && p != 2 {
		fail("MultiMarginLoss", "P is %v; it must be 1 or 2", p)
	}
	if o.Weight != nil && o.Weight.Dim() != 1 {
		fail("MultiMarginLoss", "the weight has %d dimensions; it must have 1", o.Weight.Dim())
	}
}
