package transforms

import (
	"image"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/transforms/functional"
)

// TestConstructors lists arguments that no transform can be made of, and what the error says.
func TestConstructors(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	flip := RandomHorizontalFlip()
	for want, f := range map[string]func(){
		"Lambda: there is no function":                                     func() { Lambda(nil) },
		"RandomApply: transform 2 of 2 is nil":                             func() { RandomApply([]Transform{flip, nil}) },
		"RandomApply: the probability is NaN":                              func() { RandomApply([]Transform{flip}, nan) },
		"RandomOrder: transform 1 of 1 is nil":                             func() { RandomOrder(nil) },
		"RandomChoice: there are no transforms to choose from":             func() { RandomChoice(nil) },
		"RandomChoice: there are 1 weights for 2 transforms":               func() { RandomChoice([]Transform{flip, flip}, 1) },
		"RandomChoice: the weights are [0 0]; want a finite sum above 0":   func() { RandomChoice([]Transform{flip, flip}, 0, 0) },
		"RandomChoice: the weights are [1 NaN]; want 0 or more":            func() { RandomChoice([]Transform{flip, flip}, 1, nan) },
		"RandomChoice: the weights are [-1 2]; want 0 or more":             func() { RandomChoice([]Transform{flip, flip}, -1, 2) },
		"RandomChoice: the weights are [1 +Inf]; want a finite sum above":  func() { RandomChoice([]Transform{flip, flip}, 1, inf) },
		"RandomHorizontalFlip: the probability is NaN":                     func() { RandomHorizontalFlip(nan) },
		"RandomVerticalFlip: there are 2 probabilities; want one":          func() { RandomVerticalFlip(0.1, 0.2) },
		"RandomGrayscale: the probability is NaN":                          func() { RandomGrayscale(nan) },
		"RandomInvert: the probability is NaN":                             func() { RandomInvert(nan) },
		"RandomAutocontrast: the probability is NaN":                       func() { RandomAutocontrast(nan) },
		"RandomEqualize: the probability is NaN":                           func() { RandomEqualize(nan) },
		"RandomPosterize: 9 bits are to be kept; want 0 to 8":              func() { RandomPosterize(9) },
		"RandomSolarize: the threshold is NaN; want a finite number":       func() { RandomSolarize(nan) },
		"RandomAdjustSharpness: the factor is +Inf; want a finite number":  func() { RandomAdjustSharpness(inf) },
		"Grayscale: there are to be [2] channels; want 1 or 3":             func() { Grayscale(2) },
		"Pad: the padding has 3 elements; want 1, 2 or 4":                  func() { Pad([]int{1, 2, 3}) },
		"Pad: the padding is a string; want an int or a []int":             func() { Pad("1") },
		`Pad: no padding mode is called "wrap"; want constant`:             func() { Pad(1, PadOptions{PaddingMode: "wrap"}) },
		"Pad: the fill is NaN; want a finite number":                       func() { Pad(1, PadOptions{Fill: []float64{nan}}) },
		"RandomCrop: the size is 0×4 (height × width); want 1":             func() { RandomCrop([]int{0, 4}) },
		"RandomCrop: the size has 3 elements; want the height":             func() { RandomCrop([]int{1, 2, 3}) },
		"RandomCrop: the size is a float64; want an int":                   func() { RandomCrop(2.5) },
		"FiveCrop: the size is -1×-1":                                      func() { FiveCrop(-1) },
		"TenCrop: the size is 3×-1":                                        func() { TenCrop([]int{3, -1}) },
		"RandomResizedCrop: Scale is [0.5 0.1]; want the least":            func() { RandomResizedCrop(3, RandomResizedCropOptions{Scale: []float64{0.5, 0.1}}) },
		"RandomResizedCrop: Ratio has 1 numbers; want the least":           func() { RandomResizedCrop(3, RandomResizedCropOptions{Ratio: []float64{1}}) },
		"RandomResizedCrop: Ratio is [0 1]; want the least, above 0":       func() { RandomResizedCrop(3, RandomResizedCropOptions{Ratio: []float64{0, 1}}) },
		`RandomResizedCrop: no interpolation is called "area"`:             func() { RandomResizedCrop(3, RandomResizedCropOptions{Interpolation: "area"}) },
		"ColorJitter: Brightness is -0.5; want 0 or more":                  func() { ColorJitter(ColorJitterOptions{Brightness: -0.5}) },
		"ColorJitter: Hue is 0.6; want a number":                           func() { ColorJitter(ColorJitterOptions{Hue: 0.6}) },
		"ColorJitter: Contrast is [2 1]; want a number":                    func() { ColorJitter(ColorJitterOptions{Contrast: []float64{2, 1}}) },
		"ColorJitter: Saturation is NaN; want a finite number":             func() { ColorJitter(ColorJitterOptions{Saturation: nan}) },
		"ColorJitter: Saturation is a string; want a float64":              func() { ColorJitter(ColorJitterOptions{Saturation: "0.5"}) },
		"RandomRotation: degrees is -5; want 0 or more":                    func() { RandomRotation(-5) },
		"RandomRotation: degrees has 3 numbers; want [2]":                  func() { RandomRotation([]float64{1, 2, 3}) },
		"RandomRotation: degrees is [3 1]; want the least":                 func() { RandomRotation([]float64{3, 1}) },
		"RandomRotation: Center has 1 numbers; want x and y":               func() { RandomRotation(5, RandomRotationOptions{Center: []float64{1}}) },
		"RandomAffine: Translate is [0 1.5]; want 0 to 1":                  func() { RandomAffine(5, RandomAffineOptions{Translate: []float64{0, 1.5}}) },
		"RandomAffine: Scale is [0 2]; want more than 0":                   func() { RandomAffine(5, RandomAffineOptions{Scale: []float64{0, 2}}) },
		"RandomAffine: Shear has 3 numbers; want [2 4]":                    func() { RandomAffine(5, RandomAffineOptions{Shear: []float64{0, 2, 3}}) },
		"RandomPerspective: DistortionScale is -2; want 0 to 1":            func() { RandomPerspective(RandomPerspectiveOptions{DistortionScale: new(-2.0)}) },
		"RandomErasing: the probability is 1.5; want 0 to 1":               func() { RandomErasing(RandomErasingOptions{P: new(1.5)}) },
		"RandomErasing: Scale is [0 2]; want 0 to 1":                       func() { RandomErasing(RandomErasingOptions{Scale: []float64{0, 2}}) },
		"RandomErasing: both Random and a Value are given":                 func() { RandomErasing(RandomErasingOptions{Random: true, Value: []float64{1}}) },
		"GaussianBlur: the kernel size is 4; want an odd number above 0":   func() { GaussianBlur(4) },
		"GaussianBlur: the kernel size is -3; want an odd number above 0":  func() { GaussianBlur(-3) },
		"GaussianBlur: Sigma is [0 0]; want a number above 0":              func() { GaussianBlur(3, GaussianBlurOptions{Sigma: 0}) },
		"ElasticTransform: Alpha is [1 2 3], of type []float64; want a":    func() { ElasticTransform(ElasticTransformOptions{Alpha: []float64{1, 2, 3}}) },
		"ElasticTransform: Sigma is 5, of type int; want a float64":        func() { ElasticTransform(ElasticTransformOptions{Sigma: 5}) },
		"ElasticTransform: Alpha is [2], of type []float64; want":          func() { ElasticTransform(ElasticTransformOptions{Alpha: []float64{2}}) },
		"RandomAffine: Translate has 0 numbers; want those of x and y":     func() { RandomAffine(5, RandomAffineOptions{Translate: []float64{}}) },
		"GaussianBlur: Sigma is []; want a number above 0":                 func() { GaussianBlur([]int{3}, GaussianBlurOptions{Sigma: []float64{}}) },
		`AutoAugment: no policy is called "mnist"; want imagenet, cifar10`: func() { AutoAugment(AutoAugmentOptions{Policy: "mnist"}) },
		"RandAugment: Magnitude is 31; want 0 to 30, as there are 31":      func() { RandAugment(RandAugmentOptions{Magnitude: new(31)}) },
		"RandAugment: NumOps is -1; want 0 or more":                        func() { RandAugment(RandAugmentOptions{NumOps: new(-1)}) },
		"TrivialAugmentWide: NumMagnitudeBins is 1; want 2 or more":        func() { TrivialAugmentWide(TrivialAugmentWideOptions{NumMagnitudeBins: 1}) },
		"AugMix: Severity is 11; want 1 to 10":                             func() { AugMix(AugMixOptions{Severity: 11}) },
		"AugMix: Alpha is -1; want a finite number above 0":                func() { AugMix(AugMixOptions{Alpha: -1}) },
		`ToPILImage: no mode is called "BGR"`:                              func() { ToPILImage("BGR") },
		"LinearTransformation: the matrix is of shape [2 3]; want [D D]":   func() { LinearTransformation(torch.Zeros(2, 3), torch.Zeros(2)) },
		"LinearTransformation: the mean is of shape [2]; want [3]":         func() { LinearTransformation(torch.Zeros(3, 3), torch.Zeros(2)) },
	} {
		err := torch.Try(f)
		var e *torch.Error
		require.ErrorAs(t, err, &e, want)
		require.ErrorContains(t, e, "torch: transforms."+want)
	}
}

