// Reinforce learns to balance a pole on a cart by REINFORCE:
// https://github.com/pytorch/examples/tree/main/reinforcement_learning.
//
//	go run ./examples/reinforcement_learning/reinforce
package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/torchhub/torchhub/examples/internal/program"
	"github.com/torchhub/torchhub/examples/reinforcement_learning/cartpole"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/distributions"
	"github.com/torchhub/torchhub/torch/nn"
	F "github.com/torchhub/torchhub/torch/nn/functional"
	"github.com/torchhub/torchhub/torch/optim"
)

// Policy maps a state to the probabilities of the actions.
type Policy struct {
	Affine1 *nn.Linear
	Dropout *nn.Dropout
	Affine2 *nn.Linear

	savedLogProbs []*torch.Tensor
	rewards       []float64
}

func NewPolicy() *Policy {
	return &Policy{
		Affine1: nn.NewLinear(4, 128),
		Dropout: nn.NewDropout(0.6),
		Affine2: nn.NewLinear(128, 2),
	}
}

func (m *Policy) Forward(x *torch.Tensor) *torch.Tensor { // [N, 4] → [N, 2]
	x = m.Affine1.Forward(x)
	x = m.Dropout.Forward(x)
	x = F.ReLU(x)
	actionScores := m.Affine2.Forward(x)
	return F.Softmax(actionScores, 1)
}

// selectAction draws an action with the probabilities of the policy.
func (m *Policy) selectAction(state []float32) int {
	probs := m.Forward(torch.NewTensor(state).Unsqueeze(0))
	d := distributions.NewCategorical(probs)
	action := d.Sample()
	m.savedLogProbs = append(m.savedLogProbs, d.LogProb(action))
	return torch.Item[int](action)
}

// finishEpisode changes the policy after an episode, and returns the loss.
func (m *Policy) finishEpisode(optimizer *optim.Optimizer, gamma float64) float64 {
	const eps = 0x1p-23 // of float32
	r := 0.
	var policyLoss []*torch.Tensor
	var values []float64
	for _, reward := range slices.Backward(m.rewards) {
		r = reward + gamma*r
		values = append(values, r)
	}
	slices.Reverse(values)
	returns := torch.NewTensor(values, torch.Options{DType: torch.Float32})
	returns = returns.Sub(returns.Mean()).Div(returns.Std().AddScalar(eps))
	for i, r := range returns.Unbind(0) {
		policyLoss = append(policyLoss, m.savedLogProbs[i].Neg().Mul(r))
	}
	optimizer.ZeroGrad()
	loss := torch.Cat(policyLoss, 0).Sum()
	loss.Backward()
	optimizer.Step()
	m.rewards, m.savedLogProbs = m.rewards[:0], m.savedLogProbs[:0]
	return loss.Item()
}

type arguments struct {
	gamma       float64
	seed        uint
	logInterval int
	episodes    int
}

func main() { program.Main(run) }

func run(ctx context.Context, w io.Writer, argv []string) error {
	var args arguments
	flags := program.Flags("reinforce", "Learns to balance a pole by REINFORCE.")
	flags.Float64Var(&args.gamma, "gamma", 0.99, "discount factor")
	flags.UintVar(&args.seed, "seed", 543, "of the random numbers")
	flags.IntVar(&args.logInterval, "log-interval", 10, "episodes from one printed line to the next")
	flags.IntVar(&args.episodes, "episodes", 0, "episodes at most; 0 goes on until the pole is balanced")
	program.AtLeast(flags, 0, "episodes")
	program.AtLeast(flags, 1, "log-interval")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	return program.Run(ctx, func() error { return reinforce(ctx, w, args) })
}

func reinforce(ctx context.Context, w io.Writer, args arguments) error {
	env := cartpole.New(uint32(args.seed))
	torch.ManualSeed(int64(args.seed))
	policy := NewPolicy()
	optimizer := optim.NewAdam(nn.Parameters(policy), optim.AdamOptions{LR: 1e-2})

	runningReward := 10.
	for episode := 1; ; episode++ {
		state, epReward := env.Reset(), 0.
		t, loss := 1, 0.
		torch.Scope(func() {
			for ; t < 10000; t++ {
				action := policy.selectAction(state)
				var reward float64
				var terminated, truncated bool
				state, reward, terminated, truncated = env.Step(action)
				policy.rewards = append(policy.rewards, reward)
				epReward += reward
				if terminated || truncated {
					break
				}
			}
			loss = policy.finishEpisode(optimizer, args.gamma)
		})
		runningReward = 0.05*epReward + (1-0.05)*runningReward
		if episode%args.logInterval == 0 {
			fmt.Fprintf(w, "Episode %d\tLast reward: %.2f\tAverage reward: %.2f\tLoss: %.9g\n", episode, epReward, runningReward, loss)
		}
		if runningReward > cartpole.RewardThreshold {
			fmt.Fprintf(w, "Solved! Running reward is now %v and the last episode runs to %d time steps!\n", runningReward, t)
			return nil
		}
		if episode == args.episodes {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}
