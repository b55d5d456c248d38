package nn_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
)

const checkpointScript = `
import re, torch
def make(dir):
	torch.manual_seed(0)
	model = torch.nn.Linear(2, 1)
	opt = torch.optim.Adam(model.parameters(), lr=0.05)
	model(torch.ones(2)).sum().backward(); opt.step()
	state = model.state_dict()
	torch.save({"epoch": 7, "arch": "linear", "state_dict": {"module." + k: v for k, v in state.items()}, "best_acc1": torch.tensor(71.5), "optimizer": opt.state_dict()}, dir + "/imagenet.pt")
	torch.save({"model": state, "model_args": {"n_layer": 2, "bias": False, "dropout": 0.0}, "iter_num": 2000, "best_val_loss": torch.tensor(1.25), "optimizer": opt.state_dict()}, dir + "/gpt.pt")
	torch.save({**state, "in1.running_mean": torch.ones(2)}, dir + "/style.pth")
	torch.save({"model": state, "scaler": None, "loss": [2.5, 1, 0.5]}, dir + "/ema.pt")
	torch.save((torch.arange(3), {"label": "cat", "boxes": [(0, 1, 2, 3), (4, 5, 6, 7)]}), dir + "/sample.pt")

def check(source, path, go):
	"""What the port returns in Python, if the model that it loads is the one that Go saved."""
	exec(source, globals())
	model = torch.nn.Linear(2, 1)
	loaded = torch.load(go)
	model.load_state_dict(loaded)
	before = model.state_dict()["weight"].clone()
	text = port(model, path)
	assert torch.equal(before, model.state_dict()["weight"])
	return text
`

