package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/exampletest"
)

func TestFlags(t *testing.T) { exampletest.Flags(t, run, "seed", "log-interval") }

// TestFit runs the program until the polynomial is found: both lines print its coefficients.
func TestFit(t *testing.T) {
	out := exampletest.Output(t, run, "-seed=1")
	require.Regexp(t, `^Loss: 0\.000\d{3} after \d+ batches\n==> Learned function:\ty = ([+-]\d+\.\d\d x\^\d ){4}[+-]\d+\.\d\d\n==> Actual function:\ty = `, out)
}

func TestLossesLive(t *testing.T) {
	exampletest.Compare(t, run, "testdata/regression.py", exampletest.CompareOptions{Speed: 1.5, Steps: 700}, "-log-interval=1")
}
