package datasets

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/transforms"
)

// NewFlowers102 opens the flowers in root/flowers-102: Flowers102(root, split, download). [WithSplit] names train, which is
// the default, val or test. It honors [WithTest], [WithDownload], [WithProgress] and [WithoutChecksums].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.Flowers102.html
func NewFlowers102(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	split, err := o.part("Flowers102", "test", "train", "val", "test")
	if err != nil {
		return nil, err
	}
	dir, err := o.in(ctx, "Flowers102", root, "jpg", "imagelabels.mat", "setid.mat")
	if err != nil {
		return nil, err
	}
	labels, err := matInts(filepath.Join(dir, "imagelabels.mat"), "labels")
	if err != nil {
		return nil, err
	}
	ids, err := matInts(filepath.Join(dir, "setid.mat"), map[string]string{"train": "trnid", "val": "valid", "test": "tstid"}[split])
	if err != nil {
		return nil, err
	}
	d := &ImageFolder{Root: dir, Classes: sources["Flowers102"].Classes}
	for _, id := range ids {
		if id < 1 || id > len(labels) || labels[id-1] < 1 || labels[id-1] > len(d.Classes) {
			return nil, fmt.Errorf("datasets: %s: picture %d has no label from 1 to %d in imagelabels.mat", filepath.Join(dir, "setid.mat"), id, len(d.Classes))
		}
		d.Samples = append(d.Samples, ClassSample{filepath.Join(dir, "jpg", fmt.Sprintf("image_%05d.jpg", id)), labels[id-1] - 1})
	}
	return d, nil
}

// matInts reads a variable of a MATLAB 5 file.
func matInts(path, name string) ([]int, error) {
	m, err := openMAT(path)
	if err != nil {
		return nil, err
	}
	if m[name] == nil {
		return nil, fmt.Errorf("datasets: %s has no variable %q", path, name)
	}
	v, err := m[name].ints()
	if err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", path, err)
	}
	return v, nil
}

// NewFood101 opens the dishes in root/food-101: Food101(root, split, download). [WithSplit] names train, which is the default,
// or test. It honors [WithTest], [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.Food101.html
func NewFood101(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	split, err := o.part("Food101", "test", "train", "test")
	if err != nil {
		return nil, err
	}
	dir, err := o.in(ctx, "Food101", root, "food-101/meta", "food-101/images")
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "food-101")
	list := filepath.Join(dir, "meta", split+".json")
	f, err := os.Open(list)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	defer f.Close()
	d := &ImageFolder{Root: dir}
	var classes []string // in the order of the file, which has the pictures
	byClass := map[string][]string{}
	j := json.NewDecoder(f)
	err = expect(j, '{')
	for err == nil && j.More() {
		var key json.Token
		var pictures []string
		if key, err = j.Token(); err == nil {
			err = j.Decode(&pictures)
		}
		if class, ok := key.(string); ok && err == nil {
			if _, twice := byClass[class]; !twice {
				classes = append(classes, class)
			}
			byClass[class] = pictures
		}
	}
	if err == nil {
		err = expect(j, '}')
	}
	if err != nil {
		return nil, fmt.Errorf("datasets: %s is not a list of pictures: %w", list, err)
	}
	d.Classes = slices.Sorted(maps.Keys(byClass))
	for _, class := range classes {
		for _, name := range byClass[class] {
			path, err := under(list, filepath.Join(dir, "images"), name+".jpg")
			if err != nil {
				return nil, err
			}
			number, _ := slices.BinarySearch(d.Classes, class)
			d.Samples = append(d.Samples, ClassSample{path, number})
		}
	}
	return d, nil
}

