// Package cora reads the files of the graph Cora: papers, the words that they contain, their topics, and which papers
// cite which.
package cora

import (
	"bufio"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/torchhub/torchhub/torch"
)

// Load reads cora.content and cora.cites in a folder. It returns the words of each paper, scaled to the sum 1; the number of
// each paper's topic; and the citations, with one of each paper by itself.
func Load(path string) (features, labels, adj *torch.Tensor, err error) { // [papers, words], [papers], [papers, papers]
	content, err := fields(filepath.Join(path, "cora.content"))
	if err != nil {
		return nil, nil, nil, err
	}
	cites, err := fields(filepath.Join(path, "cora.cites"))
	if err != nil {
		return nil, nil, nil, err
	}

	// Features and labels
	var words [][]float32
	classes := map[string]int{}
	idxMap := map[string]int{}
	for i, row := range content {
		values := make([]float32, len(row)-2)
		for j := range values {
			v, err := strconv.Atoi(row[j+1])
			if err != nil {
				return nil, nil, nil, fmt.Errorf("cora.content: line %d: %w", i+1, err)
			}
			values[j] = float32(v)
		}
		words = append(words, values)
		classes[row[len(row)-1]] = 0
		idxMap[row[0]] = i
	}
	for i, class := range slices.Sorted(maps.Keys(classes)) {
		classes[class] = i
	}
	var topics []int
	for _, row := range content {
		topics = append(topics, classes[row[len(row)-1]])
	}
	features = torch.NewTensor(words)
	scaleVector := features.Sum(1)
	scaleVector = scaleVector.Reciprocal()
	scaleVector.SetIndex(0, scaleVector.EqScalar(math.Inf(1)))
	features = scaleVector.Diag().ToSparse().MatMul(features)
	labels = torch.NewTensor(topics)

	// Adjacency matrix
	var edges [][2]int
	for i, row := range cites {
		cited, ok := idxMap[row[0]]
		citing, ok2 := idxMap[row[len(row)-1]]
		if !ok || !ok2 {
			return nil, nil, nil, fmt.Errorf("cora.cites: line %d: the papers %s are not in cora.content", i+1, strings.Join(row, " and "))
		}
		edges = append(edges, [2]int{cited, citing})
	}
	v, e := len(content), len(edges)
	adj = torch.SparseCOOTensor(torch.NewTensor(edges).T(), torch.Options{DType: torch.Int64}.Ones(e), v, v)
	adj = torch.Eye(v).Add(adj) // self-loops
	return features, labels, adj, nil
}

// fields returns the words of each line of a file, of which each line must have two or more.
func fields(path string) (rows [][]string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		row := strings.Fields(lines.Text())
		if len(row) < 2 || len(rows) > 0 && len(row) != len(rows[0]) {
			return nil, fmt.Errorf("%s: line %d has %d fields, unlike the first", path, len(rows)+1, len(row))
		}
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s is empty", path)
	}
	return rows, nil
}
