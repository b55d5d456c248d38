package transforms

import "github.com/torchhub/torchhub/transforms/internal/policies"

// autoPolicies are the policies that AutoAugment's authors learned, each a list of
// pairs of operations with their probability and magnitude, if they have one.
var autoPolicies = map[AutoAugmentPolicy][][2]sub{
	ImageNet: policy(ImageNet),
	CIFAR10:  policy(CIFAR10),
	SVHN:     policy(SVHN),
}

func policy(data AutoAugmentPolicy) (pairs [][2]sub) {
	byName := map[string]choice{}
	for _, c := range autoSpace {
		byName[c.name] = c
	}
	for _, steps := range policies.Of(string(data)) {
		var pair [2]sub
		for i, s := range steps {
			pair[i] = sub{choice: byName[s.Op], p: s.P, magnitude: s.Magnitude}
		}
		pairs = append(pairs, pair)
	}
	return pairs
}
