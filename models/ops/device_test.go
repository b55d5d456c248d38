package ops_test

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models/ops"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/torchtest"
)

// randomBoxes returns n boxes in a picture of size×size pixels, of which some are empty, end before they begin, are outside, or hold NaN.
func randomBoxes(n int, size float64, d torch.DType) *torch.Tensor {
	x := torch.Rand(n, 4).MulScalar(size)
	x.SetIndex(x.Index(torch.All, torch.Slice(0, 2)).Add(x.Index(torch.All, torch.Slice(2, 4)).DivScalar(2)), torch.All, torch.Slice(2, 4))
	for i, change := range []func(row *torch.Tensor){
		func(row *torch.Tensor) { row.SetIndex(row.Index(torch.All, 0), torch.All, 2) },
		func(row *torch.Tensor) { row.SetIndex(row.Index(torch.All, 1).SubScalar(2), torch.All, 3) },
		func(row *torch.Tensor) { row.MulScalarInPlace(4) },
		func(row *torch.Tensor) { row.SetIndex(math.NaN(), torch.All, 3) },
		func(row *torch.Tensor) { row.SubScalarInPlace(size) },
	} {
		change(x.Index(torch.Slice(2+i, torch.End, 11+2*i)))
	}
	return x.ToDType(d)
}

// kernelResults returns results and gradients of all operators that have kernels of their own for devices, for inputs
// that are drawn on the CPU.
func kernelResults(device torch.Device) (all []torch.Value) {
	torch.ManualSeed(8)
	on := func(x *torch.Tensor) *torch.Tensor { return x.To(device) }
	nms := func(boxes, scores *torch.Tensor, threshold float64) *torch.Tensor {
		return ops.NMS(on(boxes), on(scores), threshold).To(torch.CPU)
	}
	differentiate := func(y *torch.Tensor, leaves ...*torch.Tensor) {
		all = append(all, y.Detach().To(torch.CPU))
		y.Backward(torch.BackwardOptions{Gradient: on(torch.Options{DType: y.DType()}.Randn(y.Shape()...))})
		for _, x := range leaves {
			all = append(all, x.Grad())
		}
	}
	numbers := map[torch.DType][]int{torch.Float32: {0, 1, 7, 1500}, torch.Float64: {300}}
	for _, d := range []torch.DType{torch.Float32, torch.Float64} {
		of := torch.Options{DType: d}
		for _, n := range numbers[d] {
			boxes, scores := randomBoxes(n, 300, d), of.Rand(n).MulScalar(999).Floor()
			scores.SetIndex(math.NaN(), torch.Slice(4, torch.End, 97))
			all = append(all, nms(boxes, scores, 0.3), nms(boxes, scores, 0))
			boxes, classes := boxes.NanToNum(), torch.RandInt(0, 5, n)
			all = append(all, ops.BatchedNMS(on(boxes), on(scores), on(classes), 0.5).To(torch.CPU))
		}
		line := torch.Arange(700).ToDType(d).MulScalar(4) // each one overlaps its neighbors, so that every second one is kept
		all = append(all, nms(torch.Stack([]*torch.Tensor{line, line, line.AddScalar(10), line.AddScalar(10)}, 1), line.RSubScalar(1), 0.1))

		for _, o := range []ops.RoIOptions{{}, {SpatialScale: new(0.5), SamplingRatio: 2}, {Aligned: true}, {SpatialScale: new(0.3), SamplingRatio: 3, Aligned: true}} {
			for _, pool := range []func(x, boxes *torch.Tensor, size torch.Ints, o ...ops.RoIOptions) *torch.Tensor{ops.RoIAlign, ops.RoIPool, ops.PSRoIAlign, ops.PSRoIPool} {
				for _, k := range []int{0, 20} {
					x := of.Randn(2, 12, 23, 31).RequireGrad(true)
					if k > 0 {
						torch.NoGrad(func() { x.SetIndex(math.NaN(), 0, 3, 5, torch.Slice(2, 4)) })
					}
					rois := torch.Cat([]*torch.Tensor{torch.RandInt(0, 2, k, 1).ToDType(d), randomBoxes(k, 30, d)}, 1)
					differentiate(pool(on(x), on(rois), []int{3, 2}, o), x)
				}
			}
		}
		for _, c := range []struct{ groups, offsets int }{{1, 1}, {2, 1}, {1, 3}, {3, 2}} {
			x, w, b := of.Randn(2, 6, 11, 12).RequireGrad(true), of.Randn(6, 6/c.groups, 3, 2).RequireGrad(true), of.Randn(6).RequireGrad(true)
			offset, mask := of.Randn(2, 12*c.offsets, 6, 11).MulScalar(3), of.Randn(2, 6*c.offsets, 6, 11).RequireGrad(true)
			offset.SetIndex(math.NaN(), 0, 0, 0, 0)
			offset.RequireGrad(true)
			o := ops.DeformConv2dOptions{Stride: []int{2, 1}, Padding: []int{1, 0}, Mask: on(mask)}
			differentiate(ops.DeformConv2d(on(x), on(offset), on(w), on(b), o), x, offset, w, b, mask)
			o.Mask = nil
			all = append(all, ops.DeformConv2d(on(x), on(offset), on(w), nil, o).Detach().To(torch.CPU))
		}
	}
	return all
}

