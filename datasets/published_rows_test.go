package datasets

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/bmp"

	"github.com/torchhub/torchhub/internal/npy"
	"github.com/torchhub/torchhub/internal/reference"
	"github.com/torchhub/torchhub/torch"
)

// classRow is a row of a data set of classes.
func classRow(name string, kw map[string]any, from []string, remote map[string]tree, open func(t *testing.T, root string, o []Option) (*ImageFolder, error), opts ...Option) published {
	return published{name: name, kw: kw, from: from, remote: remote, open: func(t *testing.T, root string, o ...Option) (shown, error) {
		d, err := open(t, root, append(o, opts...))
		return classed(t, d, err)
	}}
}

func allPublished(t *testing.T) []published {
	return slices.Concat(classRows(t), folderRows(t), annotatedRows(t), memoryRows(t))
}

// classRows are the data sets with lists of classes.
func classRows(t *testing.T) (rows []published) {
	flowers := map[string]tree{
		"102flowers.tgz":  pics("jpg/image_00001.jpg", "jpg/image_00002.jpg", "jpg/image_00003.jpg"),
		"imagelabels.mat": {"": matFile([]string{"labels"}, matrix{dims: []int{1, 3}, kind: 2, data: []byte{77, 1, 102}})},
		"setid.mat": {"": matFile([]string{"trnid", "valid", "tstid"}, matrix{dims: []int{1, 2}, kind: 2, data: []byte{3, 1}},
			matrix{dims: []int{1, 2}, kind: 2, data: []byte{2, 1}}, matrix{dims: []int{1, 2}, kind: 4, data: []byte{2, 0, 3, 0}})},
	}
	for _, split := range []string{"train", "val", "test"} {
		r := classRow("Flowers102", map[string]any{"split": split}, []string{"Flowers102"}, flowers,
			func(t *testing.T, root string, o []Option) (*ImageFolder, error) {
				return NewFlowers102(t.Context(), root, o...)
			}, WithSplit(split))
		r.scipy = true
		rows = append(rows, r)
	}
	rows = append(rows, classRow("Food101", map[string]any{"split": "test"}, []string{"Food101"}, map[string]tree{
		"food-101.tar.gz": pics("food-101/images/waffles/12.jpg", "food-101/images/apple_pie/3.jpg", "food-101/images/apple_pie/1.jpg").
			with("food-101/meta", tree{"test.json": []byte(`{"waffles": ["waffles/12"], "apple_pie": ["apple_pie/3", "apple_pie/1"]}`)}),
	}, func(t *testing.T, root string, o []Option) (*ImageFolder, error) {
		return NewFood101(t.Context(), root, o...)
	}, WithTest()))
	rows = append(rows, classRow("DTD", map[string]any{"split": "val", "partition": 3}, []string{"DTD"}, map[string]tree{
		"dtd-r1.0.1.tar.gz": pics("dtd/images/woven/woven_1.jpg", "dtd/images/banded/banded_2.jpg").
			with("dtd/labels", tree{"val3.txt": []byte("woven/woven_1.jpg\nbanded/banded_2.jpg\n")}),
	}, func(t *testing.T, root string, o []Option) (*ImageFolder, error) {
		return NewDTD(t.Context(), root, o...)
	}, WithSplit("val"), WithVariant("3")))
	aircraft := pics("images/0034309.jpg", "images/1025794.jpg").with("", tree{
		"variants.txt": []byte("707-320\nAn-12\n"), "manufacturers.txt": []byte("Antonov\nBoeing Company\n"), "families.txt": []byte("x\n"),
		"images_variant_trainval.txt": []byte("1025794 707-320\n0034309 An-12\n"), "images_manufacturer_test.txt": []byte("1025794 Boeing Company\n"),
	})
	for _, kw := range []map[string]any{{}, {"split": "test", "annotation_level": "manufacturer"}} {
		var o []Option
		if len(kw) > 0 {
			o = []Option{WithTest(), WithVariant("manufacturer")}
		}
		rows = append(rows, classRow("FGVCAircraft", kw, []string{"FGVCAircraft"}, map[string]tree{
			"fgvc-aircraft-2013b.tar.gz": tree{}.with("fgvc-aircraft-2013b/data", aircraft),
		}, func(t *testing.T, root string, o []Option) (*ImageFolder, error) {
			return NewFGVCAircraft(t.Context(), root, o...)
		}, o...))
	}
	noClasses := func(r published) published {
		open := r.open
		r.open = func(t *testing.T, root string, o ...Option) (shown, error) {
			s, err := open(t, root, o...)
			s.Classes = nil
			return s, err
		}
		return r
	}
	gtsrb := func(t *testing.T, root string, o []Option) (*ImageFolder, error) {
		return NewGTSRB(t.Context(), root, o...)
	}
	rows = append(rows, noClasses(classRow("GTSRB", nil, []string{"GTSRB train"}, map[string]tree{
		"GTSRB-Training_fixed.zip": pics("GTSRB/Training/00001/00000_00000.ppm", "GTSRB/Training/00000/00000_00001.ppm").
			with("GTSRB/Training/00000", tree{"GT-00000.csv": nil}),
	}, gtsrb)))
	rows = append(rows, noClasses(classRow("GTSRB", map[string]any{"split": "test"}, []string{"GTSRB test"}, map[string]tree{
		"GTSRB_Final_Test_Images.zip": pics("GTSRB/Final_Test/Images/00000.ppm", "GTSRB/Final_Test/Images/00001.ppm"),
		"GTSRB_Final_Test_GT.zip":     {"GT-final_test.csv": []byte("Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n00001.ppm;5;4;0;0;5;4;16\n00000.ppm;5;4;0;0;5;4; 1\n")},
	}, gtsrb, WithTest())))
	cars := func(n int) []byte {
		var all []map[string]any
		for i := range n {
			all = append(all, map[string]any{"bbox_x1": 1, "class": 2 - i%2, "fname": fmt.Sprintf("%05d.jpg", n-i)})
		}
		return matFile([]string{"annotations"}, all)
	}
	for _, split := range []string{"train", "test"} {
		r := classRow("StanfordCars", map[string]any{"split": split}, nil, nil,
			func(t *testing.T, root string, o []Option) (*ImageFolder, error) {
				return NewStanfordCars(t.Context(), root, o...)
			}, WithSplit(split))
		r.scipy = true
		r.files = pics("stanford_cars/cars_train/00001.jpg", "stanford_cars/cars_train/00002.jpg", "stanford_cars/cars_train/00003.jpg",
			"stanford_cars/cars_test/00001.jpg", "stanford_cars/cars_test/00002.jpg").
			with("stanford_cars", tree{
				"devkit/cars_train_annos.mat": cars(3), "cars_test_annos_withlabels.mat": cars(2),
				"devkit/cars_meta.mat": matFile([]string{"class_names"}, []any{"AM General Hummer SUV 2000", "Volvo 240 Sedan 1993"}),
			})
		rows = append(rows, r)
	}
	rows = append(rows, classRow("SUN397", nil, []string{"SUN397"}, map[string]tree{
		"SUN397.tar.gz": pics("SUN397/a/abbey/sun_b.jpg", "SUN397/a/abbey/sun_a.jpg", "SUN397/a/apse/indoor/sun_c.jpg", "SUN397/a/apse/indoor/x.jpg").
			with("SUN397", tree{"ClassName.txt": []byte("/a/apse/indoor\n/a/abbey\n")}),
	}, func(t *testing.T, root string, o []Option) (*ImageFolder, error) {
		return NewSUN397(t.Context(), root, o...)
	}))
	places := tree{
		"categories_places365.txt":     []byte("/a/airfield 0\n/b/bakery/shop 1\n"),
		"places365_val.txt":            []byte("Places365_val_2.jpg 1\nPlaces365_val_1.jpg 0\n"),
		"places365_test.txt":           []byte("Places365_test_1.jpg\n"),
		"places365_train_standard.txt": []byte("/a/airfield/00000001.jpg 0\n/b/bakery/shop/00000001.jpg 1\n"),
	}
	for _, c := range []struct {
		split string
		small bool
		tar   string
		files tree
	}{
		{"val", false, "val_large.tar", pics("val_large/Places365_val_1.jpg", "val_large/Places365_val_2.jpg")},
		{"test", true, "test_256.tar", pics("test_256/Places365_test_1.jpg")},
		{"train-standard", true, "train_256_places365standard.tar", pics("data_256/a/airfield/00000001.jpg", "data_256/b/bakery/shop/00000001.jpg")},
	} {
		size, o := "large", []Option{WithSplit(c.split)}
		if c.small {
			size, o = "small", append(o, WithVariant("small"))
		}
		rows = append(rows, classRow("Places365", map[string]any{"split": c.split, "small": c.small}, []string{"Places365 " + c.split, "Places365 " + c.split + " " + size},
			map[string]tree{"filelist_places365-standard.tar": places, c.tar: c.files},
			func(t *testing.T, root string, o []Option) (*ImageFolder, error) {
				return NewPlaces365(t.Context(), root, o...)
			}, o...))
	}
	for _, kw := range []map[string]any{{}, {"split": "test"}} {
		var o []Option
		if len(kw) > 0 {
			o = append(o, WithTest())
		}
		rows = append(rows, classRow("CLEVRClassification", kw, []string{"CLEVRClassification"}, map[string]tree{
			"CLEVR_v1.0.zip": pics("CLEVR_v1.0/images/train/CLEVR_train_000000.png", "CLEVR_v1.0/images/train/CLEVR_train_000001.png", "CLEVR_v1.0/images/test/CLEVR_test_000000.png").
				with("CLEVR_v1.0/scenes", tree{"CLEVR_train_scenes.json": []byte(`{"info": {"split": "train"}, "scenes": [
					{"image_filename": "CLEVR_train_000001.png", "objects": [{"color": "red"}, {}, {}]}, {"image_filename": "CLEVR_train_000000.png", "objects": []}]}`)}),
		}, func(t *testing.T, root string, o []Option) (*ImageFolder, error) {
			d, err := NewCLEVRClassification(t.Context(), root, o...)
			return d, err
		}, o...))
	}
	lfw := tree{"lfw-names.txt": []byte("Ann_Lee\t2\nBob\t1\n"), "people.txt": []byte("2\n1\nBob\t1\n1\nAnn_Lee\t2\n"), "peopleDevTest.txt": []byte("2\nAnn_Lee\t1\nBob\t1\n"),
		"pairs.txt":         []byte("2\t1\nAnn_Lee\t1\t2\nAnn_Lee\t1\tBob\t1\nAnn_Lee\t2\t1\nBob\t1\tAnn_Lee\t2\n"),
		"pairsDevTrain.txt": []byte("1\nAnn_Lee\t2\t2\nBob\t1\tAnn_Lee\t1\n"), "lfw-funneled.tgz": {1}, "lfw.tgz": {1}}
	for folder := range map[string]bool{"lfw_funneled": true, "lfw": true} {
		lfw = lfw.with(folder, pics("Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0002.jpg", "Bob/Bob_0001.jpg"))
	}
	for _, kw := range []map[string]any{{}, {"split": "test", "image_set": "original"}} {
		var o []Option
		if len(kw) > 0 {
			o = []Option{WithTest(), WithVariant("original")}
		}
		r := classRow("LFWPeople", kw, nil, nil, func(t *testing.T, root string, o []Option) (*ImageFolder, error) {
			return NewLFWPeople(t.Context(), root, o...)
		}, o...)
		r.files = tree{}.with("lfw-py", lfw)
		rows = append(rows, r)
	}
	for _, split := range []string{"10fold", "train"} {
		rows = append(rows, published{name: "LFWPairs", kw: map[string]any{"split": split}, files: tree{}.with("lfw-py", lfw), open: func(t *testing.T, root string, o ...Option) (s shown, err error) {
			d, err := NewLFWPairs(t.Context(), root, append(o, WithSplit(split))...)
			if err != nil {
				return s, err
			}
			for i := range d.Len() {
				sample, err := d.At(t.Context(), i)
				if err != nil {
					return s, err
				}
				s.Samples = append(s.Samples, []any{pixels(t, sample.Input[0]), pixels(t, sample.Input[1]), sample.Target})
			}
			return s, nil
		}})
	}
	return rows
}

