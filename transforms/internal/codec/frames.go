package codec

import (
	"errors"
	"iter"
	"time"

	"github.com/torchhub/torchhub/transforms/internal/pillow"
)

// A Frame is one picture of a file that holds several.
type Frame struct {
	*pillow.Image               // shares no memory with the frames before and behind it
	Duration      time.Duration // how long it is shown; 0 where the file does not say
}

// errNoMore is what a format's next function returns behind the last picture.
var errNoMore = errors.New("there are no more pictures")

// Frames yields all pictures of a file as Pillow's ImageSequence.Iterator does, each
// decoded when it is asked for. The first error ends the sequence.
//
// A format decodes a picture at a time: its next function returns the following
// one, or errNoMore. It checks the size of each picture against the options, and what it
// returns is what Pillow's seek and load leave, in the mode of that picture.
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

// open returns a file's format, and the function that decodes one picture after the other.
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
