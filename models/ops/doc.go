// Package ops has the building blocks of vision models: torchvision.ops.
//
// https://docs.pytorch.org/vision/stable/ops.html
package ops
