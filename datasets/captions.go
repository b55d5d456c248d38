package datasets

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// NewCocoCaptions reads an annotation file, such as captions_val2017.json, for the pictures in root:
// CocoCaptions(root, annotations). A target are the captions of a picture.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.CocoCaptions.html
func NewCocoCaptions(root, annotations string) (*Annotated[[]string], error) {
	d, err := NewCocoDetection(root, annotations)
	if err != nil {
		return nil, err
	}
	var paths []string
	var captions [][]string
	for i, picture := range d.Images {
		of := []string{}
		for _, a := range d.Objects(i) {
			if a.Caption == "" {
				return nil, fmt.Errorf("datasets: %s: annotation %d has no caption; give a file such as captions_val2017.json", annotations, a.ID)
			}
			of = append(of, a.Caption)
		}
		paths, captions = append(paths, filepath.Join(root, filepath.FromSlash(picture.FileName))), append(captions, of)
	}
	return annotated(paths, captions), nil
}

// NewFlickr30k reads a list of captions, such as results_20130124.token, for the pictures in root: Flickr30k(root, list). A
// target are the captions of a picture.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.Flickr30k.html
func NewFlickr30k(root, list string) (*Annotated[[]string], error) {
	lines, err := readLines(list)
	if err != nil {
		return nil, err
	}
	of := map[string][]string{}
	for i, line := range lines { // such as 1000092795.jpg#0, a tab and the caption
		name, caption, ok := strings.Cut(line, "\t")
		if !ok || len(name) < 3 || strings.Contains(caption, "\t") {
			return nil, fmt.Errorf("datasets: %s: line %d is %.100q; want a picture, a tab and a caption", list, i+1, line)
		}
		of[name[:len(name)-2]] = append(of[name[:len(name)-2]], caption)
	}
	var paths []string
	var captions [][]string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		path, err := under(list, root, name)
		if err != nil {
			return nil, err
		}
		paths, captions = append(paths, path), append(captions, of[name])
	}
	return annotated(paths, captions), nil
}

// NewFlickr8k reads the web page of captions for the pictures in root: Flickr8k(root, page). A target are the captions of a
// picture.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.Flickr8k.html
func NewFlickr8k(root, page string) (*Annotated[[]string], error) {
	f, err := os.Open(page)
	if err != nil {
		return nil, fmt.Errorf("datasets: %w", err)
	}
	defer f.Close()
	of, err := parseFlickr8k(f, func(id string) (string, error) {
		entries, err := names(root, anyEntry)
		if err != nil {
			return "", err
		}
		i, _ := slices.BinarySearch(entries, id+"_")
		for _, name := range entries[i:] {
			if !strings.HasPrefix(name, id+"_") {
				break
			}
			if strings.HasSuffix(name, ".jpg") {
				return filepath.Join(root, name), nil
			}
		}
		return "", fmt.Errorf("it names the picture %.100q, and %s has no %s_….jpg", id, root, id)
	})
	if err != nil {
		return nil, fmt.Errorf("datasets: %s: %w", page, err)
	}
	paths := slices.Sorted(maps.Keys(of))
	captions := make([][]string, len(paths))
	for i, p := range paths {
		captions[i] = of[p]
	}
	return annotated(paths, captions), nil
}

// parseFlickr8k reads a table of links to pictures, each with a list of captions. The function picture returns the path of a
// picture by the last folder of its address.
func parseFlickr8k(r io.Reader, picture func(id string) (string, error)) (map[string][]string, error) {
	j := xml.NewDecoder(r)
	j.Strict, j.AutoClose, j.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	j.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	of := map[string][]string{}
	table, tag, current := false, "", ""
	for {
		t, err := j.Token()
		if err == io.EOF {
			return of, nil
		}
		if err != nil {
			return nil, fmt.Errorf("it is not a web page of captions, or not complete: %w", err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			tag = strings.ToLower(t.Name.Local)
			table = table || tag == "table"
		case xml.EndElement:
			tag = ""
			table = table && strings.ToLower(t.Name.Local) != "table"
		case xml.CharData:
			text := string(t)
			switch {
			case !table:
			case text == "Image Not Found":
				current = ""
			case tag == "a":
				parts := strings.Split(text, "/")
				if len(parts) < 2 {
					return nil, fmt.Errorf("it has the link %.100q, which is not the address of a picture", text)
				}
				if current, err = picture(parts[len(parts)-2]); err != nil {
					return nil, err
				}
				of[current] = []string{}
			case tag == "li" && current != "":
				of[current] = append(of[current], strings.TrimSpace(text))
			}
		}
	}
}

// NewSBU opens the photos with captions in root/dataset: SBU(root, download=False). Photos that are not there are left out.
// With [WithDownload] the list is downloaded if it is not there, and then each photo, of which many are gone. It honors
// [WithProgress] and [WithoutChecksums].
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.SBU.html
func NewSBU(ctx context.Context, root string, opts ...Option) (*Annotated[string], error) {
	o := optionsOf(opts)
	dir := filepath.Join(root, "dataset")
	list := filepath.Join(dir, "SBU_captioned_photo_dataset_urls.txt")
	first := !exists(list)
	if err := o.ready(ctx, "SBU", root, root, []string{"SBUCaptionedPhotoDataset.tar.gz", filepath.Join("dataset", filepath.Base(list))}); err != nil {
		return nil, err
	}
	photos, err := readLines(list)
	if err != nil {
		return nil, err
	}
	captions, err := readLines(filepath.Join(dir, "SBU_captioned_photo_dataset_captions.txt"))
	if err != nil {
		return nil, err
	}
	if len(captions) != len(photos) {
		return nil, fmt.Errorf("datasets: %s has %d photos, and the other list %d captions", list, len(photos), len(captions))
	}
	var paths, of []string
	for i, address := range photos {
		name := path.Base(address)
		if u, err := url.Parse(address); err == nil && o.download && first && (u.Scheme == "http" || u.Scheme == "https") {
			_ = o.fetch(ctx, dir, remote{URLs: []string{u.String()}, File: name}) // users of Flickr have removed many
			if ctx.Err() != nil {
				return nil, fmt.Errorf("datasets: %w", context.Cause(ctx))
			}
		}
		photo, err := under(list, dir, name)
		if err != nil {
			return nil, err
		}
		if exists(photo) {
			paths, of = append(paths, photo), append(of, captions[i])
		}
	}
	return annotated(paths, of), nil
}
