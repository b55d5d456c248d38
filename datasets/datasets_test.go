package datasets

import (
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/torchhub/torchhub/internal/reference"
)

// write writes a file, and the folders that it lies in.
func write(t *testing.T, path string, data []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, data, 0o644))
}

// picture writes a picture of one color.
func picture(t *testing.T, path string, c color.NRGBA) {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 6, 4))
	for i := range 24 {
		img.SetNRGBA(i%6, i/6, c)
	}
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	if filepath.Ext(path) == ".png" {
		require.NoError(t, png.Encode(f, img))
	} else {
		require.NoError(t, jpeg.Encode(f, img, nil))
	}
}

func TestImageFolderIsTorchvisions(t *testing.T) {
	p := reference.Start(t, pythons)
	root := t.TempDir()
	for _, name := range []string{"b/2.jpg", "b/10.JPEG", "b/deep/3.png", "b/deep/er/4.webp", "a/x.Tiff", "a/x.txt", "a/.hidden.png", "Z/y.bmp", "c.jpg", "b/z.gif", "b/0.jpg", "b/deep-er/5.gif.png", "b/deep er/.png"} {
		write(t, filepath.Join(root, name), nil)
	}
	require.NoError(t, os.Symlink(filepath.Join(root, "b", "deep"), filepath.Join(root, "a", "link")))
	require.NoError(t, os.Symlink(filepath.Join(root, "b"), filepath.Join(root, "d")))
	compare := func(kw map[string]any, opts ...Option) {
		t.Helper()
		var want struct {
			Error   string
			Classes []string
			Samples [][2]any
		}
		p.Call(&want, "folder", root, kw)
		got, err := NewImageFolder(root, opts...)
		if want.Error != "" {
			require.Error(t, err, want.Error)
			return
		}
		require.NoError(t, err)
		require.Equal(t, want.Classes, got.Classes)
		require.Equal(t, len(want.Samples), got.Len())
		for i, s := range got.Samples {
			require.Equal(t, want.Samples[i], [2]any{s.Path, float64(s.Class)})
		}
	}
	compare(map[string]any{})
	require.NoError(t, os.Mkdir(filepath.Join(root, "empty"), 0o755))
	compare(map[string]any{})
	compare(map[string]any{"allow_empty": true}, WithAllowEmpty())
	suffix := WithValidFile(func(path string) bool { return strings.HasSuffix(path, ".gif") || strings.HasSuffix(path, ".gif.png") })
	compare(map[string]any{"suffix": []string{".gif"}}, suffix)
	compare(map[string]any{"suffix": []string{".gif", ".gif.png"}, "allow_empty": true}, suffix, WithAllowEmpty())
}

func TestImageFolderMistakes(t *testing.T) {
	root := t.TempDir()
	_, err := NewImageFolder(filepath.Join(root, "none"))
	require.ErrorContains(t, err, "none")
	_, err = NewImageFolder(root)
	require.ErrorContains(t, err, "has no folders")
	write(t, filepath.Join(root, "a", "x.txt"), nil)
	_, err = NewImageFolder(root)
	require.ErrorContains(t, err, "the folders a in "+root+" have no pictures")
	require.NoError(t, os.Symlink(root, filepath.Join(root, "a", "loop")))
	write(t, filepath.Join(root, "a", "x.png"), []byte("no picture"))
	d, err := NewImageFolder(root)
	require.NoError(t, err)
	require.Equal(t, []ClassSample{{Path: filepath.Join(root, "a", "x.png")}}, d.Samples)
	_, _, err = d.Open(0)
	require.ErrorContains(t, err, "x.png")
}

const annotations = `{"info": {"year": 2017}, "licenses": [1, [2]],
"images": [{"id": 9, "file_name": "b.png", "width": 6, "height": 4}, {"id": 2, "file_name": "sub/a.png", "width": 6, "height": 4}],
"annotations": [
 {"id": 5, "image_id": 9, "category_id": 18, "bbox": [1, 2, 3.5, 1], "area": 3.5, "iscrowd": 0, "segmentation": [[1, 2, 4, 2, 4, 3]]},
 {"id": 1, "image_id": 9, "category_id": 1, "bbox": [0, 0, 6, 4], "area": 24, "iscrowd": 1, "segmentation": {"counts": [0, 24], "size": [4, 6]}}],
"categories": [{"id": 18, "name": "dog", "supercategory": "animal"}, {"id": 1, "name": "person"}]}`

