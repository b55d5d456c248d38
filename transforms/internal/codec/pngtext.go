package codec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/torchhub/torchhub/transforms/internal/inflate"
)

// maxText is Pillow's limit for a compressed text, and maxTexts that for all texts of a file.
const (
	maxText  = 1 << 20
	maxTexts = 64 * maxText
)

var errText = fmt.Errorf("its texts or color profile decompress to more than Pillow's limit of %d MiB for one and %d for all", maxText>>20, maxTexts>>20)

// inflateText decompresses a text. Of a truncated text it returns the beginning; ok is false if the text is corrupt.
// The total of a file is limited too.
func (f *pngFile) inflateText(src []byte) (text []byte, ok bool, err error) {
	if len(src) == 0 {
		return nil, true, nil
	}
	z := inflate.NewReader(src)
	part := make([]byte, 1<<12)
	for {
		n, err := z.Read(part[:min(len(part), maxText-len(text))], len(src))
		text = append(text, part[:n]...)
		if f.inflated += n; f.inflated > maxTexts {
			return nil, false, errText
		}
		switch {
		case err == io.EOF:
			return text, true, nil
		case err != nil:
			return nil, false, nil
		case n < len(part) && len(text) < maxText:
			return text, true, nil
		case len(text) == maxText && z.Offset() < len(src):
			return nil, false, errText
		case n == 0:
			return text, true, nil
		}
	}
}

// profile validates a color profile, which is otherwise unused.
func (f *pngFile) profile(body []byte) error {
	_, rest, ok := bytes.Cut(body, []byte{0})
	if !ok {
		rest = body // like Pillow, if the name has no end
	}
	if len(rest) == 0 {
		return errors.New("its color profile is empty")
	}
	if rest[0] != 0 {
		return fmt.Errorf("its color profile is compressed with the method %d", rest[0])
	}
	_, _, err := f.inflateText(rest[1:])
	return err
}

// text reads a text, which may hold EXIF or XMP data.
func (f *pngFile) text(kind string, body []byte) error {
	key, text, ok := bytes.Cut(body, []byte{0})
	switch kind {
	case "zTXt":
		if len(text) > 0 && text[0] != 0 {
			return fmt.Errorf("a text in it is compressed with the method %d", text[0])
		}
		var err error
		if text, _, err = f.inflateText(text[min(1, len(text)):]); err != nil {
			return err
		}
	case "iTXt":
		if !ok || len(text) < 2 {
			return nil
		}
		compressed, method := text[0] != 0, text[1]
		parts := bytes.SplitN(text[2:], []byte{0}, 3)
		if len(parts) < 3 {
			return nil
		}
		text = parts[2]
		if compressed {
			if method != 0 {
				return nil
			}
			if text, ok, err := f.inflateText(text); err != nil || !ok {
				return err
			} else {
				parts[2] = text
			}
			text = parts[2]
		}
		if string(key) == xmpKey {
			f.meta.xmp = text
		}
		for _, p := range parts {
			if !utf8.Valid(p) {
				return nil
			}
		}
		f.meta.set(string(key), text)
		f.texts += utf8.RuneCount(text)
		return f.checkTexts()
	}
	if len(key) > 0 {
		f.meta.set(string(key), text)
		if kind == "tEXt" && string(key) == "exif" {
			f.meta.exif = text
		}
		f.texts += len(text)
	}
	return f.checkTexts()
}

func (f *pngFile) checkTexts() error {
	if f.texts > maxTexts {
		return errText
	}
	return nil
}
