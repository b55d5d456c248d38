package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// AUROC returns the area under the curve of the true positive rate over the false positive rate of a binary classifier:
// sklearn.metrics.roc_auc_score. It is the share of the pairs of a positive and a negative sample in which the positive
// one has the larger score, where equal scores count half. It is NaN if there are no positive or no negative samples, or
// if a score is NaN, and panics if the slices differ in length.
//
// https://scikit-learn.org/stable/modules/generated/sklearn.metrics.roc_auc_score.html
func AUROC(scores []float64, positive []bool) float64 {
	if slices.ContainsFunc(scores, math.IsNaN) {
		return math.NaN()
	}
	above, correct, negatives := 0, 0., 0 // positives with larger scores; pairs in their order
	for _, tie := range ranking(scores, positive) {
		correct += float64(tie.negatives) * (float64(above) + float64(tie.positives)/2)
		above, negatives = above+tie.positives, negatives+tie.negatives
	}
	return correct / (float64(above) * float64(negatives))
}

// MeanPrecision returns the average precision of a binary classifier: sklearn.metrics.average_precision_score, the mean
// over the positive samples of the precision among the samples with at least their score. It is NaN if there are no
// positive samples or a score is NaN, and panics if the slices differ in length.
//
// https://scikit-learn.org/stable/modules/generated/sklearn.metrics.average_precision_score.html
func MeanPrecision(scores []float64, positive []bool) float64 {
	if slices.ContainsFunc(scores, math.IsNaN) {
		return math.NaN()
	}
	sum, hits, all := 0., 0, 0
	for _, tie := range ranking(scores, positive) {
		hits, all = hits+tie.positives, all+tie.positives+tie.negatives
		sum += float64(tie.positives) * float64(hits) / float64(all)
	}
	return sum / float64(hits)
}

// A tie is the samples of one score.
type tie struct{ positives, negatives int }

// ranking returns the ties from the largest score to the smallest.
func ranking(scores []float64, positive []bool) (ties []tie) {
	if len(scores) != len(positive) {
		panic(fmt.Sprintf("metrics: %d scores of %d samples", len(scores), len(positive)))
	}
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	for k, i := range order {
		if k == 0 || scores[i] != scores[order[k-1]] {
			ties = append(ties, tie{})
		}
		if t := &ties[len(ties)-1]; positive[i] {
			t.positives++
		} else {
			t.negatives++
		}
	}
	return ties
}
