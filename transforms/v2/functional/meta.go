package functional

import (
	"github.com/torchhub/torchhub/torch"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
)

// GetDimensions returns the channels, height and width of an image, video or
// picture: get_dimensions(x).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.get_dimensions.html
func GetDimensions(x any) (c, h, w int) {
	const op = "GetDimensions"
	takesOrFails(op, x)
	if t := tv.TensorOf(x); t != nil {
		return GetDimensionsImage(t)
	}
	return pictureDimensions(x)
}

func takesOrFails(op string, x any) {
	if !Takes(op, x) {
		fail(op, x, "%s does not take this type; it takes %v", op, takes[op])
	}
}

// GetDimensionsImage is [GetDimensions] of a tensor [..., C, H, W]; one of two dimensions has one channel.
func GetDimensionsImage(x *torch.Tensor) (c, h, w int) {
	h, w = hw("GetDimensions", x)
	return GetNumChannelsImage(x), h, w
}

// GetDimensionsVideo is [GetDimensions] of a tensor [..., T, C, H, W].
func GetDimensionsVideo(x *torch.Tensor) (c, h, w int) { return GetDimensionsImage(x) }

// GetNumChannels returns the channels of an image, video or picture: get_num_channels(x).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.get_num_channels.html
func GetNumChannels(x any) int {
	takesOrFails("GetNumChannels", x)
	c, _, _ := GetDimensions(x)
	return c
}

// GetImageNumChannels is another name of [GetNumChannels]: get_image_num_channels.
func GetImageNumChannels(x any) int { return GetNumChannels(x) }

// GetNumChannelsImage is [GetNumChannels] of a tensor [..., C, H, W]; one of two dimensions has one channel.
func GetNumChannelsImage(x *torch.Tensor) int {
	hw("GetNumChannels", x)
	if x.Dim() == 2 {
		return 1
	}
	return x.Size(-3)
}

// GetNumChannelsVideo is [GetNumChannels] of a tensor [..., T, C, H, W].
func GetNumChannelsVideo(x *torch.Tensor) int { return GetNumChannelsImage(x) }

// GetSize returns the height and width of an image, video, mask or picture, and
// the canvas of boxes and points: get_size(x).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.get_size.html
func GetSize(x any) (h, w int) {
	takesOrFails("GetSize", x)
	switch x := x.(type) {
	case tv.BoundingBoxes:
		return GetSizeBoundingBoxes(x)
	case tv.KeyPoints:
		return GetSizeKeyPoints(x)
	}
	if t := tv.TensorOf(x); t != nil {
		return GetSizeImage(t)
	}
	_, h, w = pictureDimensions(x)
	return h, w
}

// GetSizeImage is [GetSize] of a tensor [..., H, W].
func GetSizeImage(x *torch.Tensor) (h, w int) { return hw("GetSize", x) }

// GetSizeVideo is [GetSize] of a tensor [..., T, C, H, W].
func GetSizeVideo(x *torch.Tensor) (h, w int) { return GetSizeImage(x) }

// GetSizeMask is [GetSize] of a tensor [..., H, W].
func GetSizeMask(x *torch.Tensor) (h, w int) { return GetSizeImage(x) }

// GetSizeBoundingBoxes is [GetSize] of boxes: their canvas.
func GetSizeBoundingBoxes(b tv.BoundingBoxes) (h, w int) { return b.CanvasSize[0], b.CanvasSize[1] }

// GetSizeKeyPoints is [GetSize] of points: their canvas.
func GetSizeKeyPoints(k tv.KeyPoints) (h, w int) { return k.CanvasSize[0], k.CanvasSize[1] }

// GetImageSize returns the width and height of an image or picture, in this order: get_image_size(x),
// which PyTorch advises against; see [GetSize].
func GetImageSize(x any) (w, h int) {
	if k := tv.KindOf(x); k == tv.BoxesKind || k == tv.KeyPointsKind {
		fail("GetImageSize", x, "this is no image")
	}
	h, w = GetSize(x)
	return w, h
}

// GetNumFrames returns the frames of a video, [..., T, C, H, W]: get_num_frames(x).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.get_num_frames.html
func GetNumFrames(x any) int {
	takesOrFails("GetNumFrames", x)
	return GetNumFramesVideo(tv.TensorOf(x))
}

// GetNumFramesVideo is [GetNumFrames] of a tensor [..., T, C, H, W].
func GetNumFramesVideo(x *torch.Tensor) int {
	if x.Dim() < 4 {
		fail("GetNumFrames", x, "a video has four dimensions or more, [..., T, C, H, W]")
	}
	return x.Size(-4)
}

// UniformTemporalSubsample keeps frames of a video, [..., T, C, H, W], at equal
// distances: uniform_temporal_subsample(x, n).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.uniform_temporal_subsample.html
func UniformTemporalSubsample[T any](x T, n int) T {
	return call(x, uniformTemporalSubsampleKernels(n), n)
}

func uniformTemporalSubsampleKernels(n int) kernels {
	return kernels{
		name: "UniformTemporalSubsample", except: of(tv.ImageKind),
		image: func(x *torch.Tensor) *torch.Tensor { return UniformTemporalSubsampleVideo(x, n) },
	}
}

// UniformTemporalSubsampleVideo is [UniformTemporalSubsample] of a tensor [..., T, C, H, W].
func UniformTemporalSubsampleVideo(x *torch.Tensor, n int) *torch.Tensor {
	last := GetNumFramesVideo(x) - 1
	if n < 0 {
		fail("UniformTemporalSubsample", x, "%d frames are asked for; want 0 or more", n)
	}
	return x.IndexSelect(-4, torch.Options{Device: x.Device()}.Linspace(0, last, n).ToDType(torch.Int64))
}
