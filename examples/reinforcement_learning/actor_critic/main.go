// Actor_critic learns to balance a pole on a cart by an actor and a critic:
// https://github.com/pytorch/examples/tree/main/reinforcement_learning.
//
//	go run ./examples/reinforcement_learning/actor_critic
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

// A savedAction is what is kept of an action: the logarithm of its probability, and the value of the state before it.
type savedAction struct{ logProb, value *torch.Tensor }

// Policy is both the actor, which chooses actions, and the critic, which values states.
type Policy struct {
	Affine1    *nn.Linear
	ActionHead *nn.Linear // the actor's
	ValueHead  *nn.Linear // the critic's

	savedActions []savedAction
	rewards      []float64
}

func NewPolicy() *Policy {
	return &Policy{
		Affine1:    nn.NewLinear(4, 128),
		ActionHead: nn.NewLinear(128, 2),
		ValueHead:  nn.NewLinear(128, 1),
	}
}

// Forward returns the probabilities of the actions [2] and the value [1] of a state [4].
func (m *Policy) Forward(x *torch.Tensor) (actionProb, stateValues *torch.Tensor) {
	x = F.ReLU(m.Affine1.Forward(x))
	actionProb = F.Softmax(m.ActionHead.Forward(x), -1)
	stateValues = m.ValueHead.Forward(x)
	return actionProb, stateValues
}

// selectAction draws an action with the probabilities of the actor.
func (m *Policy) selectAction(state []float32) int {
	probs, stateValue := m.Forward(torch.NewTensor(state))
	d := distributions.NewCategorical(probs)
	action := d.Sample()
	m.savedActions = append(m.savedActions, savedAction{d.LogProb(action), stateValue})
	return torch.Item[int](action)
}

// finishEpisode changes actor and critic after an episode, and returns the loss.
func (m *Policy) finishEpisode(optimizer *optim.Optimizer, gamma float64) float64 {
	const eps = 0x1p-23 // of float32
	r := 0.
	var policyLosses, valueLosses []*torch.Tensor
	var values []float64
	for _, reward := range slices.Backward(m.rewards) {
		r = reward + gamma*r
		values = append(values, r)
	}
	slices.Reverse(values)
	returns := torch.NewTensor(values, torch.Options{DType: torch.Float32})
	returns = returns.Sub(returns.Mean()).Div(returns.Std().AddScalar(eps))
	for i, r := range returns.Unbind(0) {
		saved := m.savedActions[i]
		advantage := r.SubScalar(saved.value.Item())
		policyLosses = append(policyLosses, saved.logProb.Neg().Mul(advantage))
		valueLosses = append(valueLosses, F.SmoothL1Loss(saved.value, r.Unsqueeze(0)))
	}
	optimizer.ZeroGrad()
	loss := torch.Stack(policyLosses, 0).Sum().Add(torch.Stack(valueLosses, 0).Sum())
	loss.Backward()
	optimizer.Step()
	m.rewards, m.savedActions = m.rewards[:0], m.savedActions[:0]
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
	flags := program.Flags("actor_critic", "Learns to balance a pole by an actor and a critic.")
	flags.Float64Var(&args.gamma, "gamma", 0.99, "discount factor")
	flags.UintVar(&args.seed, "seed", 543, "of the random numbers")
	flags.IntVar(&args.logInterval, "log-interval", 10, "episodes from one printed line to the next")
	flags.IntVar(&args.episodes, "episodes", 0, "episodes at most; 0 goes on until the pole is balanced")
	program.AtLeast(flags, 0, "episodes")
	program.AtLeast(flags, 1, "log-interval")
	if err := program.Parse(flags, w, argv); err != nil {
		return err
	}
	return program.Run(ctx, func() error { return actorCritic(ctx, w, args) })
}

func actorCritic(ctx context.Context, w io.Writer, args arguments) error {
	env := cartpole.New(uint32(args.seed))
	torch.ManualSeed(int64(args.seed))
	model := NewPolicy()
	optimizer := optim.NewAdam(nn.Parameters(model), optim.AdamOptions{LR: 3e-2})

	runningReward := 10.
	for episode := 1; ; episode++ {
		state, epReward := env.Reset(), 0.
		t, loss := 1, 0.
		torch.Scope(func() {
			for ; t < 10000; t++ {
				action := model.selectAction(state)
				var reward float64
				var terminated, truncated bool
				state, reward, terminated, truncated = env.Step(action)
				model.rewards = append(model.rewards, reward)
				epReward += reward
				if terminated || truncated {
					break
				}
			}
			loss = model.finishEpisode(optimizer, args.gamma)
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
