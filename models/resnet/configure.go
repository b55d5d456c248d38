package resnet

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/torchhub/torchhub/models"
)

// Limits of the arguments, far beyond any trained model: arguments may come from an untrusted
// source.
const (
	maxBlocks  = 1000
	maxWidth   = 1 << 16
	maxClasses = 1 << 24
)

// configure returns a function that builds a ResNet of c with some arguments changed.
// A config without layers is that of the class, whose blocks are not to be chosen
// twice.
func (c Config) configure(arguments []byte) (func() any, error) {
	var a struct {
		Block         *string `json:"block"`
		Layers        []int   `json:"layers" limits:"1,1000"`
		NumClasses    *int    `json:"num_classes"`
		Groups        *int    `json:"groups"`
		WidthPerGroup *int    `json:"width_per_group"`
		Dilation      []bool  `json:"replace_stride_with_dilation"`
	}
	if err := models.DecodeArguments(arguments, &a); err != nil {
		return nil, err
	}
	class := c.Layers == [4]int{}
	switch {
	case !class && (a.Block != nil || a.Layers != nil):
		return nil, errors.New("its block and layers are given by its name; take resnet to choose them")
	case class && a.Block == nil:
		return nil, errors.New("block is missing; give BasicBlock or Bottleneck")
	case class && len(a.Layers) != 4:
		return nil, fmt.Errorf("layers has %d numbers; give 4", len(a.Layers))
	}
	if class {
		blocks := map[string]Block{"BasicBlock": BasicBlock, "Bottleneck": Bottleneck}
		block, ok := blocks[*a.Block]
		if !ok {
			return nil, fmt.Errorf("block is %.100q; give BasicBlock or Bottleneck", *a.Block)
		}
		c.Block, c.Layers = block, [4]int(a.Layers)
	}
	for to, given := range map[*int]*int{&c.NumClasses: a.NumClasses, &c.Groups: a.Groups, &c.WidthPerGroup: a.WidthPerGroup} {
		if given != nil {
			*to = *given
		}
	}
	if a.Dilation != nil {
		if len(a.Dilation) != 3 {
			return nil, fmt.Errorf("replace_stride_with_dilation has %d elements; give 3", len(a.Dilation))
		}
		c.ReplaceStrideWithDilation = [3]bool(a.Dilation)
	}
	groups, width := cmp.Or(c.Groups, 1), cmp.Or(c.WidthPerGroup, 64)
	switch {
	case c.Block == BasicBlock && (groups != 1 || width != 64):
		return nil, errors.New("BasicBlock has one group of width 64; take Bottleneck")
	case c.Block == BasicBlock && c.ReplaceStrideWithDilation != [3]bool{}:
		return nil, errors.New("BasicBlock has no dilation; take Bottleneck")
	case groups*width > maxWidth:
		return nil, fmt.Errorf("%d groups of width %d are more than %d channels", groups, width, maxWidth)
	}
	return func() any { return New(c) }, nil
}
