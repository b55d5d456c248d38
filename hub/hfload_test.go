package hub

import (
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/models"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/nn"
	"github.com/torchhub/torchhub/torch/safetensors"
	"github.com/torchhub/torchhub/transforms"
)

const timmResNet18 = `{"architecture": "resnet18", "num_classes": 3, "num_features": 512, "label_names": ["cat", "dog", "fox"],
 "pretrained_cfg": {"tag": "a1_in1k", "input_size": [3, 64, 64], "fixed_input_size": false, "interpolation": "bicubic",
 "crop_pct": 0.95, "crop_mode": "center", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "license": "cc-by-nc-4.0"}}`

// smallNet returns the network of a config.json, and its state dict or a part of it as a file.
func smallNet(t testing.TB, config string, part func(name string) bool) (net nn.Module, file []byte) {
	require.NoError(t, torch.Init(t.Context()))
	torch.ManualSeed(2)
	c, err := readHFConfig([]byte(config), nil)
	require.NoError(t, err)
	net = c.build().(nn.Module)
	nn.Eval(net)
	var s torch.StateDict
	for _, e := range nn.StateDict(net) {
		if part == nil || part(e.Name) {
			s = append(s, e)
		}
	}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	require.NoError(t, safetensors.SaveFile(s, path, map[string]string{"format": "pt"}))
	file, err = os.ReadFile(path)
	require.NoError(t, err)
	return net, file
}

func TestHFLoad(t *testing.T) {
	net, whole := smallNet(t, timmResNet18, nil)
	_, first := smallNet(t, timmResNet18, func(n string) bool { return strings.HasPrefix(n, "layer") })
	_, second := smallNet(t, timmResNet18, func(n string) bool { return !strings.HasPrefix(n, "layer") })
	index := `{"metadata": {"total_size": 1}, "weight_map": {"conv1.weight": "model-00002-of-00002.safetensors", "layer1.0.conv1.weight": "model-00001-of-00002.safetensors"}}`
	h := newFakeHub(t, map[string][]byte{
		"o/whole/config.json": []byte(timmResNet18), "o/whole/model.safetensors": whole,
		"o/shards/config.json": []byte(timmResNet18), "o/shards/model.safetensors.index.json": []byte(index),
		"o/shards/model-00001-of-00002.safetensors": first, "o/shards/model-00002-of-00002.safetensors": second,
		"o/half/config.json": []byte(timmResNet18), "o/half/model.safetensors": first,
		"o/none/config.json":      []byte(timmResNet18),
		"o/odd/config.json":       []byte(timmResNet18),
		"o/noconfig/README.md":    []byte("hello"),
		"o/odd/pytorch_model.bin": []byte("this is no checkpoint"),
	})
	img := noise(100, 80)
	x := transforms.Classification(67, 64, transforms.Bicubic, []float64{0.485, 0.456, 0.406}, []float64{0.229, 0.224, 0.225}).Apply(transforms.ToRGB(img))
	var want []float32
	torch.NoGrad(func() { want = torch.Data[float32](net.Forward(x.Unsqueeze(0))) })
	for _, repo := range []string{"hf:o/whole", "hf:o/shards@main", "hf:o/whole@" + commit1} {
		var notice strings.Builder
		m, err := Load(t.Context(), repo, "", quick(WithNotice(&notice))...)
		require.NoError(t, err, repo)
		require.Equal(t, []string{"cat", "dog", "fox"}, m.Labels())
		require.Equal(t, strings.Split(strings.TrimPrefix(repo, "hf:"), "@")[0], m.Name())
		require.Contains(t, notice.String(), "cc-by-nc-4.0")
		require.Equal(t, models.ClassificationPreset{Resize: 67, Crop: 64, Interpolation: "bicubic", Mean: []float64{0.485, 0.456, 0.406}, Std: []float64{0.229, 0.224, 0.225}}, m.Preset())
		require.Equal(t, torch.Data[float32](x), torch.Data[float32](m.Preprocess().Apply(img)))
		got, err := m.Logits(t.Context(), img)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.NoError(t, m.Close())
	}
	h.requests()
	m, err := Load(t.Context(), "hf:o/whole", "", quick(WithOffline(true), WithNotice(nil))...)
	require.NoError(t, err)
	require.NoError(t, m.Close())
	require.Empty(t, h.requests())

	for repo, want := range map[string]string{
		"hf:o/half":     `hub: load "hf:o/half": ` + filepath.Join(HFCacheDir(), "models--o--half/snapshots/"+commit1+"/model.safetensors") + `: the state dict does not fit the module: missing "conv1.weight"`,
		"hf:o/none":     "o/none has no such file",
		"hf:o/odd":      "pytorch_model.bin",
		"hf:o/noconfig": "o/noconfig has no such file",
		"hf:o/nothing":  "there is no repository o/nothing",
		"hf:o n":        "is not a repository",
	} {
		_, err := Load(t.Context(), repo, "", quick()...)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "\n")
	}
	_, err = Load(t.Context(), "hf:o/whole", "resnet18", quick()...)
	require.ErrorContains(t, err, "leave the name empty")
}

