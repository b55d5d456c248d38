package codec

import (
	"errors"
	"iter"
	"time"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A Frame is one of the pictures of a file.
type Frame struct {
	*pillow.Image               // shares no memory with other frames
	Duration      time.Duration // how long it is shown; 0 if the file does not define it
}

// errNoMore is returned by a format's next function after the last picture.
var errNoMore = errors.New("there are no more pictures")

// Frames yields all pictures of a file as Pillow's ImageSequence.Iterator does. Each is
// decoded when it is needed. The first error ends the sequence.
//
// A format decodes one picture at a time: its next function returns the following
// one, or errNoMore. It checks the size of each picture against the options, and returns
// it as Pillow's seek and load do, in the picture's mode.
func Frames(data []byte, o Options) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		f, next, err := open(data, o)
		for err == nil {
			var frame Frame
			if frame, err = f.following(next, data, o); err == nil && !yield(frame, nil) {
				return
			}
		}
		if err != errNoMore {
			yield(Frame{}, err)
		}
	}
}

// open returns a file's format, and the function that decodes its pictures one after another.
func open(data []byte, o Options) (f *format, next func() (Frame, error), err error) {
	defer contain(&err)
	if f, err = formatOf(data, o); err != nil {
		return nil, nil, err
	}
	if f.frames != nil {
		return f, f.frames(data, o), nil
	}
	done := false
	return f, func() (Frame, error) {
		if done {
			return Frame{}, errNoMore
		}
		done = true
		p, err := f.decode(data, o)
		return Frame{Image: p}, err
	}, nil
}

// following decodes and finishes the next picture.
func (f *format) following(next func() (Frame, error), data []byte, o Options) (frame Frame, err error) {
	defer contain(&err)
	if frame, err = next(); err == errNoMore {
		return frame, err
	} else if err != nil {
		return frame, broken(f.name, err)
	}
	frame.Image, err = f.finish(frame.Image, data, o)
	return frame, err
}
