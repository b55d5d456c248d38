package pickle

import (
	"bytes"
	"compress/flate"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func deflated(t *testing.T, data []byte) entry {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return entry{data: data, packed: b.Bytes()}
}

func floatBytes(f []float64) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&f[0])), 8*len(f))
}
