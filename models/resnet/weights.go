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
	semi    = paper{"Billion-scale semi-supervised learning for image classification", "https://arxiv.org/abs/1905.00546"}
	wsl     = paper{"Exploring the Limits of Weakly Supervised Pretraining", "https://arxiv.org/abs/1805.00932"}
)

func (p paper) entry(name, repo string, c Config, w ...models.Weights) models.Entry {
	return models.Entry{Name: name, Repo: repo, Title: p.title, Paper: p.url, Weights: w,
		Build: func() any { return New(c) }, Configure: c.configure}
}

// notCommercial returns weights for ImageNet-1K that may not be used commercially. The accuracies are the shares of
// the validation pictures whose label is the first one, and among the first five.
func notCommercial(name, url string, params int, gflops, mib, top1, top5 float64) models.Weights {
	return models.Weights{Name: name, URL: url, Preset: models.ClassificationPreset{Crop: 224}, Classes: models.ImageNet,
		Metrics: models.Metrics{"ImageNet-1K": {"acc@1": top1, "acc@5": top5}}, Params: params, GFLOPs: gflops, MiB: mib, License: "CC-BY-NC 4.0"}
}

// bySemiSupervision returns weights of models.SemiSupervised. The sizes of the files are not published; they are about
// those of the same architectures in torchvision.
func bySemiSupervision(name, file string, params int, gflops, mib, top1, top5 float64) models.Weights {
	return notCommercial(name, "https://dl.fbaipublicfiles.com/semiweaksupervision/model_files/"+file, params, gflops, mib, top1, top5)
}

// onInstagram returns weights of models.WSLImages.
func onInstagram(file string, params int, gflops, mib, top1, top5 float64) models.Weights {
	return notCommercial("INSTAGRAM", "https://download.pytorch.org/models/"+file, params, gflops, mib, top1, top5)
}

// The weights of models.Vision are torchvision's records.
var entries = []models.Entry{
	resNet.entry("resnet18", models.Vision, Config{Block: BasicBlock, Layers: [4]int{2, 2, 2, 2}}),
	resNet.entry("resnet34", models.Vision, Config{Block: BasicBlock, Layers: [4]int{3, 4, 6, 3}}),
	resNet.entry("resnet50", models.Vision, Config{Block: Bottleneck, Layers: [4]int{3, 4, 6, 3}}),
	resNet.entry("resnet101", models.Vision, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}}),
	resNet.entry("resnet152", models.Vision, Config{Block: Bottleneck, Layers: [4]int{3, 8, 36, 3}}),
	resNeXt.entry("resnext50_32x4d", models.Vision, Config{Block: Bottleneck, Layers: [4]int{3, 4, 6, 3}, Groups: 32, WidthPerGroup: 4}),
	resNeXt.entry("resnext101_32x8d", models.Vision, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 8}),
	resNeXt.entry("resnext101_64x4d", models.Vision, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 64, WidthPerGroup: 4}),
	wide.entry("wide_resnet50_2", models.Vision, Config{Block: Bottleneck, Layers: [4]int{3, 4, 6, 3}, WidthPerGroup: 128}),
	wide.entry("wide_resnet101_2", models.Vision, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, WidthPerGroup: 128}),
	wsl.entry("resnext101_32x8d_wsl", models.WSLImages, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 8}, onInstagram("ig_resnext101_32x8-c38310e5.pth", 88791336, 16, 339.5, 82.2, 96.4)),
	wsl.entry("resnext101_32x16d_wsl", models.WSLImages, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 16}, onInstagram("ig_resnext101_32x16-c6f796b0.pth", 194026792, 36, 741.4, 84.2, 97.2)),
	wsl.entry("resnext101_32x32d_wsl", models.WSLImages, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 32}, onInstagram("ig_resnext101_32x32-e4b90b00.pth", 468530472, 87, 1789.6, 85.1, 97.5)),
	wsl.entry("resnext101_32x48d_wsl", models.WSLImages, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 48}, onInstagram("ig_resnext101_32x48-3e41cc8a.pth", 828411176, 153, 3163.4, 85.4, 97.6)),
	semi.entry("resnet18_ssl", models.SemiSupervised, Config{Block: BasicBlock, Layers: [4]int{2, 2, 2, 2}}, bySemiSupervision("SSL", "semi_supervised_resnet18-d92f0530.pth", 11689512, 2, 45, 72.8, 91.5)),
	semi.entry("resnet50_ssl", models.SemiSupervised, Config{Block: Bottleneck, Layers: [4]int{3, 4, 6, 3}}, bySemiSupervision("SSL", "semi_supervised_resnet50-08389792.pth", 25557032, 4, 98, 79.3, 94.9)),
	semi.entry("resnext50_32x4d_ssl", models.SemiSupervised, Config{Block: Bottleneck, Layers: [4]int{3, 4, 6, 3}, Groups: 32, WidthPerGroup: 4}, bySemiSupervision("SSL", "semi_supervised_resnext50_32x4-ddb3e555.pth", 25028904, 4, 96, 80.3, 95.4)),
	semi.entry("resnext101_32x4d_ssl", models.SemiSupervised, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 4}, bySemiSupervision("SSL", "semi_supervised_resnext101_32x4-dc43570a.pth", 44177704, 8, 169, 81, 95.7)),
	semi.entry("resnext101_32x8d_ssl", models.SemiSupervised, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 8}, bySemiSupervision("SSL", "semi_supervised_resnext101_32x8-2cfe2f8b.pth", 88791336, 16, 340, 81.7, 96.1)),
	semi.entry("resnext101_32x16d_ssl", models.SemiSupervised, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 16}, bySemiSupervision("SSL", "semi_supervised_resnext101_32x16-15fffa57.pth", 194026792, 36, 741, 81.9, 96.2)),
	semi.entry("resnet18_swsl", models.SemiSupervised, Config{Block: BasicBlock, Layers: [4]int{2, 2, 2, 2}}, bySemiSupervision("SWSL", "semi_weakly_supervised_resnet18-118f1556.pth", 11689512, 2, 45, 73.4, 91.9)),
	semi.entry("resnet50_swsl", models.SemiSupervised, Config{Block: Bottleneck, Layers: [4]int{3, 4, 6, 3}}, bySemiSupervision("SWSL", "semi_weakly_supervised_resnet50-16a12f1b.pth", 25557032, 4, 98, 81.2, 96)),
	semi.entry("resnext50_32x4d_swsl", models.SemiSupervised, Config{Block: Bottleneck, Layers: [4]int{3, 4, 6, 3}, Groups: 32, WidthPerGroup: 4}, bySemiSupervision("SWSL", "semi_weakly_supervised_resnext50_32x4-72679e44.pth", 25028904, 4, 96, 82.2, 96.3)),
	semi.entry("resnext101_32x4d_swsl", models.SemiSupervised, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 4}, bySemiSupervision("SWSL", "semi_weakly_supervised_resnext101_32x4-3f87e46b.pth", 44177704, 8, 169, 83.4, 96.8)),
	semi.entry("resnext101_32x8d_swsl", models.SemiSupervised, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 8}, bySemiSupervision("SWSL", "semi_weakly_supervised_resnext101_32x8-b4712904.pth", 88791336, 16, 340, 84.3, 97.2)),
	semi.entry("resnext101_32x16d_swsl", models.SemiSupervised, Config{Block: Bottleneck, Layers: [4]int{3, 4, 23, 3}, Groups: 32, WidthPerGroup: 16}, bySemiSupervision("SWSL", "semi_weakly_supervised_resnext101_32x16-f3559a9c.pth", 194026792, 36, 741, 84.8, 97.4)),
}
