package hub_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/models/builtin"
	"github.com/torchhub/torchhub/models/resnet"
	"github.com/torchhub/torchhub/torch/jit"
	"github.com/torchhub/torchhub/transforms"
)

// published makes a folder with a model and its hubconf.json.
func published() (dir string, done func()) {
	dir, err := os.MkdirTemp("", "example")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "letters.pt"), builtin.Model(), 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
	err = hub.Pack(context.Background(), dir, "letters", hub.Entry{
		Doc:        "Reads a letter.",
		License:    "BSD-3-Clause",
		Artifacts:  []hub.Artifact{{URL: "letters.pt"}},
		Preprocess: &hub.Preprocess{Preset: builtin.Preset()},
		Labels:     &hub.Labels{Names: builtin.Labels()},
	})
	if err != nil {
		log.Fatal(err)
	}
	return dir, func() { os.RemoveAll(dir) }
}

// A folder, or a repository on GitHub, publishes models to Go with a hubconf.json.
func ExampleLoad_local() {
	ctx := context.Background()
	dir, done := published()
	defer done()
	model, err := hub.Load(ctx, dir, "letters", hub.WithSource("local"), hub.WithNotice(os.Stdout))
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	img, err := transforms.Decode(bytes.NewReader(builtin.Picture()))
	if err != nil {
		log.Fatal(err)
	}
	top, err := model.Classify(ctx, img, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(top[0].Name)
	// Output:
	// torchhub: the weights of letters are licensed under BSD-3-Clause
	// letter G
}

func ExamplePack() {
	dir, done := published()
	defer done()
	data, err := os.ReadFile(filepath.Join(dir, hub.HubconfName))
	if err != nil {
		log.Fatal(err)
	}
	conf, err := hub.ParseHubconf(data)
	if err != nil {
		log.Fatal(err)
	}
	a := conf.Entries["letters"].Artifacts[0]
	fmt.Println(a.URL, a.Format, a.Size == int64(len(builtin.Model())), len(a.SHA256))
	// Output: letters.pt torchscript true 64
}

func ExampleValidate() {
	dir, done := published()
	defer done()
	conf, err := hub.Validate(context.Background(), dir)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(conf.Entries), "entry")
	if err := os.WriteFile(filepath.Join(dir, "letters.pt"), []byte("another file"), 0o644); err != nil {
		log.Fatal(err)
	}
	_, err = hub.Validate(context.Background(), dir)
	fmt.Println(strings.Contains(err.Error(), "entries.letters.artifacts[0]: "))
	// Output:
	// 1 entry
	// true
}

func ExampleParseHubconf() {
	_, err := hub.ParseHubconf([]byte(`{"hubconf": 1, "entries": {"m": {"artifacts": [
		{"format": "torchscript", "url": "../m.pt", "size": 1,
		 "sha256": "0000000000000000000000000000000000000000000000000000000000000000"}]}}}`))
	fmt.Println(err)
	// Output: hub: hubconf.json: entries.m.artifacts[0].url: "../m.pt" is not a path below the folder of the hubconf.json
}

func ExampleFormatOf() {
	dir, done := published()
	defer done()
	fmt.Println(hub.FormatOf(filepath.Join(dir, "letters.pt")))
	// Output: torchscript <nil>
}

// A Go package registers its models when it is imported.
func ExampleRegister() {
	hub.Register("example/models", "tiny", hub.Entry{
		Doc:       "A ResNet with ten classes.",
		Build:     func() any { return resnet.New(resnet.Config{Layers: [4]int{1, 1, 1, 1}, NumClasses: 10}) },
		Artifacts: []hub.Artifact{{Format: hub.StateDict, URL: "https://example.com/tiny-0123abcd.pth"}},
	})
	names, err := hub.List(context.Background(), "example/models")
	fmt.Println(names, err)
	// Output: [tiny] <nil>
}

func ExampleSetDir() {
	hub.SetDir("/srv/models")
	defer hub.SetDir("")
	fmt.Println(filepath.ToSlash(hub.Dir()))
	// Output: /srv/models
}

// gitHub answers as GitHub would, without a network.
type gitHub struct{}

func (gitHub) RoundTrip(r *http.Request) (*http.Response, error) {
	var body bytes.Buffer
	switch {
	case strings.HasSuffix(r.URL.Path, "/branches"):
		io.WriteString(&body, `[{"name": "main", "commit": {"sha": "0123"}}]`)
	case strings.Contains(r.URL.Path, "/zipball/"):
		z := zip.NewWriter(&body)
		w, err := z.Create("owner-name-0123/hubconf.py")
		if err != nil {
			return nil, err
		}
		io.WriteString(w, "from math import floor as _floor\n\ndef tiny(pretrained=False):\n    \"\"\"A tiny model.\"\"\"\n")
		if err := z.Close(); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(&body), ContentLength: int64(body.Len()), Request: r}, nil
}

func ExampleRepository() {
	home, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(home)
	hub.SetDir(home)
	defer hub.SetDir("")

	ctx := context.Background()
	opts := []hub.Option{hub.WithHTTPClient(&http.Client{Transport: gitHub{}}), hub.WithNotice(nil)}
	_, err = hub.Repository(ctx, "owner/name", append(opts, hub.WithPrompt(func(_ context.Context, question string) (string, error) {
		return "n", nil
	}))...)
	fmt.Println(errors.Is(err, hub.ErrUntrusted))

	dir, err := hub.Repository(ctx, "owner/name", append(opts, hub.WithTrust(hub.TrustAlways))...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(filepath.Base(dir))
	names, err := hub.List(ctx, "owner/name", opts...) // trusted now, and in the cache
	fmt.Println(names, err)
	text, err := hub.Help(ctx, "owner/name", "tiny", opts...)
	fmt.Println(text, err)
	// Output:
	// true
	// owner_name_main
	// [tiny] <nil>
	// A tiny model. <nil>
}

func ExampleLoadStateDictFromURL() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file, err := filepath.Abs("../testdata/checkpoints/zip_state_dict.pt")
	if err != nil {
		log.Fatal(err)
	}
	state, err := hub.LoadStateDictFromURL(context.Background(), "file://"+filepath.ToSlash(file), hub.WithCacheDir(dir), hub.WithFileName("mine.pt"))
	if err != nil {
		log.Fatal(err)
	}
	defer state.Free()
	fmt.Println(len(state) > 0)
	_, err = os.Stat(filepath.Join(dir, "mine.pt"))
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}

func ExampleFromScript() {
	script, err := jit.LoadBytes(builtin.Model())
	if err != nil {
		log.Fatal(err)
	}
	model, err := hub.FromScript(context.Background(), "letters", script, builtin.Preset(), builtin.Labels())
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	fmt.Println(model.Name(), len(model.Labels()))
	// Output: letters 36
}
