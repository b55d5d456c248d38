package datasets_test

import (
	"context"
	"fmt"

	"github.com/torchhub/torchhub/datasets"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/transforms"
)

func ExampleTransform() {
	torch.ManualSeed(0)
	fake := datasets.NewFakeData(datasets.FakeDataOptions{Size: 5, ImageSize: [3]int{3, 8, 8}})
	train := datasets.Transform(fake, transforms.Compose(transforms.RandomHorizontalFlip(), transforms.ToTensor()))
	loader := data.NewLoader[data.Batch](train, data.LoaderOptions{BatchSize: 2, Shuffle: true, Workers: 2})
	for batch, err := range loader.Batches(context.Background()) {
		if err != nil {
			panic(err)
		}
		fmt.Println(batch.Input.Shape(), batch.Target.Shape())
	}
	// Output:
	// [2 3 8 8] [2]
	// [2 3 8 8] [2]
	// [1 3 8 8] [1]
}
