package curve

import (
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/train"
)

func ExampleSave() {
	dir, err := os.MkdirTemp("", "curve")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	points := []train.Scalar{{Step: 0, Tag: "loss", Value: 2}, {Step: 1, Tag: "loss", Value: 1}}
	if err := Save(filepath.Join(dir, "loss.svg"), points, Options{Title: "MNIST"}); err != nil {
		panic(err)
	}
	// Output:
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	var points []train.Scalar
	for step := range 100 {
		points = append(points, train.Scalar{Step: step, Tag: "loss", Value: math.Exp(-float64(step) / 30)}, train.Scalar{Step: step, Tag: "acc", Value: float64(step) / 100})
	}
	points[20].Value, points[40].Value, points[60].Value = math.NaN(), math.Inf(1), -1
	for _, name := range []string{"a.png", "b.SVG", "c.pdf"} {
		for _, logY := range []bool{false, true} {
			path := filepath.Join(dir, name)
			require.NoError(t, Save(path, points, Options{Title: "curves", Smoothing: 0.6, LogY: logY}))
			require.FileExists(t, path)
		}
	}

	// A falling line is in the upper left and in the lower right of the picture.
	path := filepath.Join(dir, "line.png")
	require.NoError(t, Save(path, []train.Scalar{{Step: 9, Tag: "x", Value: 1}, {Step: 0, Tag: "x", Value: 5}, {Step: 0, Tag: "y", Value: 3}}, Options{Tags: []string{"x"}, Width: 3, Height: 2}))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	m, err := png.Decode(f)
	require.NoError(t, err)
	var quadrants [4]int
	b := m.Bounds()
	require.Equal(t, 1.5, float64(b.Dx())/float64(b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			c := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
			if c.R > 200 && c.G < 120 && c.B < 120 { // the first color of curves is red
				quadrants[2*(2*y/b.Dy())+2*x/b.Dx()]++
			}
		}
	}
	require.Greater(t, quadrants[0], 50)
	require.Greater(t, quadrants[3], 50)
	require.Less(t, quadrants[2], 20)
}

func TestSmooth(t *testing.T) {
	require.InDeltaSlice(t, []float64{1, (0.25 + 1) / 0.75, (0.5*1.25 + 0.5*4) / 0.875}, smooth([]float64{1, 2, 4}, 0.5), 1e-12)
	got := smooth([]float64{3, math.NaN(), 3}, 0.9)
	require.True(t, math.IsNaN(got[1]))
	require.InDelta(t, 3, got[2], 1e-12)
}

func TestMistakes(t *testing.T) {
	points := []train.Scalar{{Tag: "x", Value: math.NaN()}}
	path := filepath.Join(t.TempDir(), "x.png")
	require.ErrorContains(t, Save("x.gif", points), "x.gif cannot be drawn: its name ends with none of .png, .svg, .pdf")
	require.ErrorContains(t, Save(path, points), "no finite points")
	require.ErrorContains(t, Save(path, points, Options{Smoothing: 1}), "a smoothing of 1 is not from 0 to below 1")
	require.ErrorContains(t, Save(filepath.Join(path, "y.png"), []train.Scalar{{Tag: "x"}}), "cannot be drawn")
	require.NoFileExists(t, path)
}
