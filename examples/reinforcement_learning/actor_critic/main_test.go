package main

import (
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/exampletest"
)

func TestFlags(t *testing.T) {
	exampletest.Flags(t, run, "gamma", "seed", "log-interval", "episodes")
}

// TestLearn checks that the pole stands longer after 40 episodes than at random, which is 20 steps.
func TestLearn(t *testing.T) {
	out := exampletest.Output(t, run, "-seed=1", "-log-interval=40", "-episodes=40")
	average := regexp.MustCompile(`^Episode 40\tLast reward: \d+\.00\tAverage reward: (\d+\.\d\d)\tLoss: \S+\n$`).FindStringSubmatch(out)
	require.Len(t, average, 2, out)
	reward, err := strconv.ParseFloat(average[1], 64)
	require.NoError(t, err)
	require.Greater(t, reward, 35.)
}

func TestLossesLive(t *testing.T) {
	exampletest.Compare(t, run, "testdata/actor_critic.py", exampletest.CompareOptions{Speed: 1.5}, "-log-interval=1")
}
