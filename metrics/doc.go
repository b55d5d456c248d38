// Package metrics computes the figures by which vision models are compared: accuracy of
// classification, intersection over union of segmentation, and average precision of
// detection by the rules of COCO; and those of classifiers of two classes. It knows no tensors: models' outputs are given as slices.
//
// The figures equal those of torchvision's reference scripts and of pycocotools.
//
// https://github.com/pytorch/vision/tree/main/references
package metrics
