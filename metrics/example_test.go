package metrics_test

import (
	"fmt"

	"github.com/torchhub/torchhub/metrics"
)

// The class of the second sample is the second best.
func ExampleAccuracy() {
	a := metrics.NewAccuracy(1, 2)
	a.Add(metrics.Rank([]float32{0.1, 0.7, 0.2}, 1))
	a.Add(metrics.Rank([]float32{0.5, 0.1, 0.4}, 2))
	fmt.Println(a.Percent())
	// Output: [50 100]
}

func ExampleConfusionMatrix() {
	m := metrics.NewConfusionMatrix(2)
	m.Add([]uint8{0, 0, 1, 255}, []uint8{0, 1, 1, 1}) // 255 is not counted
	fmt.Println(m.Compute().IoU)
	// Output: [50 50]
}

func ExampleCOCO() {
	truth := []metrics.Truth{{ID: 1, Image: 7, Category: 3, Box: [4]float64{10, 10, 50, 40}, Area: 2000}}
	found := []metrics.Found{{Image: 7, Category: 3, Box: [4]float64{12, 10, 50, 40}, Score: 0.9}}
	fmt.Printf("%.2f\n", metrics.COCO([]int{7}, truth, found).AP)
	// Output: 0.90
}
