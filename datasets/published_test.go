package datasets

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/transforms"
)

// tree are files by their paths.
type tree map[string][]byte

// with adds files in a folder.
func (f tree) with(folder string, files tree) tree {
	out := maps.Clone(f)
	for name, b := range files {
		out[path.Join(folder, name)] = b
	}
	return out
}

// A published data set is a small copy, as its publisher packs it.
type published struct {
	name    string          // torchvision's
	kw      map[string]any  // arguments of its constructor in Python
	from    []string        // what it downloads: names in sources.json
	remote  map[string]tree // by the name of a file that is downloaded, what is packed in it, or itself under the name ""
	files   tree            // what is put into the root by a person
	scipy   bool            // whether Python needs it
	damaged string          // the name of a file that is served in half
	open    func(t *testing.T, root string, o ...Option) (shown, error)
}

// shown is what a data set has, in the form in which Python sends it.
type shown struct {
	Samples [][]any
	Classes any
}

// shows reads all of a data set.
func shows[T any](t *testing.T, d Pictures[T], err error, classes any, target func(i int, v T) any) (shown, error) {
	t.Helper()
	s := shown{Classes: classes}
	if err != nil {
		return s, err
	}
	for i := range d.Len() {
		img, v, err := d.Open(i)
		if err != nil {
			return s, err
		}
		shown := target(i, v)
		if err, ok := shown.(error); ok {
			return s, err
		}
		s.Samples = append(s.Samples, []any{pixels(t, img), shown})
	}
	return s, nil
}

// classed reads all of a data set of classes; Python has None for -1.
func classed(t *testing.T, d *ImageFolder, err error) (shown, error) {
	t.Helper()
	if err != nil {
		return shown{}, err
	}
	return shows(t, d, nil, d.Classes, func(_, class int) any { return optional(class) })
}

func optional(class int) any {
	if class == -1 {
		return nil
	}
	return class
}

// pixels are the mode, the size and the bytes of a picture.
func pixels(t *testing.T, img image.Image) any {
	t.Helper()
	b := img.Bounds()
	show := func(mode string, pix []byte) any { return []any{mode, b.Dx(), b.Dy(), hex.EncodeToString(pix)} }
	switch p := img.(type) {
	case *transforms.RGB:
		return show("RGB", p.Pix)
	case *image.Gray:
		return show("L", p.Pix)
	case *image.Paletted:
		return show("P", p.Pix)
	case *image.NRGBA:
		return show("RGBA", p.Pix)
	case *image.Gray16:
		pix := make([]byte, len(p.Pix))
		for i := 0; i < len(pix); i += 2 {
			pix[i], pix[i+1] = p.Pix[i+1], p.Pix[i]
		}
		return show("I;16", pix)
	}
	t.Fatalf("a picture is a %T", img)
	return nil
}

