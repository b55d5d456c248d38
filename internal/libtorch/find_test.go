package libtorch

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	if os.Getenv(installHere) != "" {
		installChild()
		return
	}
	os.Exit(m.Run())
}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
}

// fake makes a folder that looks like a libtorch of a version. Its libtorch_cpu
// is an ELF file that needs nothing: this test.
func fake(t *testing.T, root, version string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, copyFile(self, filepath.Join(root, "lib", soname("torch_cpu"))))
	write(t, filepath.Join(root, "lib", soname("c10")), "")
	write(t, filepath.Join(root, "include", "ATen", "ATen.h"), "")
	write(t, filepath.Join(root, "version.py"), "from typing import Optional\n__version__ = '"+version+"'\n")
}

// emptyMachine hides all that this machine has and returns its PATH's only folder and the cache.
func emptyMachine(t *testing.T) (bin, cache string) {
	home := t.TempDir()
	bin, cache = filepath.Join(home, "bin"), filepath.Join(home, "cache")
	require.NoError(t, os.Mkdir(bin, 0o755))
	t.Setenv("PATH", bin)
	t.Setenv("HOME", home)
	t.Setenv("TORCHHUB_CACHE", cache)
	for _, v := range []string{"LIBTORCH", "VIRTUAL_ENV", "TORCHHUB_INSTALL", "LD_LIBRARY_PATH"} {
		t.Setenv(v, "")
	}
	return bin, cache
}

// fakePython puts a Python on PATH whose torch lies in root; an empty root is none.
func fakePython(t *testing.T, path, root string) {
	write(t, path, "#!/bin/sh\necho '"+root+"'\n")
}

func TestFindOrder(t *testing.T) {
	bin, cache := emptyMachine(t)
	dir := t.TempDir()
	ctx := context.Background()
	_, err := Find(ctx)
	require.ErrorIs(t, err, ErrNotFound)
	require.EqualError(t, err, `libtorch: no libtorch was found; set LIBTORCH to the folder of a libtorch 2.11 to 2.15, or run "torchhub setup" or "python3 -m pip install torch==2.15.0"`)

	expect := func(version, source, root string) {
		t.Helper()
		lib, err := Find(ctx)
		require.NoError(t, err)
		require.Equal(t, version, lib.Version)
		require.Equal(t, source, lib.Source)
		require.Equal(t, filepath.Join(root, "lib"), lib.LibDir)
	}
	system := filepath.Join(dir, "system")
	fake(t, system, "2.12.0")
	fakePython(t, filepath.Join(bin, "python3"), system)
	expect("2.12.0", "python3's torch", system)

	env := filepath.Join(dir, "env")
	fake(t, filepath.Join(env, "torch"), "2.13.1+cu130")
	fakePython(t, filepath.Join(env, "bin", "python"), filepath.Join(env, "torch"))
	t.Setenv("VIRTUAL_ENV", env)
	expect("2.13.1+cu130", "the virtual environment's torch", filepath.Join(env, "torch"))

	own := filepath.Join(cache, "libtorch", "2.11.0-cpu")
	fake(t, own, "2.11.0")
	expect("2.11.0", "torchhub's cache", own)
	newer := filepath.Join(cache, "libtorch", "2.14.0-cpu")
	fake(t, filepath.Join(newer, "torch"), "2.14.0")
	expect("2.14.0", "torchhub's cache", filepath.Join(newer, "torch"))
	usual := filepath.Join(cache, "libtorch", "2.15.0-cpu")
	fake(t, usual, "2.15.0")
	expect("2.15.0", "torchhub's cache", usual)
	require.NoError(t, os.Remove(filepath.Join(usual, "lib", soname("c10")))) // broken, so the next one
	expect("2.14.0", "torchhub's cache", filepath.Join(newer, "torch"))
	write(t, filepath.Join(cache, "libtorch", workPrefix+"123", "lib", soname("torch_cpu")), "")
	expect("2.14.0", "torchhub's cache", filepath.Join(newer, "torch"))

	named := filepath.Join(dir, "named")
	fake(t, named, "2.11.2")
	write(t, filepath.Join(named, "build-version"), "2.15.1+cpu\n")
	t.Setenv("LIBTORCH", named)
	expect("2.15.1+cpu", "$LIBTORCH", named)
}

