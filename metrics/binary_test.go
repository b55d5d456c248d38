package metrics_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/metrics"
)

func ExampleAUROC() {
	fmt.Println(metrics.AUROC([]float64{0.1, 0.4, 0.35, 0.8}, []bool{false, false, true, true}))
	// Output: 0.75
}

func ExampleConfusionMatrix_Classification() {
	m := metrics.NewConfusionMatrix(2)
	for _, s := range [][2]int{{0, 0}, {0, 1}, {1, 1}, {1, 1}} {
		m.Count(s[0], s[1])
	}
	c := m.Classification()
	fmt.Printf("%.0f %.1f %.1f %.1f\n", c.Accuracy, c.Precision, c.Recall, c.F1)
	// Output: 75 [100.0 66.7] [50.0 100.0] [66.7 80.0]
}

// TestBinary compares with the definitions, by pairs and by thresholds, on random scores with ties.
func TestBinary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 1 + rng.IntN(40)
		scores, positive := make([]float64, n), make([]bool, n)
		for i := range n {
			scores[i], positive[i] = float64(rng.IntN(12))-6, rng.IntN(3) == 0
		}
		pairs, correct, precision, positives := 0., 0., 0., 0.
		for i := range n {
			if !positive[i] {
				continue
			}
			positives++
			above, hits := 0., 0.
			for j := range n {
				if !positive[j] {
					pairs++
					if scores[i] > scores[j] {
						correct++
					} else if scores[i] == scores[j] {
						correct += 0.5
					}
				}
				if scores[j] >= scores[i] {
					above++
					if positive[j] {
						hits++
					}
				}
			}
			precision += hits / above
		}
		if pairs == 0 {
			require.True(t, math.IsNaN(metrics.AUROC(scores, positive)))
		} else {
			require.InDelta(t, correct/pairs, metrics.AUROC(scores, positive), 1e-12)
		}
		if positives == 0 {
			require.True(t, math.IsNaN(metrics.MeanPrecision(scores, positive)))
		} else {
			require.InDelta(t, precision/positives, metrics.MeanPrecision(scores, positive), 1e-12)
		}
	}
	require.True(t, math.IsNaN(metrics.AUROC([]float64{math.NaN(), 1}, []bool{true, false})))
	require.True(t, math.IsNaN(metrics.MeanPrecision([]float64{math.NaN(), 1}, []bool{true, false})))
	require.Panics(t, func() { metrics.AUROC([]float64{1}, nil) })
	require.Panics(t, func() { metrics.NewConfusionMatrix(2).Count(0, 2) })
}