// pic draws a picture of noise for a file name, by its extension and the number.
func pic(name string, seed int) []byte {
	rng := rand.New(rand.NewPCG(uint64(seed), 7))
	img := image.NewRGBA(image.Rect(0, 0, 5+seed%3, 4))
	for i := range img.Pix {
		if img.Pix[i] = byte(rng.Uint32()); i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	var b bytes.Buffer
	switch strings.ToLower(path.Ext(name)) {
	case ".png":
		png.Encode(&b, img)
	case ".ppm":
		fmt.Fprintf(&b, "P6 %d %d 255\n", img.Rect.Dx(), img.Rect.Dy())
		for i := 0; i < len(img.Pix); i += 4 {
			b.Write(img.Pix[i : i+3])
		}
	default:
		jpeg.Encode(&b, img, nil)
	}
	return b.Bytes()
}

// pics draws a picture for each name.
func pics(names ...string) tree {
	f := tree{}
	for i, name := range names {
		f[name] = pic(name, i)
	}
	return f
}

// grayJPEG is a picture whose file is gray.
func grayJPEG() []byte {
	var b bytes.Buffer
	jpeg.Encode(&b, &image.Gray{Pix: noise(20), Stride: 5, Rect: image.Rect(0, 0, 5, 4)}, nil)
	return b.Bytes()
}

// maskPNG is a picture with a palette.
func maskPNG(colors int) []byte {
	img := image.NewPaletted(image.Rect(0, 0, 6, 4), make(color.Palette, colors))
	for i := range img.Palette {
		img.Palette[i] = color.NRGBA{uint8(i * 255 / (colors - 1)), uint8(i * 255 / (colors - 1)), uint8(i * 255 / (colors - 1)), 255}
	}
	for i := range img.Pix {
		img.Pix[i] = uint8(i % colors)
	}
	var b bytes.Buffer
	png.Encode(&b, img)
	return b.Bytes()
}

func grayPNG(sixteen bool) []byte {
	var b bytes.Buffer
	if sixteen {
		png.Encode(&b, &image.Gray16{Pix: noise(48), Stride: 12, Rect: image.Rect(0, 0, 6, 4)})
	} else {
		png.Encode(&b, &image.Gray{Pix: noise(24), Stride: 6, Rect: image.Rect(0, 0, 6, 4)})
	}
	return b.Bytes()
}

// pack packs files as an archive of that name; other files are themselves.
func pack(t testing.TB, name string, files tree) []byte {
	var b bytes.Buffer
	switch {
	case strings.HasSuffix(name, ".zip"):
		w := zip.NewWriter(&b)
		for _, f := range slices.Sorted(maps.Keys(files)) {
			e, err := w.Create(f)
			require.NoError(t, err)
			_, err = e.Write(files[f])
			require.NoError(t, err)
		}
		require.NoError(t, w.Close())
	case strings.HasSuffix(name, ".tar"):
		w := tar.NewWriter(&b)
		for _, f := range slices.Sorted(maps.Keys(files)) {
			require.NoError(t, w.WriteHeader(&tar.Header{Name: f, Mode: 0o644, Size: int64(len(files[f])), Typeflag: tar.TypeReg}))
			_, err := w.Write(files[f])
			require.NoError(t, err)
		}
		require.NoError(t, w.Close())
	case strings.HasSuffix(name, ".tar.gz") || strings.HasSuffix(name, ".tgz"):
		return gzipped(t, pack(t, "a.tar", files))
	default:
		return files[""]
	}
	return b.Bytes()
}

// serve publishes the files of a data set on a server, in place of the true ones, and returns its address.
func (p *published) serve(t *testing.T) string {
	files := map[string][]byte{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, ok := files[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Write(b)
	}))
	t.Cleanup(server.Close)
	for _, name := range p.from {
		was := sources[name]
		t.Cleanup(func() { sources[name] = was })
		s := source{Classes: was.Classes, Dir: was.Dir, Page: was.Page}
		for _, r := range was.Remote {
			b := pack(t, r.File, p.remote[r.File])
			if r.File == p.damaged {
				b = b[:max(len(b)/2-len(b)/2%512+10, min(len(b)/2, 250))] // not at the end of a block, which a tar file may end with
			}
			require.NotEmpty(t, b, "%s has no %s", p.name, r.File)
			sum := md5.Sum(b)
			at := r.File
			if len(r.URLs) > 0 {
				at = path.Base(r.URLs[0])
			}
			files[at] = b
			s.Remote = append(s.Remote, remote{URLs: []string{server.URL + "/" + at}, File: r.File, MD5: hex.EncodeToString(sum[:])})
		}
		sources[name] = s
	}
	return server.URL
}

// TestPublished makes small copies of data sets as they are published. Go and Python each download and unpack them and read what
// the other has unpacked. Their pictures, targets, order and classes must be equal.
func TestPublished(t *testing.T) {
	p := reference.Start(t, pythons)
	var scipy bool
	p.Call(&scipy, "lambda: importlib.util.find_spec('scipy') is not None")
	for _, row := range allPublished(t) {
		name := row.name
		for k, v := range row.kw {
			name += fmt.Sprintf(",%s=%v", k, v)
		}
		t.Run(name, func(t *testing.T) {
			p := reference.Start(t, pythons)
			if row.scipy && !scipy {
				t.Skip("the reference has no scipy, which torchvision reads these files with")
			}
			ours, theirs := t.TempDir(), t.TempDir()
			for _, root := range []string{ours, theirs} {
				for f, b := range row.files {
					put(t, b, root, f)
				}
			}
			compare := func(root, address string, python bool, o ...Option) {
				t.Helper()
				var want shown
				get := func() { p.Call(&want, "published", row.name, root, row.kw, address) }
				if python { // it comes first, and Go finds what it has unpacked
					get()
				}
				got, err := row.open(t, root, append(o, WithoutChecksums())...)
				require.NoError(t, err)
				require.Empty(t, leftovers(t, root))
				if !python {
					get()
				}
				wanted, err := json.Marshal(want)
				require.NoError(t, err)
				had, err := json.Marshal(got)
				require.NoError(t, err)
				require.NotEmpty(t, want.Samples)
				require.JSONEq(t, string(wanted), string(had))
			}
			if row.from == nil {
				compare(ours, "", false)
				compare(theirs, "", true)
				return
			}
			_, err := row.open(t, ours)
			require.ErrorContains(t, err, "WithDownload downloads it")
			require.NotContains(t, err.Error(), "\n")
			address := row.serve(t)
			compare(ours, "", false, WithDownload())
			compare(theirs, address, true)
		})
	}
}

