// Package torchtest helps to test Go code against PyTorch, as torch.testing does
// in Python: comparisons with PyTorch's tolerances and messages, and random tensors
// with its numbers.
//
// https://docs.pytorch.org/docs/stable/testing.html
package torchtest
