package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/models/builtin"
)

// steering is text that would change a terminal: its title and clipboard, its
// screen, the direction of its text, with controls of one and of two bytes.
const steering = "a\x1b]52;c;aGk=\x07\x1b[2Jb\u009b31mc\u009d0;t\u009c\u202ed\u2066e\x08\x7f"

// TestTextSteersNoTerminal gives such text to every command by every way.
func TestTextSteersNoTerminal(t *testing.T) {
	const label = "b\u009b31mc\u009d0;t\u009c\u202ed\u2066e" // a hubconf.json refuses others
	dir := packed(t)
	conf := filepath.Join(dir, "hubconf.json")
	var c map[string]any
	data, err := os.ReadFile(conf)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &c))
	entry := c["entries"].(map[string]any)["letters"].(map[string]any)
	entry["doc"] = steering
	labels := make([]string, 36)
	for i := range labels {
		labels[i] = label
	}
	entry["labels"] = labels
	data, err = json.Marshal(c)
	require.NoError(t, err)
	write(t, dir, "hubconf.json", data)
	py := t.TempDir()
	write(t, py, "hubconf.py", []byte("def m():\n    '''"+steering+"'''\n"))
	odd := t.TempDir()
	name := strings.ReplaceAll(steering, "/", "")
	picture := write(t, odd, name+".png", builtin.Picture())
	noPicture := write(t, odd, name+".txt", []byte(steering))

	shown := ""
	for _, args := range [][]string{
		{"show", "--source", "local", "--repo", dir, "letters"},
		{"show", "--source", "local", "--repo", py, "m"},
		{"list", "--source", "local", py},
		{"list", "--source", "local", odd},
		{"validate", dir},
		{"validate", noPicture},
		{"validate", filepath.Join(odd, name+".json")},
		{"predict", "--device", "cpu", "--source", "local", "--repo", dir, "-m", "letters", picture, noPicture, filepath.Join(odd, name)},
		{"predict", "--json", "--device", "cpu", "--source", "local", "--repo", dir, "-m", "letters", picture},
		{"predict", "-m", steering, picture},
		{"predict", "-m", "resnet18", "--weights", noPicture, picture},
		{"predict", "--device", steering},
		{"--" + steering},
		{steering},
		{"pack", "-o", odd, "x", noPicture},
		{"show", steering},
		{"export", "--source", "local", odd, steering},
		{"export", "--method", steering, dir, "m"},
		{"cache", "rm", steering},
		{"download", steering},
	} {
		out, errs, _ := torchhub(t, nil, args...)
		require.NotEmpty(t, out+errs, args)
		for _, r := range strings.NewReplacer("\n", "", "\t", "").Replace(out + errs) {
			require.False(t, unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r), "%q writes %q", args, out+errs)
		}
		shown += out
	}
	require.Contains(t, shown, `a\u001b]52;c;aGk=\u0007\u001b[2Jb\u009b31mc`)
	out, errs, status := torchhub(t, []string{"LIBTORCH=" + filepath.Join(odd, name)}, "doctor")
	require.Contains(t, out, `\u009b31m`)
	require.NotContains(t, out+errs, "\x1b")
	require.Equal(t, 1, status)

	out, errs, status = torchhub(t, nil, "predict", "--json", "--device", "cpu", "--source", "local", "--repo", dir, "-m", "letters", picture)
	require.Zero(t, status, errs)
	var p prediction
	require.NoError(t, json.Unmarshal([]byte(out), &p))
	require.Equal(t, label, p.Top[0].Name, "JSON lost text")
}

// TestFirstInterruptEnds waits for what never comes, and interrupts once.
func TestFirstInterruptEnds(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	script := scripted(t)
	for name, args := range map[string][]string{
		"stdin": {"predict", "--device", "cpu", "-m", "resnet18", "--weights", script, "-"},
		"fifo":  {"predict", "--device", "cpu", "-m", "resnet18", "--weights", script, fifo},
		"zeros": append([]string{"predict", "--device", "cpu", "-m", "resnet18", "--weights", script}, strings.Split(strings.Repeat("/dev/zero ", 200), " ")[:200]...),
		"pack":  {"pack", "-o", dir, "x", fifo},
	} {
		for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
			c := exec.Command(command, args...)
			c.Env = append(os.Environ(), "TORCH_HOME="+t.TempDir())
			in, err := c.StdinPipe() // stays open
			require.NoError(t, err)
			var errs strings.Builder
			c.Stderr = &errs
			require.NoError(t, c.Start())
			time.Sleep(700 * time.Millisecond)
			start := time.Now()
			require.NoError(t, c.Process.Signal(signal), name)
			ended := make(chan error, 1)
			go func() { ended <- c.Wait() }()
			select {
			case <-ended:
			case <-time.After(30 * time.Second):
				c.Process.Kill()
				t.Fatalf("%s: %v did not end the command", name, signal)
			}
			in.Close()
			require.Less(t, time.Since(start), 20*time.Second, name)
			require.Equal(t, 1, c.ProcessState.ExitCode(), "%s: %s", name, errs.String())
			require.True(t, strings.HasSuffix(errs.String(), "torchhub: interrupted\n"), "%s: %s", name, errs.String())
		}
	}
}
