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
		args = append(args, "--no-python")
	} else {
		args = append(args, "--python", python)
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
	}
	require.Contains(t, r.Report, "difference ")

	r.Report, r.report.Reason = "not optimized: x", "x"
	stdout.Reset()
	require.NoError(t, r.print(&stdout, benchFlags{}))
	require.Contains(t, stdout.String(), "mobilenet_v3_small, 1 × 3 × 64 × 64, ")
	require.Contains(t, stdout.String(), "not optimized: x\n")
}

// TestBenchPython compares with Pythons that do not answer as bench.py does.
func TestBenchPython(t *testing.T) {
	for script, want := range map[string]string{
		"exit 1": "the Python ended early: EOF",
		`echo '{"engines": [], "problems": {"PyTorch": "No module named torch"}}'`: "torchhub: not compared with PyTorch: No module named torch\n",
		"echo nonsense": "not compared with Python: invalid character",
	} {
		python := filepath.Join(t.TempDir(), "python")
		require.NoError(t, os.WriteFile(python, []byte("#!/bin/sh\n"+script+"\n"), 0o777))
		var stdout, stderr bytes.Buffer
		require.Zero(t, run(t.Context(), []string{"bench", "-m", "mobilenet_v3_small", "--size", "64", "--turns", "1", "--seconds", "0", "--python", python}, nil, &stdout, &stderr), &stderr)
		require.Contains(t, stderr.String(), want)
	}
	for want, args := range map[string][]string{
		"name a model with -m":              {"bench"},
		"--batch and --turns must be":       {"bench", "-m", "resnet18", "--batch", "0"},
		"bench is for classification, and ": {"bench", "-m", "fcn_resnet50"},
		`no model "resnet19"`:               {"bench", "-m", "resnet19"},
	} {
		var stdout, stderr bytes.Buffer
		require.NotZero(t, run(t.Context(), args, nil, &stdout, &stderr))
		require.Contains(t, stderr.String(), want)
	}
}
