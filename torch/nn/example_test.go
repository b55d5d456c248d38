package nn_test

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// A module is a plain struct. Its fields name the keys of its state dict.
func Example() {
	type Net struct {
		Conv1 *nn.Conv2d
		Head  nn.Sequential
	}
	net := &Net{
		Conv1: nn.NewConv2d(1, 4, 3, nn.Conv2dOptions{Padding: 1, NoBias: true}),
		Head:  nn.Sequential{&nn.ReLU{}, nn.NewAdaptiveAvgPool2d(1)},
	}
	fc := nn.NewLinear(4, 10)

	x := torch.Zeros(2, 1, 8, 8)
	x = net.Head.Forward(net.Conv1.Forward(x)) // [2, 4, 1, 1]
	fmt.Println(fc.Forward(x.Flatten(1)).Shape())
	for _, e := range nn.StateDict(net) {
		fmt.Println(e.Name, e.Tensor.Shape())
	}
	// Output:
	// [2 10]
	// conv1.weight [4 1 3 3]
}

// A feature extractor returns what modules inside a model give.
func ExampleFeatureExtractor() {
	net := nn.Sequential{nn.NewLinear(8, 4), &nn.ReLU{}, nn.NewLinear(4, 2)}
	extractor, err := nn.NewFeatureExtractor(net, "0", "1")
	if err != nil {
		panic(err)
	}
	features := extractor.Forward(torch.Ones(3, 8))
	fmt.Println(features["0"].Shape(), features["1"].Shape())
	// Output:
	// [3 4] [3 4]
}

// To train the last layer alone, freeze the others.
func ExampleRequireGrad() {
	net := nn.Sequential{nn.NewLinear(8, 4), nn.NewLinear(4, 2)}
	nn.RequireGrad(net, false)
	nn.RequireGrad(net[1], true)
	net.Forward(torch.Ones(3, 8)).Sum().Backward()
	fmt.Println(net[0].(*nn.Linear).Weight.Grad() == nil, net[1].(*nn.Linear).Weight.Grad().Shape())
	// Output:
	// true [2 4]
}

// Sequences of several lengths are packed for a recurrent layer.
func ExampleLSTM() {
	lstm := nn.NewLSTM(8, 16, nn.LSTMOptions{BatchFirst: true})
	x := torch.Zeros(2, 5, 8) // two sequences, padded to 5 elements
	packed := nn.PackPaddedSequence(x, []int{5, 3}, nn.PackPaddedSequenceOptions{BatchFirst: true})
	output, state := lstm.ForwardPacked(packed)
	y, lengths := nn.PadPackedSequence(output, nn.PadPackedSequenceOptions{BatchFirst: true})
	fmt.Println(y.Shape(), lengths, state.H.Shape(), state.C.Shape())
	// Output:
	// [2 5 16] [5 3] [1 2 16] [1 2 16]
}

// A parametrized weight is computed from its originals, which are trained in its place.
func ExampleWeightNorm() {
	layer := nn.WeightNorm(nn.NewLinear(4, 3))
	for _, e := range nn.StateDict(layer) {
		fmt.Println(e.Name, e.Tensor.Shape())
	}
	nn.RemoveParametrizations(layer, "weight")
	fmt.Println(len(nn.StateDict(layer)))
	// Output:
	// bias [3]
	// parametrizations.weight.original0 [3 1]
	// parametrizations.weight.original1 [3 4]
	// 2
}
