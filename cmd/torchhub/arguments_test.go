package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models/builtin"
)

// here runs the command in this process.
func here(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	t.Setenv("TORCH_HOME", t.TempDir())
	var out, errs bytes.Buffer
	status = run(t.Context(), args, strings.NewReader(""), &out, &errs)
	return out.String(), errs.String(), status
}

func TestSuggestions(t *testing.T) {
	for args, want := range map[string]string{
		"predict -model resnet18 dog.jpg":            "there is no flag -model; write --model or -m",
		"predict -weights x.pth -m resnet18 dog.jpg": "there is no flag -weights; write --weights",
		"predict -json":                            "there is no flag -json; write --json",
		"predict --wieghts x":                      "torchhub predict has no flag --wieghts; did you mean --weights?",
		"predict --bogus":                          "torchhub predict has no flag --bogus; see torchhub predict --help",
		"predict -q":                               "torchhub predict has no flag -q; see torchhub predict --help",
		"predict resnet18 dog.jpg":                 "write -m before the model: torchhub predict -m resnet18 dog.jpg",
		"predict hf:timm/resnet18.a1_in1k dog.jpg": "write -m before the model: torchhub predict -m hf:timm/resnet18.a1_in1k dog.jpg",
		"predict dog.jpg":                          `name a model with -m; "torchhub list" shows the models`,
		"prdict":                                   `torchhub has no command "prdict"; did you mean predict?`,
		"frobnicate":                               `torchhub has no command "frobnicate"; see torchhub --help`,
		"cache lst":                                `torchhub cache has no command "lst"; did you mean ls or list?`,
	} {
		out, errs, status := here(t, strings.Fields(args)...)
		require.Equal(t, 2, status, args)
		require.Empty(t, out)
		require.Equal(t, "torchhub: "+want+"\n", errs)
	}
	for args, want := range map[string]string{
		"predict -m resnext101 dog.jpg":                       `no model "resnext101"; did you mean resnext101_32x8d, resnext101_64x4d or resnext101_32x4d_ssl?`,
		"predict -m yolov5s dog.jpg":                          `no model "yolov5s"; "torchhub list" shows the models, and "torchhub export OWNER/REPO yolov5s" exports one of a repository of PyTorch Hub`,
		"predict -m resnet18 --weights IMAGENET1K_V3 dog.jpg": `resnet18: there is no file IMAGENET1K_V3, and the model has no weights of that name; did you mean IMAGENET1K_V1?`,
		"show resnet181":                                      `no model "resnet181"; did you mean`,
		"list .":                                              ". has no hubconf.json and no hubconf.py",
		"show nothing/here/at/all":                            "nothing/here/at/all is not a repository; give OWNER/NAME",
	} {
		_, errs, status := here(t, strings.Fields(args)...)
		require.Equal(t, 1, status, args)
		require.Contains(t, strings.ReplaceAll(errs, `"nothing/here/at/all"`, "nothing/here/at/all"), want)
		require.Equal(t, 1, strings.Count(errs, "\n"), errs)
	}
	_, _, status := here(t, "predict", "-ojson", "--", "-model") // -o is no flag, and what follows -- is none
	require.Equal(t, 2, status)
}

func TestIsFolder(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, dir, "file", nil)
	for repo, want := range map[string]bool{
		"/x": true, "./x": true, "../x": true, ".": true, "~/x": true, dir: true,
		"owner/name": false, "pytorch/vision": false, "https://host/x": false, "file": false, "none": false,
	} {
		require.Equal(t, want, isFolder(repo), repo)
	}
}

// TestShow shows what predict takes.
func TestShow(t *testing.T) {
	dir := packed(t)
	write(t, dir, "hubconf.py", nil)
	out, errs, status := here(t, "show", dir)
	require.Zero(t, status, errs)
	require.Equal(t, "letters  Letters.\n", out)
	script := filepath.Join(dir, "letters.pt")
	out, errs, status = here(t, "show", script)
	require.Zero(t, status, errs)
	require.Equal(t, script+": TorchScript archive\n", out)
	const state = "../../testdata/checkpoints/zip_state_dict.pt"
	out, errs, status = here(t, "show", state)
	require.Zero(t, status, errs)
	require.Equal(t, state+": checkpoint\nstate dict: 9 tensors of 38 numbers, the first one \"conv.weight\" [2 1 3 3]\n", out)
	picture := write(t, dir, "p.png", builtin.Picture())
	out, _, status = here(t, "show", picture)
	require.Zero(t, status)
	require.Equal(t, picture+": PNG picture\n", out)

	out, _, status = here(t, "list")
	require.Zero(t, status)
	require.Less(t, strings.Index(out, "resnet18"), strings.Index(out, "resnet101"))
}

// TestPackTries packs what cannot run on a picture, or gives something else than logits.
func TestPackTries(t *testing.T) {
	dir := t.TempDir()
	odd := write(t, dir, "letters.pt", builtin.Model())
	_, errs, status := here(t, "pack", "-o", dir, "--resize", "32", "--crop", "32", "letters", odd)
	require.Zero(t, status, errs)
	require.Contains(t, errs, "the entry does not name the classes")
	_, errs, status = here(t, "pack", "-o", dir, "letters", odd)
	require.Zero(t, status, errs)
	require.Contains(t, errs, "the entry does not say how pictures are prepared")
	_, errs, status = here(t, "pack", "-o", dir, "--resize", "32", "--crop", "32", "--labels", "ImageNet-1K", "letters", odd)
	require.Equal(t, 1, status)
	require.Equal(t, "torchhub: letters: "+odd+": it gives 36 logits, and there are 1000 labels; give one for each logit\n", errs)
	labels := write(t, dir, "labels.txt", []byte("a\n\nb\n"))
	_, errs, status = here(t, "pack", "-o", dir, "--resize", "32", "--crop", "32", "--labels", labels, "letters", odd)
	require.Equal(t, 1, status)
	require.Contains(t, errs, "line 2 is empty")
}
