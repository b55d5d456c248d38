package made

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// CIFAR10 returns a function that writes so many pictures of digits for training and testing to cifar-10-batches-py in a
// folder: the files of torchvision.datasets.CIFAR10, but for their checksums. The number for training is divided by 5.
func CIFAR10(train, test int) func(dir string) error {
	return func(dir string) error {
		dir = filepath.Join(dir, "cifar-10-batches-py")
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		batches := map[string]int{"test_batch": test}
		for i := range 5 {
			batches[fmt.Sprintf("data_batch_%d", i+1)] = train / 5
		}
		for name, n := range batches {
			rng := rand.New(rand.NewPCG(uint64(name[len(name)-1]), 32))
			var pix []byte
			labels := make([]byte, n)
			for i := range labels {
				labels[i] = byte(rng.IntN(10))
				pix = append(pix, planes(picture(rng, int(labels[i]), 32, 32))...)
			}
			if err := os.WriteFile(filepath.Join(dir, name), cifarBatch(pix, labels), 0o666); err != nil {
				return err
			}
		}
		return os.WriteFile(filepath.Join(dir, "batches.meta"), cifarMeta(), 0o666)
	}
}

// planes returns the red, then the green, then the blue values of a picture.
func planes(img *image.RGBA) (out []byte) {
	for c := range 3 {
		for i := c; i < len(img.Pix); i += 4 {
			out = append(out, img.Pix[i])
		}
	}
	return out
}

// cifarBatch pickles {"data": array of [n, 3072] bytes, "labels": list of ints} by protocol 2.
func cifarBatch(pix, labels []byte) []byte {
	var b bytes.Buffer
	long := func(n int) { b.WriteByte('J'); binary.Write(&b, binary.LittleEndian, int32(n)) }
	b.WriteString("\x80\x02}(U\x04data")
	b.WriteString("cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR") // an empty array of bytes
	b.WriteString("(K\x01")                                                                    // its state: a version, ...
	long(len(labels))
	long(3072)
	b.WriteString("\x86cnumpy\ndtype\n(U\x02u1K\x00K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb") // shape, dtype, ...
	b.WriteString("\x89T")                                                                                           // rows, bytes
	binary.Write(&b, binary.LittleEndian, int32(len(pix)))
	b.Write(pix)
	b.WriteString("tbU\x06labels](")
	for _, l := range labels {
		b.Write([]byte{'K', l})
	}
	b.WriteString("eu.")
	return b.Bytes()
}

// cifarMeta pickles {"label_names": list of the names of the digits}.
func cifarMeta() []byte {
	var b bytes.Buffer
	b.WriteString("\x80\x02}U\x0blabel_names](")
	for _, name := range []string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"} {
		b.WriteByte('U')
		b.WriteByte(byte(len(name)))
		b.WriteString(name)
	}
	b.WriteString("es.")
	return b.Bytes()
}
