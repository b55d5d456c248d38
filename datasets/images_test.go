package datasets

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/frugal"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/transforms"
)

const pythons = `
import contextlib, hashlib, importlib.util, inspect, io, os, pickle, PIL.Image, torch, numpy as np
from torchvision import datasets as d
from torchvision.datasets import celeba, utils, widerface

def encode(x):
    if isinstance(x, PIL.Image.Image): return [x.mode, *x.size, x.tobytes().hex()]
    if isinstance(x, (torch.Tensor, np.ndarray)): return x.tolist()
    if isinstance(x, np.generic): return x.item()
    if isinstance(x, dict): return {k: encode(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)): return [encode(v) for v in x]
    return x

def published(name, root, kw, address):
    """Reads all of a data set, which is downloaded from an address before, if there is one. Folders are in alphabetical order."""
    real, check, listdir = utils._get_redirect_url, utils.check_md5, os.listdir
    def drive(id, root, filename, md5):
        os.makedirs(root, exist_ok=True)
        utils._urlretrieve(address + "/" + filename, os.path.join(root, filename))
    celeba.download_file_from_google_drive = widerface.download_file_from_google_drive = drive
    utils._get_redirect_url = lambda url, max_hops=3: address + "/" + os.path.basename(url)
    utils.check_md5 = lambda *a, **k: True
    os.listdir = lambda *a: sorted(listdir(*a))
    try:
        c, kw = getattr(d, name), dict(kw or {})
        if address or "download" in inspect.signature(c).parameters:
            kw["download"] = bool(address)
        if name in ("CocoCaptions", "Flickr8k", "Flickr30k"):
            s = c(os.path.join(root, "pictures"), os.path.join(root, "list"))
        else:
            s = c(root, **kw)
        order = range(len(s))
        if name == "SUN397":
            order = sorted(order, key=lambda i: s._image_files[i])
        samples = []
        for i in order:
            v = s[i]
            samples.append([encode(x) for x in v] if isinstance(v, tuple) else [encode(v)])
        of = {"CelebA": "attr_names", "Caltech101": "categories", "Caltech256": "categories", "INaturalist": "all_categories", "Omniglot": "_characters"}
        classes = list(s.class_to_idx) if name == "LFWPeople" else getattr(s, of.get(name, "classes"), None)
        if name in ("ImageNet", "Imagenette"):
            classes = [[w, ", ".join(c)] for w, c in zip(s.wnids, classes)]
        return {"Samples": samples, "Classes": encode(classes)}
    finally:
        utils._get_redirect_url, utils.check_md5, os.listdir = real, check, listdir

def printed(script):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(script, {"__name__": "script"})
    return out.getvalue()

def read(name, kw):
    s = getattr(d, name)(**kw)
    out = [[list(x.size), x.mode, list(x.tobytes()), int(t)] for x, t in s]
    return {"Pictures": [list(x) for x in out], "Classes": list(getattr(s, "classes", None) or [])}

def cifar(root, name, protocol):
    """Writes a small copy, and reads it with the checksums of the copy."""
    c = getattr(d, name)
    rng = np.random.default_rng(protocol)
    folder = os.path.join(root, c.base_folder)
    os.makedirs(folder, exist_ok=True)
    key = "labels" if name == "CIFAR10" else "fine_labels"
    def put(file, v):
        b = pickle.dumps(v, protocol)
        with open(os.path.join(folder, file), "wb") as f: f.write(b)
        return hashlib.md5(b).hexdigest()
    lists = [[[f, put(f, {"data": rng.integers(0, 256, (2, 3072), dtype=np.uint8), key: rng.integers(0, 10, 2).tolist(), "filenames": ["a.png", "b.png"]})] for f, _ in files] for files in (c.train_list, c.test_list)]
    meta = dict(c.meta, md5=put(c.meta["filename"], {c.meta["key"]: ["cat", "dog"]}))
    small = type(name, (c,), {"train_list": lists[0], "test_list": lists[1], "meta": meta})
    out = []
    for train in (True, False):
        s = small(root, train)
        out.append([[list(x.tobytes()), int(t)] for x, t in s])
    return out

def folder(root, kw):
    if "suffix" in kw:
        suffix = tuple(kw.pop("suffix"))
        kw["is_valid_file"] = lambda p: p.endswith(suffix)
    try:
        f = d.ImageFolder(root, **kw)
    except FileNotFoundError as e:
        return {"error": str(e)}
    return {"classes": f.classes, "samples": [[p, c] for p, c in f.samples]}

def coco(root, file):
    f = d.CocoDetection(root, file)
    return [[i, f.coco.loadImgs(i)[0]["file_name"], [a["id"] for a in f._load_target(i)], list(f[k][0].getpixel((0, 0)))] for k, i in enumerate(f.ids)]

def stl10(root, split, folds):
    s = type("STL10", (d.STL10,), {"_check_integrity": lambda self: True})(root, split, folds)
    return {"Pictures": [[list(x.size), x.mode, list(x.tobytes()), int(t)] for x, t in s], "Classes": s.classes}
`

