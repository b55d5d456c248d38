package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/internal/terminal"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/draw"
)

// estimatedFlow is what is printed of the flow from a picture to another.
type estimatedFlow struct {
	First     string  `json:"first"`
	Second    string  `json:"second"`
	Model     string  `json:"model"`
	Device    string  `json:"device"`
	Width     int     `json:"width"`
	Height    int     `json:"height"`
	Mean      float64 `json:"mean"` // of the lengths, in pixels
	Max       float64 `json:"max"`
	Annotated string  `json:"annotated,omitempty"` // a file
	Flow      string  `json:"flow,omitempty"`      // a file
}

// flowsOf returns how many flows there are between the pictures of a clip.
func flowsOf(c clip) int {
	n := len(c.sources)
	if c.animated {
		n = 0
		for range c.frames {
			n++
		}
	}
	if c.pairs {
		return n / 2
	}
	return n - 1
}

// flows prints the flow between the pictures of a clip.
func flows(ctx context.Context, w io.Writer, model *hub.Model, f predictFlags, c clip, done func(error)) error {
	if n := len(c.sources); c.pairs && n%2 != 0 {
		done(fmt.Errorf("the number of pictures is %d, and optical flow is from one to another; give them two and two, or a folder, glob or animation of frames", n))
		return nil
	}
	var first frame
	n := 0
	for second := range c.frames {
		n++
		if second.err != nil {
			done(second.err)
		}
		if n > 1 && (!c.pairs || n%2 == 0) && first.err == nil && second.err == nil {
			out, err := flow(ctx, model, f, first, second)
			if end := (*endError)(nil); errors.As(err, &end) {
				return end.error
			}
			if err == nil {
				if err := out.print(w, f); err != nil {
					return err
				}
			}
			done(err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		first = second
	}
	if n == 1 && first.err == nil {
		done(fmt.Errorf("%s: there is one picture, and optical flow is from one to another; give at least two", c.name))
	}
	return nil
}

// flow estimates the flow between two pictures, and writes it to the folder of the flags.
func flow(ctx context.Context, model *hub.Model, f predictFlags, first, second frame) (*estimatedFlow, error) {
	about := func(err error) error { return &aboutError{first.name + " and " + second.name, err} }
	estimated, err := model.Flow(ctx, first.img, second.img)
	if err != nil {
		return nil, about(err)
	}
	out := &estimatedFlow{First: first.name, Second: second.name, Model: model.Name(), Device: model.Device().String(), Width: estimated.Width, Height: estimated.Height}
	for i, x := range estimated.X {
		length := math.Hypot(float64(x), float64(estimated.Y[i]))
		out.Mean += length / float64(len(estimated.X))
		out.Max = max(out.Max, length)
	}
	if f.out != "" {
		base := filepath.Join(f.out, first.base)
		out.Annotated, out.Flow = base+".png", base+".flo"
		err := saveDrawn(out.Annotated, func() (drawn image.Image) {
			torch.Scope(func() { drawn = draw.ToImage(draw.FlowToImage(estimated.Tensor())) })
			return drawn
		})
		if err == nil {
			err = saveFlow(out.Flow, estimated)
		}
		if err != nil {
			return nil, &endError{err}
		}
	}
	return out, nil
}

// saveFlow writes a flow in the format of the Middlebury benchmark, which torchvision's data sets have too:
// https://vision.middlebury.edu/flow/code/flow-code/README.txt
func saveFlow(name string, f *hub.Flow) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(file)
	b.WriteString("PIEH")
	binary.Write(b, binary.LittleEndian, []int32{int32(f.Width), int32(f.Height)})
	for i, x := range f.X {
		binary.Write(b, binary.LittleEndian, []float32{x, f.Y[i]})
	}
	return errors.Join(b.Flush(), file.Close())
}

func (out *estimatedFlow) print(w io.Writer, f predictFlags) error {
	if f.json {
		return json.NewEncoder(w).Encode(out)
	}
	_, err := fmt.Fprintf(w, "%s and %s: %s on %s\n%.2f pixels on average, %.2f at most\n",
		terminal.Escape(out.First), terminal.Escape(out.Second), terminal.Escape(out.Model), out.Device, out.Mean, out.Max)
	return err
}
