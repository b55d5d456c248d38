package filekind

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/badfile"
)

func zipOf(t testing.TB, names ...string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, n := range names {
		w, err := z.Create(n)
		require.NoError(t, err)
		w.Write([]byte("content"))
	}
	require.NoError(t, z.Close())
	return b.String()
}

// samples are the beginnings of files, and what they are.
func samples(t testing.TB) map[string]string {
	safetensors := binary.LittleEndian.AppendUint64(nil, 2)
	return map[string]string{
		"":                              "an empty file",
		strings.Repeat("\x00", 700):     "a file of zeros, as a broken download or copy leaves it",
		"\xff\xd8\xff\xe0\x00\x10JFIF":  "a JPEG picture",
		"\x89PNG\r\n\x1a\n\x00\x00\x00": "a PNG picture",
		"GIF89a\x01\x00":                "a GIF picture",
		"BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00": "a BMP picture",
		"BMW is a car":                                   "a text file",
		"RIFF\x10\x00\x00\x00WEBPVP8 ":                   "a WebP picture",
		"RIFF\x10\x00\x00\x00WAVEfmt ":                   "a WAV recording",
		"\x00\x00\x00\x20ftypavif\x00\x00":               "an AVIF picture",
		"\x00\x00\x00\x20ftypheic\x00\x00":               "a HEIC picture",
		"\x00\x00\x00\x20ftypisom\x00\x00":               "an MP4 or QuickTime film",
		"P6\n3 2\n255\n\x00\x01":                         "a PNM picture",
		"Python is a language":                           "a text file",
		zipOf(t, "m/data.pkl", "m/constants.pkl"):        "a TorchScript archive",
		zipOf(t, "archive/data.pkl", "archive/data/0"):   "a checkpoint",
		zipOf(t, "m/data/aotinductor/model/x.so"):        "an AOTInductor package",
		zipOf(t, "m/models/model.json"):                  "a program of torch.export",
		zipOf(t, "a.npy", "b.npy"):                       "a NumPy .npz file",
		zipOf(t, "config.json", "model.weights.h5"):      "a Keras model",
		zipOf(t, "pkg/x.py", "pkg-1.dist-info/METADATA"): "a Python wheel",
		zipOf(t, "readme.txt"):                           "a zip file",
		zipOf(t, "m/data.pkl")[:60]:                      "a zip file that is cut short or damaged",
		zipOf(t):                                         "a zip file that has no records",
		"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.": "a checkpoint",
		"\x80\x04\x95\x05\x00\x00\x00":                  "a Python pickle that torch.save did not write",
		string(safetensors) + "{}":                      "a safetensors file",
		"\x89HDF\r\n\x1a\n\x00":                         "an HDF5 file, as Keras writes it",
		"GGUF\x03\x00\x00\x00":                          "a GGUF file of llama.cpp",
		"\x93NUMPY\x01\x00":                             "a NumPy .npy file",
		"\x08\x07\x12\x07pytorch\x1a\x052":              "an ONNX model",
		"\x08\x01\x12\xa5\x8d\x02\x0a":                  "a TensorFlow SavedModel",
		"\x0a\x25\x0a\x05input\x12\x0bPlaceholder*\x0b": "a TensorFlow graph",
		"\x1c\x00\x00\x00TFL3\x14\x00":                  "a TensorFlow Lite model",
		"\x1f\x8b\x08\x00":                              "a gzip file",
		"<!DOCTYPE html><html>":                         "an HTML page, as from a server's error or a sign-in",
		"  <HTML>":                                      "an HTML page, as from a server's error or a sign-in",
		"<?xml version=\"1.0\"?><Error>":                "an XML text, as a server's error",
		"<?xml version=\"1.0\"?><svg>":                  "an SVG picture",
		"version https://git-lfs.github.com/spec/v1\n":  "a pointer of Git LFS in place of the file",
		`{"error": "not found"}`:                        "a JSON text",
		"hello":                                         "a text file",
		"\xef\xbb\xbfhello":                             "a text file",
		"Grüße":                                         "a text file",
		"%PDF-1.7":                                      "a PDF document",
		"\x7fELF\x02":                                   "a program or library",
		"\x01\x02\x03\x04\x05\x06\x07\x08\xfe\xff":      "",
	}
}

func TestKinds(t *testing.T) {
	for data, want := range samples(t) {
		k := Of(strings.NewReader(data), int64(len(data)))
		require.Equal(t, want, k.Name, "%.40q", data)
		require.Equal(t, want == "", k.Class == Unknown)
		p := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(p, []byte(data), 0o600))
		of, err := OfFile(p)
		require.NoError(t, err)
		require.Equal(t, k, of)
	}
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	k, err := OfFile(dir)
	require.NoError(t, err)
	require.Equal(t, Kind{Class: Folder, Name: "a folder"}, k)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hubconf.py"), nil, 0o600))
	k, err = OfFile(dir)
	require.NoError(t, err)
	require.Equal(t, "a folder with a hubconf.py", k.Name)
	_, err = OfFile(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestMismatchError(t *testing.T) {
	e := &MismatchError{OfHead([]byte("\x1f\x8b\x08")), "a checkpoint"}
	require.EqualError(t, e, "it is a gzip file, not a checkpoint; unpack it first")
	require.ErrorIs(t, e, badfile.ErrUnsupported)
	require.ErrorIs(t, &MismatchError{OfHead(nil), "a checkpoint"}, badfile.ErrMalformed)
}

func FuzzKind(f *testing.F) {
	for data := range samples(f) {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		k := Of(bytes.NewReader(data), int64(len(data)))
		if (k.Name == "") != (k.Class == Unknown) {
			t.Fatalf("%+v", k)
		}
		if len(data) <= HeadSize && k.Class != Archive && OfHead(data) != zipFile && OfHead(data) != k {
			t.Fatalf("%+v, %+v", k, OfHead(data))
		}
	})
}
