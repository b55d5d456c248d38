package main

import (
	"errors"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/exampletest"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/transforms"
)

// small are networks that take little time.
var small = []string{"-ngf", "8", "-ndf", "8", "-batchSize", "8", "-manualSeed", "1"}

func TestFlags(t *testing.T) {
	exampletest.Flags(t, run, "workers", "dataset", "dataroot", "batchSize", "imageSize", "nz", "ngf", "ndf", "niter", "lr", "beta1", "dry-run", "netG", "netD", "outf", "manualSeed", "accel")
}

// TestTrain trains on digits. At first the discriminator learns faster.
func TestTrain(t *testing.T) {
	losses := exampletest.Train(t, run, 48, append(small, "-outf", t.TempDir(), "-lr", "0.001")...)
	require.Less(t, losses[46], losses[0]/2)
	require.Greater(t, losses[47], losses[1])
}

// TestContinue writes pictures and weights, and goes on from the weights.
func TestContinue(t *testing.T) {
	dir, again := t.TempDir(), t.TempDir()
	out := exampletest.Output(t, run, append(small, "-outf", dir, "-dry-run")...)
	require.Regexp(t, `(?s)^Random Seed: 1\nUsing device: cpu\nGenerator\(\n  \(main\): Sequential\(\n    \(0\): ConvTranspose2d\(100, 64, kernel_size=\(4, 4\), .*\n\[0/1\]\[0/4\] Loss_D: \d.*\n$`, out)
	for _, file := range []string{"real_samples.png", "fake_samples_epoch_000.png"} {
		img, err := transforms.Open(filepath.Join(dir, file))
		require.NoError(t, err)
		require.Equal(t, 8*66+2, img.Bounds().Dx())
	}
	netG, netD := filepath.Join(dir, "netG_epoch_0.pth"), filepath.Join(dir, "netD_epoch_0.pth")
	more := exampletest.Output(t, run, append(small, "-outf", again, "-dry-run", "-netG", netG, "-netD", netD)...)
	last := func(s string) string { return s[strings.LastIndex(s, "[0/1]"):] }
	require.NotEqual(t, last(out), last(more))

	err := run(t.Context(), io.Discard, append(small, "-outf", again, "-netG", netD))
	require.ErrorContains(t, err, netD)
}

// TestDatasets opens a folder of pictures and noise, and names what it cannot open.
func TestDatasets(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "class"), 0o777))
	for _, name := range []string{"a.png", "b.png"} {
		f, err := os.Create(filepath.Join(dir, "class", name))
		require.NoError(t, err)
		require.NoError(t, errors.Join(png.Encode(f, image.NewRGBA(image.Rect(0, 0, 90, 70))), f.Close()))
	}
	for _, args := range [][]string{
		{"-dataset", "folder", "-dataroot", dir, "-batchSize", "2"},
		{"-dataset", "fake", "-batchSize", "2"},
	} {
		out := exampletest.Output(t, run, append(args, "-ngf", "4", "-ndf", "4", "-outf", t.TempDir(), "-dry-run")...)
		require.Contains(t, out, "Loss_G: ")
	}
	for want, args := range map[string][]string{
		`there is no data set "lsun"`: {"-dataset", "lsun", "-dataroot", dir},
		"name it by -dataroot":        {"-dataset", "cifar10"},
		"no-such-folder":              {"-dataset", "folder", "-dataroot", "no-such-folder"},
	} {
		require.ErrorContains(t, run(t.Context(), io.Discard, append(args, "-outf", t.TempDir())), want)
	}
}

func TestLive(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.MNIST(20, 1)(dir))
	exampletest.Compare(t, run, "testdata/dcgan.py", exampletest.CompareOptions{}, append(small, "-dataset", "mnist", "-dataroot", dir, "-outf", t.TempDir())...)
}