// TestHFConfigRefusals says what is unsupported, and what is wrong.
func TestHFConfigRefusals(t *testing.T) {
	more := func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	timm := func(with string) string { return `{"architecture": "resnet18", ` + with + `}` }
	torchResNet := func(with string) string {
		return `{"architectures": ["ResNetForImageClassification"], ` + with + `}`
	}
	for config, want := range map[string]string{
		`{"architecture": "vit_base_patch16_224"}`:               `unsupported: its architecture is timm's "vit_base_patch16_224"`,
		`{"architecture": "resnet50_gn"}`:                        `unsupported: its architecture is timm's "resnet50_gn"`,
		`{"architectures": ["BertModel"], "model_type": "bert"}`: `unsupported: its architecture is transformers' "BertModel"`,
		`{"model_type": "llama"}`:                                `only the model_type "llama"`,
		`{}`:                                                     "names no architecture",
		`[]`:                                                     "config.json: ",
		`{"architecture": 3}`:                                    "config.json: ",
		`{`:                                                      "config.json: ",
		timm(`"global_pool": "max"`):                             `global_pool "max"`,
		timm(`"num_classes": 0`):                                 "unsupported: 0 classes",
		timm(`"num_classes": 100000000`):                         "classes",
		timm(`"model_args": {"act_layer": "silu"}`):              `unsupported: resnet18 with the argument act_layer = "silu"`,
		timm(`"model_args": {"in_chans": 1}`):                    "in_chans = 1",
		timm(`"model_args": {"layers": [1, 2]}`):                 "[1, 2] is not four numbers",
		timm(`"model_args": {"layers": [1, 2, 3, 100000]}`):      "out of range",
		timm(`"model_args": {"avg_down": 3}`):                    "model_args.avg_down",
		timm(`"pretrained_cfg": {"input_size": [1, 28, 28]}`):    "unsupported: inputs of size [1 28 28]",
		timm(`"pretrained_cfg": {"input_size": [3, 100000, 5]}`): "out of range",
		timm(`"pretrained_cfg": {"input_size": [3, 8, 8], "crop_pct": 1e-9}`): "out of range",
		timm(`"pretrained_cfg": {"crop_pct": -1}`):                            "out of range",
		timm(`"pretrained_cfg": {"interpolation": "random"}`):                 `unsupported: the interpolation "random"`,
		timm(`"pretrained_cfg": {"std": [0, 1, 1]}`):                          "standard deviation",
		timm(`"pretrained_cfg": {"mean": [1]}`):                               "mean [1]",
		timm(`"num_classes": 2, "label_names": ["a"]`):                        "1 label_names for 2 classes",
		timm(`"label_names": 7`):                                              "label_names",
		torchResNet(`"layer_type": "wide"`):                                   `layer_type "wide"`,
		torchResNet(`"hidden_act": "gelu"`):                                   `hidden_act "gelu"`,
		torchResNet(`"num_channels": 1`):                                      "1 channels",
		torchResNet(`"downsample_in_first_stage": true`):                      "downsample_in_first_stage",
		torchResNet(`"depths": [1, 2]`):                                       "four of each",
		torchResNet(`"hidden_sizes": [1, 2, 3, 4]`):                           "hidden_sizes",
		torchResNet(`"embedding_size": -4`):                                   "embedding_size -4",
		torchResNet(`"num_labels": 4`):                                        fs.ErrNotExist.Error(),
	} {
		_, err := readHFConfig([]byte(config), more)
		require.ErrorContains(t, err, want, config)
	}
	for processor, want := range map[string]string{
		`{}`: "the processor",
		`{"image_processor_type": "DonutImageProcessor"}`:                                `unsupported: the processor "DonutImageProcessor"`,
		`{"image_processor_type": "ViTImageProcessor", "do_resize": false}`:              "not resized",
		`{"image_processor_type": "ViTImageProcessor", "size": {"shortest_edge": 3}}`:    "the size",
		`{"image_processor_type": "ViTImageProcessor", "size": 0}`:                       "the size 0",
		`{"image_processor_type": "ViTImageProcessor", "resample": 9}`:                   "the resample 9",
		`{"image_processor_type": "ConvNextImageProcessor", "size": 224, "crop_pct": 0}`: "crop_pct 0",
		`{"image_processor_type": "CLIPImageProcessor", "do_center_crop": false}`:        "not cropped",
		`{"image_processor_type": "CLIPImageProcessor", "image_std": [1, 2]}`:            "standard deviation",
		`{`: "preprocessor_config.json",
	} {
		_, err := readHFConfig([]byte(torchResNet(`"num_labels": 4`)), func(string) ([]byte, error) { return []byte(processor), nil })
		require.ErrorContains(t, err, want, processor)
	}
	_, err := readHFConfig([]byte(torchResNet(`"num_labels": 4`)), more)
	require.True(t, errors.Is(err, fs.ErrNotExist))
	for index, want := range map[string]string{`{}`: "names 0 files", `[`: "unexpected end", `{"weight_map": {"a": 1}}`: "cannot unmarshal"} {
		_, err := readIndex([]byte(index))
		require.ErrorContains(t, err, want)
	}
}