// TestHalfWritten cuts archives and files in half, one after the other. What is wrong is said in one sentence that names the
// file, and what was not unpacked to its end is not there afterwards.
func TestHalfWritten(t *testing.T) {
	seen := map[string]bool{}
	said, read := 0, 0
	for _, row := range allPublished(t) {
		if seen[row.name] {
			continue
		}
		seen[row.name] = true
		t.Run(row.name, func(t *testing.T) {
			sentence := func(err error, want string) {
				require.Error(t, err)
				require.NotContains(t, err.Error(), "\n")
				require.Contains(t, err.Error(), want)
				said++
			}
			root := t.TempDir()
			for f, b := range row.files {
				put(t, b, root, f)
			}
			if row.from != nil {
				for name := range row.remote {
					half := row
					half.remote = maps.Clone(row.remote)
					half.damaged = name
					half.serve(t)
					half.open(t, root, WithDownload())
					_, err := half.open(t, root, WithDownload())
					sentence(err, strings.TrimSuffix(name, filepath.Ext(name)))
					require.Empty(t, leftovers(t, root))
					require.NoError(t, os.RemoveAll(root))
				}
				row.serve(t)
			}
			_, err := row.open(t, root, WithDownload(), WithoutChecksums())
			if row.from == nil {
				_, err = row.open(t, root, WithoutChecksums())
			}
			require.NoError(t, err)
			require.NoError(t, filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
				if err != nil || e.IsDir() {
					return err
				}
				whole, err := os.ReadFile(path)
				require.NoError(t, err)
				defer func() { require.NoError(t, os.WriteFile(path, whole, 0o644)) }()
				require.NoError(t, os.WriteFile(path, whole[:len(whole)/2], 0o644))
				read++
				if _, err := row.open(t, root, WithoutChecksums()); err != nil { // shorter lists may be right ones
					sentence(err, filepath.Base(root))
				}
				return nil
			}))
		})
	}
	require.Greater(t, said, 100)
	t.Log(said, "sentences,", read, "files")
}

// leftovers lists files that should not be there after a download.
func leftovers(t *testing.T, root string) (out []string) {
	require.NoError(t, filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if strings.Contains(path, ".partial") || strings.HasSuffix(path, ".lock") {
			out = append(out, path)
		}
		return err
	}))
	return out
}

// missing are the data sets of torchvision that are not here, with the reason.
var missingDatasets = map[string]string{
	"LSUN": "is an LMDB database", "LSUNClass": "is an LMDB database", "PCAM": "is in HDF5 files",
	"Kinetics": "has videos", "HMDB51": "has videos", "UCF101": "has videos",
	"KittiFlow": "has optical flow", "Sintel": "has optical flow", "FlyingChairs": "has optical flow", "FlyingThings3D": "has optical flow", "HD1K": "has optical flow",
	"Kitti2012Stereo": "has disparities", "Kitti2015Stereo": "has disparities", "CarlaStereo": "has disparities", "Middlebury2014Stereo": "has disparities",
	"CREStereo": "has disparities", "FallingThingsStereo": "has disparities", "SceneFlowStereo": "has disparities", "SintelStereo": "has disparities",
	"InStereo2k": "has disparities", "ETH3DStereo": "has disparities",
	"VisionDataset": "is the base class",
}