// TestValues lists values that transforms do not take; each error names the transform and the value.
func TestValues(t *testing.T) {
	picture := Value{Image: image.NewGray(image.Rect(0, 0, 9, 5))}
	three := Value{Tensor: torch.Zeros(3, 5, 9)}
	two := Value{Tensor: torch.Zeros(2, 5, 9)}
	flat := Value{Tensor: torch.Zeros(7)}
	parts := FiveCrop(3).Transform(picture)
	for _, c := range []struct {
		t    Transform
		v    Value
		want string
	}{
		{RandomCrop(7), picture, "transforms.RandomCrop(size=(7, 7), padding=None)(picture of 9×5 pixels): a crop of 7×7 pixels (height × width) is larger than the picture of 5×9"},
		{FiveCrop(6), three, "transforms.FiveCrop(size=(6, 6))([3, 5, 9] float32): a crop of 6×6 pixels (height × width) does not fit in 5×9"},
		{RandomHorizontalFlip(1), parts, "transforms.RandomHorizontalFlip(p=1.0)(5 values): one picture or tensor is needed here; use Value.Map"},
		{RandomVerticalFlip(1), Value{}, "transforms.RandomVerticalFlip(p=1.0)(nothing): a picture or a tensor is needed here"},
		{RandomVerticalFlip(1), flat, "transforms.RandomVerticalFlip(p=1.0)([7] float32): the tensor's shape is not [..., H, W]"},
		{RandomErasing(RandomErasingOptions{P: new(1.0)}), picture, "RandomErasing(p=1.0, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0, inplace=False)(picture of 9×5 pixels): a tensor [..., C, H, W] is needed here"},
		{RandomErasing(RandomErasingOptions{P: new(1.0), Value: []float64{1, 2}}), three, "there are 2 values for 3 channels"},
		{RandomInvert(1), two, "transforms.RandomInvert(p=1.0)([2, 5, 9] float32): the tensor has 2 channels; want 1 or 3"},
		{RandomPosterize(2, 1), three, "transforms.RandomPosterize(bits=2,p=1.0)([3, 5, 9] float32): the tensor is of float32; only uint8 can be posterized"},
		{RandomSolarize(3, 1), three, "the threshold is 3; a tensor of float32 goes to 1"},
		{ColorJitter(ColorJitterOptions{Brightness: 0.5}), two, "ColorJitter(brightness=(0.5, 1.5), contrast=None, saturation=None, hue=None)([2, 5, 9] float32): the tensor has 2 channels"},
		{RandomRotation(9, RandomRotationOptions{Fill: []float64{1, 2}}), three, "there are 2 numbers to fill with for 3 channels"},
		{RandomRotation(9, RandomRotationOptions{Interpolation: Bicubic}), three, "tensors are warped by nearest or bilinear, not by bicubic"},
		{GaussianBlur(11), three, "GaussianBlur(kernel_size=(11, 11), sigma=(0.1, 2.0))([3, 5, 9] float32): "},
		{Pad(9, PadOptions{PaddingMode: "reflect"}), three, "Pad(padding=9, fill=0, padding_mode=reflect)([3, 5, 9] float32): aten::"},
		{Normalize([]float64{0}, []float64{1e-60}), three, "Normalize(mean=[0.0], std=[1e-60])([3, 5, 9] float32): std is [1e-60], of which one is zero in float32"},
		{ToPILImage(), Value{Tensor: torch.Zeros(5, 2, 2)}, "ToPILImage()([5, 2, 2] float32): the tensor has 5 channels; want 1 to 4"},
		{ToPILImage("HSV"), two, "ToPILImage(mode=HSV)([2, 5, 9] float32): 2 channels make no picture of mode HSV"},
		{ConvertImageDtype(torch.Int64), three, "ConvertImageDtype()([3, 5, 9] float32): float32 cannot hold every int64"},
		{LinearTransformation(torch.Zeros(3, 3), torch.Zeros(3)), three, "135 numbers do not fit a matrix of shape [3 3]"},
		{VideoClassification(8, 8, Bilinear, mean, std), three, "VideoClassification(crop_size=[8, 8], resize_size=8, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])([3, 5, 9] float32): a tensor [T, C, H, W]"},
		{OpticalFlow(), picture, "OpticalFlow()(picture of 9×5 pixels): a value of two parts is needed here"},
		{Compose(Resize(4), ToTensor(), ToTensor()), Value{Image: image.NewNRGBA(image.Rect(0, 0, 9, 5))}, "ToTensor()([4, 4, 7] float32): a picture is needed here"},
		{Compose(Resize(4), ToTensor(), ToTensor()), Value{Image: ToRGB(picture.Image)}, "ToTensor()([3, 4, 7] float32): a picture is needed here"},
		{Compose(RandomApply([]Transform{RandomCrop(7)}, 1)), picture, "transforms.RandomCrop(size=(7, 7), padding=None)(picture of 9×5 pixels)"},
	} {
		err := torch.Try(func() { c.t.Transform(c.v) })
		var e *torch.Error
		require.ErrorAs(t, err, &e, c.want)
		require.ErrorContains(t, e, c.want)
	}
}

