package torch

import "fmt"

// Only returns the options that a variadic parameter holds: the zero value, which
// stands for the defaults, where none are given. Two are a mistake and panic with
// an [*Error], because one of them would be ignored. Functions of other packages
// that take options as this package's do can use it too.
//
//	func Blur(x *torch.Tensor, options ...BlurOptions) *torch.Tensor {
//		o := torch.Only(options)
func Only[O any](options []O) (o O) {
	switch len(options) {
	case 0:
	case 1:
		o = options[0]
	default:
		fail(fmt.Sprintf("%T", o), fmt.Sprintf("%d values are given; give at most one", len(options)))
	}
	return o
}
