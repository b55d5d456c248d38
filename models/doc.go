// Package models holds architectures and, beside each, its published weights:
// torchvision.models and the models of pytorch.org/hub.
//
// One file holds what one paper describes; its variants are rows of a table. A
// row is an [Entry]: a name, how to build the module, and for each set of
// weights where it lies, how pictures are prepared for it, what its outputs
// mean and how good it is. The package hub turns a name into a running model.
//
// https://docs.pytorch.org/vision/stable/models.html
package models
