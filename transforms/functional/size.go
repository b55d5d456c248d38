package functional

// GetDimensions returns the channels, height and width of a picture or of a
// tensor [..., C, H, W]: F.get_dimensions(img). A tensor [H, W] has one channel.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.get_dimensions.html
func GetDimensions(v Value) (c, h, w int) {
	if x := v.Tensor; x != nil {
		if x.Dim() < 2 {
			fail("GetDimensions", v, "the tensor's shape is not [..., H, W]")
		}
		return channels(x), x.Size(-2), x.Size(-1)
	}
	p := picture("GetDimensions", v)
	return p.Mode.Bands(), p.H, p.W
}

// GetImageSize returns the width and height of a picture or of a tensor
// [..., H, W]: F.get_image_size(img).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.get_image_size.html
func GetImageSize(v Value) (w, h int) {
	_, h, w = GetDimensions(v)
	return w, h
}

// GetImageNumChannels returns the number of channels of a picture or of a tensor
// [..., C, H, W]: F.get_image_num_channels(img).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.functional.get_image_num_channels.html
func GetImageNumChannels(v Value) int {
	c, _, _ := GetDimensions(v)
	return c
}
