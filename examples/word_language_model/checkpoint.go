package main

import (
	"fmt"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

// A Config describes a model.
type Config struct {
	Model                              string
	Ntoken, Ninp, Nhead, Nhid, Nlayers int
	Dropout                            float64
	Tied                               bool
}

// New returns a *TransformerModel or an *RNNModel with random weights.
func (c Config) New() (any, error) {
	if c.Model == "Transformer" {
		return NewTransformerModel(c.Ntoken, c.Ninp, c.Nhead, c.Nhid, c.Nlayers, c.Dropout), nil
	}
	return NewRNNModel(c.Model, c.Ntoken, c.Ninp, c.Nhid, c.Nlayers, c.Dropout, c.Tied)
}

// A Checkpoint is a model in a file, where Python's program writes the objects of its classes.
type Checkpoint struct {
	Config    Config
	StateDict torch.StateDict
}

// loadModel reads the model in a file.
func loadModel(path string, device torch.Device) (any, error) {
	v, err := torch.Load(path)
	if err != nil {
		return nil, err
	}
	c, err := torch.Get[Checkpoint](v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	model, err := c.Config.New()
	if err != nil {
		return nil, err
	}
	if err := nn.LoadStateDict(model, c.StateDict); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	nn.To(model, device)
	return model, nil
}