// folderRows are the data sets whose folders are the classes.
func folderRows(t *testing.T) (rows []published) {
	rows = append(rows, classRow("EuroSAT", nil, []string{"EuroSAT"}, map[string]tree{
		"EuroSAT.zip": pics("2750/River/River_1.jpg", "2750/Forest/Forest_2.jpg", "2750/Forest/Forest_10.jpg"),
	}, func(t *testing.T, root string, o []Option) (*ImageFolder, error) {
		return NewEuroSAT(t.Context(), root, o...)
	}))
	rows = append(rows, classRow("Country211", map[string]any{"split": "valid"}, []string{"Country211"}, map[string]tree{
		"country211.tgz": pics("country211/valid/ZW/1.jpg", "country211/valid/AD/2.jpg"),
	}, func(t *testing.T, root string, o []Option) (*ImageFolder, error) {
		return NewCountry211(t.Context(), root, o...)
	}, WithSplit("valid")))
	rows = append(rows, classRow("RenderedSST2", map[string]any{"split": "val"}, []string{"RenderedSST2"}, map[string]tree{
		"rendered-sst2.tgz": pics("rendered-sst2/valid/positive/1.png", "rendered-sst2/valid/negative/2.png"),
	}, func(t *testing.T, root string, o []Option) (*ImageFolder, error) {
		return NewRenderedSST2(t.Context(), root, o...)
	}, WithSplit("val")))
	synsets := func(d *ImageFolder, err error, t *testing.T) (shown, error) {
		if err != nil {
			return shown{}, err
		}
		var both [][2]string
		for i, w := range d.WNIDs {
			both = append(both, [2]string{w, d.Classes[i]})
		}
		return shows(t, d, nil, both, func(_, class int) any { return class })
	}
	rows = append(rows, published{name: "Imagenette", kw: map[string]any{"split": "val", "size": "160px"}, from: []string{"Imagenette 160px"}, remote: map[string]tree{
		"imagenette2-160.tgz": pics("imagenette2-160/val/n03425413/a.JPEG", "imagenette2-160/val/n01440764/b.JPEG"),
	}, open: func(t *testing.T, root string, o ...Option) (shown, error) {
		d, err := NewImagenette(t.Context(), root, append(o, WithSplit("val"), WithVariant("160px"))...)
		return synsets(d, err, t)
	}})
	meta := []map[string]any{}
	for i, c := range []struct{ wnid, words string }{{"n02119789", "kit fox, Vulpes macrotis"}, {"n00001740", "entity"}, {"n01440764", "tench"}} {
		meta = append(meta, map[string]any{"ILSVRC2012_ID": i + 1, "WNID": c.wnid, "words": c.words, "gloss": "a fish", "num_children": map[bool]int{true: 3}[i == 1]})
	}
	imagenet := tree{
		"ILSVRC2012_devkit_t12.tar.gz": pack(t, "a.tgz", tree{
			"ILSVRC2012_devkit_t12/data/meta.mat":                               matFile([]string{"synsets"}, structs{[]string{"ILSVRC2012_ID", "WNID", "words", "gloss", "num_children"}, meta}),
			"ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt": []byte("3\n1\n3\n"),
		}),
		"ILSVRC2012_img_val.tar": pack(t, "a.tar", pics("ILSVRC2012_val_00000002.JPEG", "ILSVRC2012_val_00000003.JPEG", "ILSVRC2012_val_00000001.JPEG")),
		"ILSVRC2012_img_train.tar": pack(t, "a.tar", tree{
			"n02119789.tar": pack(t, "a.tar", pics("n02119789_2.JPEG", "n02119789_10.JPEG")), "n01440764.tar": pack(t, "a.tar", pics("n01440764_1.JPEG")),
		}),
	}
	for _, split := range []string{"train", "val"} {
		rows = append(rows, published{name: "ImageNet", kw: map[string]any{"split": split}, files: imagenet, scipy: true, open: func(t *testing.T, root string, o ...Option) (shown, error) {
			d, err := NewImageNet(t.Context(), root, append(o, WithSplit(split))...)
			return synsets(d, err, t)
		}})
	}
	species := map[string]tree{
		"2021_valid": pics("val/00001_Animalia_Annelida_C_O_F_G_b/z.jpg", "val/00000_Animalia_Arthropoda_C_O_F_G_a/y.jpg", "val/00000_Animalia_Arthropoda_C_O_F_G_a/x.jpg").
			with("val/00000_Animalia_Arthropoda_C_O_F_G_a", tree{"w.jpg": grayJPEG()}),
		"2018": pics("train_val2018/Fungi/1/a.jpg", "train_val2018/Aves/0/b.jpg", "train_val2018/Aves/2/c.jpg"),
		"2017": pics("train_val_images/Fungi/Boletus/a.jpg", "train_val_images/Aves/Anser/b.jpg", "train_val_images/Aves/Bubo/c.jpg"),
	}
	for version, files := range species {
		rows = append(rows, classRow("INaturalist", map[string]any{"version": version}, []string{"INaturalist " + version}, map[string]tree{version + ".tgz": files},
			func(t *testing.T, root string, o []Option) (*ImageFolder, error) {
				return NewINaturalist(t.Context(), root, o...)
			}, WithVariant(version)))
	}
	rows = append(rows, classRow("Caltech256", nil, []string{"Caltech256"}, map[string]tree{
		"256_ObjectCategories.tar": pics("256_ObjectCategories/001.ak47/001_0001.jpg", "256_ObjectCategories/001.ak47/001_0002.jpg").
			with("256_ObjectCategories", tree{"002.flag/002_0001.jpg": grayJPEG(), "002.flag/x.txt": nil}),
	}, func(t *testing.T, root string, o []Option) (*ImageFolder, error) {
		return NewCaltech256(t.Context(), root, o...)
	}))
	rows = append(rows, published{name: "Caltech101", kw: map[string]any{"target_type": []string{"category", "annotation"}}, scipy: true, from: []string{"Caltech101"}, remote: map[string]tree{
		"caltech-101.zip": {
			"caltech-101/101_ObjectCategories.tar.gz": pack(t, "a.tar.gz", pics("101_ObjectCategories/yin_yang/image_0001.jpg", "101_ObjectCategories/BACKGROUND_Google/image_0001.jpg").
				with("101_ObjectCategories", tree{"Faces/image_0001.jpg": grayJPEG()})),
			"caltech-101/Annotations.tar.gz": pack(t, "a.tar.gz", tree{
				"Annotations/yin_yang/annotation_0001.mat": matFile([]string{"obj_contour"}, matrix{dims: []int{2, 3}, kind: 9, data: doubles(1, 2, 3.5, 4, 5, 6)}),
				"Annotations/Faces_2/annotation_0001.mat":  matFile([]string{"obj_contour"}, matrix{dims: []int{2, 1}, kind: 9, data: doubles(7, 8)}),
			}),
		},
	}, open: func(t *testing.T, root string, o ...Option) (shown, error) {
		d, err := NewCaltech101(t.Context(), root, o...)
		if err != nil {
			return shown{}, err
		}
		return shows(t, d, nil, d.Classes, func(i, class int) any {
			points, err := d.Contour(i)
			if err != nil {
				return err
			}
			var xs, ys []float64
			for _, p := range points {
				xs, ys = append(xs, p[0]), append(ys, p[1])
			}
			return []any{class, [][]float64{xs, ys}}
		})
	}})
	rows = append(rows, published{name: "OxfordIIITPet", kw: map[string]any{"target_types": []string{"category", "binary-category", "segmentation"}}, from: []string{"OxfordIIITPet"}, remote: map[string]tree{
		"images.tar.gz": pics("images/Abyssinian_100.jpg", "images/american_bulldog_2.jpg"),
		"annotations.tar.gz": {
			"annotations/trainval.txt": []byte("american_bulldog_2 2 2 1\nAbyssinian_100 1 1 1\n"), "annotations/trimaps/Abyssinian_100.png": grayPNG(false),
			"annotations/trimaps/american_bulldog_2.png": grayPNG(false),
		},
	}, open: func(t *testing.T, root string, o ...Option) (shown, error) {
		d, err := NewOxfordIIITPet(t.Context(), root, o...)
		if err != nil {
			return shown{}, err
		}
		return shows(t, d, nil, d.Classes, func(i, class int) any {
			mask, err := d.Trimap(i)
			if err != nil {
				return err
			}
			return []any{class, d.Binary[i], pixels(t, mask)}
		})
	}})
	for _, background := range []bool{true, false} {
		part := map[bool]string{true: "images_background", false: "images_evaluation"}[background]
		var o []Option
		if !background {
			o = append(o, WithTest())
		}
		rows = append(rows, classRow("Omniglot", map[string]any{"background": background}, []string{"Omniglot " + part}, map[string]tree{
			part + ".zip": {part + "/Latin/character02/1.png": maskPNG(2), part + "/Latin/character01/2.png": grayPNG(false), part + "/Greek/character01/3.png": pic("a.png", 3), part + "/Greek/character01/.txt": nil},
		}, func(t *testing.T, root string, o []Option) (*ImageFolder, error) {
			return NewOmniglot(t.Context(), root, o...)
		}, o...))
	}
	return rows
}