// NewDTD opens the textures in root/dtd/dtd: DTD(root, split, partition, download). [WithSplit] names train, which is the
// default, val or test, and [WithVariant] the partition, from 1, which is the default, to 10. It honors [WithTest],
// [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.DTD.html
func NewDTD(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	split, err := o.part("DTD", "test", "train", "val", "test")
	if err != nil {
		return nil, err
	}
	partition, err := o.form("DTD", "partition", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
	if err != nil {
		return nil, err
	}
	dir, err := o.in(ctx, "DTD", root, "dtd")
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "dtd")
	list := filepath.Join(dir, "labels", split+partition+".txt")
	lines, err := readLines(list)
	if err != nil {
		return nil, err
	}
	d := &ImageFolder{Root: dir}
	of := make([]string, len(lines))
	for i, line := range lines {
		class, _, ok := strings.Cut(line, "/")
		if !ok {
			return nil, fmt.Errorf("datasets: %s: line %d is %.100q; want a class, a slash and a file", list, i+1, line)
		}
		path, err := under(list, filepath.Join(dir, "images"), line)
		if err != nil {
			return nil, err
		}
		of[i] = class
		d.Samples = append(d.Samples, ClassSample{Path: path})
	}
	d.name(of)
	return d, nil
}

// name sets the classes of the samples to the sorted names.
func (d *ImageFolder) name(of []string) {
	d.Classes = slices.Compact(slices.Sorted(slices.Values(of)))
	for i, class := range of {
		d.Samples[i].Class, _ = slices.BinarySearch(d.Classes, class)
	}
}

// NewEuroSAT opens the pictures from satellites in root/eurosat/2750: EuroSAT(root, download). It honors [WithDownload] and
// [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.EuroSAT.html
func NewEuroSAT(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	dir, err := o.in(ctx, "EuroSAT", root, "2750")
	if err != nil {
		return nil, err
	}
	return o.folder(filepath.Join(dir, "2750"), imageExtensions)
}

// NewFGVCAircraft opens the airplanes in root/fgvc-aircraft-2013b: FGVCAircraft(root, split, annotation_level, download).
// [WithSplit] names trainval, which is the default, train, val or test, and [WithVariant] the level of the classes: variant,
// which is the default, family or manufacturer. It honors [WithTest], [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.FGVCAircraft.html
func NewFGVCAircraft(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	split, err := o.part("FGVCAircraft", "test", "trainval", "train", "val", "test")
	if err != nil {
		return nil, err
	}
	level, err := o.form("FGVCAircraft", "annotation level", "variant", "family", "manufacturer")
	if err != nil {
		return nil, err
	}
	dir, err := o.in(ctx, "FGVCAircraft", root, "fgvc-aircraft-2013b")
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "fgvc-aircraft-2013b", "data")
	d := &ImageFolder{Root: dir}
	file := map[string]string{"variant": "variants.txt", "family": "families.txt", "manufacturer": "manufacturers.txt"}[level]
	if d.Classes, err = readLines(filepath.Join(dir, file)); err != nil {
		return nil, err
	}
	list := filepath.Join(dir, "images_"+level+"_"+split+".txt")
	lines, err := readLines(list)
	if err != nil {
		return nil, err
	}
	for i, line := range lines {
		name, class, _ := strings.Cut(line, " ")
		number := slices.Index(d.Classes, class)
		if number < 0 {
			return nil, fmt.Errorf("datasets: %s: line %d has the class %.100q, which %s does not list", list, i+1, class, file)
		}
		path, err := under(list, filepath.Join(dir, "images"), name+".jpg")
		if err != nil {
			return nil, err
		}
		d.Samples = append(d.Samples, ClassSample{path, number})
	}
	return d, nil
}

