package transforms

import (
	"bytes"
	"os"
	"testing"

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
