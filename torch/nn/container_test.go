package nn_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

type held struct {
	Layers []*nn.Linear
	Mixed  nn.ModuleList
	Named  nn.ModuleDict
	Params nn.ParameterList
	Dict   nn.ParameterDict
	Own    *torch.Tensor
}

type embedding struct {
	nn.ParameterDict
	nn.ModuleList
	Last *nn.Linear
}

// TestContainerKeys tests the keys of containers that are not called: those of Python's ModuleList, ModuleDict,
// ParameterList and ParameterDict.
func TestContainerKeys(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	linear := func() *nn.Linear { return nn.NewLinear(1, 1, nn.LinearOptions{NoBias: true}) }
	p := func() *torch.Tensor { return torch.Ones(2).RequireGrad(true) }
	m := &held{
		Layers: []*nn.Linear{linear(), linear()},
		Mixed:  nn.ModuleList{linear(), nn.NewGRUCell(1, 1, nn.GRUCellOptions{NoBias: true}), nil},
		Named:  nn.ModuleDict{{"b", linear()}, {"a", &nn.ReLU{}}, {"c", linear()}},
		Params: nn.ParameterList{p(), p()},
		Dict:   nn.ParameterDict{{Name: "y", Tensor: p()}, {Name: "x", Tensor: p()}},
		Own:    p(),
	}
	require.Equal(t, []string{
		"own", "layers.0.weight", "layers.1.weight", "mixed.0.weight", "mixed.1.weight_ih", "mixed.1.weight_hh",
		"named.b.weight", "named.c.weight", "params.0", "params.1", "dict.y", "dict.x",
	}, names(m))
	require.Len(t, nn.Parameters(m), 12)
	require.Same(t, m.Dict[1].Tensor, m.Dict.Get("x"))
	require.Same(t, m.Named[2].Module, m.Named.Get("c"))
	require.Nil(t, m.Named.Get("d"))
	require.Nil(t, m.Dict.Get("z"))
	e := &embedding{m.Dict, m.Mixed, linear()}
	require.Equal(t, []string{"y", "x", "0.weight", "1.weight_ih", "1.weight_hh", "last.weight"}, names(e))
	require.NoError(t, nn.LoadStateDict(m, nn.StateDict(m)))
}