// NewGTSRB opens the traffic signs in root/gtsrb: GTSRB(root, split, download). [WithSplit] names train, which is the default,
// or test, which has no names of classes. It honors [WithTest], [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.GTSRB.html
func NewGTSRB(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	split, err := o.part("GTSRB", "test", "train", "test")
	if err != nil {
		return nil, err
	}
	if split == "train" {
		dir, err := o.in(ctx, "GTSRB train", root, "GTSRB/Training")
		if err != nil {
			return nil, err
		}
		return o.folder(filepath.Join(dir, "GTSRB", "Training"), []string{".ppm"})
	}
	dir, err := o.in(ctx, "GTSRB test", root, "GTSRB/Final_Test/Images")
	if err != nil {
		return nil, err
	}
	list := filepath.Join(dir, "GT-final_test.csv")
	rows, err := readCSV(list, ';', "Filename", "ClassId")
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "GTSRB", "Final_Test", "Images")
	d := &ImageFolder{Root: dir}
	for i, row := range rows {
		path, err := under(list, dir, row[0])
		if err != nil {
			return nil, err
		}
		class, err := strconv.Atoi(row[1])
		if err != nil {
			return nil, fmt.Errorf("datasets: %s: row %d has the class %.20q, which is not an int", list, i+1, row[1])
		}
		d.Samples = append(d.Samples, ClassSample{path, class})
	}
	return d, nil
}

// readCSV reads the columns with these names.
func readCSV(path string, comma rune, columns ...string) ([][]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.TrimLeadingSpace, r.ReuseRecord = comma, true, true
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", path, damaged(err))
	}
	at := make([]int, len(columns))
	for i, c := range columns {
		if at[i] = slices.Index(header, c); at[i] < 0 {
			return nil, fmt.Errorf("datasets: %s has no column %q", path, c)
		}
	}
	var rows [][]string
	for {
		record, err := r.Read()
		if err != nil {
			if err == io.EOF {
				return rows, nil
			}
			return nil, fmt.Errorf("datasets: %s: %w", path, damaged(err))
		}
		row := make([]string, len(at))
		for i, k := range at {
			row[i] = strings.Clone(record[k])
		}
		rows = append(rows, row)
	}
}

// NewStanfordCars opens the cars in root/stanford_cars: StanfordCars(root, split). [WithSplit] names train, which is the
// default, or test. They cannot be downloaded any more. It honors [WithTest].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.StanfordCars.html
func NewStanfordCars(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	split, err := o.part("StanfordCars", "test", "train", "test")
	if err != nil {
		return nil, err
	}
	if o.download {
		return nil, fmt.Errorf("datasets: StanfordCars cannot be downloaded any more; leave out WithDownload and put its files into %s", filepath.Join(root, "stanford_cars"))
	}
	dir := filepath.Join(root, "stanford_cars")
	list, pictures := filepath.Join(dir, "devkit", "cars_train_annos.mat"), filepath.Join(dir, "cars_train")
	if split == "test" {
		list, pictures = filepath.Join(dir, "cars_test_annos_withlabels.mat"), filepath.Join(dir, "cars_test")
	}
	d := &ImageFolder{Root: dir}
	meta := filepath.Join(dir, "devkit", "cars_meta.mat")
	m, err := openMAT(meta)
	if err != nil {
		return nil, err
	}
	for _, c := range m["class_names"].items() {
		d.Classes = append(d.Classes, c.text())
	}
	if len(d.Classes) == 0 {
		return nil, fmt.Errorf("datasets: %s has no cells class_names", meta)
	}
	if m, err = openMAT(list); err != nil {
		return nil, err
	}
	rows := m["annotations"].rows("fname", "class")
	if rows == nil {
		return nil, fmt.Errorf("datasets: %s has no structs annotations with the fields fname and class", list)
	}
	for i, row := range rows {
		class, err := row[1].ints()
		if err != nil || len(class) != 1 {
			return nil, fmt.Errorf("datasets: %s: annotation %d has no class", list, i+1)
		}
		path, err := under(list, pictures, row[0].text())
		if err != nil {
			return nil, err
		}
		d.Samples = append(d.Samples, ClassSample{path, class[0] - 1})
	}
	return d, nil
}

