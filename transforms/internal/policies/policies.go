// Package policies holds the policies that AutoAugment's authors learned, for
// transforms and transforms/v2.
package policies

import (
	"fmt"
	"strings"
)

// A Step is an operation of a policy.
type Step struct {
	Op        string
	P         float64 // the probability that it is done
	Magnitude int     // the number of its magnitude; -1 for an operation without
}

// Of returns the policies learned on a set of data, by its name, imagenet, cifar10 or svhn,
// each a pair of steps, and nil for another name.
func Of(data string) (pairs [][2]Step) {
	for line := range strings.Lines(strings.TrimSpace(texts[data])) {
		var pair [2]Step
		for i, part := range strings.Split(line, ",") {
			s := &pair[i]
			var magnitude string
			fmt.Sscan(part, &s.Op, &s.P, &magnitude)
			if _, err := fmt.Sscan(magnitude, &s.Magnitude); err != nil {
				s.Magnitude = -1
			}
		}
		pairs = append(pairs, pair)
	}
	return pairs
}

// texts hold a pair in each line: operation, probability, magnitude.
var texts = map[string]string{
	"imagenet": `
		Posterize 0.4 8, Rotate 0.6 9
		Solarize 0.6 5, AutoContrast 0.6 -
		Equalize 0.8 -, Equalize 0.6 -
		Posterize 0.6 7, Posterize 0.6 6
		Equalize 0.4 -, Solarize 0.2 4
		Equalize 0.4 -, Rotate 0.8 8
		Solarize 0.6 3, Equalize 0.6 -
		Posterize 0.8 5, Equalize 1.0 -
		Rotate 0.2 3, Solarize 0.6 8
		Equalize 0.6 -, Posterize 0.4 6
		Rotate 0.8 8, Color 0.4 0
		Rotate 0.4 9, Equalize 0.6 -
		Equalize 0.0 -, Equalize 0.8 -
		Invert 0.6 -, Equalize 1.0 -
		Color 0.6 4, Contrast 1.0 8
		Rotate 0.8 8, Color 1.0 2
		Color 0.8 8, Solarize 0.8 7
		Sharpness 0.4 7, Invert 0.6 -
		ShearX 0.6 5, Equalize 1.0 -
		Color 0.4 0, Equalize 0.6 -
		Equalize 0.4 -, Solarize 0.2 4
		Solarize 0.6 5, AutoContrast 0.6 -
		Invert 0.6 -, Equalize 1.0 -
		Color 0.6 4, Contrast 1.0 8
		Equalize 0.8 -, Equalize 0.6 -
	`,
	"cifar10": `
		Invert 0.1 -, Contrast 0.2 6
		Rotate 0.7 2, TranslateX 0.3 9
		Sharpness 0.8 1, Sharpness 0.9 3
		ShearY 0.5 8, TranslateY 0.7 9
		AutoContrast 0.5 -, Equalize 0.9 -
		ShearY 0.2 7, Posterize 0.3 7
		Color 0.4 3, Brightness 0.6 7
		Sharpness 0.3 9, Brightness 0.7 9
		Equalize 0.6 -, Equalize 0.5 -
		Contrast 0.6 7, Sharpness 0.6 5
		Color 0.7 7, TranslateX 0.5 8
		Equalize 0.3 -, AutoContrast 0.4 -
		TranslateY 0.4 3, Sharpness 0.2 6
		Brightness 0.9 6, Color 0.2 8
		Solarize 0.5 2, Invert 0.0 -
		Equalize 0.2 -, AutoContrast 0.6 -
		Equalize 0.2 -, Equalize 0.6 -
		Color 0.9 9, Equalize 0.6 -
		AutoContrast 0.8 -, Solarize 0.2 8
		Brightness 0.1 3, Color 0.7 0
		Solarize 0.4 5, AutoContrast 0.9 -
		TranslateY 0.9 9, TranslateY 0.7 9
		AutoContrast 0.9 -, Solarize 0.8 3
		Equalize 0.8 -, Invert 0.1 -
		TranslateY 0.7 9, AutoContrast 0.9 -
	`,
	"svhn": `
		ShearX 0.9 4, Invert 0.2 -
		ShearY 0.9 8, Invert 0.7 -
		Equalize 0.6 -, Solarize 0.6 6
		Invert 0.9 -, Equalize 0.6 -
		Equalize 0.6 -, Rotate 0.9 3
		ShearX 0.9 4, AutoContrast 0.8 -
		ShearY 0.9 8, Invert 0.4 -
		ShearY 0.9 5, Solarize 0.2 6
		Invert 0.9 -, AutoContrast 0.8 -
		Equalize 0.6 -, Rotate 0.9 3
		ShearX 0.9 4, Solarize 0.3 3
		ShearY 0.8 8, Invert 0.7 -
		Equalize 0.9 -, TranslateY 0.6 6
		Invert 0.9 -, Equalize 0.6 -
		Contrast 0.3 3, Rotate 0.8 4
		Invert 0.8 -, TranslateY 0.0 2
		ShearY 0.7 6, Solarize 0.4 8
		Invert 0.6 -, Rotate 0.8 4
		ShearY 0.3 7, TranslateX 0.9 3
		ShearX 0.1 6, Invert 0.6 -
		Solarize 0.7 2, TranslateY 0.6 7
		ShearY 0.8 4, Invert 0.8 -
		ShearX 0.7 9, TranslateY 0.8 3
		ShearY 0.8 5, AutoContrast 0.7 -
		ShearX 0.7 2, Invert 0.1 -
	`,
}
