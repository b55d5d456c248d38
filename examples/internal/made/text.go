package made

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// Words of the sentences, in English and in German.
var (
	numbers    = [][2]string{{"two", "zwei"}, {"three", "drei"}, {"four", "vier"}, {"five", "fünf"}, {"six", "sechs"}, {"many", "viele"}, {"some", "einige"}}
	adjectives = [][2]string{{"old", "alte"}, {"young", "junge"}, {"small", "kleine"}, {"big", "große"}, {"quiet", "leise"}, {"loud", "laute"}, {"clever", "kluge"}, {"tired", "müde"}, {"brave", "mutige"}, {"white", "weiße"}}
	animates   = [][2]string{{"dogs", "Hunde"}, {"cats", "Katzen"}, {"horses", "Pferde"}, {"children", "Kinder"}, {"sailors", "Matrosen"}, {"doctors", "Ärzte"}, {"teachers", "Lehrer"}, {"farmers", "Bauern"}, {"birds", "Vögel"}, {"bakers", "Bäcker"}}
	things     = [][2]string{{"houses", "Häuser"}, {"ships", "Schiffe"}, {"trees", "Bäume"}, {"books", "Bücher"}, {"apples", "Äpfel"}, {"bridges", "Brücken"}, {"letters", "Briefe"}, {"clouds", "Wolken"}, {"mountains", "Berge"}, {"gardens", "Gärten"}}
	verbs      = [][2]string{{"see", "sehen"}, {"find", "finden"}, {"love", "lieben"}, {"paint", "malen"}, {"seek", "suchen"}, {"visit", "besuchen"}, {"count", "zählen"}, {"need", "brauchen"}}
	times      = [][2]string{{"today", "heute"}, {"often", "oft"}, {"now", "jetzt"}, {"again", "wieder"}, {"always", "immer"}, {"never", "nie"}}
)

// sentence makes a sentence in English and in German, where the time stands elsewhere.
func sentence(rng *rand.Rand) (english, german []string) {
	pick := func(words [][2]string) [2]string { return words[rng.IntN(len(words))] }
	// group is a number, perhaps an adjective, and a noun.
	group := func(nouns [][2]string) (en, de []string) {
		parts := [][2]string{pick(numbers)}
		for range rng.IntN(3) {
			parts = append(parts, pick(adjectives))
		}
		for _, p := range append(parts, pick(nouns)) {
			en, de = append(en, p[0]), append(de, p[1])
		}
		return en, de
	}
	subjectEN, subjectDE := group(animates)
	verb, time := pick(verbs), pick(times)
	nouns := things
	if rng.IntN(3) == 0 {
		nouns = animates
	}
	objectEN, objectDE := group(nouns)
	english = append(append(append(subjectEN, verb[0]), objectEN...), time[0], ".")
	german = append(append(append(subjectDE, verb[1], time[1]), objectDE...), ".")
	return english, german
}

// lines joins so many sentences, one for each line. Its function make returns the words of one.
func lines(n int, make func() []string) []byte {
	var text strings.Builder
	for range n {
		text.WriteString(strings.Join(make(), " ") + "\n")
	}
	return []byte(text.String())
}

// Corpus returns a function that writes so many sentences to train.txt, valid.txt and
// test.txt in a folder: the files of WikiText-2.
func Corpus(train, valid, test int) func(dir string) error {
	return func(dir string) error {
		for i, part := range []struct {
			name string
			n    int
		}{{"train", train}, {"valid", valid}, {"test", test}} {
			rng := rand.New(rand.NewPCG(uint64(i), 2))
			text := lines(part.n, func() []string { english, _ := sentence(rng); return english })
			if err := os.WriteFile(filepath.Join(dir, part.name+".txt"), text, 0o666); err != nil {
				return err
			}
		}
		return nil
	}
}

// Pairs returns a function that writes so many sentences in German and English to
// train.de, train.en, val.de and val.en in a folder: the files of Multi30k.
func Pairs(train, valid int) func(dir string) error {
	return func(dir string) error {
		for i, part := range []struct {
			name string
			n    int
		}{{"train", train}, {"val", valid}} {
			for language, name := range []string{"en", "de"} {
				rng := rand.New(rand.NewPCG(uint64(i), 30))
				text := lines(part.n, func() []string {
					english, german := sentence(rng)
					return [][]string{english, german}[language]
				})
				if err := os.WriteFile(filepath.Join(dir, part.name+"."+name), text, 0o666); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// Characters returns a function that writes so many sentences to input.txt in a folder: the
// file of nanoGPT's data sets of characters.
func Characters(sentences int) func(dir string) error {
	return func(dir string) error {
		rng := rand.New(rand.NewPCG(0, 65))
		text := lines(sentences, func() []string { english, _ := sentence(rng); return english })
		return os.WriteFile(filepath.Join(dir, "input.txt"), text, 0o666)
	}
}
