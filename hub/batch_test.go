package hub

import (
	"context"
	"errors"
	"image"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/models/builtin"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/jit"
	"github.com/torchhub/torchhub/torch/nn"
)

// lettersModel is the built-in model.
func lettersModel(t *testing.T) *Model {
	require.NoError(t, torch.Init(t.Context()))
	script, err := jit.LoadBytes(builtin.Model())
	require.NoError(t, err)
	m, err := FromScript(t.Context(), "letters", script, builtin.Preset(), builtin.Labels())
	require.NoError(t, err)
	t.Cleanup(func() { m.Close() })
	return m
}

// somePictures returns n pictures of different sizes, and their labels one at a time.
func somePictures(t *testing.T, m *Model, n int) (all []image.Image, want [][]Label) {
	for i := range n {
		all = append(all, noise(40+7*i, 50+3*i))
		top, err := m.Classify(t.Context(), all[i], 3)
		require.NoError(t, err)
		want = append(want, top)
	}
	return all, want
}

// opening returns the pictures of a sequence, of which those that are nil cannot be opened.
func opening(all []image.Image) iter.Seq[Picture] {
	return func(yield func(Picture) bool) {
		for _, img := range all {
			if !yield(func() (image.Image, error) {
				if img == nil {
					return nil, errors.New("it is gone")
				}
				return img, nil
			}) {
				return
			}
		}
	}
}

func requireLabels(t *testing.T, want, got []Label) {
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i].Name, got[i].Name)
		require.InDelta(t, want[i].Score, got[i].Score, 1e-5) // kernels depend on the size of a batch
	}
}

func TestClassifyBatch(t *testing.T) {
	m := lettersModel(t)
	all, want := somePictures(t, m, 5)
	got, err := m.ClassifyBatch(t.Context(), all, 3)
	require.NoError(t, err)
	require.Len(t, got, 5)
	for i := range want {
		requireLabels(t, want[i], got[i])
	}
	got, err = m.ClassifyBatch(t.Context(), nil, 3)
	require.NoError(t, err)
	require.Empty(t, got)
	_, err = m.ClassifyBatch(t.Context(), []image.Image{all[0], nil}, 3)
	require.ErrorContains(t, err, "picture 1 is nil")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = m.ClassifyBatch(ctx, all, 3)
	require.ErrorIs(t, err, context.Canceled)
	m.Close()
	_, err = m.ClassifyBatch(t.Context(), all, 3)
	require.ErrorIs(t, err, torch.ErrClosed)
}

func TestClassifyAll(t *testing.T) {
	m := lettersModel(t)
	all, want := somePictures(t, m, 11)
	missing := slices.Clone(all)
	missing[4] = nil
	for _, size := range []int{0, 1, 3, 100} {
		i := 0
		for got, err := range m.ClassifyAll(t.Context(), opening(missing), 3, AllOptions{BatchSize: size}) {
			if i == 4 {
				require.EqualError(t, err, `hub: model "letters": it is gone`)
			} else {
				require.NoError(t, err)
				requireLabels(t, want[i], got)
			}
			i++
		}
		require.Equal(t, 11, i)
	}
	for range m.ClassifyAll(t.Context(), opening(all), 3) {
		break
	}
	for range m.ClassifyAll(t.Context(), opening(nil), 3) {
		t.Fatal("there are no pictures")
	}
	require.Panics(t, func() { m.LogitsAll(t.Context(), opening(all), AllOptions{BatchSize: -1}) })

	file := filepath.Join(t.TempDir(), "letter.png")
	require.NoError(t, os.WriteFile(file, builtin.Picture(), 0o666))
	var errs []error
	for _, err := range m.ClassifyAll(t.Context(), Files(file, file+"none"), 1) {
		errs = append(errs, err)
	}
	require.Len(t, errs, 2)
	require.NoError(t, errs[0])
	require.ErrorIs(t, errs[1], os.ErrNotExist)

	m.Close()
	n := 0
	for _, err := range m.ClassifyAll(t.Context(), opening(all), 3) {
		require.ErrorIs(t, err, torch.ErrClosed)
		n++
	}
	require.Equal(t, 11, n)
}

// TestClassifyAllEnds cancels while a picture is blocked for ever.
func TestClassifyAllEnds(t *testing.T) {
	m := lettersModel(t)
	block := make(chan struct{})
	defer close(block)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	blocked := func(yield func(Picture) bool) {
		for yield(func() (image.Image, error) { <-block; return nil, errors.New("late") }) {
		}
	}
	var errs []error
	for _, err := range m.ClassifyAll(ctx, blocked, 3) {
		errs = append(errs, err)
	}
	require.Len(t, errs, 1)
	require.ErrorIs(t, errs[0], context.DeadlineExceeded)
}

// colors is a model for segmentation whose classes are the channels of a picture.
type colors struct{ Aux bool }

