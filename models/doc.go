// Package models is the registry of architectures and of their published weights:
// torchvision.models and the models of pytorch.org/hub.
//
// It knows no architecture. Each family of models is a package of its own, such as
// models/resnet, which registers what it builds when it is imported: its entries by
// [Register], and by [RegisterFamily] its class and the names that other libraries have
// for it. Package models/all imports them all. An [Entry] has a name, a function that builds the
// module and, for each set of weights, its URL, how pictures are prepared for it, what
// its outputs mean and its accuracy. Package hub turns a name into a running model.
//
// A new architecture is a new package and one line in models/all.
//
// https://docs.pytorch.org/vision/stable/models.html
package models
