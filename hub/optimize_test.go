package hub

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
)

// closeTo requires that logits differ by less than 1e-4 of the largest: sums are rounded in another order.
func closeTo(t *testing.T, want, got []float32) {
	t.Helper()
	require.Len(t, got, len(want))
	largest := float32(0)
	for _, v := range want {
		largest = max(largest, v, -v)
	}
	for i := range want {
		require.InDelta(t, want[i], got[i], 1e-4*float64(largest))
	}
}

func TestOptimize(t *testing.T) {
	m := small(t)
	img := noise(100, 90)
	want, err := m.Logits(t.Context(), img)
	require.NoError(t, err)
	r, err := m.Optimize(t.Context())
	require.NoError(t, err)
	require.NotNil(t, m.compiled)
	require.Less(t, r.Difference, 1e-5)
	got, err := m.Logits(t.Context(), img)
	require.NoError(t, err)
	closeTo(t, want, got)
	batch := []image.Image{img, noise(80, 90), noise(80, 90)} // of other sizes than it was optimized for
	for range 3 {
		labels, err := m.ClassifyBatch(t.Context(), batch, 1)
		require.NoError(t, err)
		require.Equal(t, Top(want, m.Labels(), 1)[0].Name, labels[0][0].Name)
	}
	require.NoError(t, m.To(torch.CPU))
	require.NotNil(t, m.compiled)
	require.NoError(t, m.Close())
	_, err = m.Optimize(t.Context())
	require.ErrorIs(t, err, torch.ErrClosed)
}

// TestOptimizeScript optimizes a TorchScript program, as WithOptimize does after two pictures.
func TestOptimizeScript(t *testing.T) {
	m := lettersModel(t)
	img := noise(40, 40)
	want, err := m.Logits(t.Context(), img)
	require.NoError(t, err)
	require.NoError(t, m.compile(OptimizeOptions{}))
	for range 4 {
		got, err := m.Logits(t.Context(), img)
		require.NoError(t, err)
		closeTo(t, want, got)
	}
}

func TestOptimizeSegmentation(t *testing.T) {
	m := newModel(t, &colors{Aux: true}, models.SegmentationPreset{Mean: []float64{0, 0, 0}, Std: []float64{1, 1, 1}}, []string{"red", "green", "blue"})
	img := noise(30, 20)
	want, err := m.Segment(t.Context(), img)
	require.NoError(t, err)
	_, err = m.Optimize(t.Context(), OptimizeOptions{Size: image.Pt(30, 20)})
	require.NoError(t, err)
	got, err := m.Segment(t.Context(), img)
	require.NoError(t, err)
	require.Equal(t, want.Classes, got.Classes)

	video := newModel(t, &clips{}, models.VideoClassificationPreset{Resize: []int{20}, Crop: []int{16, 16}}, nil)
	_, err = video.Optimize(t.Context())
	require.EqualError(t, err, `hub: optimize model "m": optimization is for classification and segmentation, and the model is for video_classification`)
}

// TestOptimizeRelease frees the parameters of a module, and of a TorchScript program.
func TestOptimizeRelease(t *testing.T) {
	for name, m := range map[string]*Model{"module": small(t), "script": lettersModel(t)} {
		img := noise(100, 90)
		want, err := m.Logits(t.Context(), img)
		require.NoError(t, err, name)
		r, err := m.Optimize(t.Context(), OptimizeOptions{Release: true})
		require.NoError(t, err, name)
		require.Empty(t, r.Reason)
		for range 3 {
			got, err := m.Logits(t.Context(), img)
			require.NoError(t, err, name)
			closeTo(t, want, got)
		}
		labels, err := m.ClassifyBatch(t.Context(), []image.Image{img, img, img}, 1)
		require.NoError(t, err, name)
		require.Len(t, labels, 3)
		const released = "its parameters were released by Optimize; load it again"
		require.ErrorContains(t, torch.Try(func() { m.Forward(torch.Zeros(1, 3, 8, 8)) }), released)
		_, err = m.Call(t.Context(), torch.Zeros(1, 3, 8, 8))
		require.ErrorContains(t, err, released)
		require.NoError(t, m.To(torch.CPU))
		require.ErrorContains(t, m.To("meta"), released)
		again, err := m.Optimize(t.Context())
		require.NoError(t, err)
		require.Equal(t, r, again)
		require.NoError(t, m.Close())
		_, err = m.Logits(t.Context(), img)
		require.ErrorIs(t, err, torch.ErrClosed)
	}
}

// TestOptimizeBFloat16 optimizes in bfloat16, where there is that, and then without.
func TestOptimizeBFloat16(t *testing.T) {
	m := small(t)
	r, err := m.Optimize(t.Context(), OptimizeOptions{DType: torch.BFloat16})
	require.NoError(t, err)
	require.Equal(t, r.Reason == "", r.Rounding != nil)
	require.Less(t, r.Difference, 5e-2)
	r, err = m.Optimize(t.Context())
	require.NoError(t, err)
	require.Nil(t, r.Rounding)
	require.Less(t, r.Difference, 1e-5)
	require.Equal(t, torch.BFloat16, newOptions([]Option{WithOptimize(WithOptimizeOptions{DType: torch.BFloat16})}).dtype)
	_, err = m.Optimize(t.Context(), OptimizeOptions{DType: torch.Float16})
	require.ErrorContains(t, err, "optimization in Float16 is for CUDA devices, and the model is on the CPU")
}