// compareKernels compares the results of this process with those of another one, which runs a test with a setting.
func compareKernels(t *testing.T, test, setting string) {
	path := filepath.Join(t.TempDir(), "results.pt")
	c := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	c.Env = append(os.Environ(), setting, "TORCHHUB_TEST_VISION="+path, "OMP_NUM_THREADS=1")
	defer torch.SetNumThreads(torch.NumThreads())
	torch.SetNumThreads(1)
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	v, err := torch.Load(path)
	require.NoError(t, err)
	equalKernels(t, v.([]torch.Value), 1e-5)
}

// equalKernels compares results with those of the CPU.
func equalKernels(t *testing.T, got []torch.Value, tolerance float64) {
	want := kernelResults(torch.CPU)
	require.Len(t, got, len(want))
	for i, w := range want {
		o := torchtest.CloseOptions{EqualNan: true, Rtol: &tolerance, Atol: &tolerance}
		require.NoError(t, torchtest.CheckClose(got[i], w, o), "result %d", i)
	}
}

// TestGPUKernels compares the operators on a GPU with those of the CPU.
func TestGPUKernels(t *testing.T) {
	if _, err := torch.CUDACount(t.Context()); err != nil {
		t.Skip(err)
	}
	equalKernels(t, kernelResults(torch.CUDA), 1e-4)
}

// TestKernelsOfDevices compares the operators that other devices compute with, which run on the CPU in a process of
// their own, with those of the CPU.
func TestKernelsOfDevices(t *testing.T) {
	if path := os.Getenv("TORCHHUB_TEST_VISION"); path != "" {
		require.NoError(t, torch.Save(path, kernelResults(torch.CPU)))
		return
	}
	compareKernels(t, "TestKernelsOfDevices", "TORCHHUB_VISION=aten")
}

// TestLibraryLive loads torchvision's own library before and after the use of its operators, in processes of their own
// that use the libtorch of Python. It needs TORCHHUB_TEST_LARGE, since the shim for that libtorch takes a minute.
func TestLibraryLive(t *testing.T) {
	library := os.Getenv("TORCHHUB_TEST_LIBRARY")
	switch path := os.Getenv("TORCHHUB_TEST_VISION"); {
	case path == "late":
		ops.NMS(torch.Zeros(0, 4), torch.Zeros(0), 0.5)
		require.ErrorContains(t, torch.LoadLibrary(t.Context(), library), library+": it registers operators of torchvision, which this process has used without it; load it before")
		return
	case path != "":
		require.NoError(t, torch.LoadLibrary(t.Context(), library))
		require.NoError(t, torch.LoadLibrary(t.Context(), library))
		second := filepath.Join(t.TempDir(), "second.so")
		code, err := os.ReadFile(library)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(second, code, 0o600))
		require.ErrorContains(t, torch.LoadLibrary(t.Context(), second), "second.so: it registers operators of torchvision, which another library has registered; load one of them")
		require.Contains(t, torch.NewOp("torchvision::roi_align", "").Schema(), "SymInt pooled_height")
		require.NoError(t, torch.Save(path, kernelResults(torch.CPU)))
		return
	}
	python := reference.Python(t)
	if os.Getenv("TORCHHUB_TEST_LARGE") == "" {
		t.Skip("TORCHHUB_TEST_LARGE is not set")
	}
	paths, err := exec.Command(python, "-c", "import torch, torchvision.extension as e; print(torch.__path__[0], e._get_extension_path('_C_stable'), sep='\\n')").Output()
	require.NoError(t, err)
	libtorch, library, _ := strings.Cut(strings.TrimSpace(string(paths)), "\n")
	t.Setenv("LIBTORCH", libtorch)
	t.Setenv("TORCHHUB_TEST_LIBRARY", library)
	c := exec.Command(os.Args[0], "-test.run=^TestLibraryLive$")
	c.Env = append(os.Environ(), "TORCHHUB_TEST_VISION=late")
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	compareKernels(t, "TestLibraryLive", "TORCHHUB_TEST_LIBRARY="+library)
}

// TestLibraryTooLate requires a refusal, since loading would end the process.
func TestLibraryTooLate(t *testing.T) {
	ops.NMS(torch.Zeros(0, 4), torch.Zeros(0), 0.5)
	path := filepath.Join(t.TempDir(), "vision.so")
	require.NoError(t, os.WriteFile(path, []byte("ELF\x00torchvision\x00"), 0o600))
	require.ErrorContains(t, torch.LoadLibrary(t.Context(), path), path+": it registers operators of torchvision, which this process has used without it; load it before")
	require.NoError(t, os.WriteFile(path, []byte("none"), 0o600))
	require.ErrorContains(t, torch.LoadLibrary(t.Context(), path), "file too short")
}
