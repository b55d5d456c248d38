// Package fft is torch.fft: discrete Fourier transforms. Norm is "backward", the
// default: the inverse divides by n; "forward"; or "ortho": both divide by √n.
//
// https://docs.pytorch.org/docs/stable/fft.html
package fft
