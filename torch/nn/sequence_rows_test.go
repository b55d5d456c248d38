package nn_test

import (
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// stateful calls an LSTM or an LSTMCell.
func stateful(m any, x []*torch.Tensor) []*torch.Tensor {
	if m, ok := m.(*nn.LSTMCell); ok {
		s := m.Forward(x[0], nn.LSTMState{H: x[1], C: x[2]})
		return only(s.H, s.C)
	}
	y, s := m.(*nn.LSTM).Forward(x[0])
	return only(y, s.H, s.C)
}

func init() {
	const lstm = "(lambda y, s: (y, *s))(*m(*x))"
	rows = append(rows, []row{
		{python: "nn.RNN(3, 4, 2, nonlinearity='relu', bidirectional=True)", g: func() any {
			return nn.NewRNN(3, 4, nn.RNNOptions{NumLayers: 2, Nonlinearity: "relu", Bidirectional: true})
		}, in: []input{f(5, 2, 3)}},
		{python: "nn.GRU(3, 4, 2, dropout=0.25, bias=False)", g: func() any { return nn.NewGRU(3, 4, nn.GRUOptions{NumLayers: 2, Dropout: 0.25, NoBias: true}) }, in: []input{f(5, 2, 3), f(2, 2, 4)}},
		{python: "nn.LSTM(3, 4, 2, batch_first=True, dropout=0.5, proj_size=2)", g: func() any {
			return nn.NewLSTM(3, 4, nn.LSTMOptions{NumLayers: 2, BatchFirst: true, Dropout: 0.5, ProjSize: 2})
		}, in: []input{f(2, 5, 3)}, call: lstm, forward: stateful},
		{python: "nn.LSTM(3, 4)", g: func() any { return nn.NewLSTM(3, 4) }, in: []input{f(5, 3)}, call: lstm, forward: stateful},
		{python: "nn.RNNCell(3, 4, nonlinearity='relu')", g: func() any { return nn.NewRNNCell(3, 4, nn.RNNCellOptions{Nonlinearity: "relu"}) }, in: []input{f(2, 3), f(2, 4)}},
		{python: "nn.GRUCell(3, 4)", g: func() any { return nn.NewGRUCell(3, 4) }, in: []input{f(3)}},
		{python: "nn.LSTMCell(3, 4, bias=False)", g: func() any { return nn.NewLSTMCell(3, 4, nn.LSTMCellOptions{NoBias: true}) }, in: []input{f(2, 3), f(2, 4), f(2, 4)},
			call: "m(x[0], (x[1], x[2]))", forward: stateful},

		{python: "nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3), nn.ReLU()])", g: func() any { return nn.ModuleList{nn.NewLinear(3, 3), nn.NewLinear(3, 3), &nn.ReLU{}} }, state: true},
		{python: "nn.ModuleList([])", g: func() any { return nn.ModuleList{} }, state: true},
		{python: "nn.ModuleDict(dict(b=nn.Linear(3, 3), a=nn.ModuleList([nn.PReLU()]), c=nn.ModuleDict()))", g: func() any {
			return nn.ModuleDict{{Name: "b", Module: nn.NewLinear(3, 3)}, {Name: "a", Module: []*nn.PReLU{nn.NewPReLU()}}, {Name: "c", Module: nn.ModuleDict{}}}
		}, state: true},
		{python: "nn.ParameterList([torch.ones(2, 3), torch.zeros(())])", g: func() any {
			return nn.ParameterList{torch.Ones(2, 3).RequireGrad(true), torch.Zeros().RequireGrad(true)}
		}, state: true},
		{python: "nn.ParameterDict(OrderedDict(b=torch.ones(2, dtype=torch.float64), a=torch.zeros(1)))", g: func() any {
			return nn.ParameterDict{{Name: "b", Tensor: torch.Options{DType: torch.Float64, RequiresGrad: true}.Ones(2)}, {Name: "a", Tensor: torch.Zeros(1).RequireGrad(true)}}
		}, state: true},
		{python: "nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3, 4)), nn.utils.parametrizations.spectral_norm(nn.utils.parametrizations.orthogonal(nn.Conv2d(1, 2, 2))))", g: func() any {
			return nn.Sequential{nn.WeightNorm(nn.NewLinear(3, 4)), nn.SpectralNorm(nn.Orthogonal(nn.NewConv2d(1, 2, 2)))}
		}, state: true},
	}...)
}