// TestErrorsKeepTheirKind checks that a transform's name does not hide what errors.Is looks for.
func TestErrorsKeepTheirKind(t *testing.T) {
	x := torch.Zeros(3, 4, 4)
	x.Free()
	err := torch.Try(func() { CenterCrop(2).Transform(Value{Tensor: x}) })
	require.ErrorIs(t, err, torch.ErrFreed)
	require.True(t, strings.HasPrefix(err.Error(), "torch: "))
}

// TestGeneratorsInGoroutines draws from generators of their own in many goroutines at once.
func TestGeneratorsInGoroutines(t *testing.T) {
	p := Compose(RandomResizedCrop(8), RandomHorizontalFlip(), AutoAugment(), RandomOrder(RandomInvert(), RandomVerticalFlip()), ToTensor(), RandomErasing())
	src := Value{Image: functional.ToPILImage(torch.Arange(3*20*30).RemainderScalar(251).ToDType(torch.Uint8).View(3, 20, 30))}
	draw := func(worker int) (xs []float32) {
		v := src
		v.Generator, v.Random = data.WorkerGenerators(5, worker)
		for range 20 {
			xs = append(xs, torch.Data[float32](p.Transform(v).Tensor.Contiguous())...)
		}
		return xs
	}
	var want, got [8][]float32
	for w := range want {
		want[w] = draw(w)
	}
	done := make(chan int)
	for w := range got {
		go func() { got[w] = draw(w); done <- w }()
	}
	for range got {
		<-done
	}
	require.Equal(t, want, got)
	require.NotEqual(t, want[0], want[1])
}
