package datasets

import (
	"context"
	"fmt"
	"image"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/transforms"
)

// CelebA are portraits: torchvision.datasets.CelebA.
type CelebA struct {
	*Annotated[CelebAFace]
	Attributes []string // the names of the attributes
}

// A CelebAFace is what [CelebA] says about a portrait.
type CelebAFace struct {
	Attributes []int // 1 where the face has the attribute, and 0 where it does not
	Identity   int   // the number of the person
	Box        [4]int
	Landmarks  [10]int // x and y of the left eye, the right eye, the nose, and the left and right corner of the mouth
}

// NewCelebA opens the portraits in root/celeba: CelebA(root, split, download=…) with all target types. [WithSplit] names train,
// which is the default, valid, test or all. Boxes are x, y, width and height in the pictures before they were aligned. Pictures
// have the mode of their files. The archive and the lists are on Google Drive, where programs cannot download them; with
// [WithDownload] they are unpacked if they are in that folder. It honors [WithTest] and [WithoutChecksums].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.CelebA.html
func NewCelebA(ctx context.Context, root string, opts ...Option) (*CelebA, error) {
	o := optionsOf(opts)
	split, err := o.part("CelebA", "test", "train", "valid", "test", "all")
	if err != nil {
		return nil, err
	}
	files := []string{"list_eval_partition.txt", "identity_CelebA.txt", "list_bbox_celeba.txt", "list_landmarks_align_celeba.txt", "list_attr_celeba.txt"}
	dir, err := o.in(ctx, "CelebA", root, append(files, "img_align_celeba")...)
	if err != nil {
		return nil, err
	}
	var tables [5]*celebATable
	for i, f := range files {
		if tables[i], err = readCelebA(filepath.Join(dir, f), [5]int{1, 1, 4, 10, 0}[i], i >= 2); err != nil {
			return nil, err
		}
		if a, b := len(tables[i].rows), len(tables[0].rows); a != b {
			return nil, fmt.Errorf("datasets: %s has %d rows, and %s %d", filepath.Join(dir, f), a, files[0], b)
		}
	}
	d := &CelebA{Attributes: tables[4].header}
	number := map[string]int{"train": 0, "valid": 1, "test": 2}
	var paths []string
	var faces []CelebAFace
	for i, row := range tables[0].rows {
		if split != "all" && row[0] != number[split] {
			continue
		}
		path, err := under(filepath.Join(dir, files[0]), filepath.Join(dir, "img_align_celeba"), tables[0].names[i])
		if err != nil {
			return nil, err
		}
		f := CelebAFace{Identity: tables[1].rows[i][0], Box: [4]int(tables[2].rows[i]), Landmarks: [10]int(tables[3].rows[i])}
		for _, a := range tables[4].rows[i] { // -1 or 1
			f.Attributes = append(f.Attributes, (a+1)>>1)
		}
		paths, faces = append(paths, path), append(faces, f)
	}
	d.Annotated = annotated(paths, faces, transforms.WithMode())
	return d, nil
}

// A celebATable has rows of a name and numbers.
type celebATable struct {
	header, names []string
	rows          [][]int
}

// readCelebA reads a table with so many numbers in a row, or as many as the header has names.
func readCelebA(path string, columns int, header bool) (*celebATable, error) {
	lines, err := readLines(path)
	if err != nil {
		return nil, err
	}
	t := &celebATable{}
	first := 0
	if header { // after the number of rows
		if len(lines) < 2 {
			return nil, fmt.Errorf("datasets: %s has %d lines; it is not complete", path, len(lines))
		}
		t.header, first = strings.Fields(lines[1]), 2
		if columns == 0 {
			columns = len(t.header)
		}
	}
	for i, line := range lines[first:] {
		fields := strings.Fields(line)
		if len(fields) != columns+1 {
			return nil, fmt.Errorf("datasets: %s: line %d has %d fields; want a name and %d numbers", path, first+i+1, len(fields), columns)
		}
		row, err := ints(fields[1:])
		if err != nil {
			return nil, fmt.Errorf("datasets: %s: line %d %w", path, first+i+1, err)
		}
		t.names, t.rows = append(t.names, fields[0]), append(t.rows, row)
	}
	return t, nil
}

// ints reads whole numbers.
func ints(fields []string) ([]int, error) {
	out := make([]int, len(fields))
	for i, f := range fields {
		var err error
		if out[i], err = strconv.Atoi(f); err != nil {
			return nil, fmt.Errorf("has %.20q, which is not an int", f)
		}
	}
	return out, nil
}

// A WIDERFaceBox is a face in a picture of [NewWIDERFace].
type WIDERFaceBox struct {
	Box                                                      [4]int // x, y, width, height
	Blur, Expression, Illumination, Occlusion, Pose, Invalid int
}

