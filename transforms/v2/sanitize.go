package v2

import (
	"slices"
	"strings"

	"github.com/torchhub/torchhub/torch"
	F "github.com/torchhub/torchhub/transforms/v2/functional"
)

// SanitizeBoundingBoxesOptions are the options of [SanitizeBoundingBoxes].
type SanitizeBoundingBoxesOptions struct {
	MinSize  float64  // the least width and height of a box, 1 or more; 0 is 1
	MinArea  float64  // the least area of a box, 1 or more; 0 is 1
	Labels   []string // the names of the fields that hold a value for each box; nil is as described at SanitizeBoundingBoxes
	NoLabels bool     // there are no labels: labels_getter=None
}

// SanitizeBoundingBoxes removes boxes that are too small or exceed the canvas, with their labels and
// masks: SanitizeBoundingBoxes(min_size, min_area, labels_getter).
//
// The labels are the tensors of the fields tagged v2:"labels"; else of the fields that the options name;
// else of the field or key called labels, in upper or lower case, or else of the first with "label" in
// its name. In a sample that is a list they are the second value. Masks with one plane for each box lose
// the planes of the removed boxes. It panics with a [*torch.Error] if there are no boxes, no labels, or
// another number of them.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.SanitizeBoundingBoxes.html
func SanitizeBoundingBoxes(options ...SanitizeBoundingBoxesOptions) Transform {
	const op = "SanitizeBoundingBoxes"
	o := torch.Only(options)
	if o.MinSize == 0 {
		o.MinSize = 1
	}
	if o.MinArea == 0 {
		o.MinArea = 1
	}
	if !(o.MinSize >= 1) || !(o.MinArea >= 1) {
		refuse(op, "MinSize is %v and MinArea %v; want 1 or more", o.MinSize, o.MinArea)
	}
	if o.NoLabels && o.Labels != nil {
		refuse(op, "there are Labels and NoLabels; give one of them")
	}
	name := repr(op, "min_size", o.MinSize, "min_area", o.MinArea, "labels_getter", getter(o.Labels, o.NoLabels))
	return &sanitize{class: op, name: name, labels: slices.Clone(o.Labels), noLabels: o.NoLabels, find: func(flat []any) (int, *torch.Tensor) {
		b := GetBoundingBoxes(flat)
		_, valid := F.SanitizeBoundingBoxes(b, F.SanitizeOptions{MinSize: &o.MinSize, MinArea: &o.MinArea})
		return b.Size(0), valid
	}, sound: func(v any, valid *torch.Tensor) (any, bool) {
		switch v := v.(type) {
		case BoundingBoxes:
			return v.With(v.Index(valid)), true
		case Mask:
			if v.Dim() < 1 || v.Size(0) != valid.Size(0) {
				return v, true // it does not have a mask for each box
			}
			return Mask{Tensor: v.Index(valid)}, true
		}
		return nil, false
	}}
}

// SanitizeKeyPointsOptions are the options of [SanitizeKeyPoints].
type SanitizeKeyPointsOptions struct {
	Labels []string // the names of the fields that hold a value for each point or group of points; "default" finds them as SanitizeBoundingBoxes does; nil is none
}

// SanitizeKeyPoints removes key points outside of the canvas, or groups of them with such
// a point, and their labels with them: SanitizeKeyPoints(labels_getter).
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.SanitizeKeyPoints.html
func SanitizeKeyPoints(options ...SanitizeKeyPointsOptions) Transform {
	const op = "SanitizeKeyPoints"
	labels := slices.Clone(torch.Only(options).Labels)
	none := labels == nil
	if slices.Equal(labels, []string{"default"}) {
		labels = nil
	}
	return &sanitize{class: op, name: repr(op, "labels_getter", getter(labels, none)), labels: labels, noLabels: none, find: func(flat []any) (int, *torch.Tensor) {
		k := GetKeyPoints(flat)
		_, valid := F.SanitizeKeyPoints(k)
		return k.Size(0), valid
	}, sound: func(v any, valid *torch.Tensor) (any, bool) {
		if k, ok := v.(KeyPoints); ok && k.Tensor != nil {
			return k.With(k.Index(valid)), true
		}
		return nil, false
	}}
}

// getter returns the text of the labels_getter.
func getter(labels []string, none bool) any {
	if none || labels != nil {
		return nil
	}
	return "default"
}

// A sanitize removes values and their labels.
type sanitize struct {
	class, name string
	labels      []string
	noLabels    bool
	find        func(flat []any) (n int, valid *torch.Tensor)
	sound       func(v any, valid *torch.Tensor) (any, bool)
}

// String returns the transform as Python writes it.
func (t *sanitize) String() string { return t.name }

// Forward removes the invalid boxes or points.
func (t *sanitize) Forward(s *Sample) {
	leaves, flat := s.leaves(), s.Flat()
	var at []int
	if !t.noLabels {
		at = s.findLabels(t.class, leaves, t.labels)
	}
	var n int
	var valid *torch.Tensor
	guard(t.name, nil, func() { n, valid = t.find(flat) })
	for _, i := range at {
		x, ok := flat[i].(*torch.Tensor)
		if !ok || x == nil {
			refuse(t.class, "the labels %q are a %T; want a tensor", strings.Join(leaves[i].part.names, "."), flat[i])
		}
		if x.Dim() == 0 || x.Size(0) != n {
			refuse(t.class, "the labels %q have the shape %v for %d values", strings.Join(leaves[i].part.names, "."), x.Shape(), n)
		}
	}
	for i, v := range flat {
		if absent(v) {
			continue
		}
		if slices.Contains(at, i) {
			leaves[i].set(v.(*torch.Tensor).Index(valid))
			continue
		}
		if out, ok := t.sound(v, valid); ok {
			leaves[i].set(out)
		}
	}
}

// findLabels returns which of the leaves are labels.
func (s *Sample) findLabels(op string, leaves []leaf, names []string) []int {
	var at []int
	add := func(is func(p *part, name string) bool) {
		for i, l := range leaves {
			name := ""
			if n := len(l.part.names); n > 0 {
				name = l.part.names[n-1]
			}
			if is(l.part, name) {
				at = append(at, i)
			}
		}
	}
	if names != nil {
		add(func(_ *part, name string) bool { return slices.Contains(names, name) })
		if len(at) < len(names) {
			refuse(op, "the sample has %d of the labels %q", len(at), names)
		}
		return at
	}
	if add(func(p *part, _ string) bool { return p.label }); at != nil {
		return at
	}
	if add(func(_ *part, name string) bool { return strings.EqualFold(name, "labels") }); at != nil {
		return at[:1]
	}
	if add(func(_ *part, name string) bool { return strings.Contains(strings.ToLower(name), "label") }); at != nil {
		return at[:1]
	}
	if add(func(p *part, name string) bool { return name == "1" && len(p.names) == 1 }); at != nil {
		if _, ok := (*leaves[at[0]].value).(*torch.Tensor); ok {
			return at[:1]
		}
	}
	refuse(op, "no labels were found in the sample; tag their field v2:\"labels\", or name it in the options")
	return nil
}

func (s *Sample) oneLabel(op string, leaves []leaf, name string) int {
	var names []string
	if name != "" {
		names = []string{name}
	}
	return s.findLabels(op, leaves, names)[0]
}
