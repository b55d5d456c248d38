// Package ops has the building blocks of vision models: torchvision.ops. Its classes without parameters, such as
// torchvision.ops.RoIAlign, are functions here: func(x, boxes *torch.Tensor) *torch.Tensor { return ops.RoIAlign(x, boxes, size) }.
//
// https://docs.pytorch.org/vision/stable/ops.html
package ops
