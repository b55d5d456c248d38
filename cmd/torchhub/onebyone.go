package main

import (
	"context"
	"errors"
	"image"
	"io"
	"os"
	"path/filepath"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms"
)

// An endError ends the command, and not only the work on a picture.
type endError struct{ error }

// oneByOne returns a function that runs f on pictures, and calls done for each one. The next picture is opened while
// the model runs. The error of the function ends the command.
func oneByOne(run func(context.Context, io.Writer, *hub.Model, predictFlags, picture, image.Image) error) func(context.Context, io.Writer, *hub.Model, predictFlags, []picture, func(error)) error {
	type opened struct {
		img image.Image
		err error
	}
	return func(ctx context.Context, w io.Writer, model *hub.Model, f predictFlags, pictures []picture, done func(error)) error {
		queue := make(chan opened, 1)
		go func() {
			for _, p := range pictures {
				img, err := p.open()
				select {
				case queue <- opened{img, err}:
				case <-ctx.Done():
					return
				}
			}
		}()
		for _, p := range pictures {
			var o opened
			select {
			case o = <-queue:
			case <-ctx.Done(): // a picture may be blocked
				return ctx.Err()
			}
			err := o.err
			if err == nil {
				err = run(ctx, w, model, f, p, o.img)
				var end *endError
				if errors.As(err, &end) {
					return end.error
				}
				if err != nil {
					err = &aboutError{p.name, err}
				}
			}
			done(err)
		}
		return nil
	}
}

// saveDrawn writes the picture that draw returns to a file, whose folder it makes. A panic of draw is an error.
func saveDrawn(name string, draw func() image.Image) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	var drawn image.Image
	if err := torch.Try(func() { drawn = draw() }); err != nil {
		return err
	}
	return transforms.Save(name, drawn)
}
