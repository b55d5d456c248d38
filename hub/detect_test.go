package hub

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
)

// corners finds two objects, the whole picture and its first pixel.
type corners struct{ Points bool }

func (m *corners) Detect(images []*torch.Tensor) (all []models.DetectionOutput) {
	for _, x := range images {
		h, w := float32(x.Size(1)), float32(x.Size(2))
		o := models.DetectionOutput{
			Boxes:  torch.FromSlice([]float32{0, 0, w, h, 0, 0, 1, 1}, 2, 4),
			Labels: torch.FromSlice([]int64{2, 7}, 2),
			Scores: torch.FromSlice([]float32{0.75, 0.25}, 2),
			Masks:  torch.Ones(2, 1, x.Size(1), x.Size(2)),
		}
		if m.Points {
			o.Keypoints, o.KeypointScores = torch.FromSlice([]float32{1, 2, 1, 3, 4, 1}, 2, 1, 3), torch.FromSlice([]float32{5, -6}, 2, 1)
		}
		all = append(all, o)
	}
	return all
}

func (*corners) Losses([]*torch.Tensor, []models.DetectionTarget) []models.Loss { return nil }

func TestDetect(t *testing.T) {
	m := newModel(t, &corners{}, models.DetectionPreset{}, []string{"__background__", "person", "dog"})
	objects, err := m.Detect(t.Context(), noise(30, 20))
	require.NoError(t, err)
	require.Len(t, objects, 2)
	require.Equal(t, Object{Index: 2, Name: "dog", Score: 0.75, Box: [4]float64{0, 0, 30, 20}, Mask: objects[0].Mask}, objects[0])
	require.Len(t, objects[0].Mask, 600)
	require.Empty(t, objects[1].Name)
	objects, err = m.Detect(t.Context(), noise(30, 20), DetectOptions{MinScore: 0.5})
	require.NoError(t, err)
	require.Len(t, objects, 1)

	m = newModel(t, &corners{Points: true}, models.DetectionPreset{}, nil)
	m.keypoints = []string{"nose"}
	objects, err = m.Detect(t.Context(), noise(30, 20))
	require.NoError(t, err)
	require.Equal(t, []Keypoint{{Name: "nose", X: 3, Y: 4, Score: -6}}, objects[1].Keypoints)
	found, err := m.Call(t.Context(), torch.Zeros(3, 8, 9), torch.Zeros(2, 3, 4, 5))
	require.NoError(t, err)
	require.Len(t, found, 3)
	_, err = m.Call(t.Context(), torch.Zeros(8, 9))
	require.ErrorContains(t, err, "it takes pictures [3, H, W], or batches of them [N, 3, H, W]")
	_, err = m.Segment(t.Context(), noise(3, 3))
	require.ErrorAs(t, err, new(*TaskError))
	_, err = lettersModel(t).Detect(t.Context(), noise(3, 3))
	require.ErrorAs(t, err, new(*TaskError))
	_, err = newModel(t, &clips{}, models.DetectionPreset{}, nil).Detect(t.Context(), noise(3, 3))
	require.Error(t, err)
	e, err := findRegistered("", "keypointrcnn_resnet50_fpn")
	require.NoError(t, err)
	require.Len(t, e.Artifacts[0].points, 17)
	m.Close()
	_, err = m.Detect(t.Context(), noise(3, 3))
	require.ErrorIs(t, err, torch.ErrClosed)
}
