package models

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Metrics hold the quality of weights by data set and metric: weights.meta["_metrics"],
// such as {"ImageNet-1K": {"acc@1": 69.758, "acc@5": 89.078}}. The names are
// torchvision's; accuracies are in percent.
type Metrics map[string]map[string]float64

// words holds formats for metrics that have a common name.
var words = map[string]string{"acc@1": "top-1 %g %%", "acc@5": "top-5 %g %%"}

// String describes the metrics, such as "top-1 69.758 %, top-5 89.078 % on ImageNet-1K".
func (m Metrics) String() string {
	var sets []string
	for _, set := range slices.Sorted(maps.Keys(m)) {
		var all []string
		for _, name := range slices.Sorted(maps.Keys(m[set])) {
			if format, ok := words[name]; ok {
				all = append(all, fmt.Sprintf(format, m[set][name]))
			} else {
				all = append(all, fmt.Sprintf("%s %g", name, m[set][name]))
			}
		}
		sets = append(sets, strings.Join(all, ", ")+" on "+set)
	}
	return strings.Join(sets, "; ")
}