// readBack is what the script returns of a data set.
type readBack struct {
	Pictures [][4]any
	Classes  []string
}

func (want readBack) equal(t *testing.T, got Pictures[int]) {
	t.Helper()
	require.Equal(t, len(want.Pictures), got.Len())
	for i, w := range want.Pictures {
		img, class, err := got.Open(i)
		require.NoError(t, err)
		require.Equal(t, w[3], float64(class))
		require.Equal(t, w[0], []any{float64(img.Bounds().Dx()), float64(img.Bounds().Dy())})
		require.Equal(t, w[2], floats(pixelsOf(img)))
	}
}

func pixelsOf(img image.Image) []byte {
	if g, ok := img.(*image.Gray); ok {
		return g.Pix
	}
	return img.(*transforms.RGB).Pix
}

func floats(b []byte) []any {
	out := make([]any, len(b))
	for i, v := range b {
		out[i] = float64(v)
	}
	return out
}

// put writes a file, and the folders that it is in.
func put(t testing.TB, b []byte, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, b, 0o644))
}

// idx writes the elements as an idx file.
func idx(kind byte, elements []byte, shape ...int) []byte {
	b := []byte{0, 0, kind, byte(len(shape))}
	for _, s := range shape {
		b = binary.BigEndian.AppendUint32(b, uint32(s))
	}
	return append(b, elements...)
}

