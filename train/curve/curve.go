// Package curve draws the curves of a training log as a picture.
//
//	points, err := train.ReadLog("log.csv")
//	if err != nil {
//		log.Fatal(err)
//	}
//	err = curve.Save("loss.svg", points, curve.Options{Tags: []string{"loss"}, Smoothing: 0.9})
package curve

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"github.com/torchhub/torchhub/internal/atomicfile"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/train"
)

// Options are the options of [Save].
type Options struct {
	Title  string
	Tags   []string // the curves; none stands for all of the log
	Width  float64  // in inches; 0 is 6
	Height float64  // in inches; 0 is 4
	LogY   bool     // a logarithmic axis of values, where points that are not positive are left out

	// Smoothing is from 0 for none to below 1, as in TensorBoard: each point becomes Smoothing times the mean so far
	// plus 1 - Smoothing times itself, divided by what these weights sum up to. The points themselves are drawn pale.
	Smoothing float64
}

// kinds are the ends of names of files that are written.
var kinds = []string{".png", ".svg", ".pdf"}

// Save draws curves over their steps into a file, a PNG, SVG or PDF by the end of its name. Values that are not finite
// leave a gap.
func Save(path string, points []train.Scalar, options ...Options) error {
	if err := save(path, points, torch.Only(options)); err != nil {
		return fmt.Errorf("curve: %s cannot be drawn: %w", path, err)
	}
	return nil
}

func save(path string, points []train.Scalar, o Options) error {
	kind := strings.ToLower(filepath.Ext(path))
	if !slices.Contains(kinds, kind) {
		return fmt.Errorf("its name ends with none of %s", strings.Join(kinds, ", "))
	}
	if !(o.Smoothing >= 0 && o.Smoothing < 1) {
		return fmt.Errorf("a smoothing of %v is not from 0 to below 1", o.Smoothing)
	}
	p := plot.New()
	p.Title.Text = o.Title
	p.X.Label.Text = "step"
	p.Add(plotter.NewGrid())
	p.Legend.Top = true
	if o.LogY {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	}
	drawn := false
	for i, tag := range tagsOf(points, o.Tags) {
		ok, err := add(p, tag, i, of(points, tag), o)
		if err != nil {
			return err
		}
		drawn = drawn || ok
	}
	if !drawn {
		return errors.New("the log has no finite points of these curves")
	}
	width, height := o.Width, o.Height
	if width == 0 {
		width = 6
	}
	if height == 0 {
		height = 4
	}
	w, err := p.WriterTo(vg.Length(width)*vg.Inch, vg.Length(height)*vg.Inch, kind[1:])
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(f io.Writer) error {
		_, err := w.WriteTo(f)
		return err
	})
}

// tagsOf returns the tags to draw: those asked for, or all in their order in the log.
func tagsOf(points []train.Scalar, asked []string) []string {
	if len(asked) > 0 {
		return asked
	}
	var tags []string
	for _, s := range points {
		if !slices.Contains(tags, s.Tag) {
			tags = append(tags, s.Tag)
		}
	}
	return tags
}

func of(points []train.Scalar, tag string) (one []train.Scalar) {
	for _, s := range points {
		if s.Tag == tag {
			one = append(one, s)
		}
	}
	slices.SortStableFunc(one, func(a, b train.Scalar) int { return a.Step - b.Step })
	return one
}

// add draws a curve, with its smoothed one if that is asked for, and reports whether it has points.
func add(p *plot.Plot, tag string, index int, points []train.Scalar, o Options) (bool, error) {
	values := make([]float64, len(points))
	for i, s := range points {
		values[i] = s.Value
	}
	ink := plotutil.Color(index)
	if o.Smoothing > 0 {
		r, g, b, _ := ink.RGBA()
		pale := color.NRGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 70}
		if _, err := draw(p, points, values, pale, o.LogY); err != nil {
			return false, err
		}
		values = smooth(values, o.Smoothing)
	}
	line, err := draw(p, points, values, ink, o.LogY)
	if line != nil {
		p.Legend.Add(tag, line)
	}
	return line != nil, err
}

// draw draws the parts of a curve between gaps, and returns the last one, or nil if there is none.
func draw(p *plot.Plot, points []train.Scalar, values []float64, ink color.Color, logY bool) (last *plotter.Line, err error) {
	var part plotter.XYs
	for i := 0; i <= len(values); i++ {
		if i < len(values) && !math.IsNaN(values[i]) && !math.IsInf(values[i], 0) && !(logY && values[i] <= 0) {
			part = append(part, plotter.XY{X: float64(points[i].Step), Y: values[i]})
			continue
		}
		if len(part) == 0 {
			continue
		}
		line, err := plotter.NewLine(part)
		if err != nil {
			return nil, err
		}
		line.Color = ink
		p.Add(line)
		last, part = line, nil
	}
	return last, nil
}

// smooth returns TensorBoard's mean with exponentially falling weights, without the bias of its start. Values that are
// not finite stay and do not count.
func smooth(values []float64, weight float64) []float64 {
	out := make([]float64, len(values))
	mean, n := 0., 0
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			out[i] = v
			continue
		}
		n++
		mean = weight*mean + (1-weight)*v
		out[i] = mean / (1 - math.Pow(weight, float64(n)))
	}
	return out
}
