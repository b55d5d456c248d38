package main

import (
	"context"
	"fmt"

	"github.com/torchhub/torchhub/datasets"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
)

// A Pair is two digits, and 1 if they are the same or 0 if they are not.
type Pair struct {
	Image1, Image2 *torch.Tensor // [1, 28, 28]
	Target         float32
}

// Pairs are a batch of them.
type Pairs struct {
	Image1, Image2, Target *torch.Tensor // [N, 1, 28, 28], [N, 1, 28, 28], [N]
}

// A Matcher has pairs of MNIST's digits, at random: those with an even index are the same digit, written twice.
type Matcher struct {
	images  *torch.Tensor // [N, 1, 28, 28]
	grouped [10][]int     // the indices of each digit
}

// NewMatcher returns a dataset of as many pairs as there are pictures. It fails unless there are two of each digit.
func NewMatcher(d *datasets.Images) (*Matcher, error) {
	m := &Matcher{images: d.Data().Unsqueeze(1)}
	for i, class := range d.Targets {
		m.grouped[class] = append(m.grouped[class], i)
	}
	for digit, pictures := range m.grouped {
		if len(pictures) < 2 {
			return nil, fmt.Errorf("the digit %d has %d pictures; pairs need at least 2 of each digit", digit, len(pictures))
		}
	}
	return m, nil
}

// Len returns the number of pairs.
func (m *Matcher) Len() int { return m.images.Size(0) }

// At returns a pair.
func (m *Matcher) At(ctx context.Context, index int) (pair Pair, err error) {
	rng := data.GetWorkerInfo(ctx).Random()

	class1 := rng.IntN(10)
	random1 := rng.IntN(len(m.grouped[class1]))
	class2, random2 := class1, random1
	if index%2 == 0 { // another picture of the same digit
		for random2 == random1 {
			random2 = rng.IntN(len(m.grouped[class2]))
		}
		pair.Target = 1
	} else { // a picture of another digit
		for class2 == class1 {
			class2 = rng.IntN(10)
		}
		random2 = rng.IntN(len(m.grouped[class2]))
	}
	pair.Image1 = m.images.Select(0, m.grouped[class1][random1]).ToDType(torch.Float32)
	pair.Image2 = m.images.Select(0, m.grouped[class2][random2]).ToDType(torch.Float32)
	return pair, nil
}
