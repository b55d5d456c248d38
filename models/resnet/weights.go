package resnet

import (
	"github.com/torchhub/torchhub/models"
)

func init() {
	models.Register(entries...)
	models.RegisterFamily(models.Family{
		Name:         "resnet",
		Configure:    Config{}.configure,
		Timm:         timmConverters(),
		Transformers: map[string]models.Converter{transformersClass: fromTransformers},
	})
}

type paper struct{ title, url string }

var (
	resNet  = paper{"Deep Residual Learning for Image Recognition", "https://arxiv.org/abs/1512.03385"}
	resNeXt = paper{"Aggregated Residual Transformations for Deep Neural Networks", "https://arxiv.org/abs/1611.05431"}
	wide    = paper{"Wide Residual Networks", "https://arxiv.org/abs/1605.07146"}
	wsl     = paper{"Exploring the Limits of Weakly Supervised Pretraining", "https://arxiv.org/abs/1805.00932"}
)

func (p paper) entry(name, repo string, c Config, w ...models.Weights) models.Entry {
	return models.Entry{Name: name, Repo: repo, Title: p.title, Paper: p.url, Weights: w,
		Build: func() any { return New(c) }, Configure: c.configure}
}

const (
	torchvision   = "https://download.pytorch.org/models/"
	nonCommercial = "CC-BY-NC 4.0"
)

// preset returns the preset of torchvision with a size of the short side.
func preset(resize int) models.Preset {
	return models.ClassificationPreset{Resize: resize, Crop: 224}
}

// accuracy returns the shares of ImageNet-1K's validation pictures whose label is the first one, and among the first five.
func accuracy(top1, top5 float64) models.Metrics {
	return models.Metrics{"ImageNet-1K": {"acc@1": top1, "acc@5": top5}}
}

