// Package filekind determines the kind of a file from its content, so that an
// error can say "dog.jpg is a JPEG picture" and not "byte 0: invalid header".
package filekind

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/torchhub/torchhub/internal/badfile"
)

// A Class is a group of kinds that readers treat alike.
type Class int

// Classes of kinds.
const (
	Unknown     Class = iota // nothing that this package knows
	Picture                  // a picture, in a format that is read here or in another one
	Checkpoint               // a file of torch.save, in either layout
	Safetensors              // a safetensors file
	Script                   // a TorchScript archive
	Compiled                 // an AOTInductor package
	Exported                 // a program of torch.export.save
	Foreign                  // a model or tensors in a format that is read elsewhere, or not at all
	Archive                  // files packed together
	Text                     // text, such as JSON or a program's source
	Stand                    // a placeholder for a file: nothing, zeros, a web page, a pointer of Git LFS
	Folder                   // a folder
	Other                    // a document, a program, a film
)

// A Kind is the kind of a file.
type Kind struct {
	Class  Class
	Name   string // with its article, such as "a JPEG picture"; empty for Unknown
	Advice string // advice if a model is expected; may be empty
}

// A MismatchError reports that a file is not of the kind that is read.
type MismatchError struct {
	Kind Kind
	Want string // such as "a checkpoint"
}

// Error returns the kind of the file and advice.
func (e *MismatchError) Error() string {
	s := "it is " + e.Kind.Name + ", not " + e.Want
	if e.Kind.Advice != "" {
		s += "; " + e.Kind.Advice
	}
	return s
}

// Is reports whether target is [badfile.ErrMalformed], for text and what stands
// in a file's place, or else [badfile.ErrUnsupported].
func (e *MismatchError) Is(target error) bool {
	if e.Kind.Class == Stand || e.Kind.Class == Text {
		return target == badfile.ErrMalformed
	}
	return target == badfile.ErrUnsupported
}

// HeadSize is how many bytes [OfHead] looks at.
const HeadSize = 512

// OfFile returns the kind of the file or folder at a path.
func OfFile(path string) (Kind, error) {
	f, err := os.Open(path)
	if err != nil {
		return Kind{}, err
	}
	defer f.Close()
	fi, err := f.Stat()
	switch {
	case err != nil:
		return Kind{}, err
	case fi.IsDir():
		return ofFolder(path), nil
	case !fi.Mode().IsRegular():
		return Kind{Class: Other, Name: "a device or pipe"}, nil
	}
	return Of(f, fi.Size()), nil
}

// Of returns the kind of a file of size bytes. Zip files are distinguished by the names in
// them.
func Of(r io.ReaderAt, size int64) Kind {
	head := make([]byte, min(size, HeadSize))
	n, err := r.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return Kind{}
	}
	k := OfHead(head[:n])
	if k != zipFile {
		return k
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return Kind{Archive, "a zip file that is cut short or damaged", "download or copy it again"}
	}
	return ofZip(z)
}

// OfHead returns the kind of a file, determined from its first bytes. All zip files are
// one kind to it.
func OfHead(head []byte) Kind {
	if len(head) == 0 {
		return Kind{Stand, "an empty file", "download or copy it again"}
	}
	if isSafetensors(head) { // before JSON, since its length may begin with the byte of a brace
		return Kind{Class: Safetensors, Name: "a safetensors file"}
	}
	for _, m := range magics {
		if len(head) >= m.offset && bytes.HasPrefix(head[m.offset:], []byte(m.magic)) && (m.also == nil || m.also(head)) {
			return m.kind
		}
	}
	if len(bytes.Trim(head, "\x00")) == 0 {
		return Kind{Stand, "a file of zeros, as a broken download or copy leaves it", "download or copy it again"}
	}
	return ofText(head)
}

var zipFile = Kind{Class: Archive, Name: "a zip file"}