// checkpointPorts are parts of PyTorch programs that read checkpoints, beside what they
// are in Go. They are to be read aloud, as those in port_test.go are.
var checkpointPorts = []struct {
	python string // a function of the model and of the file, which returns a str
	g      func(model *nn.Linear, path string) (string, error)
}{
	{`
def port(model, path):
	checkpoint = torch.load(path + "/imagenet.pt", map_location="cpu")
	model.load_state_dict({k.removeprefix("module."): v for k, v in checkpoint["state_dict"].items()})
	lr = checkpoint["optimizer"]["param_groups"][0]["lr"]
	beta1, beta2 = checkpoint["optimizer"]["param_groups"][0]["betas"]
	return f"{checkpoint['epoch']} {checkpoint['arch']} {checkpoint['best_acc1']:.1f} {lr:.2f} {beta1:.1f} {beta2:.3f}"`,
		func(model *nn.Linear, path string) (string, error) {
			checkpoint, err := torch.Load(path + "/imagenet.pt")
			if err != nil {
				return "", err
			}
			state, _, err := torch.FindStateDict(checkpoint, torch.WithKey("state_dict"), torch.WithPrefix("module."))
			if err != nil {
				return "", err
			}
			if err := nn.LoadStateDict(model, state); err != nil {
				return "", err
			}
			c, err := torch.Get[struct {
				Epoch     int
				Arch      string
				BestAcc1  float64
				Optimizer struct {
					ParamGroups []struct {
						LR    float64
						Betas [2]float64
					}
				}
			}](checkpoint)
			if err != nil {
				return "", err
			}
			group := c.Optimizer.ParamGroups[0]
			return fmt.Sprintf("%d %s %.1f %.2f %.1f %.3f", c.Epoch, c.Arch, c.BestAcc1, group.LR, group.Betas[0], group.Betas[1]), nil
		}},
	{`
def port(model, path):
	checkpoint = torch.load(path + "/gpt.pt")
	args = checkpoint["model_args"]
	model.load_state_dict(checkpoint["model"])
	step = checkpoint["optimizer"]["state"][0]["step"]
	return f"{args['n_layer']} {str(args['bias']).lower()} {args['dropout']:.1f} {checkpoint['iter_num']} {checkpoint['best_val_loss']:.2f} {step:.0f}"`,
		func(model *nn.Linear, path string) (string, error) {
			checkpoint, err := torch.Load(path + "/gpt.pt")
			if err != nil {
				return "", err
			}
			step, err := torch.Get[float64](checkpoint, "optimizer", "state", 0, "step")
			if err != nil {
				return "", err
			}
			c, err := torch.Get[struct {
				Model     torch.StateDict
				ModelArgs struct {
					NLayer  int
					Bias    bool
					Dropout float64
				}
				IterNum     int
				BestValLoss float64
			}](checkpoint)
			if err != nil {
				return "", err
			}
			args := c.ModelArgs
			return fmt.Sprintf("%d %t %.1f %d %.2f %.0f", args.NLayer, args.Bias, args.Dropout, c.IterNum, c.BestValLoss, step), nn.LoadStateDict(model, c.Model)
		}},
	{`
def port(model, path):
	state_dict = torch.load(path + "/style.pth")
	for k in list(state_dict.keys()):
		if re.search(r"in\d+\.running_(mean|var)$", k):
			del state_dict[k]
	model.load_state_dict(state_dict)
	return ""`,
		func(model *nn.Linear, path string) (string, error) {
			state, err := torch.LoadStateDict(path + "/style.pth")
			if err != nil {
				return "", err
			}
			deprecated := regexp.MustCompile(`in\d+\.running_(mean|var)$`)
			var kept torch.StateDict
			for _, e := range state {
				if !deprecated.MatchString(e.Name) {
					kept = append(kept, e)
				}
			}
			return "", nn.LoadStateDict(model, kept)
		}},
	{`
def port(model, path):
	checkpoint = torch.load(path + "/ema.pt")
	model.load_state_dict(checkpoint.get("model_ema") or checkpoint["model"])
	scaler = checkpoint["scaler"]
	return f"{scaler is None} {min(checkpoint['loss']):.1f} {checkpoint['loss'][-2]}"`,
		func(model *nn.Linear, path string) (string, error) {
			checkpoint, err := torch.Load(path + "/ema.pt")
			if err != nil {
				return "", err
			}
			state, err := torch.Get[torch.StateDict](checkpoint, "model_ema")
			if errors.Is(err, torch.ErrMissing) {
				state, err = torch.Get[torch.StateDict](checkpoint, "model")
			}
			if err != nil {
				return "", err
			}
			scaler, err1 := torch.Get[*torch.Dict](checkpoint, "scaler")
			losses, err2 := torch.Get[[]float64](checkpoint, "loss")
			last, err3 := torch.Get[int](checkpoint, "loss", -2)
			if err := errors.Join(err1, err2, err3, nn.LoadStateDict(model, state)); err != nil {
				return "", err
			}
			none := map[bool]string{true: "True", false: "False"}[scaler == nil]
			return fmt.Sprintf("%s %.1f %d", none, min(losses[0], losses[1], losses[2]), last), nil
		}},
	{`
def port(model, path):
	image, target = torch.load(path + "/sample.pt")
	x0, y0, x1, y1 = target["boxes"][1]
	return f"{image.sum():d} {target['label']} {x0} {y1}"`,
		func(_ *nn.Linear, path string) (string, error) {
			sample, err := torch.Load(path + "/sample.pt")
			if err != nil {
				return "", err
			}
			image, err1 := torch.Get[*torch.Tensor](sample, 0)
			label, err2 := torch.Get[string](sample, 1, "label")
			boxes, err3 := torch.Get[[][4]int](sample, 1, "boxes")
			if err := errors.Join(err1, err2, err3); err != nil {
				return "", err
			}
			return fmt.Sprintf("%d %s %d %d", image.Sum(), label, boxes[1][0], boxes[1][3]), nil
		}},
}

func TestCheckpointPorts(t *testing.T) {
	p := reference.Start(t, arrayScript)
	dir := t.TempDir()
	p.Call(nil, "make", dir)
	for _, port := range checkpointPorts {
		model := nn.NewLinear(2, 1)
		got, err := port.g(model, dir)
		require.NoError(t, err, port.python)
		saved := filepath.Join(dir, "go.pth")
		require.NoError(t, nn.SaveStateDict(saved, model))
		var want string
		p.Call(&want, "check", port.python, dir, saved)
		require.Equal(t, want, got, port.python)
	}
}
