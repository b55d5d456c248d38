package transforms

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFramesOfOnePicture(t *testing.T) {
	const path = "../testdata/pictures/photo.jpg"
	want, err := Open(path)
	require.NoError(t, err)
	frames := OpenFrames(path)
	for range 2 { // a path can be read again
		n := 0
		for f, err := range frames {
			require.NoError(t, err)
			require.Equal(t, want, f.Image)
			require.Zero(t, f.Duration)
			n++
		}
		require.Equal(t, 1, n)
	}
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for f, err := range DecodeFrames(bytes.NewReader(data)) {
		require.NoError(t, err)
		require.Equal(t, want, f.Image)
	}
}

func TestFramesOfAnAnimation(t *testing.T) {
	data, err := os.ReadFile("../testdata/odd_pictures.json")
	require.NoError(t, err)
	var files map[string]struct{ Data []byte }
	require.NoError(t, json.Unmarshal(data, &files))
	gif := files["gif, frames"].Data
	var rgb []*RGB
	for f, err := range DecodeFrames(bytes.NewReader(gif)) {
		require.NoError(t, err)
		require.Equal(t, 70*time.Millisecond, f.Duration)
		rgb = append(rgb, f.Image.(*RGB))
	}
	require.Len(t, rgb, 4)
	var types []string
	for f, err := range DecodeFrames(bytes.NewReader(gif), WithMode()) {
		require.NoError(t, err)
		require.Equal(t, rgb[len(types)], ToRGB(f.Image))
		types = append(types, fmt.Sprintf("%T", f.Image))
		if len(types) == 3 {
			break
		}
	}
	require.Equal(t, []string{"*pillow.Image", "*image.NRGBA", "*image.NRGBA"}, types) // the first has a transparent color
	n := 0
	for _, err := range DecodeFrames(bytes.NewReader(gif[:len(gif)-9])) {
		if n++; n == 4 {
			require.ErrorIs(t, err, ErrTruncated)
			require.ErrorContains(t, err, "transforms: decode: frame 3: GIF: ")
		} else {
			require.NoError(t, err)
		}
	}
	require.Equal(t, 4, n)
}

func TestFramesMistakes(t *testing.T) {
	var errs []error
	for f, err := range OpenFrames("none.gif") {
		require.Nil(t, f.Image)
		errs = append(errs, err)
	}
	require.Len(t, errs, 1)
	require.ErrorIs(t, errs[0], os.ErrNotExist)
	require.ErrorContains(t, errs[0], "transforms: open none.gif: ")
	for _, err := range DecodeFrames(bytes.NewReader([]byte("no picture"))) {
		require.ErrorIs(t, err, ErrFormat)
	}
	// A panic of the loop's body is the caller's, not that of a broken file.
	require.PanicsWithValue(t, "mine", func() {
		for range OpenFrames("../testdata/pictures/photo.jpg") {
			panic("mine")
		}
	})
}
