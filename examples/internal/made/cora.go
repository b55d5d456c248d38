package made

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// topics are the classes of Cora.
var topics = []string{"Case_Based", "Genetic_Algorithms", "Neural_Networks", "Probabilistic_Methods", "Reinforcement_Learning", "Rule_Learning", "Theory"}

// Cora returns a function that writes so many papers, with so many words that they may contain, to
// cora.content and cora.cites in a folder: the files of the graph Cora. Most words of a paper, and most papers that it
// cites, are those of its topic.
func Cora(papers, words int) func(dir string) error {
	return func(dir string) error {
		rng := rand.New(rand.NewPCG(0, 2708))
		class := make([]int, papers)
		byClass := make([][]int, len(topics))
		for i := range class {
			class[i] = rng.IntN(len(topics))
			byClass[class[i]] = append(byClass[class[i]], i)
		}
		id := func(i int) int { return 35 + 31*i }
		var content, cites strings.Builder
		for i, c := range class {
			has := make([]byte, words)
			for range 18 {
				word := rng.IntN(words)
				if rng.IntN(10) < 4 { // one of the topic's
					word = (word/len(topics)*len(topics) + c) % words
				}
				has[word] = 1
			}
			fmt.Fprint(&content, id(i))
			for _, h := range has {
				fmt.Fprint(&content, "\t", h)
			}
			fmt.Fprintf(&content, "\t%s\n", topics[c])
			for range 2 {
				cited := rng.IntN(papers)
				if rng.IntN(10) < 7 {
					cited = byClass[c][rng.IntN(len(byClass[c]))]
				}
				if cited != i {
					fmt.Fprintf(&cites, "%d\t%d\n", id(cited), id(i))
				}
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "cora.content"), []byte(content.String()), 0o666); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "cora.cites"), []byte(cites.String()), 0o666)
	}
}
