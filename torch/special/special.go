// Package special is torch.special: special functions, by element, broadcast.
// Integers give float32.
//
// https://docs.pytorch.org/docs/stable/special.html
package special
