// Package datasets reads the folders in which data sets for vision are published:
// torchvision.datasets. A data set opens its pictures when they are asked for, so that
// it takes little memory, and several goroutines may use it at once; small pictures such as
// those of MNIST are in memory. All are datasets of package data.
//
// What torchvision downloaded is found where it leaves it, and the reverse. [WithDownload]
// downloads what is missing.
//
// https://docs.pytorch.org/vision/stable/datasets.html
package datasets
