package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch"
)

// A dataset is a text as the numbers of its characters.
type dataset struct {
	chars      []rune // sorted
	train, val *torch.Tensor
}

// newDataset reads input.txt in a folder. The last tenth of it is for validation.
func newDataset(dir string) (*dataset, error) {
	text, err := os.ReadFile(filepath.Join(dir, "input.txt"))
	if err != nil {
		return nil, err
	}
	d := &dataset{}
	runes := []rune(string(text))
	d.chars = slices.Compact(slices.Sorted(slices.Values(runes)))
	n := len(runes) * 9 / 10
	if d.train, err = encode(d.chars, string(runes[:n])); err != nil {
		return nil, err
	}
	d.val, err = encode(d.chars, string(runes[n:]))
	return d, err
}

// encode returns the numbers of the characters of a text.
func encode(chars []rune, text string) (*torch.Tensor, error) {
	ids := []int{}
	for _, c := range text {
		i, ok := slices.BinarySearch(chars, c)
		if !ok {
			return nil, fmt.Errorf("nanogpt: the character %q is not in the text that the model was trained with", c)
		}
		ids = append(ids, i)
	}
	return torch.NewTensor(ids), nil
}

// decode returns the text of numbers.
func decode(chars []rune, ids *torch.Tensor) string {
	var text strings.Builder
	for _, i := range torch.Data[int64](ids) {
		text.WriteRune(chars[i])
	}
	return text.String()
}

// getBatch draws batchSize pieces of a text, and the same pieces one character later.
func getBatch(data *torch.Tensor, batchSize, blockSize int, device torch.Device) (x, y *torch.Tensor) {
	ix := torch.RandInt(0, data.Size(0)-blockSize, batchSize)
	var xs, ys []*torch.Tensor
	for _, i := range torch.Data[int64](ix) {
		xs = append(xs, data.Index(torch.Slice(int(i), int(i)+blockSize)))
		ys = append(ys, data.Index(torch.Slice(int(i)+1, int(i)+1+blockSize)))
	}
	return torch.Stack(xs, 0).To(device), torch.Stack(ys, 0).To(device)
}