func noise(n int) []byte {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// digits writes small files of the MNIST family.
func digits(t testing.TB, raw string) {
	for i, part := range []string{"train", "t10k"} {
		n := 3 + i
		put(t, idx(8, noise(n*28*28), n, 28, 28), raw, part+"-images-idx3-ubyte")
		put(t, idx(8, []byte{7, 2, 1, 0, 4}[:n], n), raw, part+"-labels-idx1-ubyte")
	}
}

func TestMNISTIsTorchvisions(t *testing.T) {
	p := reference.Start(t, pythons)
	root := t.TempDir()
	for name, open := range map[string]func(...Option) (*Images, error){
		"MNIST":        func(o ...Option) (*Images, error) { return NewMNIST(t.Context(), root, o...) },
		"FashionMNIST": func(o ...Option) (*Images, error) { return NewFashionMNIST(t.Context(), root, o...) },
		"KMNIST":       func(o ...Option) (*Images, error) { return NewKMNIST(t.Context(), root, o...) },
	} {
		digits(t, filepath.Join(root, name, "raw"))
		for _, train := range []bool{true, false} {
			var want readBack
			p.Call(&want, "read", name, map[string]any{"root": root, "train": train})
			o := []Option{}
			if !train {
				o = append(o, WithTest())
			}
			got, err := open(o...)
			require.NoError(t, err)
			want.equal(t, got)
			require.Equal(t, want.Classes, got.Classes)
		}
	}
	for _, split := range []string{"byclass", "bymerge", "balanced", "letters", "digits", "mnist"} {
		raw := filepath.Join(root, "EMNIST", "raw")
		put(t, idx(8, noise(2*28*28), 2, 28, 28), raw, "emnist-"+split+"-test-images-idx3-ubyte")
		put(t, idx(8, []byte{1, 9}, 2), raw, "emnist-"+split+"-test-labels-idx1-ubyte")
		var want readBack
		p.Call(&want, "read", "EMNIST", map[string]any{"root": root, "split": split, "train": false})
		got, err := NewEMNIST(t.Context(), root, WithSplit(split), WithTest())
		require.NoError(t, err)
		want.equal(t, got)
		require.Equal(t, want.Classes, got.Classes)
	}
	raw := filepath.Join(root, "QMNIST", "raw")
	labels := make([]byte, 10002*8*4)
	for i := range 10002 {
		labels[i*32+3] = byte(i % 10)
	}
	put(t, idx(8, noise(10002*4), 10002, 2, 2), raw, "qmnist-test-images-idx3-ubyte")
	put(t, idx(12, labels, 10002, 8), raw, "qmnist-test-labels-idx2-int")
	var want readBack
	p.Call(&want, "read", "QMNIST", map[string]any{"root": root, "what": "test50k"})
	got, err := NewQMNIST(t.Context(), root, WithSplit("test50k"))
	require.NoError(t, err)
	want.equal(t, got)
	got, err = NewQMNIST(t.Context(), root, WithSplit("test10k"))
	require.NoError(t, err)
	require.Equal(t, 10000, got.Len())
}

func TestCIFARIsTorchvisions(t *testing.T) {
	p := reference.Start(t, pythons)
	for protocol := 2; protocol <= 5; protocol++ {
		for _, name := range []string{"CIFAR10", "CIFAR100"} {
			root := t.TempDir()
			var want [2][][2]any
			p.Call(&want, "cifar", root, name, protocol)
			open := NewCIFAR10
			if name == "CIFAR100" {
				open = NewCIFAR100
			}
			_, err := open(t.Context(), root)
			require.ErrorContains(t, err, "MD5")
			for i, o := range [][]Option{{WithoutChecksums()}, {WithoutChecksums(), WithTest()}} {
				got, err := open(t.Context(), root, o...)
				require.NoError(t, err)
				require.Equal(t, []string{"cat", "dog"}, got.Classes)
				require.Equal(t, len(want[i]), got.Len())
				for k, w := range want[i] {
					img, class, _ := got.Open(k)
					require.Equal(t, w, [2]any{floats(pixelsOf(img)), float64(class)})
				}
			}
		}
	}
}

// python2 is a batch as Python 2 wrote it, with its strs.
func python2() []byte {
	b := []byte("\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85U\x01b\x87Rq\x05(K\x01K\x01M\x00\x0c\x86cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87Rq\x07(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T\x00\x0c\x00\x00")
	b = append(b, noise(3072)...)
	return append(b, "tbU\x06labelsq\x08]q\tK\x06au."...)
}

func TestPython2(t *testing.T) {
	pix, labels, err := parseCIFAR(python2(), "labels")
	require.NoError(t, err)
	require.Equal(t, noise(3072), pix)
	require.Equal(t, []int{6}, labels)
}

func TestSTL10IsTorchvisions(t *testing.T) {
	p := reference.Start(t, pythons)
	root := t.TempDir()
	dir := filepath.Join(root, "stl10_binary")
	for part, n := range map[string]int{"train": 3, "test": 2, "unlabeled": 1} {
		put(t, noise(n*3*96*96), dir, part+"_X.bin")
		if part != "unlabeled" {
			put(t, []byte{1, 10, 4}[:n], dir, part+"_y.bin")
		}
	}
	put(t, []byte("bird\ncat\n"), dir, "class_names.txt")
	put(t, []byte("0 2 \n1 1 \n"), dir, "fold_indices.txt")
	for split, python := range map[string][2]any{"train": {"train", nil}, "test": {"test", nil}, "train+unlabeled": {"train+unlabeled", nil}, "train:1": {"train", 1}} {
		var want readBack
		p.Call(&want, "stl10", root, python[0], python[1])
		got, err := NewSTL10(t.Context(), root, WithSplit(split), WithoutChecksums())
		require.NoError(t, err)
		want.equal(t, got)
		require.Equal(t, want.Classes, got.Classes)
	}
	_, err := NewSTL10(t.Context(), root, WithSplit("train:7"), WithoutChecksums())
	require.ErrorContains(t, err, `there is no fold "7"`)
}

func TestFakeDataIsTorchvisions(t *testing.T) {
	p := reference.Start(t, pythons)
	var want readBack
	p.Call(&want, "read", "FakeData", map[string]any{"size": 3, "image_size": []int{3, 4, 5}, "random_offset": 7})
	want.equal(t, NewFakeData(FakeDataOptions{Size: 3, ImageSize: [3]int{3, 4, 5}, RandomOffset: 7}))
}

// FakeData has numbers of Python's also where there is no Python.
func TestFakeData(t *testing.T) {
	require.NoError(t, torch.Init(t.Context()))
	d := NewFakeData(FakeDataOptions{Size: 3, ImageSize: [3]int{3, 4, 5}})
	img, class, err := d.Open(0)
	require.NoError(t, err)
	require.Equal(t, 9, class)
	require.Equal(t, []byte{225, 152, 230, 219, 116, 202}, pixelsOf(img)[:6])
	require.Equal(t, 1000, NewFakeData().Len())
}

// mat5 writes a MATLAB 5 file of matrices of bytes.
func mat5(compress bool, vars ...matrix) []byte {
	out := append(bytes.Repeat([]byte{' '}, 124), 0, 1, 'I', 'M')
	le := binary.LittleEndian
	element := func(kind uint32, b []byte) []byte {
		e := append(le.AppendUint32(le.AppendUint32(nil, kind), uint32(len(b))), b...)
		return append(e, make([]byte, (8-len(b)%8)%8)...)
	}
	for _, v := range vars {
		var dims []byte
		for _, d := range v.dims {
			dims = le.AppendUint32(dims, uint32(d))
		}
		name := le.AppendUint32(nil, uint32(len(v.name))<<16|1) // a small element
		name = append(append(name, v.name...), make([]byte, 4-len(v.name))...)
		body := element(6, []byte{9, 0, 0, 0, 0, 0, 0, 0})
		body = append(body, element(5, dims)...)
		body = append(append(body, name...), element(v.kind, v.data)...)
		e := element(matMatrix, body)
		if compress {
			var z bytes.Buffer
			w := zlib.NewWriter(&z)
			w.Write(e)
			w.Close()
			e = append(le.AppendUint32(le.AppendUint32(nil, matCompressed), uint32(z.Len())), z.Bytes()...)
		}
		out = append(out, e...)
	}
	return out
}

func svhn(compress bool) []byte {
	return mat5(compress, matrix{name: "X", dims: []int{32, 32, 3, 2}, kind: 2, data: noise(2 * 3 * 32 * 32)}, matrix{name: "y", dims: []int{2, 1}, kind: 2, data: []byte{10, 3}})
}

func TestSVHN(t *testing.T) {
	for _, compress := range []bool{false, true} {
		root := t.TempDir()
		put(t, svhn(compress), root, "test_32x32.mat")
		d, err := NewSVHN(t.Context(), root, WithTest(), WithoutChecksums())
		require.NoError(t, err)
		require.Equal(t, []int{0, 3}, d.Targets)
		img, _, err := d.Open(1)
		require.NoError(t, err)
		x := noise(2 * 3 * 32 * 32)[3*32*32:]
		for _, at := range [][2]int{{0, 0}, {5, 0}, {31, 17}} {
			for c := range 3 { // the rows vary fastest in the file
				require.Equal(t, x[at[1]+32*at[0]+1024*c], img.(*transforms.RGB).Pix[3*(32*at[1]+at[0])+c])
			}
		}
	}
}

// TestData compares the tensor of all pictures with the pictures.
func TestData(t *testing.T) {
	root := t.TempDir()
	digits(t, filepath.Join(root, "MNIST", "raw"))
	put(t, svhn(true), root, "train_32x32.mat")
	gray, err := NewMNIST(t.Context(), root)
	require.NoError(t, err)
	color, err := NewSVHN(t.Context(), root, WithoutChecksums())
	require.NoError(t, err)
	require.Equal(t, []int{3, 28, 28}, gray.Data().Shape())
	require.Equal(t, []int{color.Len(), 3, 32, 32}, color.Data().Shape())
	for _, d := range []*Images{gray, color} {
		all := d.Data()
		for i := range d.Len() {
			img, _, err := d.Open(i)
			require.NoError(t, err)
			want := transforms.PILToTensor().Transform(transforms.Value{Image: img}).Tensor
			require.True(t, all.Select(0, i).ReshapeAs(want).Equal(want))
		}
	}
}

func TestUSPS(t *testing.T) {
	line := "3"
	for i := range 256 {
		line += fmt.Sprintf(" %d:%.4f", i+1, float64(i)/127.5-1)
	}
	d, err := parseUSPS(strings.NewReader(line + "\n"))
	require.NoError(t, err)
	require.Equal(t, []int{2}, d.Targets)
	require.Equal(t, byte(255), d.pix[255])
	for text, want := range map[string]string{"1 2:3\n": "line 1 has 2 fields", strings.Replace(line, "3 1:", "x 1:", 1): "the label", strings.Replace(line, "-1.0000", "-2", 1): "the pixel"} {
		_, err := parseUSPS(strings.NewReader(text))
		require.ErrorContains(t, err, want)
	}
}

// publish serves files in the place of a data set's, with their checksums.
func publish(t *testing.T, name string, files map[string][]byte) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, ok := files[r.URL.Path[1:]]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Write(b)
	}))
	t.Cleanup(server.Close)
	was := sources[name]
	t.Cleanup(func() { sources[name] = was })
	s := source{Classes: was.Classes}
	for _, r := range was.Remote {
		sum := md5.Sum(files[r.File])
		s.Remote = append(s.Remote, remote{URLs: []string{server.URL + "/gone/" + r.File, server.URL + "/" + r.File}, File: r.File, MD5: hex.EncodeToString(sum[:])})
	}
	sources[name] = s
}