// magics lists kinds by the bytes at an offset. The first row that fits counts.
var magics = []struct {
	offset int
	magic  string
	also   func(head []byte) bool // nil is nothing more
	kind   Kind
}{
	{0, "\xff\xd8\xff", nil, picture("JPEG")},
	{0, "\x89PNG\r\n\x1a\n", nil, picture("PNG")},
	{0, "GIF87a", nil, picture("GIF")},
	{0, "GIF89a", nil, picture("GIF")},
	{0, "BM", isBMP, picture("BMP")},
	{0, "II*\x00", nil, picture("TIFF")},
	{0, "MM\x00*", nil, picture("TIFF")},
	{0, "II+\x00", nil, picture("BigTIFF")},
	{0, "MM\x00+", nil, picture("BigTIFF")},
	{8, "WEBP", riff, picture("WebP")},
	{0, "\x00\x00\x01\x00", isIcon, picture("ICO")},
	{0, "\x00\x00\x02\x00", isIcon, picture("CUR")},
	{0, "8BPS", nil, picture("Photoshop")},
	{0, "\x00\x00\x00\x0cjP  \r\n\x87\n", nil, picture("JPEG 2000")},
	{0, "\xff\x4f\xff\x51", nil, picture("JPEG 2000")},
	{0, "\x00\x00\x00\x0cJXL \r\n\x87\n", nil, picture("JPEG XL")},
	{0, "\xff\x0a", nil, picture("JPEG XL")},
	{0, "qoif", nil, picture("QOI")},
	{0, "DDS ", nil, picture("DDS")},
	{0, "\x76\x2f\x31\x01", nil, picture("OpenEXR")},
	{0, "#?RADIANCE", nil, picture("Radiance HDR")},
	{0, "P", isPNM, picture("PNM")},
	{0, "\x01\xda", nil, picture("SGI")},
	{0, "\x0a", isPCX, picture("PCX")},
	{0, "DanM", nil, picture("MSP")},
	{0, "LinS", nil, picture("MSP")},
	{0, "icns", nil, picture("ICNS")},
	{0, "%!PS", nil, picture("EPS")},
	{0, "\xc5\xd0\xd3\xc6", nil, picture("EPS")},
	{0, "\x59\xa6\x6a\x95", nil, picture("Sun raster")},
	{0, "SIMPLE  =", nil, picture("FITS")},
	{4, "ftypavi", nil, picture("AVIF")},
	{4, "ftyphei", nil, picture("HEIC")},
	{4, "ftypmif1", nil, picture("HEIC")},

	{0, "PK\x03\x04", nil, zipFile},
	{0, "PK\x05\x06", nil, Kind{Stand, "a zip file that has no records", "save it again"}},
	{0, "PK\x06\x06", nil, Kind{Stand, "a zip file that has no records", "save it again"}},
	{0, "\x80", isLegacy, Kind{Class: Checkpoint, Name: "a checkpoint"}},
	{0, "\x80", isPickle, Kind{Foreign, "a Python pickle that torch.save did not write", "load it in Python and save the tensors with torch.save"}},

	{0, "\x93NUMPY", nil, Kind{Foreign, "a NumPy .npy file", ""}},
	{0, "\x89HDF\r\n\x1a\n", nil, Kind{Foreign, "an HDF5 file, as Keras writes it", "convert it to PyTorch and save it with torch.save"}},
	{0, "GGUF", nil, Kind{Foreign, "a GGUF file of llama.cpp", ""}},
	{0, "lmgg", nil, Kind{Foreign, "a GGML file of llama.cpp", ""}},
	{0, "MATLAB 5.0 MAT-file", nil, Kind{Foreign, "a MATLAB file", ""}},
	{4, "PTMF", nil, Kind{Foreign, "a PyTorch mobile file in the flatbuffer layout", "save it with torch.jit.save"}},
	{4, "TFL3", nil, Kind{Foreign, "a TensorFlow Lite model", "convert it to PyTorch and save it with torch.save"}},
	{4, "ET12", nil, Kind{Foreign, "an ExecuTorch program", "save the model with torch.jit.save or torch.save"}},
	{0, "\x08", isONNX, Kind{Foreign, "an ONNX model", "save the PyTorch model that it was exported from with torch.jit.save or torch.save"}},
	{0, "\x08\x01\x12", nil, Kind{Foreign, "a TensorFlow SavedModel", "convert it to PyTorch and save it with torch.save"}},
	{0, "\x0a", isGraphDef, Kind{Foreign, "a TensorFlow graph", "convert it to PyTorch and save it with torch.save"}},

	{0, "\x1f\x8b", nil, packed("gzip")},
	{0, "BZh", nil, packed("bzip2")},
	{0, "\xfd7zXZ\x00", nil, packed("xz")},
	{0, "\x28\xb5\x2f\xfd", nil, packed("Zstandard")},
	{0, "7z\xbc\xaf\x27\x1c", nil, packed("7-Zip")},
	{0, "Rar!\x1a\x07", nil, packed("RAR")},
	{257, "ustar", nil, Kind{Archive, "a tar file", "unpack it first; if PyTorch before 0.1.10 wrote it, save it again with a newer one"}},

	{0, "%PDF-", nil, other("a PDF document")},
	{0, "\x7fELF", nil, other("a program or library")},
	{0, "MZ", isProgram, other("a Windows program or library")},
	{0, "\xcf\xfa\xed\xfe", nil, other("a macOS program or library")},
	{0, "SQLite format 3\x00", nil, other("an SQLite database")},
	{0, "PAR1", nil, other("a Parquet file")},
	{0, "ID3", nil, other("an MP3 recording")},
	{0, "OggS", nil, other("an Ogg recording or film")},
	{0, "fLaC", nil, other("a FLAC recording")},
	{8, "WAVE", riff, other("a WAV recording")},
	{8, "AVI ", riff, other("an AVI film")},
	{4, "ftyp", nil, other("an MP4 or QuickTime film")},
	{0, "\x1a\x45\xdf\xa3", nil, other("a Matroska or WebM film")},
}

