package hub_test

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/torchhub/torchhub/hub"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/safetensors"
)

// serveHF answers as the Hugging Face Hub does for the files of one repository,
// on this machine, and lets the examples use a cache of their own.
func serveHF(repo string, files map[string][]byte) (stop func()) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, rest, _ := strings.Cut(r.URL.Path[1:], "/resolve/")
		_, name, _ := strings.Cut(rest, "/")
		data, ok := files[name]
		w.Header().Set("X-Repo-Commit", strings.Repeat("c", 40))
		if id != repo || !ok {
			w.Header().Set("X-Error-Code", "EntryNotFound")
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(data)), data...))))
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		w.Write(data)
	}))
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	var undo []func()
	for name, value := range map[string]string{"HF_ENDPOINT": s.URL, "HF_HUB_CACHE": filepath.Join(dir, "hf"), "TORCH_HOME": dir} {
		old, was := os.LookupEnv(name)
		os.Setenv(name, value)
		undo = append(undo, func() {
			if os.Unsetenv(name); was {
				os.Setenv(name, old)
			}
		})
	}
	return func() {
		s.Close()
		for _, f := range undo {
			f()
		}
		os.RemoveAll(dir)
	}
}

func ExampleHFDownload() {
	defer serveHF("timm/resnet18.a1_in1k", map[string][]byte{"config.json": []byte(`{"architecture": "resnet18"}`)})()
	ctx := context.Background()
	path, err := hub.HFDownload(ctx, "timm/resnet18.a1_in1k", "config.json") // hf_hub_download("timm/resnet18.a1_in1k", "config.json")
	if err != nil {
		log.Fatal(err)
	}
	text, err := os.ReadFile(path)
	fmt.Println(string(text), err)

	_, err = hub.HFDownload(ctx, "timm/resnet18.a1_in1k", "vocab.txt")
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output:
	// {"architecture": "resnet18"} <nil>
	// true
}

// A model of the Hugging Face Hub: its architecture, preprocessing and labels are in its config.json.
func ExampleLoad_huggingFace() {
	defer serveHF("someone/cats-and-dogs", tinyModel())()
	ctx := context.Background()
	model, err := hub.Load(ctx, "hf:someone/cats-and-dogs", "", hub.WithNotice(nil))
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	top, err := model.Classify(ctx, image.NewGray(image.Rect(0, 0, 100, 80)), 2)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(model.Name(), model.Labels(), len(top))
	fmt.Println(model.Preprocess())
	// Output:
	// someone/cats-and-dogs [cat dog] 2
	// Compose(
	//     RGB()
	//     Compose(
	//     Resize(size=36, interpolation=bicubic, max_size=None, antialias=True)
	//     CenterCrop(size=(32, 32))
	//     ToTensor()
	//     Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
	// )
	// )
}

// tinyModel returns the files of a repository, as timm's push_to_hf_hub makes them.
func tinyModel() map[string][]byte {
	if err := torch.Init(context.Background()); err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	build, err := models.Configure("resnet", []byte(`{"block": "BasicBlock", "layers": [1, 1, 1, 1], "num_classes": 2}`))
	if err != nil {
		log.Fatal(err)
	}
	file := filepath.Join(dir, "model.safetensors")
	if err := safetensors.SaveFile(nn.StateDict(build()), file, nil); err != nil {
		log.Fatal(err)
	}
	weights, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	return map[string][]byte{
		"model.safetensors": weights,
		"config.json": []byte(`{"architecture": "resnet18", "model_args": {"layers": [1, 1, 1, 1]}, "num_classes": 2, "label_names": ["cat", "dog"],
			"pretrained_cfg": {"input_size": [3, 32, 32], "crop_pct": 0.875, "interpolation": "bicubic"}}`),
	}
}

func ExampleDownload() {
	defer serveHF("someone/cats-and-dogs", tinyModel())()
	files, err := hub.Download(context.Background(), "hf:someone/cats-and-dogs", "", hub.WithNotice(nil))
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range files {
		fmt.Println(filepath.Base(f))
	}
	// Output:
	// model.safetensors
}

func ExampleCache() {
	defer serveHF("someone/cats-and-dogs", tinyModel())()
	ctx := context.Background()
	if _, err := hub.Download(ctx, "hf:someone/cats-and-dogs", "", hub.WithNotice(nil)); err != nil {
		log.Fatal(err)
	}
	entries, err := hub.Cache()
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range entries {
		fmt.Println(e.Kind, e.Name, e.Size > 1<<20, e.Verify(ctx))
		if err := e.Remove(); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// hugging face hf:someone/cats-and-dogs true <nil>
}

func ExampleHFCacheDir() {
	defer serveHF("", nil)()
	os.Setenv("HF_HUB_CACHE", "/srv/cache/huggingface/hub")
	fmt.Println(hub.HFCacheDir())
	// Output:
	// /srv/cache/huggingface/hub
}

func ExampleDir() {
	defer serveHF("", nil)()
	os.Setenv("TORCH_HOME", "/srv/cache/torch")
	fmt.Println(hub.Dir())
	hub.SetDir("/elsewhere")
	defer hub.SetDir("")
	fmt.Println(hub.Dir())
	// Output:
	// /srv/cache/torch/hub
	// /elsewhere
}
