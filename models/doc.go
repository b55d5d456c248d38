// Package models is the registry of architectures and of their published weights:
// those of torchvision.models and of pytorch.org/hub.
//
// It contains no architecture. Each family of models is a package of its own, such as
// models/resnet, which registers itself when it is imported: its entries with [Register], and
// with [RegisterFamily] its class and the names of that class in other libraries. Package
// models/all imports them all. An [Entry] has a name, a function that builds the module and, for
// each set of weights, its URL, the preprocessing of pictures, the meaning of the outputs and
// the accuracy. Package hub turns a name into a running model.
//
// A new architecture is a new package and one line in models/all.
//
// https://docs.pytorch.org/vision/stable/models.html
package models
