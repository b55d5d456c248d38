// Package datasets reads the folders in which data sets for vision are published:
// torchvision.datasets. A data set opens its pictures when they are asked for, so that
// it takes little memory, and several goroutines may use it at once; small pictures such as
// those of MNIST are in memory. All are datasets of package data.
//
// Pictures with a class each are [ImageFolder] or [Images]; where the target is more than that, such as
// boxes, they are [Annotated] with a struct. What Python returns by target_type is in the struct or read by
// a method. [Transform] makes tensors of them.
//
// What torchvision downloaded is found where it leaves it, and the reverse. [WithDownload]
// downloads what is missing. An archive that was not unpacked to its end is unpacked again.
//
// # Differences from Python
//
// Where torchvision lists a folder in the order of the file system, here it is that of the names. These data
// sets of torchvision are missing: those of videos, of optical flow and of disparities, LSUN, which is an LMDB
// database, and PCAM, which is in HDF5 files.
//
// https://docs.pytorch.org/vision/stable/datasets.html
package datasets
