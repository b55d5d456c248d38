package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"

	"github.com/torchhub/torchhub/torch"
)

// A Dictionary numbers words in the order in which they are added.
type Dictionary struct {
	word2idx map[string]int
	idx2word []string
}

func (d *Dictionary) addWord(word string) int {
	if _, ok := d.word2idx[word]; !ok {
		d.idx2word = append(d.idx2word, word)
		d.word2idx[word] = len(d.idx2word) - 1
	}
	return d.word2idx[word]
}

func (d *Dictionary) len() int { return len(d.idx2word) }

// A Corpus is the words of three files as numbers.
type Corpus struct {
	dictionary         Dictionary
	train, valid, test *torch.Tensor // [words]
}

// NewCorpus reads train.txt, valid.txt and test.txt in a folder.
func NewCorpus(path string) (*Corpus, error) {
	c := &Corpus{dictionary: Dictionary{word2idx: map[string]int{}}}
	for _, part := range []struct {
		ids  **torch.Tensor
		name string
	}{{&c.train, "train.txt"}, {&c.valid, "valid.txt"}, {&c.test, "test.txt"}} {
		ids, err := c.tokenize(filepath.Join(path, part.name))
		if err != nil {
			return nil, err
		}
		*part.ids = ids
	}
	return c, nil
}

// tokenize returns the numbers of the words in a file, each line of which ends in <eos>.
func (c *Corpus) tokenize(path string) (*torch.Tensor, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var ids []int
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		for _, word := range append(strings.Fields(lines.Text()), "<eos>") {
			ids = append(ids, c.dictionary.addWord(word))
		}
	}
	return torch.NewTensor(ids), lines.Err()
}
