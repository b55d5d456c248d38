package hub

import (
	"context"
	"fmt"
	"image"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms"
)

// An Object is an object that a model finds in a picture.
type Object struct {
	Index     int        `json:"index"`               // of its class
	Name      string     `json:"label"`               // such as "dog"; "" where it has none
	Score     float64    `json:"score"`               // in [0, 1]
	Box       [4]float64 `json:"box"`                 // x1, y1, x2, y2 in pixels of the picture
	Keypoints []Keypoint `json:"keypoints,omitempty"` // of a model that finds them
	Mask      []float32  `json:"-"`                   // the probability that a pixel belongs to it, for each pixel of the picture in rows; of a model that gives it
}

// A Keypoint is a point of an object.
type Keypoint struct {
	Name  string  `json:"name"` // such as "left_elbow"; "" where it has none
	X     float64 `json:"x"`    // in pixels of the picture
	Y     float64 `json:"y"`
	Score float64 `json:"score"` // a logit
}

// DetectOptions are the options of [Model.Detect].
type DetectOptions struct {
	MinScore float64 // leaves out objects with a lower score
}

// Detect returns the objects that a model finds in a picture, by falling score: model([preprocess(img)])[0].
// A model for another task is a [*TaskError].
//
// https://docs.pytorch.org/vision/stable/models.html#object-detection-instance-segmentation-and-person-keypoint-detection
func (m *Model) Detect(ctx context.Context, img image.Image, options ...DetectOptions) ([]Object, error) {
	o := torch.Only(options)
	var all []Object
	err := m.infer(ctx, models.Detection, transforms.Value{Image: img}, func(output torch.Value) error {
		found, ok := output.([]models.DetectionOutput)
		if !ok || len(found) != 1 {
			return fmt.Errorf("the model gives %s, not the output of a models.Detector; call Call, and read what it returns", torch.Describe(output))
		}
		all = m.objects(found[0], o.MinScore)
		return nil
	})
	if err != nil {
		return nil, newError("model", m.name, err)
	}
	return all, nil
}

// objects reads what was found in a picture, and frees it.
func (m *Model) objects(found models.DetectionOutput, minScore float64) []Object {
	floats := func(x *torch.Tensor) []float32 {
		if x == nil {
			return nil
		}
		defer x.Free()
		return torch.Data[float32](x)
	}
	labels := torch.Data[int64](found.Labels)
	found.Labels.Free()
	points := 0
	if found.Keypoints != nil {
		points = found.Keypoints.Size(1)
	}
	boxes, scores, masks := floats(found.Boxes), floats(found.Scores), floats(found.Masks)
	keypoints, keypointScores := floats(found.Keypoints), floats(found.KeypointScores)
	var all []Object
	for i, label := range labels {
		if float64(scores[i]) < minScore {
			continue
		}
		o := Object{Index: int(label), Score: float64(scores[i])}
		if o.Index < len(m.labels) {
			o.Name = m.labels[o.Index]
		}
		for j := range o.Box {
			o.Box[j] = float64(boxes[4*i+j])
		}
		for j := range points {
			k := i*points + j
			point := Keypoint{X: float64(keypoints[3*k]), Y: float64(keypoints[3*k+1]), Score: float64(keypointScores[k])}
			if j < len(m.keypoints) {
				point.Name = m.keypoints[j]
			}
			o.Keypoints = append(o.Keypoints, point)
		}
		if masks != nil {
			size := len(masks) / len(labels)
			o.Mask = masks[i*size : (i+1)*size]
		}
		all = append(all, o)
	}
	return all
}

// detect runs a Detector on pictures [3, H, W] or batches of them [N, 3, H, W].
func detect(d models.Detector, inputs []torch.Value) (torch.Value, error) {
	var pictures []*torch.Tensor
	for i, v := range inputs {
		x, ok := v.(*torch.Tensor)
		if !ok || x.Dim() != 3 && x.Dim() != 4 {
			return nil, fmt.Errorf("input %d is %s; it takes pictures [3, H, W], or batches of them [N, 3, H, W]", i, torch.Describe(v))
		}
		if x.Dim() == 3 {
			pictures = append(pictures, x)
			continue
		}
		for j := range x.Size(0) {
			pictures = append(pictures, x.Select(0, j))
		}
	}
	return d.Detect(pictures), nil
}