func picture(format string) Kind {
	article := "a "
	if slices.Contains([]string{"SVG", "SGI", "MSP"}, format) || strings.ContainsRune("AEIO", rune(format[0])) {
		article = "an "
	}
	return Kind{Class: Picture, Name: article + format + " picture"}
}

func packed(format string) Kind {
	return Kind{Archive, "a " + format + " file", "unpack it first"}
}

func other(name string) Kind { return Kind{Class: Other, Name: name} }

func isSafetensors(head []byte) bool {
	return len(head) > 8 && head[8] == '{' && binary.LittleEndian.Uint64(head) < 100<<20
}

func riff(head []byte) bool { return bytes.HasPrefix(head, []byte("RIFF")) }

// isBMP compares the size of the header, since "BM" may begin a text.
func isBMP(head []byte) bool {
	return len(head) >= 18 && head[15] == 0 && head[16] == 0 && head[17] == 0 && head[14] >= 12
}

func isIcon(head []byte) bool { return len(head) >= 6 && head[4] > 0 && head[5] == 0 }

// isPCX compares the version and the corners, as Pillow does.
func isPCX(head []byte) bool {
	at := func(i int) uint16 { return binary.LittleEndian.Uint16(head[i:]) }
	return len(head) >= 12 && head[1] <= 5 && head[1] != 1 && head[1] != 4 && at(8) >= at(4) && at(10) >= at(6)
}

// isPNM knows "P1" to "P7" and PFM's "Pf" and "PF" before a blank.
func isPNM(head []byte) bool {
	return len(head) > 2 && strings.IndexByte("1234567fF", head[1]) >= 0 && strings.IndexByte(" \t\r\n", head[2]) >= 0
}

// isLegacy knows the number that torch.save began files with before 1.6, in a pickle of any protocol.
func isLegacy(head []byte) bool {
	return bytes.Contains(head[:min(len(head), 32)], []byte("\x8a\x0a\x6c\xfc\x9c\x46\xf9"))
}

func isPickle(head []byte) bool { return len(head) > 2 && head[1] >= 2 && head[1] <= 5 }

func isProgram(head []byte) bool { return bytes.Contains(head, []byte("\x00\x00")) }

// isONNX knows a message that begins with ir_version, a small number, and
// producer_name, a short text, or opset_import.
func isONNX(head []byte) bool {
	if len(head) < 8 || head[1] < 3 || head[1] > 40 {
		return false
	}
	n := int(head[3])
	switch head[2] {
	case 0x12:
		return n > 0 && n < 64 && len(head) > 4+n && printable(head[4:4+n])
	case 0x3a, 0x42: // graph, opset_import
		return true
	}
	return false
}

func isGraphDef(head []byte) bool {
	for _, op := range []string{"Placeholder", "Const", "VarHandleOp"} { // the op of a node, with its field and length
		if bytes.Contains(head, append([]byte{0x12, byte(len(op))}, op...)) {
			return true
		}
	}
	return false
}

func printable(b []byte) bool {
	return bytes.IndexFunc(b, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) < 0
}

