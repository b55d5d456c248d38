// Package torchtest helps to test Go code against PyTorch, as torch.testing does
// in Python: comparisons with PyTorch's tolerances and messages.
//
// https://docs.pytorch.org/docs/stable/testing.html
package torchtest
