package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/cuda"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/torch/nn"
)

// Parts are what a [Checkpoint] keeps, by their keys in the file, which are the program's choice but for "epoch", "step",
// "rng_state" and "cuda_rng_state". A part is
//
//   - something with a state dict, such as an optimizer, a scheduler or an amp.GradScaler: a [Stateful];
//   - a loader: a [Resumer];
//   - a pointer to an int, a float64, a bool or a string, such as that of the best accuracy so far;
//   - otherwise a module, of which the parameters and buffers are kept.
type Parts map[string]any

// A Stateful has a state dict: state_dict() and load_state_dict().
type Stateful interface {
	StateDict() *torch.Dict
	LoadStateDict(state *torch.Dict) error
}

// A Resumer is a loop that another process can go on with, such as a [data.Loader].
type Resumer interface {
	State() data.LoaderState
	Resume(s data.LoaderState) error
}

// A Checkpoint is a file that a training program writes as it goes, and from which it goes on with the same losses: the
// dict that Python programs give to torch.save, with the parts, the epoch, the step, and the states of the random number
// generators. Python reads it with torch.load(path, weights_only=True).
//
// https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html#saving-loading-a-general-checkpoint-for-inference-and-or-resuming-training
type Checkpoint struct {
	Path  string
	Parts Parts
	Every int // the number of steps after which [Checkpoint.Step] writes the file; 0 writes it at the end of epochs only

	Epoch    int // those that are complete
	StepsRun int // calls of [Checkpoint.Step], in all epochs
}

// The keys of the file that are not parts.
const (
	epochKey   = "epoch"
	stepKey    = "step"
	rngKey     = "rng_state"
	cudaRNGKey = "cuda_rng_state"
)

var ownKeys = []string{epochKey, stepKey, rngKey, cudaRNGKey}

// Step counts a step of the optimizer, and writes the file if it is time. If ctx is done, it writes the file in any case,
// and returns an error that wraps the cause of ctx, such as [ErrInterrupted]. It is called at the end of the loop's body.
func (c *Checkpoint) Step(ctx context.Context) error {
	c.StepsRun++
	return c.save(ctx, c.Every > 0 && c.StepsRun%c.Every == 0)
}

// EndEpoch counts an epoch and writes the file. It is called after the loop over the loader, and after what the program
// does once an epoch, such as the step of a scheduler. If ctx is done, it returns an error as [Checkpoint.Step] does.
func (c *Checkpoint) EndEpoch(ctx context.Context) error {
	c.Epoch++
	return c.save(ctx, true)
}

func (c *Checkpoint) save(ctx context.Context, due bool) error {
	stopped := ctx.Err() != nil
	if due || stopped {
		if err := c.Save(); err != nil {
			return err
		}
	}
	if stopped {
		return fmt.Errorf("train: stopped in epoch %d after step %d, where %s goes on: %w", c.Epoch+1, c.StepsRun, c.Path, context.Cause(ctx))
	}
	return nil
}

// Save writes the file. It is complete or not written: a crash leaves the former one.
func (c *Checkpoint) Save() error {
	if err := c.check(); err != nil {
		return err
	}
	d := &torch.Dict{}
	d.Set(epochKey, c.Epoch)
	d.Set(stepKey, c.StepsRun)
	for _, key := range slices.Sorted(maps.Keys(c.Parts)) {
		v, err := valueOf(c.Parts[key])
		if err != nil {
			return fmt.Errorf("train: the part %q of %s: %w", key, c.Path, err)
		}
		d.Set(key, v)
	}
	var err error
	torch.Scope(func() {
		d.Set(rngKey, torch.RNGState())
		if cuda.IsAvailable() {
			d.Set(cudaRNGKey, cuda.RNGStateAll())
		}
		err = torch.Save(c.Path, d)
	})
	return err
}

func (c *Checkpoint) check() error {
	for _, key := range ownKeys {
		if _, ok := c.Parts[key]; ok {
			return fmt.Errorf("train: a part is named %q, which the checkpoint itself has; name it otherwise", key)
		}
	}
	return nil
}

