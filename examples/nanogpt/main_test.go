package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/examples/internal/exampletest"
	"github.com/torchhub/torchhub/examples/internal/made"
	"github.com/torchhub/torchhub/internal/reference"
)

func TestFlags(t *testing.T) {
	exampletest.Flags(t, run, "eval_interval", "out_dir", "log_interval", "eval_iters", "eval_only", "always_save_checkpoint", "init_from", "gradient_accumulation_steps", "batch_size", "block_size", "n_layer", "n_head", "n_embd", "dropout", "bias", "learning_rate", "max_iters", "weight_decay", "beta1", "beta2", "grad_clip", "warmup_iters", "lr_decay_iters", "min_lr", "device", "dtype")
	exampletest.Flags(t, runSample, "num_samples", "out_dir", "start", "max_new_tokens", "temperature", "top_k", "seed", "device")
}

// small has the flags of a small model.
func small(dir string) []string {
	return []string{"-out_dir=" + dir, "-n_layer=2", "-n_head=2", "-n_embd=32", "-block_size=16", "-batch_size=8", "-log_interval=1", "-eval_interval=15",
		"-eval_iters=2", "-gradient_accumulation_steps=2", "-dropout=0.1", "-warmup_iters=5", "-lr_decay_iters=50", "-learning_rate=0.01"}
}

var number = regexp.MustCompile(`iter (\d+): Loss: (\S+)`)

// losses returns the printed losses by the number of their step.
func losses(out string) map[string]string {
	all := map[string]string{}
	for _, m := range number.FindAllStringSubmatch(out, -1) {
		all[m[1]] = m[2]
	}
	return all
}

// TestResume trains, goes on from the checkpoint, and writes text.
func TestResume(t *testing.T) {
	dir := t.TempDir()
	out := exampletest.Output(t, run, append(small(dir), "-max_iters=17", "-bias")...)
	require.Contains(t, out, "\nstep 15: train loss ")
	require.Contains(t, out, "\nsaving checkpoint to "+dir+"\n")
	require.Len(t, losses(out), 18)

	out = exampletest.Output(t, run, append(small(dir), "-max_iters=40", "-bias", "-init_from=resume")...)
	resumed := losses(out)
	require.Len(t, resumed, 26)
	require.Contains(t, resumed, "15")
	require.Regexp(t, `^2\.`, resumed["40"])

	out = exampletest.Output(t, run, "sample", "-out_dir="+dir, "-num_samples=2", "-max_new_tokens=30", "-start=two old ")
	require.Regexp(t, `(?s)^two old .{30}\n-+\ntwo old .{30}\n-+\n$`, out)
}

func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	exampletest.Output(t, run, append(small(dir), "-max_iters=15", "-always_save_checkpoint")...)
	for _, c := range [][2]string{
		{"-init_from=gpt2", `nanogpt: init_from is "gpt2"; it can be scratch or resume`},
		{"-n_head=3", "nanogpt: n_embd is 128 and n_head 3; it must be a multiple"},
		{"-device=tpu -out_dir=" + dir, "tpu"},
		{"-dtype=float7 -out_dir=" + dir, "float7"},
		{"-data=" + dir + " -out_dir=" + dir, "input.txt"},
		{"sample -out_dir=" + dir + "/no", "ckpt.pt"},
		{"sample -start=ß -out_dir=" + dir, "nanogpt: the character 'ß' is not in the text that the model was trained with"},
		{"sample -start=FILE:" + dir + "/no.txt -out_dir=" + dir, "no.txt"},
	} {
		require.ErrorContains(t, run(t.Context(), &strings.Builder{}, strings.Fields(c[0])), c[1])
	}
}

// TestCheckpointLive requires that Python finds in a checkpoint what nanoGPT's sample.py reads.
func TestCheckpointLive(t *testing.T) {
	python := reference.Start(t, "import torch")
	dir := t.TempDir()
	exampletest.Output(t, run, append(small(dir), "-max_iters=15", "-always_save_checkpoint")...)
	var keys []string
	python.Call(&keys, `lambda path: (lambda c: sorted(c["model_args"]) + [k for k in c["model"] if ".h.1." in k or "h." not in k])(torch.load(path))`, filepath.Join(dir, "ckpt.pt"))
	require.Equal(t, []string{
		"bias", "block_size", "dropout", "n_embd", "n_head", "n_layer", "vocab_size",
		"transformer.wte.weight", "transformer.wpe.weight",
		"transformer.h.1.ln_1.weight", "transformer.h.1.attn.c_attn.weight", "transformer.h.1.attn.c_proj.weight",
		"transformer.h.1.ln_2.weight", "transformer.h.1.mlp.c_fc.weight", "transformer.h.1.mlp.c_proj.weight",
		"transformer.ln_f.weight", "lm_head.weight",
	}, keys)
}

func TestLossesLive(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, made.Characters(300)(dir))
	exampletest.Compare(t, run, "testdata/nanogpt.py", exampletest.CompareOptions{}, append(small(t.TempDir()), "-data="+dir, "-max_iters=150")...)
}
