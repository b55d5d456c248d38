package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/cuda"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/torch/nn"
)

// A checkpoint is what a file of the training holds.
type checkpoint struct {
	Epoch     int // that training goes on with
	Arch      string
	StateDict torch.StateDict
	BestAcc1  *torch.Tensor
	Optimizer *torch.Dict
	Scheduler *torch.Dict

	// Python's program neither writes nor reads these.
	RNGState     *torch.Tensor     `torch:",optional"`
	CUDARNGState *torch.Tensor     `torch:",optional"`
	Loader       *data.LoaderState `torch:",optional"` // of an epoch that was stopped
}

// checkpoint returns the state of the training now. Its tensors are the training's own.
func (t *training) checkpoint(epoch int) checkpoint {
	c := checkpoint{
		Epoch:     epoch,
		Arch:      t.args.arch,
		StateDict: nn.StateDict(t.model),
		BestAcc1:  torch.Scalar(float32(t.bestAcc1)),
		Optimizer: t.optimizer.StateDict(),
		Scheduler: t.scheduler.StateDict(),
		RNGState:  torch.RNGState(),
	}
	if t.device.Type() == "cuda" {
		c.CUDARNGState = cuda.RNGState(t.device)
	}
	return c
}

func saveCheckpoint(c checkpoint, isBest bool) error {
	if err := torch.Save("checkpoint.pth.tar", c); err != nil {
		return err
	}
	if isBest {
		return torch.Save("model_best.pth.tar", c)
	}
	return nil
}

// loadCheckpoint reads a file of this program or of Python's.
func (t *training) loadCheckpoint(path string) (c checkpoint, err error) {
	v, err := torch.Load(path)
	if errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(t.w, "=> no checkpoint found at '%s'\n", path)
		return c, nil
	}
	fmt.Fprintf(t.w, "=> loading checkpoint '%s'\n", path)
	if err == nil {
		c, err = torch.Get[checkpoint](v)
	}
	if err != nil {
		return c, fmt.Errorf("imagenet: %w; resume from a checkpoint of this program", err)
	}
	t.args.startEpoch = c.Epoch
	if c.BestAcc1 != nil {
		t.bestAcc1 = c.BestAcc1.Item()
	}
	for i, e := range c.StateDict { // of Python's program on a GPU
		c.StateDict[i].Name = strings.Replace(e.Name, "module.", "", 1)
	}
	if err := nn.LoadStateDict(t.model, c.StateDict); err != nil {
		return c, fmt.Errorf("imagenet: %s is a checkpoint of %q: %w", path, c.Arch, err)
	}
	if err := t.optimizer.LoadStateDict(c.Optimizer); err != nil {
		return c, err
	}
	if err := t.scheduler.LoadStateDict(c.Scheduler); err != nil {
		return c, err
	}
	fmt.Fprintf(t.w, "=> loaded checkpoint '%s' (epoch %d)\n", path, c.Epoch)
	return c, nil
}

// goOn has the training draw the random numbers that it would have drawn if it had not ended. Python's program does not
// do this.
func (t *training) goOn(c checkpoint) error {
	if c.RNGState != nil {
		torch.SetRNGState(c.RNGState)
	}
	if c.CUDARNGState != nil && t.device.Type() == "cuda" {
		cuda.SetRNGState(c.CUDARNGState, t.device)
	}
	if c.Loader != nil {
		return t.trainLoader.Resume(*c.Loader)
	}
	return nil
}