// NewSUN397 opens the scenes in root/SUN397: SUN397(root, download). They are in the order of their paths, where torchvision's is
// that of the file system. It honors [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.SUN397.html
func NewSUN397(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	dir, err := o.in(ctx, "SUN397", root, "SUN397")
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "SUN397")
	d := &ImageFolder{Root: dir}
	lines, err := readLines(filepath.Join(dir, "ClassName.txt"))
	if err != nil {
		return nil, err
	}
	numbers := map[string]int{}
	for i, line := range lines { // such as /a/abbey
		if len(line) < 3 {
			return nil, fmt.Errorf("datasets: %s: line %d is %q; want a class such as /a/abbey", filepath.Join(dir, "ClassName.txt"), i+1, line)
		}
		d.Classes = append(d.Classes, line[3:])
		numbers[line[3:]] = i
	}
	paths, err := walk(dir, func(path string) bool {
		return strings.HasPrefix(filepath.Base(path), "sun_") && strings.HasSuffix(path, ".jpg")
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	for _, path := range paths {
		inside, err := filepath.Rel(dir, filepath.Dir(path))
		if err != nil {
			return nil, fmt.Errorf("datasets: %w", err)
		}
		_, class, _ := strings.Cut(filepath.ToSlash(inside), "/")
		number, ok := numbers[class]
		if !ok {
			return nil, fmt.Errorf("datasets: %s is in the folder of the class %q, which ClassName.txt does not list", path, class)
		}
		d.Samples = append(d.Samples, ClassSample{path, number})
	}
	return d, nil
}

// NewCountry211 opens the photos in root/country211: Country211(root, split, download). [WithSplit] names train, which is the
// default, valid or test. It honors [WithTest], [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.Country211.html
func NewCountry211(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	split, err := o.part("Country211", "test", "train", "valid", "test")
	if err != nil {
		return nil, err
	}
	dir, err := o.in(ctx, "Country211", root, "country211")
	if err != nil {
		return nil, err
	}
	return o.folder(filepath.Join(dir, "country211", split), imageExtensions)
}

// NewRenderedSST2 opens the pictures of sentences in root/rendered-sst2: RenderedSST2(root, split, download). [WithSplit] names
// train, which is the default, val or test. It honors [WithTest], [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.RenderedSST2.html
func NewRenderedSST2(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	split, err := o.part("RenderedSST2", "test", "train", "val", "test")
	if err != nil {
		return nil, err
	}
	folder := filepath.Join("rendered-sst2", map[string]string{"train": "train", "val": "valid", "test": "test"}[split])
	classes := sources["RenderedSST2"].Classes
	dir, err := o.in(ctx, "RenderedSST2", root, filepath.Join(folder, classes[0]), filepath.Join(folder, classes[1]))
	if err != nil {
		return nil, err
	}
	return o.folder(filepath.Join(dir, folder), []string{"png"})
}

// NewImagenette opens the ten classes of ImageNet in root/imagenette2, imagenette2-320 or imagenette2-160: Imagenette(root,
// split, size, download). [WithSplit] names train, which is the default, or val, and [WithVariant] the size: full, which is the
// default, 320px or 160px. A class has all its names, with commas between them. It honors [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.Imagenette.html
func NewImagenette(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	split, err := o.part("Imagenette", "", "train", "val")
	if err != nil {
		return nil, err
	}
	size, err := o.form("Imagenette", "size", "full", "320px", "160px")
	if err != nil {
		return nil, err
	}
	folder := map[string]string{"full": "imagenette2", "320px": "imagenette2-320", "160px": "imagenette2-160"}[size]
	dir, err := o.in(ctx, "Imagenette "+size, root, folder)
	if err != nil {
		return nil, err
	}
	d, err := o.folder(filepath.Join(dir, folder, split), []string{".jpeg"})
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, c := range sources["Imagenette"].Classes {
		wnid, name, _ := strings.Cut(c, " ")
		all[wnid] = name
	}
	return d, d.synsets(all)
}

// synsets replaces the names of the classes, which are WordNet's ids.
func (d *ImageFolder) synsets(names map[string]string) error {
	d.WNIDs, d.Classes = d.Classes, nil
	for _, wnid := range d.WNIDs {
		name, ok := names[wnid]
		if !ok {
			return fmt.Errorf("datasets: %s has the folder %q, which is not the id of a class", d.Root, wnid)
		}
		d.Classes = append(d.Classes, name)
	}
	return nil
}

// NewPlaces365 opens the scenes in root: Places365(root, split, small, download). [WithSplit] names train-standard, which is the
// default, train-challenge, val or test, whose pictures have the class -1; WithVariant("small") chooses the pictures of 256×256
// pixels. It honors [WithTest], [WithDownload], [WithProgress] and [WithoutChecksums].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.Places365.html
func NewPlaces365(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	split, err := o.part("Places365", "test", "train-standard", "train-challenge", "val", "test")
	if err != nil {
		return nil, err
	}
	size, err := o.form("Places365", "variant", "large", "small")
	if err != nil {
		return nil, err
	}
	list := "places365_" + strings.ReplaceAll(split, "-", "_") + ".txt"
	if err := o.ready(ctx, "Places365 "+split, root, root, []string{list, "categories_places365.txt"}); err != nil {
		return nil, err
	}
	pixels := map[string]string{"large": "large", "small": "256"}[size]
	folder := split + "_" + pixels
	if kind, ok := strings.CutPrefix(split, "train-"); ok {
		folder = "data_" + pixels + "_" + kind
	}
	if o.download && !exists(filepath.Join(root, folder)) {
		if err := o.downloadPlaces(ctx, root, "Places365 "+split+" "+size, filepath.Join(root, folder), "data_"+pixels); err != nil {
			return nil, err
		}
	}
	d := &ImageFolder{Root: filepath.Join(root, folder)}
	classes := filepath.Join(root, "categories_places365.txt")
	lines, err := readLines(classes)
	if err != nil {
		return nil, err
	}
	for i, line := range lines { // such as /a/airfield 0
		name, _, ok := strings.Cut(line, " ")
		if !ok {
			return nil, fmt.Errorf("datasets: %s: line %d is %.100q; want a class and its number", classes, i+1, line)
		}
		d.Classes = append(d.Classes, name)
	}
	slices.Sort(d.Classes)
	list = filepath.Join(root, list)
	if lines, err = readLines(list); err != nil {
		return nil, err
	}
	for i, line := range lines {
		name, number, ok := strings.Cut(line, " ")
		class := -1
		if ok {
			if class, err = strconv.Atoi(strings.TrimSpace(number)); err != nil {
				return nil, fmt.Errorf("datasets: %s: line %d has the class %.20q, which is not an int", list, i+1, number)
			}
		}
		path, err := under(list, d.Root, strings.TrimLeft(name, "/"))
		if err != nil {
			return nil, err
		}
		d.Samples = append(d.Samples, ClassSample{path, class})
	}
	return d, nil
}

// downloadPlaces unpacks the pictures of a split; those for training are in a folder that both sets share, and get their own.
func (o *options) downloadPlaces(ctx context.Context, root, name, folder, shared string) error {
	r := sources[name].Remote[0]
	if err := o.fetch(ctx, root, r); err != nil {
		return err
	}
	archive := filepath.Join(root, r.File)
	err := aside(ctx, filepath.Join(root, "."+r.File+".partial"), root, func(tmp string) error {
		if err := extract(ctx, archive, &unpacker{dir: tmp, left: maxExtracted, files: maxFiles}); err != nil {
			return err
		}
		if strings.HasPrefix(filepath.Base(folder), "data_") {
			return os.Rename(filepath.Join(tmp, shared), filepath.Join(tmp, filepath.Base(folder)))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("datasets: unpack %s: %w", archive, err)
	}
	return nil
}

// NewINaturalist opens the species in root/VERSION: INaturalist(root, version, download=…) with the target type full.
// [WithVariant] names the version: 2021_train, which is the default, 2021_train_mini, 2021_valid, 2017, 2018 or 2019. The
// Classes are the folders, which say the ranks above the species. The pictures of a folder are in the order of their names,
// where torchvision's is that of the file system. It honors [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.INaturalist.html
func NewINaturalist(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	version, err := o.form("INaturalist", "version", "2021_train", "2021_train_mini", "2021_valid", "2017", "2018", "2019")
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(root, version)
	if inside, _ := os.ReadDir(dir); len(inside) == 0 {
		if !o.download {
			return nil, o.missing("INaturalist "+version, root, &fs.PathError{Op: "open", Path: dir, Err: fs.ErrNotExist})
		}
		if err := o.downloadINaturalist(ctx, root, version); err != nil {
			return nil, err
		}
	}
	d := &ImageFolder{Root: dir, opts: []transforms.OpenOption{transforms.WithMode()}}
	if d.Classes, err = names(dir, anyEntry); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(version, "2021") {
		if d.Classes, err = species(dir, d.Classes, version != "2017"); err != nil {
			return nil, err
		}
	}
	for i, class := range d.Classes {
		if pieces := strings.Split(class, "_"); strings.HasPrefix(version, "2021") && (len(pieces) != 8 || pieces[0] != fmt.Sprintf("%05d", i)) {
			return nil, fmt.Errorf("datasets: %s has the folder %q; want %05d and seven names, with _ between them", dir, class, i)
		}
		pictures, err := names(filepath.Join(dir, class), anyEntry)
		if err != nil {
			return nil, err
		}
		for _, name := range pictures {
			d.Samples = append(d.Samples, ClassSample{filepath.Join(dir, class, name), i})
		}
	}
	return d, nil
}

// species lists the folders of the species inside those of their kinds. They are numbers, or in alphabetical order.
func species(dir string, kinds []string, numbered bool) ([]string, error) {
	var all []string
	at := map[int]string{}
	for _, kind := range kinds {
		inside, err := names(filepath.Join(dir, kind), anyEntry)
		if err != nil {
			return nil, err
		}
		for _, name := range inside {
			path, n := filepath.Join(kind, name), len(at)
			if numbered {
				if n, err = strconv.Atoi(name); err != nil {
					return nil, fmt.Errorf("datasets: %s has the folder %q, whose name is not a number", dir, path)
				}
			}
			if at[n] != "" {
				return nil, fmt.Errorf("datasets: %s has two folders of species %d, %s and %s", dir, n, at[n], path)
			}
			at[n] = path
		}
	}
	for n := range len(at) {
		if at[n] == "" {
			return nil, fmt.Errorf("datasets: %s has %d species, but none with the number %d", dir, len(at), n)
		}
		all = append(all, at[n])
	}
	return all, nil
}

// downloadINaturalist unpacks a version into the folder of its name.
func (o *options) downloadINaturalist(ctx context.Context, root, version string) error {
	r := sources["INaturalist "+version].Remote[0]
	if err := o.fetch(ctx, root, r); err != nil {
		return err
	}
	archive := filepath.Join(root, r.File)
	err := aside(ctx, filepath.Join(root, "."+r.File+".partial"), root, func(tmp string) error {
		if err := extract(ctx, archive, &unpacker{dir: tmp, left: maxExtracted, files: maxFiles}); err != nil {
			return err
		}
		folder := strings.TrimSuffix(filepath.Base(r.URLs[len(r.URLs)-1]), ".tar.gz")
		return os.Rename(filepath.Join(tmp, folder), filepath.Join(tmp, version))
	})
	if err != nil {
		return fmt.Errorf("datasets: unpack %s: %w", archive, err)
	}
	return nil
}

// NewCaltech256 opens the objects in root/caltech256: Caltech256(root, download). Pictures have the mode of their files. It honors
// [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.Caltech256.html
func NewCaltech256(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	dir, err := o.in(ctx, "Caltech256", root, "256_ObjectCategories")
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "256_ObjectCategories")
	d := &ImageFolder{Root: dir, opts: []transforms.OpenOption{transforms.WithMode()}}
	if d.Classes, err = names(dir, anyEntry); err != nil {
		return nil, err
	}
	for i, class := range d.Classes {
		pictures, err := names(filepath.Join(dir, class), func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), ".jpg") })
		if err != nil {
			return nil, err
		}
		for k := range pictures {
			d.Samples = append(d.Samples, ClassSample{filepath.Join(dir, class, fmt.Sprintf("%03d_%04d.jpg", i+1, k+1)), i})
		}
	}
	return d, nil
}

