package cartpole

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
)

// TestGeneratorLive compares the numbers with those of NumPy's generator, which gymnasium draws from.
func TestGeneratorLive(t *testing.T) {
	python := reference.Start(t, "import numpy as np\ndef draw(seed):\n    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed))).uniform(0, 1, 100).tolist()")
	for _, seed := range []uint32{0, 1, 543, 1<<32 - 1} {
		var want []float64
		python.Call(&want, "draw", seed)
		g := newPCG64(seed)
		for _, w := range want {
			require.Equal(t, w, g.float64())
		}
	}
}

// TestEpisodesLive compares episodes with gymnasium's equations in NumPy.
func TestEpisodesLive(t *testing.T) {
	python := reference.Start(t, "import sys\nsys.path.insert(0, 'testdata')\nfrom cartpole import CartPole\n"+`
def episodes(seed, actions):
    env, states, ends = CartPole(seed), [], []
    states.append(env.reset().tolist())
    for a in actions:
        state, reward, terminated, truncated = env.step(a)
        states.append(state.tolist())
        ends.append([reward, float(terminated), float(truncated)])
        if terminated or truncated:
            states.append(env.reset().tolist())
    return states, ends
`)
	g := newPCG64(7)
	actions := make([]int, 1000)
	for i := range actions {
		actions[i] = int(g.uint64() & 1)
	}
	var want struct {
		States [][]float32
		Ends   [][3]float64
	}
	python.Call(&want, "lambda *a: dict(zip(['States', 'Ends'], episodes(*a)))", 543, actions)
	env := New(543)
	states, ends := [][]float32{env.Reset()}, [][3]float64{}
	number := map[bool]float64{true: 1}
	for _, a := range actions {
		state, reward, terminated, truncated := env.Step(a)
		states = append(states, state)
		ends = append(ends, [3]float64{reward, number[terminated], number[truncated]})
		if terminated || truncated {
			states = append(states, env.Reset())
		}
	}
	require.Equal(t, want.Ends, ends)
	require.Len(t, states, len(want.States))
	for i := range states {
		require.InDeltaSlice(t, want.States[i], states[i], 1e-6)
	}
}

// TestTruncated keeps the pole upright by pushing towards where it falls.
func TestTruncated(t *testing.T) {
	env := New(0)
	state := env.Reset()
	for step := 1; ; step++ {
		action := 0
		if state[2]+state[3]+0.05*state[0]+0.1*state[1] > 0 {
			action = 1
		}
		var terminated, truncated bool
		state, _, terminated, truncated = env.Step(action)
		require.False(t, terminated, step)
		if truncated {
			require.Equal(t, 500, step)
			return
		}
	}
}