func TestLIBTORCHIsBinding(t *testing.T) {
	bin, _ := emptyMachine(t)
	dir := t.TempDir()
	fake(t, filepath.Join(dir, "system"), "2.15.0")
	fakePython(t, filepath.Join(bin, "python3"), filepath.Join(dir, "system"))
	for name, c := range map[string]struct {
		make func(root string)
		want string
	}{
		"missing": {func(string) {}, "is missing"},
		"empty":   {func(root string) { write(t, filepath.Join(root, "README"), "") }, "is missing"},
		"old":     {func(root string) { fake(t, root, "2.10.0") }, "its version is 2.10.0, and 2.11 to 2.15 are supported"},
		"new":     {func(root string) { fake(t, root, "2.16.0") }, "its version is 2.16.0"},
		"next":    {func(root string) { fake(t, root, "3.11.0") }, "its version is 3.11.0"},
		"untold":  {func(root string) { fake(t, root, "?"); os.Remove(filepath.Join(root, "version.py")) }, "its version cannot be determined"},
	} {
		root := filepath.Join(dir, name)
		c.make(root)
		t.Setenv("LIBTORCH", root)
		_, err := Find(context.Background())
		require.ErrorContains(t, err, c.want, name)
		require.ErrorContains(t, err, "$LIBTORCH is "+root, name)
		require.NotErrorIs(t, err, ErrNotFound, name)
		_, err = Ensure(context.Background(), io.Discard) // installs nothing over it
		require.ErrorContains(t, err, c.want, name)
	}
}

func TestFindSaysWhatItPassedOver(t *testing.T) {
	bin, _ := emptyMachine(t)
	root := filepath.Join(t.TempDir(), "torch")
	fake(t, root, "2.9.1")
	fakePython(t, filepath.Join(bin, "python3"), root)
	_, err := Find(context.Background())
	require.ErrorIs(t, err, ErrNotFound)
	require.ErrorContains(t, err, "python3's torch: its version is 2.9.1")
	t.Setenv("TORCHHUB_INSTALL", "off")
	_, err = Ensure(context.Background(), io.Discard)
	require.ErrorContains(t, err, "TORCHHUB_INSTALL=off")

	write(t, filepath.Join(bin, "python3"), "#!/bin/sh\nexit 3\n")
	_, err = Find(context.Background())
	require.ErrorContains(t, err, "exit status 3")
}

func TestVersionOfHeaders(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "include/torch/headeronly/version.h"), "#pragma once\n#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION \"2.14.3\"\n")
	v, err := version(root)
	require.NoError(t, err)
	require.Equal(t, "2.14.3", v)
}

func TestFindsOwnWithoutProcess(t *testing.T) {
	_, cache := emptyMachine(t) // with an empty PATH any process would fail
	fake(t, filepath.Join(cache, "libtorch", "2.15.0-cpu"), "2.15.0")
	lib, err := Find(context.Background())
	require.NoError(t, err)
	require.Equal(t, "2.15.0", lib.Version)
}

func TestDiagnose(t *testing.T) {
	bin, cache := emptyMachine(t)
	text := func() (s string, bad bool) {
		for _, c := range Diagnose(context.Background()) {
			s += fmt.Sprintln(c.Name, "|", c.Found, "|", c.Advice)
			bad = bad || c.Bad
		}
		return s, bad
	}
	s, bad := text()
	require.True(t, bad) // no compiler
	require.Contains(t, s, "C++ compiler | none | install g++ or clang")
	require.Contains(t, s, "libtorch | none that can be used")

	write(t, filepath.Join(bin, "g++"), "#!/bin/sh\nexit 1\n")
	fake(t, filepath.Join(cache, "libtorch", "2.15.0-cpu"), "2.15.0")
	s, bad = text()
	require.False(t, bad, s)
	require.Contains(t, s, "torchhub's cache | 2.15.0 for the CPU, in ")
	require.Contains(t, s, "not built yet")

	t.Setenv("LIBTORCH", cache)
	s, bad = text()
	require.True(t, bad, s)
	require.Contains(t, s, "is missing")
}

// A folder torch where the program is started is not Python's torch.
func TestPythonPassesOverWorkingFolder(t *testing.T) {
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Skip("no python3")
	}
	python := strings.TrimSpace(string(out)) // the one behind a wrapper
	emptyMachine(t)
	dir := t.TempDir()
	fake(t, filepath.Join(dir, "torch"), "2.15.0")
	t.Chdir(dir)
	lib, err := pythonPlace(t.Context(), "python", python).look()
	if err == nil {
		require.NotEqual(t, filepath.Join(dir, "torch", "lib"), lib.LibDir)
	} else {
		require.ErrorIs(t, err, errNothing)
	}
}
