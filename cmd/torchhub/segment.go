package main

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"path/filepath"
	"text/tabwriter"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/internal/terminal"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms"
	"github.com/torchhub/torchhub/transforms/draw"
)

// background is the name of the class that is not drawn.
const background = "__background__"

// segmented is what is printed of the segmentation of a picture.
type segmented struct {
	Image     string       `json:"image"`
	Model     string       `json:"model"`
	Device    string       `json:"device"`
	Width     int          `json:"width"`
	Height    int          `json:"height"`
	Regions   []hub.Region `json:"regions"`
	Annotated string       `json:"annotated,omitempty"` // a file
	Classes   string       `json:"classes,omitempty"`   // a file
}

// segment prints the regions of a picture.
func segment(ctx context.Context, w io.Writer, model *hub.Model, f predictFlags, p picture, img image.Image) error {
	s, err := model.Segment(ctx, img)
	if err != nil {
		return err
	}
	size := img.Bounds().Size()
	out := segmented{Image: p.name, Model: model.Name(), Device: model.Device().String(), Width: size.X, Height: size.Y, Regions: s.Regions()}
	if f.out != "" {
		if err := out.write(f.out, p.base, img, s); err != nil {
			return &endError{err}
		}
	}
	if err := out.print(w, f); err != nil {
		return &endError{err}
	}
	return nil
}

// write writes the annotated picture and the one of the classes to a folder.
func (out *segmented) write(dir, base string, img image.Image, s *hub.Segmentation) error {
	name := filepath.Join(dir, base)
	s = s.Resize(out.Width, out.Height)
	out.Annotated, out.Classes = name+".png", name+".classes.png"
	if err := saveDrawn(out.Annotated, func() image.Image { return annotate(img, s) }); err != nil {
		return err
	}
	return transforms.Save(out.Classes, s.Image())
}

// annotate draws the regions on a picture, each in its color, except for the background.
func annotate(img image.Image, s *hub.Segmentation) (annotated image.Image) {
	torch.Scope(func() {
		x := transforms.PILToTensor().Transform(transforms.Value{Image: transforms.ToRGB(img)}).Tensor // [3, H, W]
		o := draw.MaskOptions{Alpha: 0.6}
		var masks []*torch.Tensor
		for _, r := range s.Regions() {
			if r.Name != background {
				masks = append(masks, s.Mask(r.Index))
				o.Colors = append(o.Colors, hub.ClassColor(r.Index))
			}
		}
		if len(masks) > 0 {
			x = draw.DrawSegmentationMasks(x, torch.Stack(masks, 0), o)
		}
		annotated = draw.ToImage(x)
	})
	return annotated
}

func (out *segmented) print(w io.Writer, f predictFlags) error {
	if f.json {
		return json.NewEncoder(w).Encode(out)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s: %s on %s\n", terminal.Escape(out.Image), terminal.Escape(out.Model), out.Device)
	for _, r := range out.Regions[:min(f.k, len(out.Regions))] {
		fmt.Fprintf(t, "%.2f %%\t  %s\n", 100*r.Share, terminal.Escape(className(r.Index, r.Name)))
	}
	return t.Flush()
}

// className returns the name of a class, or a text with its number.
func className(index int, name string) string {
	if name == "" {
		return fmt.Sprintf("class %d", index)
	}
	return name
}