// NewWIDERFace opens the pictures of faces in root/widerface: WIDERFace(root, split, download). [WithSplit] names train, which
// is the default, val, or test, whose pictures have no targets. Pictures have the mode of their files. The archives are on
// Google Drive, where programs cannot download them; with [WithDownload] they are unpacked if they are in that folder. It
// honors [WithTest], [WithProgress] and [WithoutChecksums].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.WIDERFace.html
func NewWIDERFace(ctx context.Context, root string, opts ...Option) (*Annotated[[]WIDERFaceBox], error) {
	o := optionsOf(opts)
	split, err := o.part("WIDERFace", "test", "train", "val", "test")
	if err != nil {
		return nil, err
	}
	dir, err := o.in(ctx, "WIDERFace", root, "WIDER_"+split, "wider_face_split")
	if err != nil {
		return nil, err
	}
	name := "wider_face_" + split + "_bbx_gt.txt"
	if split == "test" {
		name = "wider_face_test_filelist.txt"
	}
	list, pictures := filepath.Join(dir, "wider_face_split", name), filepath.Join(dir, "WIDER_"+split, "images")
	lines, err := readLines(list)
	if err != nil {
		return nil, err
	}
	var paths []string
	var targets [][]WIDERFaceBox
	for i := 0; i < len(lines); i++ {
		path, err := under(list, pictures, lines[i])
		if err != nil {
			return nil, err
		}
		var boxes []WIDERFaceBox
		if split != "test" {
			if i++; i == len(lines) {
				return nil, fmt.Errorf("datasets: %s ends after line %d; it is not complete", list, i)
			}
			n, err := strconv.Atoi(lines[i])
			if err != nil {
				return nil, fmt.Errorf("datasets: %s: line %d is %.20q; want the number of faces", list, i+1, lines[i])
			}
			for range max(n, 1) { // one line follows also where there is no face
				if i++; i == len(lines) {
					return nil, fmt.Errorf("datasets: %s ends after line %d; it is not complete", list, i)
				}
				v, err := ints(strings.Fields(lines[i]))
				if err != nil {
					return nil, fmt.Errorf("datasets: %s: line %d %w", list, i+1, err)
				}
				if len(v) < 10 {
					return nil, fmt.Errorf("datasets: %s: line %d has %d numbers; want 10", list, i+1, len(v))
				}
				boxes = append(boxes, WIDERFaceBox{[4]int(v), v[4], v[5], v[6], v[7], v[8], v[9]})
			}
		}
		paths, targets = append(paths, path), append(targets, boxes)
	}
	return annotated(paths, targets, transforms.WithMode()), nil
}

// lfw are the files of Labeled Faces in the Wild.
type lfw struct {
	dir, pictures, list string
	lines               []string
	folded              bool // the list has ten parts
}

func openLFW(ctx context.Context, root, view string, opts []Option, also ...string) (*lfw, error) {
	o := optionsOf(opts)
	split, err := o.part("LFW", "test", "10fold", "train", "test")
	if err != nil {
		return nil, err
	}
	set, err := o.form("LFW", "image set", "funneled", "original", "deepfunneled")
	if err != nil {
		return nil, err
	}
	list := view + map[string]string{"10fold": "", "train": "DevTrain", "test": "DevTest"}[split] + ".txt"
	folder := map[string]string{"original": "lfw", "funneled": "lfw_funneled", "deepfunneled": "lfw-deepfunneled"}[set]
	dir, err := o.in(ctx, "LFW", root, append(also, list, folder)...)
	if err != nil {
		return nil, err
	}
	l := &lfw{dir: dir, pictures: filepath.Join(dir, folder), list: filepath.Join(dir, list), folded: split == "10fold"}
	if l.lines, err = readLines(l.list); err != nil {
		return nil, err
	}
	if len(l.lines) == 0 {
		return nil, fmt.Errorf("datasets: %s is empty", l.list)
	}
	return l, nil
}

func (l *lfw) picture(person, number string) (string, error) {
	n, err := strconv.Atoi(number)
	if err != nil {
		return "", fmt.Errorf("%.20q is not the number of a picture", number)
	}
	return under(l.list, l.pictures, fmt.Sprintf("%s/%s_%04d.jpg", person, person, n))
}

// counts reads the numbers of a line.
func (l *lfw) counts(line int) ([]int, error) {
	if line >= len(l.lines) {
		return nil, fmt.Errorf("datasets: %s ends after line %d; it is not complete", l.list, line)
	}
	n, err := ints(strings.Fields(l.lines[line]))
	if err != nil || len(n) == 0 {
		return nil, fmt.Errorf("datasets: %s: line %d is %.20q; want numbers", l.list, line+1, l.lines[line])
	}
	return n, nil
}