func TestHFLabels(t *testing.T) {
	for config, want := range map[string][]string{
		`"num_classes": 2, "label_names": {"1": "b", "0": "a"}`:                              {"a", "b"},
		`"num_classes": 2, "label_names": ["n1", "n2"], "label_descriptions": {"n1": "one"}`: {"one", "n2"},
		`"num_classes": 2`: {"LABEL_0", "LABEL_1"},
		`"num_classes": 1000, "pretrained_cfg": {"tag": "x"}`:                          numbered(1000),
		`"pretrained_cfg": {"tag": "fb_wsl_ig1b_ft_in1k"}`:                             models.ImageNet.Labels(),
		`"num_classes": 1, "pretrained_cfg": {"num_classes": 5, "label_names": ["z"]}`: {"z"},
		`"labels": ["a", "b"], "num_classes": 2`:                                       {"a", "b"}, // in one piece, as timm's older ones
		`"model_args": {"num_classes": 3}`:                                             {"LABEL_0", "LABEL_1", "LABEL_2"},
	} {
		p, err := readHFConfig([]byte(`{"architecture": "resnet18", `+config+`}`), nil)
		require.NoError(t, err, config)
		require.Equal(t, want, p.labels, config)
		require.Len(t, p.labels, p.model.Classes)
	}
}

// hfPython returns a Python with huggingface_hub, safetensors, timm and transformers, or skips the test.
func hfPython(t *testing.T) *reference.Process {
	p := reference.Start(t, `
import importlib.util, json, os, sys
have = all(importlib.util.find_spec(m) for m in ("huggingface_hub", "safetensors", "timm", "transformers"))
os.environ["HF_HUB_OFFLINE"] = "1"
if have:
    import timm, torch, timm.data
    from PIL import Image
    from safetensors.torch import save_file, save_model
    from timm.models._hub import save_config_for_hf

def shake(m):
    with torch.no_grad():
        for key, v in m.state_dict().items():
            if key.endswith("running_mean"):
                v.normal_(0, 0.1)
            elif key.endswith("running_var"):
                v.uniform_(0.5, 1.5)
            elif v.dim() == 1 and v.is_floating_point():
                v.uniform_(0.5, 1.5) if key.endswith("weight") else v.normal_(0, 0.1)
    return m.eval()

def make_timm(folder, name, args, cfg, top):
    """Writes a repository as timm.models.push_to_hf_hub does."""
    torch.manual_seed(4)
    m = shake(timm.create_model(name, pretrained_cfg_overlay=cfg, **args))
    save_config_for_hf(m, os.path.join(folder, "config.json"), model_config=top, model_args=args)
    save_file({k: v.contiguous() for k, v in m.state_dict().items()}, os.path.join(folder, "model.safetensors"), {"format": "pt"})

last = {}

def once(folder, make):
    if folder not in last:
        last.clear()
        last[folder] = make()
    return last[folder]

def timm_says(folder, picture):
    m = once(folder, lambda: timm.create_model("local-dir:" + folder, pretrained=True).eval())
    pre = timm.data.create_transform(**timm.data.resolve_model_data_config(m))
    x = pre(Image.open(picture).convert("RGB"))
    with torch.no_grad():
        return [x.contiguous(), m(x[None])[0], str(pre)]

def make_transformers(folder, config, processor):
    import transformers
    torch.manual_seed(4)
    shake(transformers.ResNetForImageClassification(transformers.ResNetConfig(**config))).save_pretrained(folder)
    with open(os.path.join(folder, "preprocessor_config.json"), "w") as f:
        json.dump(processor, f)

def transformers_says(folder, picture):
    import transformers
    m = once(folder, lambda: transformers.ResNetForImageClassification.from_pretrained(folder).eval())
    pre = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    x = pre(Image.open(picture).convert("RGB"), return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        return [x[0].contiguous(), m(x).logits[0], [m.config.id2label[i] for i in range(m.config.num_labels)]]
`)
	var have bool
	p.Call(&have, "lambda: bool(have)")
	if !have {
		t.Skip("the reference has no huggingface_hub, safetensors, timm and transformers")
	}
	return p
}