// NewOmniglot opens the handwritten characters in root/omniglot-py: Omniglot(root, background, download). [WithTest] chooses the
// evaluation set, background=False. The Classes are the folders of the characters. Alphabets, characters and pictures are in
// the order of their names, where torchvision's is that of the file system. It honors [WithDownload], [WithProgress] and
// [WithoutChecksums].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.Omniglot.html
func NewOmniglot(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	part := "images_background"
	if o.test {
		part = "images_evaluation"
	}
	dir, err := o.in(ctx, "Omniglot "+part, root, part+".zip", part)
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, part)
	folders := func(dir string) ([]string, error) {
		return names(dir, func(e fs.DirEntry) bool { return isDir(filepath.Join(dir, e.Name()), e) })
	}
	alphabets, err := folders(dir)
	if err != nil {
		return nil, err
	}
	d := &ImageFolder{Root: dir, gray: true, opts: []transforms.OpenOption{transforms.WithMode()}}
	for _, alphabet := range alphabets {
		characters, err := folders(filepath.Join(dir, alphabet))
		if err != nil {
			return nil, err
		}
		for _, c := range characters {
			character := filepath.Join(alphabet, c)
			pictures, err := names(filepath.Join(dir, character), func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), ".png") })
			if err != nil {
				return nil, err
			}
			for _, name := range pictures {
				d.Samples = append(d.Samples, ClassSample{filepath.Join(dir, character, name), len(d.Classes)})
			}
			d.Classes = append(d.Classes, filepath.ToSlash(character))
		}
	}
	return d, nil
}

