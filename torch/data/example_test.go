package data_test

import (
	"context"
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
)

func Example() {
	torch.ManualSeed(0)
	squares := data.Map(data.List[int]{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, func(_ context.Context, i int) (data.Sample[float32, int], error) {
		return data.Sample[float32, int]{Input: float32(i), Target: i * i}, nil
	})
	loader := data.NewLoader[data.Batch](squares, data.LoaderOptions{BatchSize: 4, Shuffle: true, Workers: 2})
	for batch, err := range loader.Batches(context.Background()) {
		if err != nil {
			panic(err)
		}
		fmt.Println(torch.Data[float32](batch.Input), torch.Data[int64](batch.Target))
	}
	// Output:
	// [6 7 1 4] [36 49 1 16]
	// [2 0 9 8] [4 0 81 64]
	// [3 5] [9 25]
}

func ExampleLoader_Dataset() {
	loader := data.NewLoader[*torch.Tensor](data.List[int]{1, 2, 3}, data.LoaderOptions{BatchSize: 2})
	fmt.Println(loader.Len(), "batches of", loader.Dataset().Len(), "samples")
	// Output: 2 batches of 3 samples
}

func ExampleLoader_First() {
	loader := data.NewLoader[*torch.Tensor](data.List[int]{1, 2, 3}, data.LoaderOptions{BatchSize: 2})
	batch, err := loader.First(context.Background())
	fmt.Println(batch, err)
	_, err = data.NewLoader[*torch.Tensor](data.List[int]{}).First(context.Background())
	fmt.Println(err)
	// Output:
	// tensor([1, 2]) <nil>
	// EOF
}
