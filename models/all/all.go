// Package all registers every architecture of this module, as image codecs are
// registered by importing them. It is imported for that alone; package hub does so:
//
//	import _ "github.com/torchhub/torchhub/models/all"
package all

import (
	_ "github.com/torchhub/torchhub/models/alexnet"
	_ "github.com/torchhub/torchhub/models/convnext"
	_ "github.com/torchhub/torchhub/models/densenet"
	_ "github.com/torchhub/torchhub/models/detection"
	_ "github.com/torchhub/torchhub/models/efficientnet"
	_ "github.com/torchhub/torchhub/models/googlenet"
	_ "github.com/torchhub/torchhub/models/inception"
	_ "github.com/torchhub/torchhub/models/maxvit"
	_ "github.com/torchhub/torchhub/models/mnasnet"
	_ "github.com/torchhub/torchhub/models/mobilenet"
	_ "github.com/torchhub/torchhub/models/mvit"
	_ "github.com/torchhub/torchhub/models/quantized"
	_ "github.com/torchhub/torchhub/models/raft"
	_ "github.com/torchhub/torchhub/models/regnet"
	_ "github.com/torchhub/torchhub/models/resnet"
	_ "github.com/torchhub/torchhub/models/s3d"
	_ "github.com/torchhub/torchhub/models/segmentation"
	_ "github.com/torchhub/torchhub/models/shufflenet"
	_ "github.com/torchhub/torchhub/models/squeezenet"
	_ "github.com/torchhub/torchhub/models/swin"
	_ "github.com/torchhub/torchhub/models/vgg"
	_ "github.com/torchhub/torchhub/models/videoresnet"
	_ "github.com/torchhub/torchhub/models/vit"
)