// upload gives the hub the files of a folder.
func (h *fakeHub) upload(t *testing.T, repo, folder string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range files(t, folder) {
		data, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		h.files[repo+"/"+name] = data
	}
}

// pictures writes some of odd sizes.
func pictures(t *testing.T) map[string]image.Image {
	out := map[string]image.Image{}
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(8, 8))
	for _, s := range []image.Point{{301, 217}, {31, 58}} {
		img := image.NewNRGBA(image.Rect(0, 0, s.X, s.Y))
		for y := range s.Y {
			for x := range s.X {
				img.SetNRGBA(x, y, color.NRGBA{uint8(x*3) + uint8(r.IntN(40)), uint8(y*2) + uint8(r.IntN(40)), uint8(x + y), 255})
			}
		}
		path := filepath.Join(dir, s.String()+".png")
		writePNG(t, path, img)
		decoded, err := transforms.Open(path)
		require.NoError(t, err)
		out[path] = decoded
	}
	return out
}

// TestHFTimm compares the whole way with timm: inputs bit for bit, logits to 1e-4.
func TestHFTimm(t *testing.T) {
	p := hfPython(t)
	h := newFakeHub(t, map[string][]byte{})
	cfg := func(s string) (m map[string]any) {
		require.NoError(t, json.Unmarshal([]byte(s), &m))
		return m
	}
	pics := pictures(t)
	for name, c := range map[string]struct{ arch, args, cfg, top string }{
		"center":         {"resnet18", `{}`, `{"input_size": [3, 96, 96], "crop_pct": 0.95, "interpolation": "bicubic"}`, `{}`},
		"lanczos":        {"resnet10t", `{"num_classes": 7}`, `{"input_size": [3, 80, 80], "crop_pct": 0.8, "interpolation": "lanczos", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}`, `{"label_names": ["a", "b", "c", "d", "e", "f", "g"]}`},
		"not square":     {"resnet14t", `{}`, `{"input_size": [3, 64, 128], "crop_pct": 0.9, "interpolation": "bilinear"}`, `{}`},
		"squash":         {"seresnet18", `{}`, `{"input_size": [3, 64, 96], "crop_pct": 1.0, "crop_mode": "squash", "interpolation": "bicubic"}`, `{}`},
		"border":         {"resnet18d", `{"num_classes": 3}`, `{"input_size": [3, 70, 90], "crop_pct": 0.9, "crop_mode": "border", "interpolation": "bicubic"}`, `{}`},
		"border, zoomed": {"resnetblur18", `{}`, `{"input_size": [3, 65, 65], "crop_pct": 0.5, "crop_mode": "border", "interpolation": "bilinear"}`, `{}`},
		"args":           {"resnet26", `{"layers": [1, 2, 1, 1], "stem_width": 24, "stem_type": "deep", "avg_down": true, "num_classes": 5, "block_reduce_first": 2, "drop_rate": 0.1}`, `{"input_size": [3, 64, 64]}`, `{}`},
		"wsl":            {"resnext101_32x8d", `{"layers": [1, 1, 2, 1]}`, `{"tag": "fb_wsl_ig1b_ft_in1k", "input_size": [3, 224, 224], "crop_pct": 0.875, "interpolation": "bilinear"}`, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			p.Call(nil, "make_timm", folder, c.arch, cfg(c.args), cfg(c.cfg), cfg(c.top))
			repo := "timm/" + strings.ReplaceAll(strings.ReplaceAll(name, " ", ""), ",", "_")
			h.upload(t, repo, folder)
			m, err := Load(t.Context(), "hf:"+repo, "", quick(WithNotice(nil))...)
			require.NoError(t, err)
			defer m.Close()
			for path, img := range pics {
				var want struct{ x, logits reference.Array }
				var all []json.RawMessage
				p.Call(&all, "timm_says", folder, path)
				require.NoError(t, json.Unmarshal(all[0], &want.x))
				require.NoError(t, json.Unmarshal(all[1], &want.logits))
				require.Equal(t, reference.Data[float32](want.x), torch.Data[float32](m.Preprocess().Apply(img)), "%s: %s", path, all[2])
				got, err := m.Logits(t.Context(), img)
				require.NoError(t, err)
				near(t, reference.Data[float32](want.logits), got)
				require.Len(t, m.Labels(), len(got))
			}
		})
	}
}