// records lists kinds of zip files by a record in them, named from behind the
// folder that all records may be in, or by the end of its name after a *. The first row that fits counts.
var records = []struct {
	record string
	kind   Kind
}{
	{"constants.pkl", Kind{Class: Script, Name: "a TorchScript archive"}},
	{"data/aotinductor/", Kind{Class: Compiled, Name: "an AOTInductor package"}},
	{"models/", Kind{Class: Exported, Name: "a program of torch.export"}},
	{"serialized_exported_program.json", Kind{Foreign, "a program of torch.export of PyTorch before 2.8", "load it there, and save it by torch.export.save of a newer one"}},
	{".data/extern_modules", Kind{Foreign, "an archive of torch.package, which holds code", "save the model's state_dict with torch.save"}},
	{"data.pkl", Kind{Class: Checkpoint, Name: "a checkpoint"}},
	{"model.weights.h5", Kind{Foreign, "a Keras model", "convert it to PyTorch and save it with torch.save"}},
	{"com.apple.CoreML/", Kind{Foreign, "a Core ML model", "save the PyTorch model that it was exported from with torch.jit.save or torch.save"}},
	{"*.npy", Kind{Foreign, "a NumPy .npz file", ""}},
	{"META-INF/MANIFEST.MF", other("a Java archive")},
	{"*.dist-info/METADATA", other("a Python wheel")},
	{"[Content_Types].xml", other("an Office document")},
}

func ofZip(z *zip.Reader) Kind {
	for _, row := range records {
		for _, e := range z.File {
			_, in, nested := strings.Cut(e.Name, "/")
			if !nested {
				in = e.Name
			}
			end, isEnd := strings.CutPrefix(row.record, "*")
			switch {
			case isEnd && strings.HasSuffix(e.Name, end),
				in == row.record, e.Name == row.record,
				strings.HasSuffix(row.record, "/") && (strings.HasPrefix(in, row.record) || strings.HasPrefix(e.Name, row.record)):
				return row.kind
			}
		}
	}
	return zipFile
}

// texts lists kinds of text by how they begin, in lower case.
var texts = []struct {
	begin string
	kind  Kind
}{
	{"<!doctype html", page}, {"<html", page}, {"<head", page}, {"<body", page}, {"<!--", page},
	{"<svg", picture("SVG")},
	{"<?xml", Kind{Stand, "an XML text, as a server's error", "read it, then download the file again"}},
	{"<error", Kind{Stand, "an XML text, as a server's error", "read it, then download the file again"}},
	{"version https://git-lfs", Kind{Stand, "a pointer of Git LFS in place of the file", "fetch the file with git lfs pull"}},
}

var page = Kind{Stand, "an HTML page, as from a server's error or a sign-in", "open its address in a browser, then download it again"}

func ofText(head []byte) Kind {
	b := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	low := bytes.ToLower(b)
	for _, t := range texts {
		if bytes.HasPrefix(low, []byte(t.begin)) {
			if t.begin == "<?xml" && bytes.Contains(low, []byte("<svg")) {
				return picture("SVG")
			}
			return t.kind
		}
	}
	if !isText(head) {
		return Kind{}
	}
	if len(b) > 1 && (b[0] == '{' || b[0] == '[') && (json.Valid(b) || len(head) >= HeadSize && strings.ContainsRune("{[\"-0123456789tfn}] \t\r\n", rune(b[1]))) {
		return Kind{Class: Text, Name: "a JSON text"}
	}
	return Kind{Class: Text, Name: "a text file"}
}

// isText says whether head could be the beginning of a text in UTF-8.
func isText(head []byte) bool {
	for i := 0; i < len(head); {
		r, n := utf8.DecodeRune(head[i:])
		if r == utf8.RuneError && n == 1 && len(head)-i >= utf8.UTFMax { // else a rune that is cut
			return false
		}
		if r != utf8.RuneError && unicode.IsControl(r) && !strings.ContainsRune("\t\r\n\f\x1b", r) {
			return false
		}
		i += n
	}
	return true
}

// folders lists kinds of folders by a file in them.
var folders = []struct{ file, name string }{
	{"saved_model.pb", "a folder of a TensorFlow SavedModel"},
	{"hubconf.json", "a folder with a hubconf.json"},
	{"hubconf.py", "a folder with a hubconf.py"},
	{"config.json", "a folder of a model of the Hugging Face Hub"},
	{"data.pkl", "a checkpoint that was unpacked into a folder"},
}

func ofFolder(path string) Kind {
	for _, f := range folders {
		if _, err := os.Stat(filepath.Join(path, f.file)); err == nil {
			return Kind{Class: Folder, Name: f.name}
		}
	}
	return Kind{Class: Folder, Name: "a folder"}
}