const vocXML = `<annotation>
	<folder>VOC2012</folder> <filename>2007_000032.jpg</filename>
	<source><database>The VOC2012 Database</database><annotation>PASCAL VOC2012</annotation></source>
	<size><width>5</width><height>4</height><depth>3</depth></size>
	<segmented>1</segmented>
	<object><name>person</name><pose>Unspecified</pose><truncated>1</truncated><difficult>0</difficult>
		<bndbox><xmin>1</xmin><ymin>2.5</ymin><xmax>4</xmax><ymax>3</ymax></bndbox>
		<part><name>head</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></part>
		<part><name>hand</name><bndbox><xmin>2</xmin><ymin>2</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></part></object>
	%s
</annotation>`

// vocTarget is what Python makes of an annotation.
func vocTarget(t *testing.T, a VOCAnnotation) any {
	text := func(v any) string {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		return strings.Trim(string(b), `"`)
	}
	box := func(b VOCBox) any {
		return map[string]any{"xmin": text(b.XMin), "ymin": text(b.YMin), "xmax": text(b.XMax), "ymax": text(b.YMax)}
	}
	var objects []any
	for _, o := range a.Objects {
		m := map[string]any{"name": o.Name, "pose": o.Pose, "truncated": text(o.Truncated), "difficult": text(o.Difficult), "bndbox": box(o.Box)}
		var parts []any
		for _, p := range o.Parts {
			parts = append(parts, map[string]any{"name": p.Name, "bndbox": box(p.Box)})
		}
		if len(parts) > 0 {
			m["part"] = parts
		}
		objects = append(objects, m)
	}
	return map[string]any{"annotation": map[string]any{"folder": a.Folder, "filename": a.Filename, "source": map[string]any{"database": a.Database, "annotation": "PASCAL VOC2012"},
		"size": map[string]any{"width": text(a.Width), "height": text(a.Height), "depth": text(a.Depth)}, "segmented": text(a.Segmented), "object": objects}}
}