func TestCocoIsTorchvisions(t *testing.T) {
	p := reference.Start(t, pythons)
	root := t.TempDir()
	file := filepath.Join(root, "instances.json")
	write(t, file, []byte(annotations))
	picture(t, filepath.Join(root, "b.png"), color.NRGBA{1, 2, 3, 255})
	picture(t, filepath.Join(root, "sub", "a.png"), color.NRGBA{40, 50, 60, 255})
	d, err := NewCocoDetection(root, file)
	require.NoError(t, err)
	require.Equal(t, []CocoCategory{{18, "dog"}, {1, "person"}}, d.Categories)
	var want []json.RawMessage
	p.Call(&want, "coco", root, file)
	require.Len(t, want, d.Len())
	for i, image := range d.Images {
		img, objects, err := d.Open(i)
		require.NoError(t, err)
		ids := []int{}
		for _, o := range objects {
			ids = append(ids, o.ID)
		}
		r, g, b, _ := img.At(0, 0).RGBA()
		got, err := json.Marshal([]any{image.ID, image.FileName, ids, []uint32{r >> 8, g >> 8, b >> 8}})
		require.NoError(t, err)
		require.JSONEq(t, string(want[i]), string(got))
	}
	require.Equal(t, [4]float64{1, 2, 3.5, 1}, d.Objects(1)[0].Box)
	require.JSONEq(t, `[[1, 2, 4, 2, 4, 3]]`, string(d.Objects(1)[0].Segmentation))
}

func TestCocoMistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.json")
	for text, want := range map[string]string{
		"":                          "EOF",
		"[]":                        "at byte 1 is [ in place of {",
		`{"images": 3}`:             "is 3 in place of [",
		`{"images": []}`:            "lists no images",
		`{"images": [{"id": "a"}]}`: "id",
		`{"images": [{"id": 1, "file_name": "../../etc/passwd"}]}`:                          "is not inside the folder",
		`{"images": [{"id": 1, "file_name": "/etc/passwd"}]}`:                               "is not inside the folder",
		`{"images": [{"id": 1, "file_name": "a.jpg"}, {"id": 1, "file_name": "b.jpg"}]}`:    "two images have the id 1",
		`{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"image_id": 2}]}`:   "is of image 2",
		`{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"bbox": [1, 2`:      "unexpected EOF",
		`{"images": [{"id": 1, "file_name": "a.jpg"}], "other": {"a": [1, {"b": 2}]}, "x"}`: "colon",
	} {
		write(t, file, []byte(text))
		_, err := NewCocoDetection("", file)
		require.ErrorContains(t, err, want, text)
		require.ErrorContains(t, err, file, text)
		require.NotContains(t, err.Error(), "\n")
	}
	_, err := NewCocoDetection("", file+"x")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func FuzzCoco(f *testing.F) {
	f.Add([]byte(annotations))
	f.Add([]byte(`{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": []}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(t.TempDir(), "a.json")
		require.NoError(t, os.WriteFile(file, data, 0o644))
		if d, err := NewCocoDetection("", file); err == nil {
			for i := range d.Len() {
				require.True(t, filepath.IsLocal(d.Images[i].FileName))
				d.Objects(i)
			}
		}
	})
}

func vocFolder(t *testing.T, root string) {
	picture(t, filepath.Join(root, "JPEGImages", "2007_000032.jpg"), color.NRGBA{10, 200, 30, 255})
	write(t, filepath.Join(root, "ImageSets", "Segmentation", "val.txt"), []byte("2007_000032\n"))
	mask := image.NewPaletted(image.Rect(0, 0, 6, 4), make(color.Palette, 256))
	for i := range mask.Palette {
		mask.Palette[i] = color.NRGBA{uint8(i), 0, 0, 255}
	}
	for i := range mask.Pix {
		mask.Pix[i] = uint8(i % 21)
	}
	mask.Pix[5] = 255
	path := filepath.Join(root, "SegmentationClass", "2007_000032.png")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, png.Encode(f, mask))
}

func TestVOCMistakes(t *testing.T) {
	root := t.TempDir()
	_, err := NewVOCSegmentation(t.Context(), root)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "WithDownload downloads it")
	for text, want := range map[string]string{"\n \n": "names no pictures", "../x": "is not inside the folder"} {
		write(t, filepath.Join(root, "ImageSets", "Segmentation", "train.txt"), []byte(text))
		_, err := NewVOCSegmentation(t.Context(), root)
		require.ErrorContains(t, err, want)
	}
	vocFolder(t, root)
	d, err := NewVOCSegmentation(t.Context(), root, WithSplit("val"))
	require.NoError(t, err)
	_, mask, err := d.Open(0)
	require.NoError(t, err)
	require.Equal(t, uint8(3), mask.(*image.Paletted).Pix[3])
	picture(t, filepath.Join(root, "SegmentationClass", "2007_000032.png"), color.NRGBA{1, 2, 3, 255})
	_, _, err = d.Open(0)
	require.ErrorContains(t, err, "is not a mask")
	_, err = NewVOCDetection(t.Context(), root, WithVariant("2013"))
	require.ErrorContains(t, err, `VOC has no year "2013"`)
	_, err = NewVOCDetection(t.Context(), root, WithSplit("test"))
	require.ErrorContains(t, err, `VOC 2012 has no split "test"`)
}
