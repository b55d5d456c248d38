package aoti_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/aoti"
)

//go:generate $TORCHHUB_REFERENCE ../../testdata/gen/exported.py

// pack writes a .pt2 file of records, each a name and contents.
func pack(t testing.TB, records ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(records); i += 2 {
		f, err := w.CreateHeader(&zip.FileHeader{Name: "archive/" + records[i]})
		require.NoError(t, err)
		_, err = f.Write([]byte(records[i+1]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	path := filepath.Join(t.TempDir(), "model.pt2")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	return path
}

const dir = "data/aotinductor/"

var format = []string{"archive_format", "pt2", "archive_version", "0"}

// model makes the records of a compiled model.
func model(name, meta string) []string {
	return []string{dir + name + "/x.wrapper.so", "\x7fELF", dir + name + "/x.wrapper.cpp", "__check_inputs_outputs(", dir + name + "/x.wrapper_metadata.json", meta}
}

func join(parts ...[]string) (all []string) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

var machine = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]

// meta makes what a model says of what it was compiled for.
func meta(device, platform, machine, isa string) string {
	return fmt.Sprintf(`{"AOTI_DEVICE_KEY": %q, "AOTI_PLATFORM": %q, "AOTI_MACHINE": %q, "AOTI_CPU_ISA": %q}`, device, platform, machine, isa)
}

var mine = meta("cpu", runtime.GOOS, machine, "")

// Whatever could make libtorch's loader do anything but load the one library of a model for this machine is refused before it sees the file.
func TestLoadRefuses(t *testing.T) {
	U, M := torch.ErrUnsupported, torch.ErrMalformed
	for name, c := range map[string]struct {
		kind    error
		says    string
		records []string
	}{
		"exported":                {U, "torch.export.save", join(format, []string{"models/model.json", "{}", "data/weights/weight_0", "1234"})},
		"nothing":                 {U, "neither", format},
		"no package":              {U, "not a .pt2 package", []string{"data.pkl", "N.", "version", "3"}},
		"version":                 {U, `"1"`, join([]string{"archive_format", "pt2", "archive_version", "1"}, model("model", mine))},
		"format":                  {U, `"pt3"`, join([]string{"archive_format", "pt3"}, model("model", mine))},
		"format long":             {M, "short word", join([]string{"archive_format", string(make([]byte, 100))}, model("model", mine))},
		"no library":              {U, "compiler", join(format, model("model", mine)[2:], []string{dir + "model/x_compile_flags.json", `{"compiler":"touch x"}`})},
		"library elsewhere":       {U, "compiler", join(format, model("model", mine)[2:], []string{dir + "model/sub/x.so.txt", "", "extra/x.so", ""})},
		"two libraries":           {U, "several", join(format, model("model", mine), []string{dir + "model/y.so", ""})},
		"library below":           {U, "several", join(format, model("model", mine), []string{dir + "model/sub/y.so", ""})},
		"library among constants": {U, "among the constants", join(format, model("model", mine), []string{"data/constants/y.so", ""})},
		"sources among constants": {U, "among the constants", join(format, model("model", mine), []string{"data/constants/y.cpp", ""})},
		"name begins another":     {U, "begins that of", join(format, model("model", mine), model("model2", mine))},
		"no metadata":             {U, "which device", join(format, model("model", mine)[:4])},
		"metadata no JSON":        {M, "metadata.json", join(format, model("model", "{"))},
		"metadata list":           {M, "metadata.json", join(format, model("model", "[]"))},
		"metadata numbers":        {M, "metadata.json", join(format, model("model", `{"AOTI_DEVICE_KEY": 1}`))},
		"metadata huge":           {U, "more than", join(format, model("model", string(make([]byte, 17<<20))))},
		"no source":               {U, "which inputs", join(format, model("model", mine)[:2], model("model", mine)[4:])},
		"source unknown":          {U, "which inputs", join(format, model("model", mine)[:2], []string{dir + "model/x.wrapper.cpp", "int main() {}"}, model("model", mine)[4:])},
		"no device":               {U, "which device", join(format, model("model", "{}"))},
		"device unknown":          {U, "quantum", join(format, model("model", meta("quantum", runtime.GOOS, machine, "")))},
		"platform":                {U, "platform", join(format, model("model", meta("cpu", "plan9", machine, "")))},
		"machine":                 {U, "machine", join(format, model("model", meta("cpu", runtime.GOOS, "s390x", "")))},
		"weights no JSON":         {M, "weights_config", join(format, model("model", mine), []string{dir + "model/weights_config.json", "1"})},
		"weights parts":           {M, "3 parts", join(format, model("model", mine), []string{dir + "model/weights_config.json", `{"w":["weight_0",[1],[1]]}`})},
		"weights types":           {M, "weight", join(format, model("model", mine), []string{dir + "model/weights_config.json", `{"w":["weight_0",[1.5],[1],0]}`})},
		"weights missing":         {M, "no record", join(format, model("model", mine), []string{dir + "model/weights_config.json", `{"w":["../../x",[1],[1],0]}`})},
		"beside the folders":      {M, "beside", join(format, model("model", mine), []string{dir + "x.so", ""})},
		"name climbs":             {M, "named", join(format, model("model", mine), []string{dir + "model/../../../x.so", ""})},
		"name with \\":            {M, "named", join(format, model("model", mine), []string{dir + "model\\x.so", ""})},
		"name twice":              {M, "one name", join(format, model("model", mine), model("model", mine))},
		"name by case":            {M, "one name", join(format, model("model", mine), []string{dir + "MODEL/x.wrapper.so", ""})},
	} {
		t.Run(name, func(t *testing.T) {
			path := pack(t, c.records...)
			_, err := aoti.Load(path, aoti.Options{})
			require.ErrorIs(t, err, c.kind)
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, path)
		})
	}
}

func TestLoadRefusesDeflated(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	records := join(format, model("model", mine))
	for i := 0; i < len(records); i += 2 {
		f, err := w.Create("archive/" + records[i])
		require.NoError(t, err)
		_, err = f.Write([]byte(records[i+1]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	path := filepath.Join(t.TempDir(), "model.pt2")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	_, err := aoti.Load(path, aoti.Options{})
	require.ErrorIs(t, err, torch.ErrUnsupported)
	require.ErrorContains(t, err, "deflated")
}

// A flipped bit in a library is found before the library is loaded.
func TestLoadChecksChecksums(t *testing.T) {
	path := pack(t, join(format, model("model", mine))...)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	data[bytes.Index(data, []byte("\x7fELF"))+1] ^= 1
	require.NoError(t, os.WriteFile(path, data, 0o600))
	_, err = aoti.Load(path, aoti.Options{})
	require.ErrorIs(t, err, torch.ErrMalformed)
	require.ErrorContains(t, err, "checksum")
}

func TestLoadMistakes(t *testing.T) {
	path := pack(t, join(format, model("one", mine), model("two", mine))...)
	_, err := aoti.Load(path, aoti.Options{})
	require.ErrorContains(t, err, `no model "model"; there are ["one" "two"]`)
	_, err = aoti.Load(path, aoti.Options{ModelName: "one", Device: torch.CUDA})
	require.ErrorContains(t, err, "compiled for cpu, not for cuda")
	_, err = aoti.Load(path, aoti.Options{ModelName: "one"}) // its library is none
	require.Error(t, err)
	_, err = aoti.Load(filepath.Join(t.TempDir(), "none.pt2"), aoti.Options{})
	require.ErrorIs(t, err, os.ErrNotExist)
	for _, data := range []string{"", "PK", "PK\x03\x04", "hello"} {
		bad := filepath.Join(t.TempDir(), "bad.pt2")
		require.NoError(t, os.WriteFile(bad, []byte(data), 0o600))
		_, err = aoti.Load(bad, aoti.Options{})
		require.ErrorIs(t, err, torch.ErrMalformed)
	}
	_, err = aoti.Inspect(t.TempDir())
	require.ErrorContains(t, err, "regular")
}

func TestInspect(t *testing.T) {
	cuda := meta("cuda", "linux", "x86_64", "AVX2")
	i, err := aoti.Inspect(pack(t, join(format, model("b", mine), model("a", cuda)[2:], []string{"models/m.json", "{}"})...))
	require.NoError(t, err)
	require.True(t, i.NativeCode())
	require.Equal(t, []string{"m"}, i.Exported)
	require.Equal(t, []string{"cuda", "cpu"}, i.Devices())
	require.Equal(t, "a", i.Models[0].Name)
	require.Equal(t, "AVX2", i.Models[0].Metadata["AOTI_CPU_ISA"])
	require.False(t, i.Models[0].Library)
	require.Contains(t, i.Models[0].Problem, "compiler")
	require.True(t, i.Models[1].Library)
	require.Empty(t, i.Models[1].Problem)

	i, err = aoti.Inspect(pack(t, join(format, []string{"models/m.json", "{}"})...))
	require.NoError(t, err)
	require.False(t, i.NativeCode())
	require.Empty(t, i.Devices())
}

func ExampleInspect() {
	info, err := aoti.Inspect("testdata/exported.pt2") // by torch.export.save
	fmt.Println(info.Exported, info.NativeCode(), err)
	_, err = aoti.Load("testdata/exported.pt2", aoti.Options{})
	fmt.Println(err)
	// Output:
	// [model] false <nil>
	// aoti: load testdata/exported.pt2: unsupported file: byte 0: this is a package of torch.export.save, which holds a graph and no code; load it with the package torch/export, or compile it with torch._inductor.aoti_compile_and_package
}
