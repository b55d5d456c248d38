package export_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/export"
	"github.com/torchhub/torchhub/torch/graph"
	"github.com/torchhub/torchhub/torch/nn"
)

func ExampleLoad() {
	p, err := export.Load("testdata/net.pt2")
	if err != nil {
		log.Fatal(err)
	}
	y, err := p.Forward(torch.Zeros(2, 3, 9, 9)) // any batch of up to 8
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y.(*torch.Tensor).Shape())
	_, err = p.Forward(torch.Zeros(9, 3, 9, 9))
	fmt.Println(err)
	fmt.Println(p.Graph().Nodes[0])
	// Output:
	// [2 5]
	// torch: export.Forward: the size of x in dimension 0 is 9, and must be at most 8
	// conv2d: float32[s77, 4, 7, 7] = aten::conv2d(x, conv.weight)
}

func ExampleProgram_Forward() {
	p, err := export.Load("testdata/containers.pt2")
	if err != nil {
		log.Fatal(err)
	}
	d := map[string]torch.Value{"z": torch.Zeros(1), "a": []torch.Value{torch.Zeros(2)}}
	y, err := p.Forward(torch.Ones(2, 3), true, export.Kwargs{"k": torch.Ones(2), "d": d})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range y.(*torch.Dict).Entries {
		fmt.Println(e.Key)
	}
	// Output:
	// sum
	// list
	// size
}

func ExampleSave() {
	model := nn.Sequential{nn.NewLinear(3, 4), &nn.ReLU{}}
	nn.Eval(model)
	state := nn.StateDict(model)
	g, err := graph.Trace(func(x ...*torch.Tensor) []*torch.Tensor {
		return []*torch.Tensor{model.Forward(x[0])}
	}, []*torch.Tensor{torch.Ones(2, 3)}, graph.TraceOptions{Names: state})
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.pt2")
	if err := export.Save(path, g, export.SaveOptions{State: state}); err != nil {
		log.Fatal(err)
	}
	p, err := export.Load(path) // as torch.export.load(path) does in Python
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Graph())
	// Output:
	// graph(x0: float32[2, 3]):
	//   linear: float32[2, 4] = aten::linear(x0, 0.weight, 0.bias)
	//   relu: float32[2, 4] = aten::relu(linear)
	//   return relu
}
