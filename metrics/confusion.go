package metrics

import "fmt"

// A ConfusionMatrix counts pixels or samples by their true and their predicted class:
// ConfusionMatrix of torchvision's reference scripts for segmentation, and
// sklearn.metrics.confusion_matrix. Make one with [NewConfusionMatrix].
//
// https://github.com/pytorch/vision/blob/main/references/segmentation/utils.py
type ConfusionMatrix struct {
	Classes int
	Counts  []int // [Classes, Classes], by true class and then by predicted class
}

// NewConfusionMatrix returns a matrix of zeros. It panics if there are no classes.
func NewConfusionMatrix(classes int) *ConfusionMatrix {
	if classes < 1 {
		panic(fmt.Sprintf("metrics: a ConfusionMatrix of %d classes", classes))
	}
	return &ConfusionMatrix{classes, make([]int, classes*classes)}
}

// Add counts the pixels of a picture. Those whose true class is not one of the matrix,
// such as the 255 of undecided pixels, are left out. It panics if the slices differ in
// length, or if a predicted class is not one of the matrix.
func (m *ConfusionMatrix) Add(target, predicted []uint8) {
	if len(target) != len(predicted) {
		panic(fmt.Sprintf("metrics: %d true and %d predicted classes", len(target), len(predicted)))
	}
	for i, t := range target {
		if int(t) >= m.Classes {
			continue
		}
		if int(predicted[i]) >= m.Classes {
			panic(fmt.Sprintf("metrics: a pixel has the predicted class %d of %d", predicted[i], m.Classes))
		}
		m.Counts[int(t)*m.Classes+int(predicted[i])]++
	}
}

// Count counts a sample. It panics if one of the classes is not one of the matrix.
func (m *ConfusionMatrix) Count(target, predicted int) {
	if min(target, predicted) < 0 || max(target, predicted) >= m.Classes {
		panic(fmt.Sprintf("metrics: a sample of class %d is predicted as %d, and there are %d classes", target, predicted, m.Classes))
	}
	m.Counts[target*m.Classes+predicted]++
}

// Merge adds the counts of another matrix of as many classes.
func (m *ConfusionMatrix) Merge(o *ConfusionMatrix) {
	if m.Classes != o.Classes || len(m.Counts) != len(o.Counts) {
		panic(fmt.Sprintf("metrics: a ConfusionMatrix of %d classes is merged with one of %d", m.Classes, o.Classes))
	}
	for i, n := range o.Counts {
		m.Counts[i] += n
	}
}

// Segmentation is what a [ConfusionMatrix] says, in percent. Of a class without pixels
// a figure is NaN, and then MeanIoU is too, as in torchvision.
type Segmentation struct {
	PixelAccuracy float64   // the pixels whose class is right
	ClassAccuracy []float64 // of the pixels of a class, those that are right
	IoU           []float64 // of each class, intersection over union
	MeanIoU       float64
}

// of returns how many of a class are predicted as it, how many there are, and how many are predicted as it.
func (m *ConfusionMatrix) of(class int) (hit, row, column int) {
	for o := range m.Classes {
		row += m.Counts[class*m.Classes+o]
		column += m.Counts[o*m.Classes+class]
	}
	return m.Counts[class*m.Classes+class], row, column
}

// Compute returns the figures.
func (m *ConfusionMatrix) Compute() Segmentation {
	s := Segmentation{ClassAccuracy: make([]float64, m.Classes), IoU: make([]float64, m.Classes)}
	right, all := 0, 0
	for c := range m.Classes {
		hit, row, column := m.of(c)
		right, all = right+hit, all+row
		s.ClassAccuracy[c] = 100 * float64(hit) / float64(row)
		s.IoU[c] = 100 * float64(hit) / float64(row+column-hit)
		s.MeanIoU += s.IoU[c] / float64(m.Classes)
	}
	s.PixelAccuracy = 100 * float64(right) / float64(all)
	return s
}

// Classification is what a [ConfusionMatrix] says of a classifier, in percent:
// sklearn.metrics.precision_recall_fscore_support. A figure is NaN where it would be a
// share of no samples.
//
// https://scikit-learn.org/stable/modules/generated/sklearn.metrics.precision_recall_fscore_support.html
type Classification struct {
	Accuracy  float64   // the samples whose class is right
	Precision []float64 // of those predicted as a class, the ones that are of it
	Recall    []float64 // of those of a class, the ones that are predicted as it
	F1        []float64 // the harmonic mean of both
}

// Classification returns the figures.
func (m *ConfusionMatrix) Classification() Classification {
	c := Classification{Precision: make([]float64, m.Classes), Recall: make([]float64, m.Classes), F1: make([]float64, m.Classes)}
	right, all := 0, 0
	for i := range m.Classes {
		hit, row, column := m.of(i)
		right, all = right+hit, all+row
		c.Precision[i] = 100 * float64(hit) / float64(column)
		c.Recall[i] = 100 * float64(hit) / float64(row)
		c.F1[i] = 100 * float64(2*hit) / float64(row+column)
	}
	c.Accuracy = 100 * float64(right) / float64(all)
	return c
}