// annotatedRows are the data sets whose targets are more than a class.
func annotatedRows(t *testing.T) (rows []published) {
	for year, c := range map[string][3]string{
		"2012": {"VOC 2012", "VOCtrainval_11-May-2012.tar", "VOCdevkit/VOC2012"}, "2011": {"VOC 2011", "VOCtrainval_25-May-2011.tar", "TrainVal/VOCdevkit/VOC2011"},
		"2007": {"VOC 2007-test", "VOCtest_06-Nov-2007.tar", "VOCdevkit/VOC2007"},
	} {
		set := map[bool]string{true: "test", false: "val"}[year == "2007"]
		files := tree{"ImageSets/Main/" + set + ".txt": []byte("2007_000032\n2007_000033\n"), "ImageSets/Segmentation/" + set + ".txt": []byte("2007_000033\n"),
			"Annotations/2007_000032.xml": fmt.Appendf(nil, vocXML, ""), "Annotations/2007_000033.xml": fmt.Appendf(nil, vocXML, `<object><name>dog</name><pose>Left</pose><truncated>0</truncated>
				<difficult>1</difficult><bndbox><xmin>45.70000076293945</xmin><ymin>2</ymin><xmax>4</xmax><ymax>3</ymax></bndbox></object>`),
			"SegmentationClass/2007_000033.png": maskPNG(22)}
		remote := map[string]tree{c[1]: tree{}.with(c[2], files.with("JPEGImages", pics("2007_000032.jpg", "2007_000033.jpg")))}
		opts := []Option{WithSplit(set), WithVariant(year)}
		kw := map[string]any{"year": year, "image_set": set}
		rows = append(rows, published{name: "VOCDetection", kw: kw, from: []string{c[0]}, remote: remote, open: func(t *testing.T, root string, o ...Option) (shown, error) {
			d, err := NewVOCDetection(t.Context(), root, append(o, opts...)...)
			return shows(t, d, err, nil, func(_ int, a VOCAnnotation) any { return vocTarget(t, a) })
		}}, published{name: "VOCSegmentation", kw: kw, from: []string{c[0]}, remote: remote, open: func(t *testing.T, root string, o ...Option) (shown, error) {
			d, err := NewVOCSegmentation(t.Context(), root, append(o, opts...)...)
			return shows(t, d, err, nil, func(_ int, mask image.Image) any { return pixels(t, mask) })
		}})
	}
	var edges []any
	for i := range 20 {
		pix := make([]byte, 12)
		pix[i%12], pix[(5*i)%12] = 1, 1
		if i == 7 {
			clear(pix)
		}
		edges = append(edges, sparse{3, 4, pix})
	}
	sbd := matFile([]string{"GTcls"}, []map[string]any{{"Boundaries": edges, "CategoriesPresent": 1, "Segmentation": matrix{dims: []int{3, 4}, kind: 2, data: noise(12)}}})
	for _, mode := range []string{"segmentation", "boundaries"} {
		rows = append(rows, published{name: "SBDataset", kw: map[string]any{"mode": mode}, scipy: true, from: []string{"SBDataset"}, remote: map[string]tree{
			"benchmark.tgz": tree{}.with("benchmark_RELEASE/dataset", tree{"cls/2008_000002.mat": sbd, "inst/2008_000002.mat": sbd, "train.txt": []byte("2008_000002\n"), "val.txt": nil}.
				with("img", pics("2008_000002.jpg"))),
		}, open: func(t *testing.T, root string, o ...Option) (shown, error) {
			d, err := NewSBDataset(t.Context(), root, o...)
			return shows(t, d, err, nil, func(_ int, s SemanticBoundaries) any {
				if mode == "segmentation" {
					return pixels(t, s.Segmentation)
				}
				var all [][][]int
				for _, b := range s.Boundaries {
					var lines [][]int
					for y := range 3 {
						var line []int
						for x := range 4 {
							line = append(line, int(b.GrayAt(x, y).Y))
						}
						lines = append(lines, line)
					}
					all = append(all, lines)
				}
				return all
			})
		}})
	}
	for _, split := range []string{"train", "all"} {
		rows = append(rows, published{name: "CelebA", kw: map[string]any{"split": split, "target_type": []string{"attr", "identity", "bbox", "landmarks"}}, from: []string{"CelebA"}, remote: map[string]tree{
			"img_align_celeba.zip": pics("img_align_celeba/000001.jpg", "img_align_celeba/000002.jpg").with("img_align_celeba", tree{"000003.jpg": grayJPEG()}),
			"list_attr_celeba.txt": {"": []byte("3\n5_o_Clock_Shadow Young\n000001.jpg -1  1\n000002.jpg  1  1\n000003.jpg -1 -1\n")},
			"identity_CelebA.txt":  {"": []byte("000001.jpg 2880\n000002.jpg 2937\n000003.jpg 8692\n")},
			"list_bbox_celeba.txt": {"": []byte("3\nimage_id x_1 y_1 width height\n000001.jpg    95  71 226 313\n000002.jpg    72  94 221 306\n000003.jpg   216  59  91 126\n")},
			"list_landmarks_align_celeba.txt": {"": []byte("3\nlefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y\n" +
				"000001.jpg 69  109  106  113   77  142   73  152  108  154\n000002.jpg 69  110  107  112   81  135   70  151  108  153\n000003.jpg 76  112  104  106  108  128   74  156   98  158\n")},
			"list_eval_partition.txt": {"": []byte("000001.jpg 0\n000002.jpg 2\n000003.jpg 0\n")},
		}, open: func(t *testing.T, root string, o ...Option) (shown, error) {
			d, err := NewCelebA(t.Context(), root, append(o, WithSplit(split))...)
			if err != nil {
				return shown{}, err
			}
			return shows(t, d, nil, d.Attributes, func(_ int, f CelebAFace) any { return []any{f.Attributes, f.Identity, f.Box, f.Landmarks} })
		}})
	}
	for _, split := range []string{"train", "test"} {
		rows = append(rows, published{name: "WIDERFace", kw: map[string]any{"split": split}, from: []string{"WIDERFace"}, remote: map[string]tree{
			"WIDER_train.zip": pics("WIDER_train/images/0--Parade/a.jpg", "WIDER_train/images/1--Fight/b.jpg"), "WIDER_val.zip": pics("WIDER_val/images/c.jpg"),
			"WIDER_test.zip": tree{"WIDER_test/images/0--Parade/d.jpg": grayJPEG()},
			"wider_face_split.zip": {"wider_face_split/wider_face_train_bbx_gt.txt": []byte("0--Parade/a.jpg\n2\n449 330 122 149 0 1 0 0 0 0 \n361 98 263 339 1 0 1 2 1 1 \n1--Fight/b.jpg\n0\n0 0 0 0 0 0 0 0 0 0 \n"),
				"wider_face_split/wider_face_test_filelist.txt": []byte("0--Parade/d.jpg\n")},
		}, open: func(t *testing.T, root string, o ...Option) (shown, error) {
			d, err := NewWIDERFace(t.Context(), root, append(o, WithSplit(split))...)
			return shows(t, d, err, nil, func(_ int, faces []WIDERFaceBox) any {
				if split == "test" {
					require.Empty(t, faces)
					return nil
				}
				m := map[string][]any{}
				for _, f := range faces {
					m["bbox"] = append(m["bbox"], f.Box)
					for k, v := range map[string]int{"blur": f.Blur, "expression": f.Expression, "illumination": f.Illumination, "occlusion": f.Occlusion, "pose": f.Pose, "invalid": f.Invalid} {
						m[k] = append(m[k], v)
					}
				}
				return m
			})
		}})
	}
	for _, train := range []bool{true, false} {
		rows = append(rows, published{name: "Kitti", kw: map[string]any{"train": train}, from: []string{"Kitti"}, remote: map[string]tree{
			"data_object_image_2.zip": pics("training/image_2/000001.png", "training/image_2/000000.png", "testing/image_2/000000.png"),
			"data_object_label_2.zip": {"training/label_2/000000.txt": []byte("Pedestrian 0.00 0 -0.20 712.40 143.00 810.73 307.92 1.89 0.48 1.20 1.84 1.47 8.41 0.01\nDontCare -1 -1 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10\n"),
				"training/label_2/000001.txt": nil},
		}, open: func(t *testing.T, root string, o ...Option) (shown, error) {
			if !train {
				o = append(o, WithTest())
			}
			d, err := NewKitti(t.Context(), root, o...)
			return shows(t, d, err, nil, func(_ int, objects []KittiObject) any {
				if objects == nil {
					return nil
				}
				all := []any{}
				for _, k := range objects {
					all = append(all, map[string]any{"type": k.Type, "truncated": k.Truncated, "occluded": k.Occluded, "alpha": k.Alpha, "bbox": k.Box, "dimensions": k.Dimensions, "location": k.Location, "rotation_y": k.RotationY})
				}
				return all
			})
		}})
	}
	city := func() tree {
		return tree{"_instanceIds.png": grayPNG(true), "_labelIds.png": grayPNG(false), "_color.png": pic("a.png", 1), "_polygons.json": []byte(`{"imgHeight": 4, "imgWidth": 5, "objects": [{"label": "road", "polygon": [[0, 3.5], [1, 2]]}]}`)}
	}
	scene := func(kind, split string, names ...string) tree {
		f := tree{}
		for _, n := range names {
			for suffix, b := range city() {
				f[kind+"/"+split+"/"+n+"_"+kind+suffix] = b
			}
		}
		return f
	}
	cityscapes := tree{
		"leftImg8bit_trainvaltest.zip": pack(t, "a.zip", pics("leftImg8bit/val/ulm/ulm_0_1_leftImg8bit.png", "leftImg8bit/val/bonn/bonn_0_2_leftImg8bit.png", "leftImg8bit/val/bonn/bonn_0_1_leftImg8bit.png")),
		"gtFine_trainvaltest.zip":      pack(t, "a.zip", scene("gtFine", "val", "ulm/ulm_0_1", "bonn/bonn_0_1", "bonn/bonn_0_2")),
		"leftImg8bit_trainextra.zip":   pack(t, "a.zip", pics("leftImg8bit/train_extra/ulm/ulm_0_1_leftImg8bit.png")),
		"gtCoarse.zip":                 pack(t, "a.zip", scene("gtCoarse", "train_extra", "ulm/ulm_0_1")),
	}
	for mode, split := range map[string]string{"fine": "val", "coarse": "train_extra"} {
		rows = append(rows, published{name: "Cityscapes", kw: map[string]any{"mode": mode, "split": split, "target_type": []string{"instance", "semantic", "color", "polygon"}}, files: cityscapes,
			open: func(t *testing.T, root string, o ...Option) (shown, error) {
				d, err := NewCityscapes(t.Context(), root, append(o, WithVariant(mode), WithSplit(split))...)
				var classes []any
				for _, c := range CityscapesClasses {
					classes = append(classes, []any{c.Name, c.ID, c.TrainID, c.Category, c.CategoryID, c.HasInstances, c.IgnoreInEval, []int{int(c.Color[0]), int(c.Color[1]), int(c.Color[2])}})
				}
				return shows(t, d, err, classes, func(_ int, target CityscapesTarget) any {
					var all []any
					for _, read := range []func() (image.Image, error){target.Instance, target.Semantic, target.Color} {
						mask, err := read()
						if err != nil {
							return err
						}
						all = append(all, pixels(t, mask))
					}
					p, err := target.Polygons()
					if err != nil {
						return err
					}
					return append(all, p)
				})
			}})
	}
	captions := func(_ int, c []string) any { return c }
	pictures := pics("pictures/1000_a.jpg", "pictures/999_b.jpg")
	rows = append(rows, published{name: "CocoCaptions", files: pictures.with("", tree{"list": []byte(`{"images": [{"id": 7, "file_name": "999_b.jpg"}, {"id": 3, "file_name": "1000_a.jpg"}],
			"annotations": [{"id": 2, "image_id": 7, "caption": "A dog."}, {"id": 1, "image_id": 7, "caption": "Two dögs"}, {"id": 9, "image_id": 3, "caption": "A cat"}]}`)}),
		open: func(t *testing.T, root string, o ...Option) (shown, error) {
			d, err := NewCocoCaptions(root+"/pictures", root+"/list")
			return shows(t, d, err, nil, captions)
		}}, published{name: "Flickr30k", files: pictures.with("", tree{"list": []byte("999_b.jpg#0\tA dog .\n1000_a.jpg#0\tA cat .\n999_b.jpg#1\tTwo dogs .\n")}),
		open: func(t *testing.T, root string, o ...Option) (shown, error) {
			d, err := NewFlickr30k(root+"/pictures", root+"/list")
			return shows(t, d, err, nil, captions)
		}}, published{name: "Flickr8k", files: pictures.with("", tree{"list": []byte(flickr8k)}),
		open: func(t *testing.T, root string, o ...Option) (shown, error) {
			d, err := NewFlickr8k(root+"/pictures", root+"/list")
			return shows(t, d, err, nil, captions)
		}}, published{name: "SBU", from: []string{"SBU"}, remote: map[string]tree{
		"SBUCaptionedPhotoDataset.tar.gz": pics("dataset/b.jpg", "dataset/a.jpg").with("dataset", tree{
			"SBU_captioned_photo_dataset_urls.txt":     []byte("ftp://example.com/1/a.jpg\nftp://example.com/2/gone.jpg\nftp://example.com/2/b.jpg\n"),
			"SBU_captioned_photo_dataset_captions.txt": []byte("A cat\nA bird\nA dog \n")}),
	}, open: func(t *testing.T, root string, o ...Option) (shown, error) {
		d, err := NewSBU(t.Context(), root, o...)
		return shows(t, d, err, nil, func(_ int, c string) any { return c })
	}})
	return rows
}