var entries = []models.Entry{
	resNet.entry("resnet18", models.Vision, Config{Block: BasicBlock, Layers: [4]int{2, 2, 2, 2}},
		models.Weights{Name: "IMAGENET1K_V1", URL: torchvision + "resnet18-f37072fd.pth", Preset: preset(256), Classes: models.ImageNet, Metrics: accuracy(69.758, 89.078), Params: 11689512, GFLOPs: 1.814, MiB: 44.661},
	),
	resNet.entry("resnet34", models.Vision, Config{Block: BasicBlock, Layers: [4]int{3, 4, 6, 3}},
		models.Weights{Name: "IMAGENET1K_V1", URL: torchvision + "resnet34-b627a593.pth", Preset: preset(256), Classes: models.ImageNet, Metrics: accuracy(73.314, 91.42), Params: 21797672, GFLOPs: 3.664, MiB: 83.275},
	),
	resNet.entry("resnet50", models.Vision, Config{Block: Bottleneck, Layers: [4]int{3, 4, 6, 3}},
		models.Weights{Name: "IMAGENET1K_V1", URL: torchvision + "resnet50-0676ba61.pth", Preset: preset(256), Classes: models.ImageNet, Metrics: accuracy(76.13, 92.862), Params: 25557032, GFLOPs: 4.089, MiB: 97.781},
		models.Weights{Name: "IMAGENET1K_V2", URL: torchvision + "resnet50-11ad3fa6.pth", Preset: preset(232), Classes: models.ImageNet, Metrics: accuracy(80.858, 95.434), Params: 25557032, GFLOPs: 4.089, MiB: 97.79},
	),
	resNet.entry("resnet101", models.Vision, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}},
		models.Weights{Name: "IMAGENET1K_V1", URL: torchvision + "resnet101-63fe2227.pth", Preset: preset(256), Classes: models.ImageNet, Metrics: accuracy(77.374, 93.546), Params: 44549160, GFLOPs: 7.801, MiB: 170.511},
		models.Weights{Name: "IMAGENET1K_V2", URL: torchvision + "resnet101-cd907fc2.pth", Preset: preset(232), Classes: models.ImageNet, Metrics: accuracy(81.886, 95.78), Params: 44549160, GFLOPs: 7.801, MiB: 170.53},
	),
	resNet.entry("resnet152", models.Vision, Config{Block: Bottleneck, Layers: [4]int{3, 8, 36, 3}},
		models.Weights{Name: "IMAGENET1K_V1", URL: torchvision + "resnet152-394f9c45.pth", Preset: preset(256), Classes: models.ImageNet, Metrics: accuracy(78.312, 94.046), Params: 60192808, GFLOPs: 11.514, MiB: 230.434},
		models.Weights{Name: "IMAGENET1K_V2", URL: torchvision + "resnet152-f82ba261.pth", Preset: preset(232), Classes: models.ImageNet, Metrics: accuracy(82.284, 96.002), Params: 60192808, GFLOPs: 11.514, MiB: 230.474},
	),
	resNeXt.entry("resnext50_32x4d", models.Vision, Config{Block: Bottleneck, Layers: [4]int{3, 4, 6, 3}, Groups: 32, WidthPerGroup: 4},
		models.Weights{Name: "IMAGENET1K_V1", URL: torchvision + "resnext50_32x4d-7cdf4587.pth", Preset: preset(256), Classes: models.ImageNet, Metrics: accuracy(77.618, 93.698), Params: 25028904, GFLOPs: 4.23, MiB: 95.789},
		models.Weights{Name: "IMAGENET1K_V2", URL: torchvision + "resnext50_32x4d-1a0047aa.pth", Preset: preset(232), Classes: models.ImageNet, Metrics: accuracy(81.198, 95.34), Params: 25028904, GFLOPs: 4.23, MiB: 95.833},
	),
	resNeXt.entry("resnext101_32x8d", models.Vision, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 8},
		models.Weights{Name: "IMAGENET1K_V1", URL: torchvision + "resnext101_32x8d-8ba56ff5.pth", Preset: preset(256), Classes: models.ImageNet, Metrics: accuracy(79.312, 94.526), Params: 88791336, GFLOPs: 16.414, MiB: 339.586},
		models.Weights{Name: "IMAGENET1K_V2", URL: torchvision + "resnext101_32x8d-110c445d.pth", Preset: preset(232), Classes: models.ImageNet, Metrics: accuracy(82.834, 96.228), Params: 88791336, GFLOPs: 16.414, MiB: 339.673},
	),
	resNeXt.entry("resnext101_64x4d", models.Vision, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 64, WidthPerGroup: 4},
		models.Weights{Name: "IMAGENET1K_V1", URL: torchvision + "resnext101_64x4d-173b62eb.pth", Preset: preset(232), Classes: models.ImageNet, Metrics: accuracy(83.246, 96.454), Params: 83455272, GFLOPs: 15.46, MiB: 319.318},
	),
	wide.entry("wide_resnet50_2", models.Vision, Config{Block: Bottleneck, Layers: [4]int{3, 4, 6, 3}, WidthPerGroup: 128},
		models.Weights{Name: "IMAGENET1K_V1", URL: torchvision + "wide_resnet50_2-95faca4d.pth", Preset: preset(256), Classes: models.ImageNet, Metrics: accuracy(78.468, 94.086), Params: 68883240, GFLOPs: 11.398, MiB: 131.82},
		models.Weights{Name: "IMAGENET1K_V2", URL: torchvision + "wide_resnet50_2-9ba9bcbe.pth", Preset: preset(232), Classes: models.ImageNet, Metrics: accuracy(81.602, 95.758), Params: 68883240, GFLOPs: 11.398, MiB: 263.124},
	),
	wide.entry("wide_resnet101_2", models.Vision, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, WidthPerGroup: 128},
		models.Weights{Name: "IMAGENET1K_V1", URL: torchvision + "wide_resnet101_2-32ee1156.pth", Preset: preset(256), Classes: models.ImageNet, Metrics: accuracy(78.848, 94.284), Params: 126886696, GFLOPs: 22.753, MiB: 242.896},
		models.Weights{Name: "IMAGENET1K_V2", URL: torchvision + "wide_resnet101_2-d733dc28.pth", Preset: preset(232), Classes: models.ImageNet, Metrics: accuracy(82.51, 96.02), Params: 126886696, GFLOPs: 22.753, MiB: 484.747},
	),
	wsl.entry("resnext101_32x8d_wsl", models.WSLImages, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 8},
		models.Weights{Name: "INSTAGRAM", URL: torchvision + "ig_resnext101_32x8-c38310e5.pth", Preset: preset(256), Classes: models.ImageNet, Metrics: accuracy(82.2, 96.4), Params: 88791336, GFLOPs: 16, MiB: 339.5, License: nonCommercial},
	),
	wsl.entry("resnext101_32x16d_wsl", models.WSLImages, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 16},
		models.Weights{Name: "INSTAGRAM", URL: torchvision + "ig_resnext101_32x16-c6f796b0.pth", Preset: preset(256), Classes: models.ImageNet, Metrics: accuracy(84.2, 97.2), Params: 194026792, GFLOPs: 36, MiB: 741.4, License: nonCommercial},
	),
	wsl.entry("resnext101_32x32d_wsl", models.WSLImages, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 32},
		models.Weights{Name: "INSTAGRAM", URL: torchvision + "ig_resnext101_32x32-e4b90b00.pth", Preset: preset(256), Classes: models.ImageNet, Metrics: accuracy(85.1, 97.5), Params: 468530472, GFLOPs: 87, MiB: 1789.6, License: nonCommercial},
	),
	wsl.entry("resnext101_32x48d_wsl", models.WSLImages, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 48},
		models.Weights{Name: "INSTAGRAM", URL: torchvision + "ig_resnext101_32x48-3e41cc8a.pth", Preset: preset(256), Classes: models.ImageNet, Metrics: accuracy(85.4, 97.6), Params: 828411176, GFLOPs: 153, MiB: 3163.4, License: nonCommercial},
	),
}
