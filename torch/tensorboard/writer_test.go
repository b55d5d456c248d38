package tensorboard_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/tensorboard"
)

func ExampleSummaryWriter() {
	dir, err := os.MkdirTemp("", "runs")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	w, err := tensorboard.NewSummaryWriter(dir)
	if err != nil {
		panic(err)
	}
	for step := range 3 {
		if err := w.AddScalar("loss", 1/float64(step+1), step); err != nil {
			panic(err)
		}
	}
	fmt.Println(w.Close())
	// Output: <nil>
}

// write adds one of everything.
func write(t *testing.T, dir string) {
	purge := 3
	w, err := tensorboard.NewSummaryWriter(dir, tensorboard.SummaryWriterOptions{PurgeStep: &purge, FilenameSuffix: ".test"})
	require.NoError(t, err)
	require.Equal(t, dir, w.LogDir())
	for step, loss := range []float64{2.5, 0.1, math.Inf(1), math.NaN(), math.Copysign(0, -1)} {
		require.NoError(t, w.AddScalar("train/loss", loss, 3+step))
	}
	require.NoError(t, w.AddScalars("acc/both", map[string]float64{"train": 0.5, "val/x": 0.25}, 7))
	require.NoError(t, w.AddText("notes", "**bold** ü", 1))
	x := torch.ArangeStep(-6, 6, 1).ToDType(torch.Float32).DivScalar(4)
	require.NoError(t, w.AddHistogram("weights", x, 2))
	require.NoError(t, w.AddHistogram("small", torch.FromSlice([]float64{-1e-13, 0, 1e-12, 3e19, 1e30}), 2))
	require.NoError(t, w.AddHistogram("ints", torch.FromSlice([]int64{5, 5, 7}), 2))
	ramp := torch.Arange(3*4*5).Reshape(3, 4, 5)
	require.NoError(t, w.AddImage("uint8", ramp.ToDType(torch.Uint8), 4))
	require.NoError(t, w.AddImage("floats", ramp.ToDType(torch.Float32).DivScalar(50).SubScalar(0.1), 4))
	require.NoError(t, w.AddImage("gray", ramp.ToDType(torch.Uint8).Narrow(0, 1, 1), 5))
	require.NoError(t, w.AddImage("alpha", torch.Arange(4*2*2).Reshape(4, 2, 2).MulScalar(15).ToDType(torch.Uint8), 5))
	require.NoError(t, w.AddImages("batch", torch.Arange(10*3*2*2).Reshape(10, 3, 2, 2).ToDType(torch.Uint8), 6))
	require.NoError(t, w.AddImages("gray batch", torch.Arange(3*4).Reshape(3, 1, 2, 2).ToDType(torch.Float32).DivScalar(12), 6))
	require.NoError(t, w.Flush())
	require.NoError(t, w.Close())
	require.NoError(t, w.Close())
}

