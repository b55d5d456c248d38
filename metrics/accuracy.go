package metrics

import "fmt"

// Accuracy counts the samples whose class is among the k best of a classifier, for
// several k: accuracy(output, target, topk) of torchvision's reference scripts, summed
// over batches. Make one with [NewAccuracy].
type Accuracy struct {
	K       []int // in the order of Correct
	Correct []int // the samples whose class is among the K[i] largest logits
	Samples int
}

// NewAccuracy returns an Accuracy without samples, of top-1 and top-5 if no k is given.
func NewAccuracy(k ...int) *Accuracy {
	if len(k) == 0 {
		k = []int{1, 5}
	}
	return &Accuracy{K: k, Correct: make([]int, len(k))}
}

// Rank returns the number of logits that are larger than that of the class: 0 if it is
// the best. Of equal logits the lower index counts as larger, and NaN as larger than
// all numbers, as torch.topk has it. It panics if there is no such class.
func Rank(logits []float32, class int) int {
	if class < 0 || class >= len(logits) {
		panic(fmt.Sprintf("metrics: there is no class %d among %d logits", class, len(logits)))
	}
	rank, own := 0, logits[class]
	for i, v := range logits {
		larger := v > own || v != v && own == own
		same := v == own || v != v && own != own
		if larger || same && i < class {
			rank++
		}
	}
	return rank
}

// Add counts a sample whose class has the given rank, see [Rank].
func (a *Accuracy) Add(rank int) {
	a.Samples++
	for i, k := range a.K {
		if rank < k {
			a.Correct[i]++
		}
	}
}

// Percent returns the percentages of correct samples, in the order of K: acc@1 and acc@5.
// They are NaN if there are no samples.
func (a *Accuracy) Percent() []float64 {
	p := make([]float64, len(a.K))
	for i, n := range a.Correct {
		p[i] = 100 * float64(n) / float64(a.Samples)
	}
	return p
}
