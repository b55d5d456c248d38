package transforms

import (
	"fmt"
	"image"
	"io"
	"iter"
	"time"

	"github.com/torchhub/torchhub/transforms/internal/codec"
)

// A Frame is a picture of an animation, or a page of a TIFF.
type Frame struct {
	Image    image.Image   // as [Open] returns it
	Duration time.Duration // how long it is shown: im.info["duration"]; 0 if the file does not say
}

// OpenFrames reads all pictures of a file: those of an animated GIF, PNG or WebP, and the
// pages of a TIFF. Other files have one frame, also JPEGs that hold several pictures (MPO).
//
//	for frame, err := range transforms.OpenFrames("cat.gif") {
//		if err != nil {
//			return err
//		}
//		clip = append(clip, frame.Image)
//	}
//
// is
//
//	for frame in ImageSequence.Iterator(Image.open("cat.gif")):
//		clip.append(frame.convert("RGB"))
//
// With [WithMode] it is frame.copy(). A frame is the whole canvas at its time, drawn onto the frames
// before it if the file requires that. All frames have the size of the canvas, which grows in GIFs whose
// pictures exceed it; each page of a TIFF has its own size. As in Pillow, the first frame of a GIF may
// have a palette, and the following are RGB or RGBA.
//
// Each range over the frames reads the file again. A frame is decoded when the loop
// reaches it, so that memory holds the compressed file and two or three pictures at a
// time, however many there are. [WithMaxPixels] limits each picture. The number of frames is not limited:
// break to read fewer. After an error the sequence ends.
//
// https://pillow.readthedocs.io/en/stable/reference/ImageSequence.html
func OpenFrames(path string, opts ...OpenOption) iter.Seq2[Frame, error] {
	return frames("open "+path, func() ([]byte, error) { return readFile(path) }, opts)
}

// DecodeFrames is [OpenFrames] for a reader, which it reads to the end when the
// loop begins. The frames can be ranged over once.
func DecodeFrames(r io.Reader, opts ...OpenOption) iter.Seq2[Frame, error] {
	return frames("decode", func() ([]byte, error) { return read(r, 0) }, opts)
}

func frames(what string, read func() ([]byte, error), opts []OpenOption) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		data, err := read()
		if err != nil {
			yield(Frame{}, fmt.Errorf("transforms: %s: %w", what, err))
			return
		}
		n := 0
		for f, err := range codec.Frames(data, options(opts)) {
			if err != nil {
				if n > 0 {
					err = fmt.Errorf("frame %d: %w", n, err)
				}
				yield(Frame{}, fmt.Errorf("transforms: %s: %w", what, err))
				return
			}
			if !yield(Frame{f.Go(), f.Duration}, nil) {
				return
			}
			n++
		}
	}
}
