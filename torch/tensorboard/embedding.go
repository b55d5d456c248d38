package tensorboard

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/internal/oserror"
	"github.com/torchhub/torchhub/internal/pyrepr"
	"github.com/torchhub/torchhub/torch"
)

// AddEmbeddingOptions are the options of [SummaryWriter.AddEmbedding].
type AddEmbeddingOptions struct {
	Metadata       [][]string    // metadata: the labels of each point, one, or as many as the header has
	MetadataHeader []string      // metadata_header: what the labels are; nil for one label without a name
	LabelImg       *torch.Tensor // label_img: a picture of each point, [N, C, H, W] with 1 or 3 channels, of floats from 0 to 1
	Step           int           // global_step
	Tag            string        // tag: the name of the embedding; "" means "default"
}

// AddEmbedding adds points for TensorBoard's projector, a tensor [N, D] with a point in each row:
// add_embedding(mat, metadata, label_img, step, tag, metadata_header). It writes files of text and of pictures into a
// folder of the writer's own. The error for options that do not fit the points names the tag.
//
// https://docs.pytorch.org/docs/stable/tensorboard.html#torch.utils.tensorboard.writer.SummaryWriter.add_embedding
func (w *SummaryWriter) AddEmbedding(mat *torch.Tensor, options ...AddEmbeddingOptions) error {
	o := torch.Only(options)
	if o.Tag == "" {
		o.Tag = "default"
	}
	files, info, err := embedding(mat, o)
	if err != nil {
		return fmt.Errorf("tensorboard: the embedding %q: %w", o.Tag, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.f == nil {
		return fmt.Errorf("tensorboard: the writer of %s is closed", w.dir)
	}
	w.projector += info
	files["projector_config.pbtxt"] = []byte(w.projector)
	for name, data := range files {
		at := filepath.Join(w.dir, filepath.FromSlash(name))
		err := os.MkdirAll(filepath.Dir(at), 0o777)
		if err == nil {
			err = os.WriteFile(at, data, 0o666)
		}
		if err != nil {
			return fmt.Errorf("tensorboard: %s cannot be written: %w", at, oserror.Cause(err))
		}
	}
	return nil
}

// embedding returns the files of an embedding, and what the projector's configuration says of it: an EmbeddingInfo of
// projector_config.proto, as text.
func embedding(mat *torch.Tensor, o AddEmbeddingOptions) (files map[string][]byte, info string, err error) {
	step := fmt.Sprintf("%05d", o.Step)
	dir := path.Join(step, strings.NewReplacer("%", "%25", "/", "%2f", `\`, "%5c").Replace(o.Tag))
	files = map[string][]byte{}
	var b strings.Builder
	line := func(indent, name string, value any) { fmt.Fprintf(&b, "%s%s: %v\n", indent, name, value) }
	b.WriteString("embeddings {\n")
	line("  ", "tensor_name", strconv.Quote(o.Tag+":"+step))
	err = torch.Try(func() {
		torch.Scope(func() {
			if mat.Dim() != 2 {
				panic(&torch.Error{Op: "AddEmbedding", Msg: fmt.Sprintf("the points have 2 dimensions, and the tensor has %d", mat.Dim())})
			}
			files[dir+"/tensors.tsv"] = points(mat)
			if o.LabelImg != nil {
				files[dir+"/sprite.png"] = sprite(o.LabelImg, mat.Size(0))
			}
		})
	})
	if err != nil {
		return nil, "", err
	}
	if o.Metadata != nil {
		if files[dir+"/metadata.tsv"], err = table(o, mat.Size(0)); err != nil {
			return nil, "", err
		}
		line("  ", "metadata_path", strconv.Quote(dir+"/metadata.tsv"))
	}
	if o.LabelImg != nil {
		b.WriteString("  sprite {\n")
		line("    ", "image_path", strconv.Quote(dir+"/sprite.png"))
		line("    ", "single_image_dim", o.LabelImg.Size(3))
		line("    ", "single_image_dim", o.LabelImg.Size(2))
		b.WriteString("  }\n")
	}
	line("  ", "tensor_path", strconv.Quote(dir+"/tensors.tsv"))
	b.WriteString("}\n")
	return files, b.String(), nil
}

// points returns the lines of a matrix, with numbers as Python writes them.
func points(mat *torch.Tensor) []byte {
	mat = mat.Detach().To(torch.CPU).Contiguous()
	n, columns := mat.Size(0), mat.Size(1)
	var words []string
	if mat.DType().IsFloatingPoint() {
		for _, v := range torch.Data[float64](mat.ToDType(torch.Float64)) {
			words = append(words, pyrepr.Float(v))
		}
	} else {
		for _, v := range torch.Data[int64](mat.ToDType(torch.Int64)) {
			words = append(words, strconv.FormatInt(v, 10))
		}
	}
	var b bytes.Buffer
	for i := range n {
		b.WriteString(strings.Join(words[i*columns:(i+1)*columns], "\t") + "\n")
	}
	return b.Bytes()
}

// table returns the lines of the labels of n points.
func table(o AddEmbeddingOptions, n int) ([]byte, error) {
	if len(o.Metadata) != n {
		return nil, fmt.Errorf("there are labels for %d points, and there are %d points", len(o.Metadata), n)
	}
	columns := max(len(o.MetadataHeader), 1)
	var b bytes.Buffer
	if o.MetadataHeader != nil {
		b.WriteString(strings.Join(o.MetadataHeader, "\t") + "\n")
	}
	for i, labels := range o.Metadata {
		if len(labels) != columns {
			return nil, fmt.Errorf("point %d has %d labels; it needs %d, as many as the header has, or 1 without one", i, len(labels), columns)
		}
		b.WriteString(strings.Join(labels, "\t") + "\n")
	}
	return b.Bytes(), nil
}

// sprite returns the pictures of n points as one, which is square.
func sprite(x *torch.Tensor, n int) []byte {
	bad := func(format string, args ...any) {
		panic(&torch.Error{Op: "AddEmbedding", Msg: fmt.Sprintf(format, args...)})
	}
	if x.Dim() != 4 || x.Size(0) != n || n == 0 || x.Size(1) != 1 && x.Size(1) != 3 || x.Numel() == 0 {
		bad("the pictures have the shape %v; they must be [%d, C, H, W] with 1 or 3 channels, for as many points", x.Shape(), n)
	}
	columns := int(math.Ceil(math.Sqrt(float64(n))))
	x = grid(x.Detach().To(torch.CPU), columns).ToDType(torch.Float64).MulScalar(255).Clamp(0, 255).ToDType(torch.Uint8)
	height, width := x.Size(1), x.Size(2)
	if height > width {
		bad("the pictures are too high: side by side they are %d pixels high and %d wide, and they must be at least as wide", height, width)
	}
	square := torch.Options{DType: torch.Uint8}.Zeros(x.Size(0), width, width)
	square.Narrow(1, 0, height).CopyInPlace(x)
	return newPicture("", "AddEmbedding", square).png
}
