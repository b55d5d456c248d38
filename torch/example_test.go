package torch_test

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
)

func Example() {
	x := torch.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	y := x.MulScalar(2).Add(torch.Ones(3)) // broadcast
	fmt.Println(y)
	fmt.Println(y.Index(torch.All, torch.Slice(1, torch.End)).Shape()) // y[:, 1:]
	fmt.Println(torch.Data[float32](y.Select(0, 1)))
	// Output:
	// tensor([[ 3.,  5.,  7.],
	//         [ 9., 11., 13.]])
	// [2 2]
	// [9 11 13]
}

func ExampleNewTensor() {
	x := torch.NewTensor([][]int{{1, 2}, {3, 4}}) // torch.tensor([[1, 2], [3, 4]])
	fmt.Println(x)
	fmt.Println(torch.NewTensor([]float32{1, 2}, torch.Options{DType: torch.Float64}).DType())
	// Output:
	// tensor([[1, 2],
	//         [3, 4]])
	// float64
}

func ExampleItem() {
	x := torch.NewTensor([]int{1<<53 + 1})
	fmt.Println(torch.Item[int](x))
	fmt.Println(torch.Item[bool](x.GtScalar(0).All()))
	// Output:
	// 9007199254740993
	// true
}

func ExampleTensor_SumDim() {
	x := torch.Ones(2, 3)
	fmt.Println(x.Sum().Item())                                              // x.sum()
	fmt.Println(x.Sum(0).Shape())                                            // x.sum(0)
	fmt.Println(x.SumDim(-1, torch.SumOptions{KeepDim: true}).Shape())       // x.sum(-1, keepdim=True)
	fmt.Println(x.SumDim(nil, torch.SumOptions{DType: torch.Int64}).DType()) // x.sum(dtype=torch.int64)
	// Output:
	// 6
	// [3]
	// [2 1]
	// int64
}

func ExampleWhere() {
	x := torch.NewTensor([]float32{-1, 2})
	fmt.Println(torch.Where(x.GtScalar(0), x, 0.0)) // torch.where(x > 0, x, 0.)
	// Output: tensor([0., 2.])
}

func ExampleDevice() {
	x := torch.Options{Device: torch.CPU}.Zeros(2)
	fmt.Println(x.Device(), x.To("meta").Device() == torch.Meta)
	fmt.Println(torch.CUDADevice(1), torch.Device("cuda:1").Index())
	// Output:
	// cpu true
	// cuda:1 1
}

func ExampleForkRNG() {
	torch.ManualSeed(0)
	torch.ForkRNG(func() { fmt.Println(torch.Rand(1).Item()) })
	fmt.Println(torch.Rand(1).Item()) // the same number
	// Output:
	// 0.49625658988952637
	// 0.49625658988952637
}

func ExampleRNGState() {
	state := torch.RNGState() // torch.get_rng_state()
	x := torch.Randn(3)
	torch.SetRNGState(state)
	fmt.Println(state.DType(), state.Shape(), x.Equal(torch.Randn(3)))
	// Output: uint8 [5056] true
}

func ExampleTensor_ToMemoryFormat() {
	x := torch.Ones(1, 3, 2, 2)
	y := x.ToMemoryFormat(torch.ChannelsLast) // x.to(memory_format=torch.channels_last)
	fmt.Println(x.Strides(), y.Strides(), y.IsContiguous())
	// Output: [12 4 2 1] [12 1 6 3] false
}

func ExampleUseDeterministicAlgorithms() {
	torch.UseDeterministicAlgorithms(true)
	defer torch.UseDeterministicAlgorithms(false)
	fmt.Println(torch.Data[float32](torch.Empty(2))) // uninitialized memory is filled
	// Output: [NaN NaN]
}