// each calls f with the fields of n lines.
func (l *lfw) each(from, n int, f func(fields []string) error) error {
	for i := from; i < from+n; i++ {
		if i >= len(l.lines) {
			return fmt.Errorf("datasets: %s ends after line %d; it is not complete", l.list, i)
		}
		if err := f(strings.Split(l.lines[i], "\t")); err != nil {
			return fmt.Errorf("datasets: %s: line %d: %w", l.list, i+1, err)
		}
	}
	return nil
}

// NewLFWPeople opens the faces in root/lfw-py, whose classes are the people: LFWPeople(root, split, image_set). [WithSplit] names
// 10fold, which is the default, train or test, and [WithVariant] the pictures: funneled, which is the default, original or
// deepfunneled. It honors [WithTest] and [WithoutChecksums].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.LFWPeople.html
func NewLFWPeople(ctx context.Context, root string, opts ...Option) (*ImageFolder, error) {
	l, err := openLFW(ctx, root, "people", opts, "lfw-names.txt")
	if err != nil {
		return nil, err
	}
	d := &ImageFolder{Root: l.pictures}
	all := filepath.Join(l.dir, "lfw-names.txt")
	lines, err := readLines(all)
	if err != nil {
		return nil, err
	}
	numbers := map[string]int{}
	for i, line := range lines {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			return nil, fmt.Errorf("datasets: %s: line %d has no name", all, i+1)
		}
		d.Classes = append(d.Classes, fields[0])
		numbers[fields[0]] = i
	}
	folds, at := 1, 0
	if l.folded {
		n, err := l.counts(0)
		if err != nil {
			return nil, err
		}
		folds, at = n[0], 1
	}
	for range folds {
		n, err := l.counts(at)
		if err != nil {
			return nil, err
		}
		err = l.each(at+1, n[0], func(fields []string) error {
			if len(fields) != 2 {
				return fmt.Errorf("want a name and the number of its pictures")
			}
			class, ok := numbers[fields[0]]
			if !ok {
				return fmt.Errorf("lfw-names.txt does not list %.100q", fields[0])
			}
			pictures, err := ints(fields[1:])
			if err != nil {
				return err
			}
			for k := range pictures[0] {
				path, err := l.picture(fields[0], strconv.Itoa(k+1))
				if err != nil {
					return err
				}
				d.Samples = append(d.Samples, ClassSample{path, class})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		at += n[0] + 1
	}
	return d, nil
}

// LFWPairs are pairs of faces, which are of one person or of two: torchvision.datasets.LFWPairs.
type LFWPairs struct{ Pairs []LFWPair }

// An LFWPair is a pair of faces.
type LFWPair struct {
	Names, Paths [2]string // of the people, and of the pictures
	Same         bool      // whether both are of one person
}

// NewLFWPairs opens the pairs in root/lfw-py: LFWPairs(root, split, image_set). It has the options of [NewLFWPeople].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.LFWPairs.html
func NewLFWPairs(ctx context.Context, root string, opts ...Option) (*LFWPairs, error) {
	l, err := openLFW(ctx, root, "pairs", opts)
	if err != nil {
		return nil, err
	}
	n, err := l.counts(0)
	if err != nil {
		return nil, err
	}
	folds, each := 1, n[0]
	if l.folded {
		if len(n) != 2 {
			return nil, fmt.Errorf("datasets: %s: line 1 is %.20q; want the number of folds and of pairs", l.list, l.lines[0])
		}
		folds, each = n[0], n[1]
	}
	d := &LFWPairs{}
	for fold := range folds {
		for part := range 2 {
			err := l.each(1+(2*fold+part)*each, each, func(f []string) error {
				switch {
				case part == 0 && len(f) == 3:
					f = []string{f[0], f[1], f[0], f[2]}
				case part == 1 && len(f) == 4:
				default:
					return fmt.Errorf("want a name with two numbers, or two with one each")
				}
				a, err := l.picture(f[0], f[1])
				if err != nil {
					return err
				}
				b, err := l.picture(f[2], f[3])
				if err != nil {
					return err
				}
				d.Pairs = append(d.Pairs, LFWPair{[2]string{f[0], f[2]}, [2]string{a, b}, part == 0})
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return d, nil
}

// Len returns the number of pairs.
func (d *LFWPairs) Len() int { return len(d.Pairs) }

// Open reads the pictures of pair i, see [transforms.Open], and whether they are of one person.
func (d *LFWPairs) Open(i int) (a, b image.Image, same bool, err error) {
	p := d.Pairs[i]
	if a, err = transforms.Open(p.Paths[0]); err != nil {
		return nil, nil, false, err
	}
	b, err = transforms.Open(p.Paths[1])
	return a, b, p.Same, err
}

// At reads pair i, for package data; the target is 1 for one person and 0 for two.
func (d *LFWPairs) At(_ context.Context, i int) (s data.Sample[[2]image.Image, int], err error) {
	a, b, same, err := d.Open(i)
	s.Input = [2]image.Image{a, b}
	if same {
		s.Target = 1
	}
	return s, err
}
