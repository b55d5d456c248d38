// Package pillow computes pictures as Pillow 13 does, to the last bit: the
// picture side of torchvision.transforms, without libtorch.
//
// An [Image] is a Pillow image: a mode, a size, bytes, and a palette where the
// mode has one. Functions and methods are named after Pillow's. None changes the
// picture it is given; a result may share its bytes where nothing changed, so
// treat the bytes of a picture that others hold as constant.
//
// # Mistakes
//
// What Pillow refuses is refused here too: the function returns an error that
// says in half a sentence what is wrong ("the mode F is not supported; want L,
// RGB or P"); callers put the name of their operation before it. Nothing panics on a
// picture that [Image.Check] accepts; [From] makes only such pictures of sound ones.
//
// https://pillow.readthedocs.io/en/stable/reference/Image.html
package pillow