func (m *colors) Forward(x *torch.Tensor) *models.SegmentationOutput {
	out := &models.SegmentationOutput{Out: x.MulScalar(5)}
	if m.Aux {
		out.Aux = x.Neg()
	}
	return out
}

func newModel(t *testing.T, module any, preset models.Preset, labels []string) *Model {
	require.NoError(t, torch.Init(t.Context()))
	m, err := (&Model{name: "m", steps: &Preprocess{Preset: preset}, labels: labels, module: module}).start(torch.CPU)
	require.NoError(t, err)
	t.Cleanup(func() { m.Close() })
	return m
}

func TestSegment(t *testing.T) {
	m := newModel(t, &colors{Aux: true}, models.SegmentationPreset{Mean: []float64{0, 0, 0}, Std: []float64{1, 1, 1}}, []string{"red", "green", "blue"})
	img := noise(30, 20)
	s, err := m.Segment(t.Context(), img)
	require.NoError(t, err)
	require.Equal(t, []int{30, 20}, []int{s.Width, s.Height})
	x := m.Preprocess().Apply(img)
	scores, classes := x.MulScalar(5).Softmax(0).MaxDim(0)
	require.Equal(t, torch.Data[float32](scores), s.Scores)
	for i, c := range torch.Data[int64](classes) {
		require.EqualValues(t, c, s.Classes[i])
		require.Equal(t, uint8(c), s.Image().ColorIndexAt(i%30, i/30))
	}
	regions, share := s.Regions(), 0.0
	require.Len(t, regions, 3)
	require.GreaterOrEqual(t, regions[0].Share, regions[1].Share)
	for _, r := range regions {
		require.Equal(t, m.Labels()[r.Index], r.Name)
		require.EqualValues(t, r.Share*600, s.Mask(r.Index).Sum().Item())
		share += r.Share
	}
	require.InDelta(t, 1, share, 1e-12)
	big := s.Resize(60, 40)
	require.Equal(t, s.Classes[31], big.Classes[2*60+2])
	require.Equal(t, s.Classes, big.Resize(30, 20).Classes)

	m.labels = m.labels[:2]
	_, err = m.Segment(t.Context(), img)
	require.EqualError(t, err, `hub: model "m": the model gives [1 3 20 30] float32, not logits [1, 2, H, W]; call Call, and read what it returns`)
	_, err = lettersModel(t).Segment(t.Context(), img)
	require.ErrorAs(t, err, new(*TaskError))
	// A program gives a dict or a tensor.
	m.labels = nil
	y := torch.Ones(1, 3, 2, 4)
	s, err = m.segment(&torch.Dict{Entries: []torch.Entry{{Key: "out", Value: y}}})
	require.NoError(t, err)
	require.Equal(t, make([]int, 8), s.Classes)
	for _, output := range []torch.Value{torch.Ones(1, 3), "text", &torch.Dict{}, torch.Ones(2, 3, 2, 4)} {
		_, err = m.segment(output)
		require.ErrorAs(t, err, new(*OutputError))
	}
	m.Close()
	_, err = m.Segment(t.Context(), img)
	require.ErrorIs(t, err, torch.ErrClosed)
}

// clips is a model for video whose logits are the means of the channels and the number of frames.
type clips struct{}

func (*clips) Forward(x *torch.Tensor) *torch.Tensor { // [1, 3, T, H, W]
	return torch.Cat([]*torch.Tensor{x.Mean(2, 3, 4), torch.Full(x.Size(2), 1, 1).ToDType(torch.Float32)}, 1)
}

func TestClassifyVideo(t *testing.T) {
	m := newModel(t, &clips{}, models.VideoClassificationPreset{Resize: []int{20}, Crop: []int{16, 16}}, []string{"red", "green", "blue", "frames"})
	frames := []image.Image{noise(40, 30), noise(40, 30), noise(40, 30)}
	top, err := m.ClassifyVideo(t.Context(), frames, 1)
	require.NoError(t, err)
	require.Equal(t, "frames", top[0].Name)
	_, err = m.ClassifyVideo(t.Context(), nil, 1)
	require.ErrorContains(t, err, "the clip has no frames")
	_, err = m.ClassifyVideo(t.Context(), []image.Image{noise(40, 30), noise(30, 40)}, 1)
	require.ErrorContains(t, err, "frame 1 is 30×40 pixels, and frame 0 is 40×30 pixels; give frames of one size")
	_, err = m.Classify(t.Context(), frames[0], 1)
	require.ErrorAs(t, err, new(*TaskError))
	_, err = lettersModel(t).ClassifyVideo(t.Context(), frames, 1)
	require.ErrorAs(t, err, new(*TaskError))
}

var (
	_ models.Segmenter = (*colors)(nil)
	_ nn.Module        = (*clips)(nil)
)