// NewCLEVRClassification opens the rendered scenes in root/clevr/CLEVR_v1.0: CLEVRClassification(root, split, download). The class
// of a picture is the number of objects in it, and -1 in the test set. [WithSplit] names train, which is the default, val or
// test. It honors [WithTest], [WithDownload] and [WithProgress].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.CLEVRClassification.html
func NewCLEVRClassification(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	o := optionsOf(opts)
	split, err := o.part("CLEVRClassification", "test", "train", "val", "test")
	if err != nil {
		return nil, err
	}
	dir, err := o.in(ctx, "CLEVRClassification", root, "CLEVR_v1.0")
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "CLEVR_v1.0")
	pictures, err := names(filepath.Join(dir, "images", split), anyEntry)
	if err != nil {
		return nil, err
	}
	numbers := map[string]int{}
	list := filepath.Join(dir, "scenes", "CLEVR_"+split+"_scenes.json")
	if split != "test" {
		if numbers, err = scenes(list); err != nil {
			return nil, err
		}
	}
	d := &ImageFolder{Root: dir}
	for _, name := range pictures {
		n, ok := numbers[name]
		if !ok {
			if n = -1; split != "test" {
				return nil, fmt.Errorf("datasets: %s has no scene of the picture %q", list, name)
			}
		}
		d.Samples = append(d.Samples, ClassSample{filepath.Join(dir, "images", split, name), n})
	}
	return d, nil
}

// scenes reads the numbers of objects, a scene at a time.
func scenes(path string) (map[string]int, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	defer f.Close()
	numbers := map[string]int{}
	j := json.NewDecoder(f)
	err = expect(j, '{')
	for err == nil && j.More() {
		var key json.Token
		if key, err = j.Token(); err != nil {
			break
		}
		if key != "scenes" {
			err = skip(j)
			continue
		}
		err = each(j, func(s struct {
			File    string            `json:"image_filename"`
			Objects []json.RawMessage `json:"objects"`
		}) error {
			numbers[s.File] = len(s.Objects)
			return nil
		})
	}
	if err != nil {
		return nil, fmt.Errorf("datasets: %s is not a list of scenes: %w", path, err)
	}
	return numbers, nil
}
