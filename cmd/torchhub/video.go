package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/internal/terminal"
)

// classifiedVideo is what is printed of the classes of a video.
type classifiedVideo struct {
	Video  string      `json:"video"`
	Model  string      `json:"model"`
	Device string      `json:"device"`
	Frames int         `json:"frames"` // of the video
	Used   int         `json:"used"`   // of them, by the model
	Top    []hub.Label `json:"top"`
	Logits []float32   `json:"logits,omitempty"`
}

// classifyVideo prints the classes of a clip.
func classifyVideo(ctx context.Context, w io.Writer, model *hub.Model, f predictFlags, c clip, done func(error)) error {
	frames, all, err := c.pick(ctx, f.frames)
	var logits []float32
	if err == nil {
		if logits, err = model.VideoLogits(ctx, frames); err != nil {
			err = &aboutError{c.name, err}
		}
	}
	if err != nil {
		done(err)
		return nil
	}
	out := classifiedVideo{Video: c.name, Model: model.Name(), Device: model.Device().String(), Frames: all, Used: len(frames), Top: hub.Top(logits, model.Labels(), f.k)}
	if f.json {
		if f.logits {
			out.Logits = logits
		}
		err = json.NewEncoder(w).Encode(out)
	} else {
		fmt.Fprintf(w, "%s: %s on %s, %d of %d frames\n", terminal.Escape(out.Video), terminal.Escape(out.Model), out.Device, out.Used, out.Frames)
		err = writeLabels(w, out.Top)
	}
	if err == nil {
		done(nil)
	}
	return err
}
