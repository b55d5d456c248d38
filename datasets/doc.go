// Package datasets reads the folders in which data sets for vision are published:
// torchvision.datasets. A data set opens its pictures when they are asked for, so that
// it takes little memory, and several goroutines may use it at once.
//
// https://docs.pytorch.org/vision/stable/datasets.html
package datasets
