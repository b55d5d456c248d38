// Package draw makes pictures for people of tensors, and draws on them what a
// model has found: torchvision.utils.
//
// Pictures are tensors [C, H, W], uint8 from 0 to 255 or floating-point from 0 to 1.
// No function changes its arguments. Every pixel is torchvision's, but those of a
// label's text: Pillow draws it with FreeType, and this package with
// golang.org/x/image/font.
//
// What is drawn outside a picture is cut off. A mistake in the arguments is a panic with
// a [*torch.Error], which [torch.Try] turns into an error.
//
// https://docs.pytorch.org/vision/stable/utils.html
package draw