// valueOf returns what the file has of a part.
func valueOf(part any) (torch.Value, error) {
	switch p := part.(type) {
	case Stateful:
		return p.StateDict(), nil
	case Resumer:
		return p.State(), nil
	case *int:
		return *p, nil
	case *float64:
		return *p, nil
	case *bool:
		return *p, nil
	case *string:
		return *p, nil
	case nil:
		return nil, errors.New("it is nil")
	}
	return nn.StateDict(part), nil
}

// Resume sets the parts, the epoch, the step and the random number generators to what the file has, and reports whether
// there is a file. The error for a file of another program, such as one with another model, says what differs; parts may
// then be set already, so that the program should end.
func (c *Checkpoint) Resume() (found bool, err error) {
	if err := c.check(); err != nil {
		return false, err
	}
	if _, err := os.Stat(c.Path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	v, err := torch.Load(c.Path, torch.WithMapLocation(torch.CPU))
	if err != nil {
		return false, err
	}
	d, ok := v.(*torch.Dict)
	if !ok {
		return false, fmt.Errorf("train: %s holds %s, and not the dict of a checkpoint", c.Path, torch.Describe(v))
	}
	if err := c.set(d); err != nil {
		return false, fmt.Errorf("train: the checkpoint %s does not fit this program: %w; give another path, or run the program that wrote it", c.Path, err)
	}
	return true, nil
}

func (c *Checkpoint) set(d *torch.Dict) error {
	for _, e := range d.Entries {
		key, ok := e.Key.(string)
		if _, part := c.Parts[key]; !ok || !part && !slices.Contains(ownKeys, key) {
			return fmt.Errorf("it has %q, which is no part here", fmt.Sprint(e.Key))
		}
	}
	epoch, err := torch.Get[int](d, epochKey)
	if err != nil {
		return err
	}
	steps, err := torch.Get[int](d, stepKey)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(c.Parts)) {
		v, ok := d.Get(key)
		if !ok {
			return fmt.Errorf("it lacks the part %q", key)
		}
		if err := setPart(c.Parts[key], v); err != nil {
			return fmt.Errorf("the part %q: %w", key, err)
		}
	}
	if err := setGenerators(d); err != nil {
		return err
	}
	c.Epoch, c.StepsRun = epoch, steps
	return nil
}

func setPart(part any, v torch.Value) (err error) {
	switch p := part.(type) {
	case Stateful:
		d, ok := v.(*torch.Dict)
		if !ok {
			return fmt.Errorf("it is %s, and not a state dict", torch.Describe(v))
		}
		return p.LoadStateDict(d)
	case Resumer:
		s, err := torch.Get[data.LoaderState](v)
		if err != nil {
			return err
		}
		return p.Resume(s)
	case *int:
		*p, err = torch.Get[int](v)
		return err
	case *float64:
		*p, err = torch.Get[float64](v)
		return err
	case *bool:
		*p, err = torch.Get[bool](v)
		return err
	case *string:
		*p, err = torch.Get[string](v)
		return err
	}
	s, err := torch.Get[torch.StateDict](v)
	if err != nil {
		return err
	}
	return nn.LoadStateDict(part, s)
}

// setGenerators sets the random number generators: the CPU's, and those of the GPUs if there are as many.
func setGenerators(d *torch.Dict) error {
	state, err := torch.Get[*torch.Tensor](d, rngKey)
	if err != nil {
		return err
	}
	if err := torch.Try(func() { torch.SetRNGState(state) }); err != nil {
		return err
	}
	if _, ok := d.Get(cudaRNGKey); !ok || !cuda.IsAvailable() {
		return nil
	}
	states, err := torch.Get[[]*torch.Tensor](d, cudaRNGKey)
	if err != nil || len(states) != cuda.DeviceCount() {
		return err
	}
	return torch.Try(func() { cuda.SetRNGStateAll(states) })
}
