package main

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"io"
	"path/filepath"
	"text/tabwriter"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/internal/terminal"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms"
	"github.com/torchhub/torchhub/transforms/draw"
)

// detected is what is printed of the objects in a picture.
type detected struct {
	Image     string       `json:"image"`
	Model     string       `json:"model"`
	Device    string       `json:"device"`
	Width     int          `json:"width"`
	Height    int          `json:"height"`
	Objects   []hub.Object `json:"objects"`
	Annotated string       `json:"annotated,omitempty"` // a file
}

// detect prints the objects in a picture.
func detect(ctx context.Context, w io.Writer, model *hub.Model, f predictFlags, p picture, img image.Image) error {
	objects, err := model.Detect(ctx, img, hub.DetectOptions{MinScore: f.minScore})
	if err != nil {
		return err
	}
	size := img.Bounds().Size()
	out := detected{Image: p.name, Model: model.Name(), Device: model.Device().String(), Width: size.X, Height: size.Y, Objects: objects}
	if objects == nil {
		out.Objects = []hub.Object{} // not null in JSON
	}
	if f.out != "" {
		if err := out.write(f.out, p.base, img); err != nil {
			return &endError{err}
		}
	}
	if err := out.print(w, f); err != nil {
		return &endError{err}
	}
	return nil
}

// write writes the picture with its objects to a folder.
func (out *detected) write(dir, base string, img image.Image) error {
	out.Annotated = filepath.Join(dir, base) + ".png"
	return saveDrawn(out.Annotated, func() image.Image { return drawObjects(img, out.Objects) })
}

// skeleton connects the 17 key points of a person.
var skeleton = [][2]int{
	{0, 1}, {0, 2}, {1, 3}, {2, 4}, {0, 5}, {0, 6}, {5, 7}, {6, 8}, {7, 9}, {8, 10}, {5, 11}, {6, 12}, {11, 13}, {12, 14}, {13, 15}, {14, 16},
}

// drawObjects draws the masks, boxes, names and key points of objects on a picture, those of a class in one color.
func drawObjects(img image.Image, objects []hub.Object) (annotated image.Image) {
	torch.Scope(func() {
		x := transforms.PILToTensor().Transform(transforms.Value{Image: transforms.ToRGB(img)}).Tensor // [3, H, W]
		var boxes []float32
		o := draw.BoxOptions{Width: 2}
		for _, object := range objects {
			ink := hub.ClassColor(object.Index)
			for _, v := range object.Box {
				boxes = append(boxes, float32(v))
			}
			o.Colors = append(o.Colors, ink)
			o.Labels = append(o.Labels, fmt.Sprintf("%s %.2f", className(object.Index, object.Name), object.Score))
			if object.Mask != nil {
				mask := torch.FromSlice(object.Mask, x.Size(1), x.Size(2)).GtScalar(0.5)
				x = draw.DrawSegmentationMasks(x, mask, draw.MaskOptions{Alpha: 0.5, Colors: []color.Color{ink}})
			}
		}
		if len(boxes) > 0 {
			x = draw.DrawBoundingBoxes(x, torch.FromSlice(boxes, len(boxes)/4, 4), o)
		}
		for _, object := range objects {
			if n := len(object.Keypoints); n > 0 {
				x = drawKeypoints(x, object, n)
			}
		}
		annotated = draw.ToImage(x)
	})
	return annotated
}

func drawKeypoints(x *torch.Tensor, object hub.Object, n int) *torch.Tensor {
	var places []float32
	for _, p := range object.Keypoints {
		places = append(places, float32(p.X), float32(p.Y))
	}
	o := draw.KeypointOptions{Color: hub.ClassColor(object.Index), Radius: 3}
	if n == 17 {
		o.Connectivity = skeleton
	}
	return draw.DrawKeypoints(x, torch.FromSlice(places, 1, n, 2), o)
}

func (out *detected) print(w io.Writer, f predictFlags) error {
	if f.json {
		return json.NewEncoder(w).Encode(out)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s: %s on %s\n", terminal.Escape(out.Image), terminal.Escape(out.Model), out.Device)
	for _, o := range out.Objects[:min(f.k, len(out.Objects))] {
		fmt.Fprintf(t, "%.2f %%\t  %s at %.0f,%.0f to %.0f,%.0f\n", 100*o.Score, terminal.Escape(className(o.Index, o.Name)), o.Box[0], o.Box[1], o.Box[2], o.Box[3])
	}
	return t.Flush()
}