// TestHFTransformers compares with transformers. Its processors scale before they
// round to float32, so inputs differ in the last bit.
func TestHFTransformers(t *testing.T) {
	p := hfPython(t)
	h := newFakeHub(t, map[string][]byte{})
	object := func(s string) (m map[string]any) {
		require.NoError(t, json.Unmarshal([]byte(s), &m))
		return m
	}
	pics := pictures(t)
	const norm = `"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]`
	for name, c := range map[string]struct{ config, processor string }{
		"resnet-50":  {`{"depths": [1, 2, 1, 2]}`, `{"crop_pct": 0.875, "do_normalize": true, "do_resize": true, "feature_extractor_type": "ConvNextFeatureExtractor", "resample": 3, "size": 224, ` + norm + `}`},
		"basic":      {`{"layer_type": "basic", "hidden_sizes": [64, 128, 256, 512], "depths": [2, 2, 2, 2], "num_labels": 5}`, `{"image_processor_type": "ConvNextImageProcessor", "resample": 2, "size": {"shortest_edge": 100}, ` + norm + `}`},
		"old stride": {`{"downsample_in_bottleneck": true, "embedding_size": 32, "hidden_sizes": [64, 128, 192, 256], "depths": [1, 2, 1, 1], "id2label": {"0": "a", "1": "b", "2": "c"}}`, `{"image_processor_type": "ViTImageProcessor", "size": {"height": 64, "width": 80}}`},
		"large":      {`{"hidden_sizes": [64, 128, 128, 256], "depths": [1, 1, 1, 1]}`, `{"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 384}}`},
		"clip":       {`{"hidden_sizes": [64, 128, 128, 256], "depths": [1, 1, 1, 1]}`, `{"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 90}, "crop_size": {"height": 80, "width": 80}}`},
		"bit":        {`{"hidden_sizes": [64, 128, 128, 256], "depths": [1, 1, 1, 1]}`, `{"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 70}, "crop_size": {"height": 80, "width": 96}, "do_normalize": false}`},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			p.Call(nil, "make_transformers", folder, object(c.config), object(c.processor))
			repo := "m/" + strings.ReplaceAll(name, " ", "")
			h.upload(t, repo, folder)
			m, err := Load(t.Context(), "hf:"+repo, "", quick(WithNotice(nil))...)
			require.NoError(t, err)
			defer m.Close()
			for path, img := range pics {
				var all []json.RawMessage
				p.Call(&all, "transformers_says", folder, path)
				var x, logits reference.Array
				var labels []string
				require.NoError(t, json.Unmarshal(all[0], &x))
				require.NoError(t, json.Unmarshal(all[1], &logits))
				require.NoError(t, json.Unmarshal(all[2], &labels))
				input := m.Preprocess().Apply(img)
				require.Equal(t, x.Shape, input.Shape())
				got := torch.Data[float32](input)
				for i, v := range reference.Data[float32](x) {
					require.InDelta(t, v, got[i], 1e-6)
				}
				y, err := m.Logits(t.Context(), img)
				require.NoError(t, err)
				near(t, reference.Data[float32](logits), y)
				require.Equal(t, labels, m.Labels())
			}
		})
	}
}

func writePNG(t *testing.T, path string, img image.Image) {
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, png.Encode(f, img))
}