const flickr8k = `<!DOCTYPE html>
<html><body><h1>Flickr</h1><ul><li>not this</li></ul><table border=1>
<tr><td><a href="http://www.flickr.com/photos/kate/1000/">http://www.flickr.com/photos/kate/1000/</a><br>
<ul><li>A child &amp; a dog .
<li>A girl going into a wooden building .</li></ul></td></tr>
<tr><td>Image Not Found<br><ul><li>Nobody</li></ul></td></tr>
<tr><td><a href='http://www.flickr.com/photos/x/999/'>http://www.flickr.com/photos/x/999/</a><ul><li>A black dog</li></ul></td></tr>
</table><a href="/">http://x/1/</a></body></html>
`

// memoryRows are the data sets whose pictures are in memory.
func memoryRows(t *testing.T) (rows []published) {
	inMemory := func(t *testing.T, d *Images, err error) (shown, error) {
		if err != nil {
			return shown{}, err
		}
		return shows(t, d, nil, nil, func(_, class int) any { return optional(class) })
	}
	for _, split := range []string{"train", "test", "extra"} {
		rows = append(rows, published{name: "SVHN", kw: map[string]any{"split": split}, from: []string{"SVHN " + split}, scipy: true, remote: map[string]tree{split + "_32x32.mat": {"": svhn(split == "train")}},
			open: func(t *testing.T, root string, o ...Option) (shown, error) {
				d, err := NewSVHN(t.Context(), root, append(o, WithSplit(split))...)
				return inMemory(t, d, err)
			}})
	}
	movie, err := npy.Write("uint8", []int{20, 3, 4, 5})
	require.NoError(t, err)
	for _, c := range []struct {
		kw map[string]any
		o  []Option
	}{{}, {map[string]any{"split": "train"}, []Option{WithSplit("train")}}, {map[string]any{"split": "test", "split_ratio": 17}, []Option{WithSplit("test"), WithVariant("17")}}} {
		rows = append(rows, published{name: "MovingMNIST", kw: c.kw, from: []string{"MovingMNIST"}, remote: map[string]tree{"mnist_test_seq.npy": {"": append(movie, noise(20*3*4*5)...)}},
			open: func(t *testing.T, root string, o ...Option) (s shown, err error) {
				d, err := NewMovingMNIST(t.Context(), root, append(o, c.o...)...)
				if err != nil {
					return s, err
				}
				for i := range d.Len() {
					x, err := d.At(t.Context(), i)
					require.NoError(t, err)
					shape, v := x.Shape(), torch.Data[uint8](x)
					frames := make([]any, shape[0])
					for f := range frames {
						lines := make([][]int, shape[2])
						for y := range lines {
							for range shape[3] {
								lines[y], v = append(lines[y], int(v[0])), v[1:]
							}
						}
						frames[f] = []any{lines}
					}
					s.Samples = append(s.Samples, []any{frames})
				}
				return s, nil
			}})
	}
	sheet := image.NewGray(image.Rect(0, 0, 128, 64))
	copy(sheet.Pix, noise(128*64))
	var sheets [2]bytes.Buffer
	for i := range sheets {
		require.NoError(t, bmp.Encode(&sheets[i], sheet))
		sheet.Pix[0]++
	}
	for _, train := range []bool{true, false} {
		rows = append(rows, published{name: "PhotoTour", kw: map[string]any{"name": "liberty", "train": train}, from: []string{"PhotoTour liberty"}, remote: map[string]tree{"liberty.zip": {
			"patches0001.bmp": sheets[1].Bytes(), "patches0000.bmp": sheets[0].Bytes(), "info.txt": []byte("5 0\n5 0\n7 0\n9 0\n"), "m50_100000_100000_0.txt": []byte("0 5 0 1 5 0 0\n2 7 0 3 9 0 0\n")}},
			open: func(t *testing.T, root string, o ...Option) (s shown, err error) {
				d, err := NewPhotoTour(t.Context(), root, "liberty", o...)
				if err != nil {
					return s, err
				}
				patch := func(i int) [][]int {
					img, _, err := d.Open(i)
					require.NoError(t, err)
					lines := make([][]int, 64)
					for k, v := range img.(*image.Gray).Pix {
						lines[k/64] = append(lines[k/64], int(v))
					}
					return lines
				}
				for i := range d.Len() {
					if train {
						s.Samples = append(s.Samples, []any{patch(i)})
					}
				}
				for _, m := range d.Matches {
					if !train {
						s.Samples = append(s.Samples, []any{patch(m[0]), patch(m[1]), m[2]})
					}
				}
				return s, nil
			}})
	}
	var semeion bytes.Buffer
	for i := range 2 {
		for k := range 266 {
			on := noise(1000)[i*266+k]&1 == 1
			if k >= 256 {
				on = k-256 == 7*i+1
			}
			fmt.Fprint(&semeion, map[bool]string{true: "1", false: "0"}[on])
			fmt.Fprint(&semeion, map[bool]string{true: ".0000 ", false: " "}[k < 256])
		}
		fmt.Fprintln(&semeion)
	}
	rows = append(rows, published{name: "SEMEION", from: []string{"SEMEION"}, remote: map[string]tree{"semeion.data": {"": semeion.Bytes()}},
		open: func(t *testing.T, root string, o ...Option) (shown, error) {
			d, err := NewSEMEION(t.Context(), root, o...)
			return inMemory(t, d, err)
		}})
	face := func(i int) string { return strings.Trim(fmt.Sprint(noise(4 * 48 * 48)[i*48*48:(i+1)*48*48]), "[]") }
	for _, c := range []struct {
		split string
		files tree
	}{
		{"train", tree{"fer2013.csv": []byte("emotion,pixels,Usage\n3," + face(0) + ",Training\n6," + face(1) + ",PublicTest\n"), "train.csv": []byte("x")}},
		{"test", tree{"icml_face_data.csv": []byte("emotion, Usage, pixels\n3,Training," + face(0) + "\n6,PublicTest," + face(1) + "\n0,PrivateTest," + face(2) + "\n1,Other," + face(2) + "\n")}},
		{"train", tree{"train.csv": []byte("emotion,pixels\n3,\"" + face(0) + "\"\n")}},
		{"test", tree{"test.csv": []byte("pixels\n\"" + face(0) + "\"\n\"" + face(3) + "\"\n")}},
	} {
		rows = append(rows, published{name: "FER2013", kw: map[string]any{"split": c.split}, files: tree{}.with("fer2013", c.files), open: func(t *testing.T, root string, o ...Option) (shown, error) {
			d, err := NewFER2013(t.Context(), root, append(o, WithSplit(c.split))...)
			return inMemory(t, d, err)
		}})
	}
	var digits bytes.Buffer
	for i := range 3 {
		fmt.Fprint(&digits, 10-i)
		for k := range 256 {
			fmt.Fprintf(&digits, " %d:%.4f", k+1, float64(int(noise(768)[i*256+k]))/127.5-1)
		}
		fmt.Fprint(&digits, " \n")
	}
	var squeezed []byte
	if os.Getenv(reference.Variable) == "" { // Go does not write this format
		return rows
	}
	reference.Start(t, pythons).Call(&squeezed, "lambda s: __import__('bz2').compress(s.encode())", digits.String())
	for _, train := range []bool{true, false} {
		file := map[bool]string{true: "usps.bz2", false: "usps.t.bz2"}[train]
		rows = append(rows, published{name: "USPS", kw: map[string]any{"train": train}, from: []string{map[bool]string{true: "USPS train", false: "USPS test"}[train]}, remote: map[string]tree{file: {"": squeezed}},
			open: func(t *testing.T, root string, o ...Option) (shown, error) {
				if !train {
					o = append(o, WithTest())
				}
				d, err := NewUSPS(t.Context(), root, o...)
				return inMemory(t, d, err)
			}})
	}
	return rows
}

func doubles(v ...float64) []byte {
	var b []byte
	for _, f := range v {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
	}
	return b
}
