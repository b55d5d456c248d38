// Package torchtest helps to test Go code against PyTorch, as torch.testing does
// in Python: comparisons with PyTorch's tolerances and messages, random tensors
// with its numbers, and calls of functions in a live Python.
//
// https://docs.pytorch.org/docs/stable/testing.html
package torchtest
