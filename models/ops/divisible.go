package ops

// MakeDivisible rounds a number of channels to a multiple of divisor, at least divisor, that is
// not below 0.9·channels: torchvision.models._utils._make_divisible.
func MakeDivisible(channels float64, divisor int) int {
	n := max(divisor, int(channels+float64(divisor)/2)/divisor*divisor)
	if float64(n) < 0.9*channels {
		n += divisor
	}
	return n
}