func gzipped(t testing.TB, b []byte) []byte {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, err := w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return z.Bytes()
}

func tarball(t testing.TB, files map[string][]byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, data := range files {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg}))
		_, err := w.Write(data)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return gzipped(t, b.Bytes())
}

func TestDownload(t *testing.T) {
	files := map[string][]byte{}
	made := t.TempDir()
	digits(t, made)
	for _, r := range sources["MNIST"].Remote {
		b, err := os.ReadFile(filepath.Join(made, strings.TrimSuffix(r.File, ".gz")))
		require.NoError(t, err)
		files[r.File] = gzipped(t, b)
	}
	publish(t, "MNIST", files)
	root := t.TempDir()
	_, err := NewMNIST(t.Context(), root)
	require.ErrorContains(t, err, "WithDownload downloads it")
	d, err := NewMNIST(t.Context(), root, WithDownload())
	require.NoError(t, err)
	require.Equal(t, 3, d.Len())
	clear(files)
	_, err = NewMNIST(t.Context(), root, WithDownload()) // they are there
	require.NoError(t, err)

	files["cifar-10-python.tar.gz"] = tarball(t, map[string][]byte{
		"cifar-10-batches-py/test_batch": python2(), "cifar-10-batches-py/batches.meta": []byte("\x80\x02}U\x0blabel_names]U\x03catas."),
	})
	publish(t, "CIFAR10", files)
	d, err = NewCIFAR10(t.Context(), root, WithDownload(), WithTest(), WithoutChecksums())
	require.NoError(t, err)
	require.Equal(t, []string{"cat"}, d.Classes)
	sources["CIFAR10"].Remote[0].MD5 = strings.Repeat("0", 32)
	_, err = NewCIFAR10(t.Context(), t.TempDir(), WithDownload(), WithTest(), WithoutChecksums())
	require.ErrorContains(t, err, "MD5 is")

	var z bytes.Buffer
	w := zip.NewWriter(&z)
	for _, part := range []string{"images-idx3-ubyte", "labels-idx1-ubyte"} {
		f, err := w.Create("gzip/emnist-mnist-train-" + part + ".gz")
		require.NoError(t, err)
		b, err := os.ReadFile(filepath.Join(made, "train-"+part))
		require.NoError(t, err)
		_, err = f.Write(gzipped(t, b))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	files["gzip.zip"] = z.Bytes()
	publish(t, "EMNIST", files)
	d, err = NewEMNIST(t.Context(), root, WithDownload(), WithSplit("mnist"))
	require.NoError(t, err)
	require.Equal(t, 3, d.Len())
	require.NoDirExists(t, filepath.Join(root, "EMNIST", "raw", "gzip"))
}

func TestHostileArchives(t *testing.T) {
	for name, want := range map[string]string{"../x": "is not inside the folder", "/etc/x": "is not inside the folder", "link/x": "through a link"} {
		dir := t.TempDir()
		require.NoError(t, os.Symlink(t.TempDir(), filepath.Join(dir, "link")))
		put(t, tarball(t, map[string][]byte{name: {1}}), dir, "a.tgz")
		require.ErrorContains(t, unpack(t.Context(), filepath.Join(dir, "a.tgz"), dir), want)
	}
	u := &unpacker{dir: t.TempDir(), left: 1000, files: 2}
	require.ErrorContains(t, u.file("big", io.LimitReader(zeros{}, 1001)), "larger than")
	require.NoFileExists(t, filepath.Join(u.dir, "big"))
	u = &unpacker{dir: t.TempDir(), left: 1000, files: 1}
	require.NoError(t, u.file("a", bytes.NewReader(nil)))
	require.ErrorContains(t, u.file("b", bytes.NewReader(nil)), "more than")
	whole := tarball(t, map[string][]byte{"a": noise(5000)})
	dir := t.TempDir()
	put(t, whole[:len(whole)/2], dir, "half.tar.gz")
	require.ErrorContains(t, unpack(t.Context(), filepath.Join(dir, "half.tar.gz"), dir), "damaged or not complete")
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestDamaged reads files that are cut short, or of another kind.
func TestDamaged(t *testing.T) {
	root := t.TempDir()
	raw := filepath.Join(root, "MNIST", "raw")
	whole := idx(8, noise(3*28*28), 3, 28, 28)
	for _, c := range []struct {
		images []byte
		want   string
	}{
		{whole[:3], "is not complete"}, {whole[:500], "it is not complete"}, {append(whole, 0), "but it has 2353 bytes"},
		{idx(9, noise(12), 3, 2, 2), "begins with"}, {idx(8, noise(16), 4, 2, 2), "has 4 pictures, but"},
		{idx(8, noise(9), 1<<31, 1<<31, 1<<31), "it is not complete"},
	} {
		digits(t, raw)
		put(t, c.images, raw, "train-images-idx3-ubyte")
		_, err := NewMNIST(t.Context(), root)
		require.ErrorContains(t, err, c.want)
		require.ErrorContains(t, err, raw)
		require.NotContains(t, err.Error(), "\n")
	}
	mat, batch := svhn(true), python2()
	for cut := range 100 {
		_, err := parseSVHN(mat[:len(mat)*cut/100])
		require.Error(t, err)
		_, _, err = parseCIFAR(batch[:len(batch)*cut/100], "labels")
		require.Error(t, err)
	}
	_, err := NewEMNIST(t.Context(), root)
	require.ErrorContains(t, err, `EMNIST has no split ""`)
}

func TestTransform(t *testing.T) {
	torch.ManualSeed(0)
	fake := NewFakeData(FakeDataOptions{Size: 5, ImageSize: [3]int{3, 8, 8}})
	set := Transform(fake, transforms.Compose(transforms.RandomHorizontalFlip(), transforms.ToTensor()))
	n := 0
	for batch, err := range data.NewLoader[data.Batch](set, data.LoaderOptions{BatchSize: 3, Workers: 2}).Batches(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, []int{3, 8, 8}, batch.Input.Shape()[1:])
		n += len(torch.Data[int64](batch.Target))
	}
	require.Equal(t, 5, n)
}

func FuzzIDX(f *testing.F) {
	f.Add(idx(8, noise(12), 3, 2, 2))
	f.Add(idx(12, noise(64), 2, 8))
	f.Add(idx(8, noise(4), 4))
	f.Fuzz(func(t *testing.T, b []byte) {
		frugal.Do(t, func() {
			_, _, _ = parseIDX(b, 8, 3)
			_, _ = parseLabels(b)
		})
	})
}

func FuzzCIFAR(f *testing.F) {
	f.Add(python2())
	f.Fuzz(func(t *testing.T, b []byte) {
		frugal.Do(t, func() {
			if pix, labels, err := parseCIFAR(b, "labels"); err == nil {
				require.Len(t, pix, 3072*len(labels))
			}
			_, _ = parseCIFARNames(b, "label_names")
		})
	})
}

func FuzzMAT(f *testing.F) {
	f.Add(svhn(true))
	f.Add(svhn(false))
	f.Add(matFile([]string{"c", "s", "m"}, []any{"a cell", []any{"inside"}}, []map[string]any{{"class": 3, "fname": "1.jpg"}}, sparse{2, 3, []byte{1, 0, 0, 0, 1, 1}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := parseSVHN(b); err == nil && d.Len() > 0 && d.strides[3] > 0 {
			_, _, err := d.Open(d.Len() - 1)
			require.NoError(t, err)
		}
		var visit func(m *matrix)
		visit = func(m *matrix) {
			if m == nil {
				return
			}
			m.text()
			m.rows("class", "fname")
			_, _ = m.ints()
			if len(m.dims) == 2 && m.dims[0]*m.dims[1] < 1<<20 {
				_, _ = m.dense()
			}
			for _, c := range m.cells {
				visit(c)
			}
		}
		all, _ := readMAT(b)
		for _, m := range all {
			visit(m)
		}
	})
}

func FuzzVOC(f *testing.F) {
	f.Add(fmt.Appendf(nil, vocXML, ""))
	f.Fuzz(func(t *testing.T, b []byte) {
		frugal.Do(t, func() {
			var a VOCAnnotation
			if err := parseVOC(b, &a); err != nil {
				require.NotEmpty(t, err.Error())
			}
		})
	})
}

// A process that was killed leaves a folder, which the next one removes.
func TestUnpackOnce(t *testing.T) {
	dir := t.TempDir()
	put(t, tarball(t, map[string][]byte{"x/a": {1}, "x/b": {2}}), dir, "a.tgz")
	put(t, []byte{3}, dir, ".a.tgz.partial", "x", "c")
	put(t, []byte{4}, dir, "x", "d")
	done := make(chan error)
	for range 4 {
		go func() { done <- unpack(t.Context(), filepath.Join(dir, "a.tgz"), dir) }()
	}
	for range 4 {
		require.NoError(t, <-done)
	}
	require.Empty(t, leftovers(t, dir))
	files, err := names(filepath.Join(dir, "x"), anyEntry)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "d"}, files)
}

// TestTransformFiles decodes files with targets that are more than a class, and gray ones.
func TestTransformFiles(t *testing.T) {
	root := t.TempDir()
	vocFolder(t, root)
	d, err := NewVOCSegmentation(t.Context(), root, WithSplit("val"))
	require.NoError(t, err)
	s, err := Transform(d, transforms.Compose(transforms.Resize(2), transforms.ToTensor())).At(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, []int{3, 2, 3}, s.Input.Shape())
	require.Equal(t, image.Rect(0, 0, 6, 4), s.Target.Bounds())

	put(t, pic("a.png", 1), root, "omniglot-py", "images_background", "Greek", "character01", "1.png")
	put(t, nil, root, "omniglot-py", "images_background.zip")
	o, err := NewOmniglot(t.Context(), root, WithoutChecksums())
	require.NoError(t, err)
	g, err := Transform(o, transforms.ToTensor()).At(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, 1, g.Input.Shape()[0])
}
