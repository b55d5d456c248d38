package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
)

// TestBench measures a small model, in Python too where the reference is there.
func TestBench(t *testing.T) {
	args := []string{"bench", "-m", "mobilenet_v3_small", "--size", "64", "--turns", "2", "--seconds", "0.01"}
	python := os.Getenv(reference.Variable)
	if python == "" {
		args = append(args, "--engines=")
	} else {
		args = append(args, "--python", python, "--engines", "pytorch,openvino")
	}
	var stdout, stderr bytes.Buffer
	require.Zero(t, run(t.Context(), append(args, "--json"), nil, &stdout, &stderr), &stderr)
	var r benchReport
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &r))
	require.Equal(t, "torchhub", r.Engines[0].Name)
	require.Equal(t, "torchhub, optimized", r.Engines[1].Name)
	for _, e := range r.Engines {
		require.GreaterOrEqual(t, e.Passes, 2)
		require.LessOrEqual(t, e.Quartiles[0], e.Median)
		require.LessOrEqual(t, e.Median, e.Quartiles[1])
		require.Positive(t, e.Quartiles[0])
	}
	if python != "" {
		require.True(t, strings.HasPrefix(r.Engines[2].Name, "PyTorch 2."), r.Engines[2].Name)
		if len(r.Engines) == 3 { // OpenVINO is not needed for other tests
			require.Contains(t, stderr.String(), "torchhub: not compared with openvino: ")
		} else {
			require.True(t, strings.HasPrefix(r.Engines[3].Name, "OpenVINO "), r.Engines[3].Name)
		}
	} else {
		require.Len(t, r.Engines, 2)
	}
	require.Contains(t, r.Report, "difference ")

	r.Report, r.report.Reason = "not optimized: x", "x"
	stdout.Reset()
	require.NoError(t, r.print(&stdout, benchFlags{}))
	require.Contains(t, stdout.String(), "mobilenet_v3_small, 1 × 3 × 64 × 64, ")
	require.Contains(t, stdout.String(), "not optimized: x\n")
}

// TestBenchBFloat16 measures a model in bfloat16 too, and prints what that changes, or that there is no such thing.
func TestBenchBFloat16(t *testing.T) {
	var stdout, stderr bytes.Buffer
	require.Zero(t, run(t.Context(), []string{"bench", "-m", "mobilenet_v3_small", "--size", "64", "--turns", "1", "--seconds", "0", "--engines=", "--dtype", "bfloat16"}, nil, &stdout, &stderr), &stderr)
	if !strings.Contains(stdout.String(), "\ntorchhub, optimized, bfloat16 ") {
		require.Contains(t, stdout.String(), "\nin float32 and not bfloat16: ")
		return
	}
	require.Contains(t, stdout.String(), "\ntorchhub, optimized  ")
	require.Regexp(t, `\nin bfloat16: outputs differ by .* in the same place in [01] of 1 rows\n`, stdout.String())
}

// TestBenchPython compares with Pythons that do not answer as bench.py does.
func TestBenchPython(t *testing.T) {
	for script, want := range map[string]string{
		"exit 1": "the Python ended early: EOF",
		`echo '{"engines": [], "problems": {"pytorch": "No module named torch"}}'`: "torchhub: not compared with pytorch: No module named torch\n",
		"echo nonsense": "not compared with Python: invalid character",
	} {
		python := filepath.Join(t.TempDir(), "python")
		require.NoError(t, os.WriteFile(python, []byte("#!/bin/sh\n"+script+"\n"), 0o777))
		var stdout, stderr bytes.Buffer
		require.Zero(t, run(t.Context(), []string{"bench", "-m", "mobilenet_v3_small", "--size", "64", "--turns", "1", "--seconds", "0", "--python", python}, nil, &stdout, &stderr), &stderr)
		require.Contains(t, stderr.String(), want)
	}
	for want, args := range map[string][]string{
		"--dtype is \"int8\" and must be":   {"bench", "-m", "resnet18", "--dtype", "int8"},
		"name a model with -m":              {"bench"},
		"--batch and --turns must be":       {"bench", "-m", "resnet18", "--batch", "0"},
		"bench is for classification and s": {"bench", "-m", "raft_small"},
		`there is no engine "tvm"; there a`: {"bench", "-m", "resnet18", "--engines", "tvm"},
		`no model "resnet19"`:               {"bench", "-m", "resnet19"},
	} {
		var stdout, stderr bytes.Buffer
		require.NotZero(t, run(t.Context(), args, nil, &stdout, &stderr))
		require.Contains(t, stderr.String(), want)
	}
}

// TestBenchSegmentation measures a model whose output has a name.
func TestBenchSegmentation(t *testing.T) {
	args := []string{"bench", "-m", "lraspp_mobilenet_v3_large", "--size", "64", "--turns", "1", "--seconds", "0", "--json"}
	rows := 2
	if python := os.Getenv(reference.Variable); python == "" {
		args = append(args, "--engines=")
	} else {
		args, rows = append(args, "--python", python, "--engines", "pytorch"), 3
	}
	var stdout, stderr bytes.Buffer
	require.Zero(t, run(t.Context(), args, nil, &stdout, &stderr), &stderr)
	var r benchReport
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &r))
	require.Len(t, r.Engines, rows, &stderr)
	require.Equal(t, 64, r.Size)
}
