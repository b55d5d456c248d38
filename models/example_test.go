package models_test

import (
	"fmt"

	"github.com/torchhub/torchhub/models"
	_ "github.com/torchhub/torchhub/models/all"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

func Example() {
	resnet, err := models.New[nn.Module]("resnet18")
	if err != nil {
		fmt.Println(err)
		return
	}
	nn.Eval(resnet)
	torch.NoGrad(func() {
		fmt.Println(resnet.Forward(torch.Zeros(1, 3, 224, 224)).Shape())
	})
	// Output: [1 1000]
}

func ExampleLookup() {
	e, err := models.Lookup("resnext101_32x8d_wsl")
	if err != nil {
		fmt.Println(err)
		return
	}
	w := e.Default()
	fmt.Println(w.URL)
	fmt.Println(w.Preset)
	fmt.Println(w.Metrics, w.Metrics["ImageNet-1K"]["acc@1"])
	fmt.Println(w.License)
	_, err = models.Lookup("resnext101_32x8d")
	fmt.Println(err)
	_, err = models.Lookup("resnet_50")
	fmt.Println(err)
	// Output:
	// https://download.pytorch.org/models/ig_resnext101_32x8-c38310e5.pth
	// resize 256 (bilinear), crop 224, mean [0.485 0.456 0.406], std [0.229 0.224 0.225]
	// top-1 82.2 %, top-5 96.4 % on ImageNet-1K 82.2
	// CC-BY-NC 4.0
	// <nil>
	// no model "resnet_50"; did you mean resnet50, resnet152 or resnet101?
}

func ExampleConfigure() {
	build, err := models.Configure("resnet18", []byte(`{"num_classes": 10}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	resnet := build().(nn.Module)
	nn.Eval(resnet)
	torch.NoGrad(func() {
		fmt.Println(resnet.Forward(torch.Zeros(1, 3, 64, 64)).Shape())
	})
	fmt.Println(models.Families())
	// Output:
	// [1 10]
	// [resnet]
}

func ExampleNames() {
	fmt.Println(models.Names(models.NamesOptions{Task: models.Segmentation, Exclude: []string{"*mobilenet*"}}))
	fmt.Println(models.Names(models.NamesOptions{Include: []string{"resnet??", "wide_*"}}))
	// Output:
	// [deeplabv3_resnet101 deeplabv3_resnet50 fcn_resnet101 fcn_resnet50]
	// [resnet18 resnet34 resnet50 wide_resnet101_2 wide_resnet50_2]
}
