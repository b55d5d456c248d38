// Package linalg is torch.linalg: norms, factorizations, eigenvalues, solutions
// of linear equations, over the last two dimensions of batches of matrices. A
// matrix that has no solution (singular, not positive-definite) is an
// [*torch.Error], as in Python.
//
// https://docs.pytorch.org/docs/stable/linalg.html
package linalg
