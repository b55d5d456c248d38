package v2

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	tv "github.com/torchhub/torchhub/transforms/tvtensors"
	F "github.com/torchhub/torchhub/transforms/v2/functional"
)

// The values that transforms know, as in package tvtensors.
type (
	Image             = tv.Image
	Video             = tv.Video
	Mask              = tv.Mask
	BoundingBoxes     = tv.BoundingBoxes
	BoundingBoxFormat = tv.BoundingBoxFormat
	ClampingMode      = tv.ClampingMode
	KeyPoints         = tv.KeyPoints
	Kind              = tv.Kind
)

// Is reports whether a value is of a type, for [HasAny] and [HasAll].
func Is[T any](v any) bool {
	if absent(v) {
		return false
	}
	_, ok := v.(T)
	return ok
}

// IsPicture reports whether a value is a picture: isinstance(v, PIL.Image.Image).
func IsPicture(v any) bool { return tv.KindOf(v) == tv.Picture }

// IsPureTensor reports whether a value is a plain tensor: is_pure_tensor(v).
func IsPureTensor(v any) bool { return F.IsPureTensor(v) }

// CheckType reports whether one of the checks is true of a value: check_type(v, checks).
func CheckType(v any, checks ...func(any) bool) bool {
	return slices.ContainsFunc(checks, func(check func(any) bool) bool { return check(v) })
}

// HasAny reports whether one of the checks is true of one of the values: has_any(flat, *checks).
func HasAny(flat []any, checks ...func(any) bool) bool {
	return slices.ContainsFunc(flat, func(v any) bool { return CheckType(v, checks...) })
}

// HasAll reports whether each of the checks is true of one of the values: has_all(flat, *checks).
func HasAll(flat []any, checks ...func(any) bool) bool {
	for _, check := range checks {
		if !slices.ContainsFunc(flat, check) {
			return false
		}
	}
	return true
}

// GetBoundingBoxes returns the first boxes among the values: get_bounding_boxes(flat).
// It panics with a [*torch.Error] if there are none.
func GetBoundingBoxes(flat []any) BoundingBoxes {
	for _, v := range flat {
		if b, ok := v.(BoundingBoxes); ok && b.Tensor != nil {
			return b
		}
	}
	refuse("GetBoundingBoxes", "there are no bounding boxes in the sample")
	return BoundingBoxes{}
}

// GetKeyPoints returns the first key points among the values: get_keypoints(flat).
// It panics with a [*torch.Error] if there are none.
func GetKeyPoints(flat []any) KeyPoints {
	for _, v := range flat {
		if k, ok := v.(KeyPoints); ok && k.Tensor != nil {
			return k
		}
	}
	refuse("GetKeyPoints", "there are no key points in the sample")
	return KeyPoints{}
}

// QueryCHW returns the channels, height and width that the images, videos and
// pictures among the values have: query_chw(flat). It panics with a [*torch.Error]
// if there are none, or they differ.
func QueryCHW(flat []any) (c, h, w int) {
	found := map[[3]int]bool{}
	for _, v := range flat {
		switch tv.KindOf(v) {
		case tv.PureTensor, tv.ImageKind, tv.VideoKind, tv.Picture:
			c, h, w = F.GetDimensions(v)
			found[[3]int{c, h, w}] = true
		}
	}
	if len(found) != 1 {
		disagree("QueryCHW", "channels×height×width", "no image, video or picture", found)
	}
	return c, h, w
}

// QuerySize returns the height and width that the images, videos, pictures, masks,
// boxes and key points among the values have: query_size(flat). It panics with a
// [*torch.Error] if there are none, or they differ.
func QuerySize(flat []any) (h, w int) {
	found := map[[2]int]bool{}
	for _, v := range flat {
		if k := tv.KindOf(v); k != tv.Other && k != tv.CustomKind {
			h, w = F.GetSize(v)
			found[[2]int{h, w}] = true
		}
	}
	if len(found) != 1 {
		disagree("QuerySize", "height×width", "no image, video, picture, mask, boxes or key points", found)
	}
	return h, w
}

func disagree[S comparable](op, what, none string, found map[S]bool) {
	if len(found) == 0 {
		refuse(op, "there is %s in the sample", none)
	}
	var all []string
	for s := range found {
		all = append(all, strings.ReplaceAll(strings.Trim(fmt.Sprint(s), "[]"), " ", "×"))
	}
	sort.Strings(all)
	refuse(op, "the values of the sample differ in %s: %s", what, strings.Join(all, ", "))
}