// readScript writes the same with Python, and lists what TensorBoard's own reader finds in a folder.
const readScript = `
import glob, io, math, os
import numpy as np, torch
from PIL import Image
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from torch.utils.tensorboard import SummaryWriter

def write(dir):
    w = SummaryWriter(dir, purge_step=3, filename_suffix=".test")
    for step, loss in enumerate([2.5, 0.1, math.inf, math.nan, -0.0]): w.add_scalar("train/loss", loss, 3 + step)
    w.add_scalars("acc/both", {"train": 0.5, "val/x": 0.25}, 7)
    w.add_text("notes", "**bold** ü", 1)
    w.add_histogram("weights", torch.arange(-6, 6).float() / 4, 2)
    w.add_histogram("small", torch.tensor([-1e-13, 0, 1e-12, 3e19, 1e30], dtype=torch.float64), 2)
    w.add_histogram("ints", torch.tensor([5, 5, 7]), 2)
    ramp = torch.arange(60).reshape(3, 4, 5)
    w.add_image("uint8", ramp.byte(), 4)
    w.add_image("floats", ramp.float() / 50 - 0.1, 4)
    w.add_image("gray", ramp.byte()[1:2], 5)
    w.add_image("alpha", (torch.arange(16).reshape(4, 2, 2) * 15).byte(), 5)
    w.add_images("batch", torch.arange(120).reshape(10, 3, 2, 2).byte(), 6)
    w.add_images("gray batch", torch.arange(12).reshape(3, 1, 2, 2).float() / 12, 6)
    w.close()

def number(x): return float("%.6g" % x) if math.isfinite(x) else str(x)

def events(dir):
    out = []
    for path in sorted(glob.glob(dir + "/**/events.out.tfevents.*", recursive=True)):
        assert path.endswith(".test"), path
        for raw in RawEventFileLoader(path).Load():
            e = Event.FromString(raw)
            assert e.wall_time > 1.7e9
            row = [os.path.relpath(os.path.dirname(path), dir), e.step, e.file_version, e.session_log.status]
            for v in e.summary.value:
                row += [v.tag, v.WhichOneof("value"), v.metadata.plugin_data.plugin_name]
                kind = v.WhichOneof("value")
                if kind == "simple_value": row.append(number(v.simple_value))
                if kind == "tensor": row += [v.tensor.dtype, [d.size for d in v.tensor.tensor_shape.dim], [s.decode() for s in v.tensor.string_val]]
                if kind == "image":
                    im = np.asarray(Image.open(io.BytesIO(v.image.encoded_image_string)).convert("RGBA"))
                    row += [v.image.height, v.image.width, v.image.colorspace, im.tolist()]
                if kind == "histo":
                    h = v.histo
                    row += [number(x) for x in (h.min, h.max, h.num, h.sum, h.sum_squares)] + [list(map(number, h.bucket_limit)), list(h.bucket)]
            out.append(row)
    return out
`

func TestPython(t *testing.T) {
	python := reference.Start(t, readScript)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go"))
	python.Call(nil, "write", filepath.Join(dir, "python"))
	var got, want []any
	python.Call(&got, "events", filepath.Join(dir, "go"))
	python.Call(&want, "events", filepath.Join(dir, "python"))
	require.Len(t, want, 3+5+1+3+6+2*2)
	require.Equal(t, len(want), len(got))
	for i := range want {
		require.Equal(t, want[i], got[i])
	}
}

// TestRecords reads a file by the description of its format.
func TestRecords(t *testing.T) {
	dir := t.TempDir()
	w, err := tensorboard.NewSummaryWriter(dir)
	require.NoError(t, err)
	require.NoError(t, w.AddScalar("a", 0.5, 300))
	require.NoError(t, w.Close())
	files, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	data, err := os.ReadFile(files[0])
	require.NoError(t, err)
	var records [][]byte
	for len(data) > 0 {
		n := binary.LittleEndian.Uint64(data)
		records, data = append(records, data[12:12+n]), data[12+n+4:]
	}
	require.Len(t, records, 2)
	last := records[1][9:] // after the time
	want := protowire.AppendVarint([]byte{2 << 3}, 300)
	want = append(want, 5<<3|2, 10, 1<<3|2, 8, 1<<3|2, 1, 'a', 2<<3|5, 0, 0, 0, 0x3f)
	require.Equal(t, want, last)
}

func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	w, err := tensorboard.NewSummaryWriter(dir)
	require.NoError(t, err)
	require.ErrorContains(t, w.AddHistogram("h", torch.Zeros(0), 0), `the histogram "h": the tensor has no elements`)
	require.ErrorContains(t, w.AddHistogram("h", torch.FromSlice([]float64{math.NaN()}), 0), "an element is NaN")
	require.ErrorContains(t, w.AddHistogram("h", torch.FromSlice([]float64{1e30}), 0), "no element is between")
	require.ErrorContains(t, w.AddImage("i", torch.Zeros(4, 4), 0), "3 dimensions are needed, and the tensor has 2")
	require.ErrorContains(t, w.AddImage("i", torch.Zeros(2, 4, 4), 0), "1, 3 or 4 channels")
	require.NoError(t, w.Close())
	require.ErrorContains(t, w.AddScalar("a", 1, 1), "is closed")
	require.ErrorContains(t, w.AddScalars("a", map[string]float64{"b": 1}, 1), "is closed")

	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	_, err = tensorboard.NewSummaryWriter(filepath.Join(file, "run"))
	require.ErrorContains(t, err, "cannot be made: not a directory")
}