// TestAllDatasets fails for a data set of torchvision that is neither compared with Python nor missing for a reason.
func TestAllDatasets(t *testing.T) {
	p := reference.Start(t, pythons)
	var want []string
	p.Call(&want, "lambda: sorted(n for n in d.__all__ if isinstance(getattr(d, n), type))")
	have := map[string]bool{"ImageFolder": true, "DatasetFolder": true, "CocoDetection": true} // TestImageFolderIsTorchvisions, TestCocoIsTorchvisions
	for _, n := range []string{"MNIST", "FashionMNIST", "KMNIST", "EMNIST", "QMNIST", "CIFAR10", "CIFAR100", "STL10", "FakeData"} {
		have[n] = true // the tests of images_test.go
	}
	for _, row := range allPublished(t) {
		have[row.name] = true
	}
	for n := range missingDatasets {
		require.False(t, have[n], "%s is not missing", n)
		have[n] = true
	}
	require.Equal(t, want, slices.Sorted(maps.Keys(have)))
}

// TestSources compares sources.json with what torchvision says.
//
//go:generate sh -c "$TORCHHUB_REFERENCE ../testdata/gen/datasets.py > sources.json"
func TestSources(t *testing.T) {
	p := reference.Start(t, pythons)
	script, err := os.ReadFile("../testdata/gen/datasets.py")
	require.NoError(t, err)
	var want string
	p.Call(&want, "printed", string(script))
	require.Equal(t, want, string(sourcesJSON))
}

// cell writes a variable of a MATLAB 5 file: numbers, text, cells ([]any) or structs ([]map[string]any).
func cell(name string, v any) []byte {
	le := binary.LittleEndian
	element := func(kind uint32, b []byte) []byte {
		e := append(le.AppendUint32(le.AppendUint32(nil, kind), uint32(len(b))), b...)
		return append(e, make([]byte, (8-len(b)%8)%8)...)
	}
	head := func(class byte, dims ...int) []byte {
		var d []byte
		for _, n := range dims {
			d = le.AppendUint32(d, uint32(n))
		}
		b := append(element(6, []byte{class, 0, 0, 0, 0, 0, 0, 0}), element(5, d)...)
		return append(b, element(1, []byte(name))...)
	}
	switch v := v.(type) {
	case int:
		return cell(name, matrix{dims: []int{1, 1}, kind: 2, data: []byte{byte(v)}})
	case string:
		var b []byte
		for _, c := range v {
			b = le.AppendUint16(b, uint16(c))
		}
		return element(matMatrix, append(head(4, 1, len(v)), element(4, b)...))
	case matrix:
		class := map[uint32]byte{2: 9, 4: 11, 9: 6}[v.kind]
		return element(matMatrix, append(head(class, v.dims...), element(v.kind, v.data)...))
	case sparse:
		b := head(5, v.h, v.w)
		var rows, columns, data []byte
		columns = le.AppendUint32(columns, 0)
		n := 0
		for x := range v.w {
			for y := range v.h {
				if v.pix[y*v.w+x] != 0 {
					rows, data = le.AppendUint32(rows, uint32(y)), le.AppendUint64(data, math.Float64bits(float64(v.pix[y*v.w+x])))
					n++
				}
			}
			columns = le.AppendUint32(columns, uint32(n))
		}
		le.PutUint32(b[12:], uint32(max(n, 1))) // how many numbers there is room for
		return element(matMatrix, append(append(append(b, element(5, rows)...), element(5, columns)...), element(9, data)...))
	case []any:
		b := head(1, len(v), 1)
		for _, c := range v {
			b = append(b, cell("", c)...)
		}
		return element(matMatrix, b)
	case structs:
		b := head(2, 1, len(v.rows)) // the fields are in this order, which torchvision counts on
		b = append(b, le.AppendUint32(le.AppendUint32(nil, 4<<16|5), 32)...)
		var list []byte
		for _, f := range v.fields {
			list = append(list, append([]byte(f), make([]byte, 32-len(f))...)...)
		}
		b = append(b, element(1, list)...)
		for _, s := range v.rows {
			for _, f := range v.fields {
				b = append(b, cell("", s[f])...)
			}
		}
		return element(matMatrix, b)
	case []map[string]any:
		return cell(name, structs{slices.Sorted(maps.Keys(v[0])), v})
	}
	panic(fmt.Sprintf("no variable of %T", v))
}

// structs are structs with their fields in order.
type structs struct {
	fields []string
	rows   []map[string]any
}

// sparse is a sparse matrix, row by row.
type sparse struct {
	h, w int
	pix  []byte
}

// matFile writes variables.
func matFile(names []string, values ...any) []byte {
	out := append(bytes.Repeat([]byte{' '}, 124), 0, 1, 'I', 'M')
	for i, n := range names {
		out = append(out, cell(n, values[i])...)
	}
	return out
}
