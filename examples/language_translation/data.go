package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/torch/data"
	"github.com/torchhub/torchhub/torch/nn"
)

// The numbers of the special symbols, which come before all words.
const (
	unkID = iota
	padID
	bosID
	eosID
)

var specialSymbols = []string{"<unk>", "<pad>", "<bos>", "<eos>"}

// A Vocab numbers words, the most frequent first.
type Vocab struct {
	words   []string
	numbers map[string]int
}

var token = regexp.MustCompile(`[\p{L}\p{N}_]+|[^\p{L}\p{N}_\s]`)

// tokenize returns the words and punctuation marks of a sentence.
func tokenize(sentence string) []string { return token.FindAllString(sentence, -1) }

// NewVocab returns the vocabulary of sentences.
func NewVocab(sentences []string) *Vocab {
	counts := map[string]int{}
	for _, s := range sentences {
		for _, word := range tokenize(s) {
			counts[word]++
		}
	}
	var words []string
	for word := range counts {
		words = append(words, word)
	}
	slices.SortFunc(words, func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	v := &Vocab{words: append(slices.Clone(specialSymbols), words...), numbers: map[string]int{}}
	for i, word := range v.words {
		v.numbers[word] = i
	}
	return v
}

func (v *Vocab) len() int { return len(v.words) }

// ids returns the numbers of a sentence's words, between those of its beginning and its end.
func (v *Vocab) ids(sentence string) []int {
	ids := []int{bosID}
	for _, word := range tokenize(sentence) {
		ids = append(ids, v.numbers[word]) // 0, <unk>, for words that are not there
	}
	return append(ids, eosID)
}

// text returns the words of numbers, without their beginning and end.
func (v *Vocab) text(ids []int) string {
	var words []string
	for _, id := range ids {
		if id != bosID && id != eosID {
			words = append(words, v.words[id])
		}
	}
	return strings.Join(words, " ")
}

// A Pair is the words of a sentence and of its translation, as numbers.
type Pair struct {
	Src, Tgt *torch.Tensor // [S], [T]
}

// Pairs are a batch of them, which are padded to one length.
type Pairs struct {
	Src, Tgt *torch.Tensor // [S, N], [T, N]
}

func collate(pairs []Pair) (Pairs, error) {
	var src, tgt []*torch.Tensor
	for _, p := range pairs {
		src, tgt = append(src, p.Src), append(tgt, p.Tgt)
	}
	padding := nn.PadSequenceOptions{PaddingValue: padID}
	return Pairs{nn.PadSequence(src, padding), nn.PadSequence(tgt, padding)}, nil
}

// A Corpus is the sentences of two languages, for training and for validation.
type Corpus struct {
	src, tgt     *Vocab // of the sentences for training
	train, valid data.List[Pair]
}

// NewCorpus reads the files train and val of each language in a folder, such as train.de. A line is a sentence.
func NewCorpus(root, src, tgt string) (*Corpus, error) {
	c := new(Corpus)
	for _, part := range []struct {
		name string
		to   *data.List[Pair]
	}{{"train", &c.train}, {"val", &c.valid}} {
		from, err := readLines(filepath.Join(root, part.name+"."+src))
		if err != nil {
			return nil, err
		}
		to, err := readLines(filepath.Join(root, part.name+"."+tgt))
		if err != nil {
			return nil, err
		}
		if len(from) != len(to) || len(from) == 0 {
			return nil, fmt.Errorf("%s has %d sentences in %s and %d in %s; each needs its translation, and there must be one", filepath.Join(root, part.name), len(from), src, len(to), tgt)
		}
		if c.src == nil {
			c.src, c.tgt = NewVocab(from), NewVocab(to)
		}
		for i := range from {
			*part.to = append(*part.to, Pair{torch.NewTensor(c.src.ids(from[i])), torch.NewTensor(c.tgt.ids(to[i]))})
		}
	}
	return c, nil
}

func readLines(path string) (lines []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		lines = append(lines, s.Text())
	}
	return lines, s.Err()
}
