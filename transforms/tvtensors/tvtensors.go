package tvtensors

import (
	"fmt"
	"image"
	"reflect"
	"strings"
	"sync"

	"github.com/torchhub/torchhub/torch"
)

// An Image is one image or a batch of them, [..., C, H, W]: torchvision.tv_tensors.Image.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.tv_tensors.Image.html
type Image struct{ *torch.Tensor }

// NewImage returns x as an image: tv_tensors.Image(x). An x of two dimensions
// gets a third, [1, H, W]. It panics with a [*torch.Error] if x has fewer.
func NewImage(x *torch.Tensor) Image {
	switch n := x.Dim(); {
	case n < 2:
		fail("NewImage", x, "an image has two dimensions or more")
	case n == 2:
		x = x.Unsqueeze(0)
	}
	return Image{x}
}

// A Video is a video or a batch of them, [..., T, C, H, W]: torchvision.tv_tensors.Video.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.tv_tensors.Video.html
type Video struct{ *torch.Tensor }

// NewVideo returns x as a video: tv_tensors.Video(x). It panics with a
// [*torch.Error] if x has less than four dimensions.
func NewVideo(x *torch.Tensor) Video {
	if x.Dim() < 4 {
		fail("NewVideo", x, "a video has four dimensions or more, [..., T, C, H, W]")
	}
	return Video{x}
}

// A Mask is a segmentation mask, or one for each object, [..., H, W]: torchvision.tv_tensors.Mask.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.tv_tensors.Mask.html
type Mask struct{ *torch.Tensor }

// NewMask returns x as a mask: tv_tensors.Mask(x).
func NewMask(x *torch.Tensor) Mask { return Mask{x} }

// A BoundingBoxFormat is the meaning of the numbers of a box. The zero value is
// none of them, so that a forgotten Format is noticed.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.tv_tensors.BoundingBoxFormat.html
type BoundingBoxFormat int

// The formats: corners as x and y, widths, heights and centers in pixels, r in
// degrees, counter-clockwise.
const (
	XYXY     BoundingBoxFormat = iota + 1 // left, top, right, bottom
	XYWH                                  // left, top, width, height
	CXCYWH                                // center, width, height
	XYWHR                                 // a rotated box: its first corner, width, height, angle
	CXCYWHR                               // a rotated box: its center, width, height, angle
	XYXYXYXY                              // a rotated box: its four corners
)

var formatNames = []string{"no format", "XYXY", "XYWH", "CXCYWH", "XYWHR", "CXCYWHR", "XYXYXYXY"}

// String returns the name of the format in Python.
func (f BoundingBoxFormat) String() string {
	if f.Valid() || f == 0 {
		return formatNames[f]
	}
	return fmt.Sprintf("BoundingBoxFormat(%d)", int(f))
}

// Valid reports whether f is one of the formats.
func (f BoundingBoxFormat) Valid() bool { return XYXY <= f && f <= XYXYXYXY }

// Rotated reports whether boxes of the format are rotated: is_rotated_bounding_format(f).
func (f BoundingBoxFormat) Rotated() bool { return XYWHR <= f && f <= XYXYXYXY }

// Numbers returns how many numbers a box of the format has: 4, 5 or 8.
func (f BoundingBoxFormat) Numbers() int {
	switch f {
	case XYWHR, CXCYWHR:
		return 5
	case XYXYXYXY:
		return 8
	}
	return 4
}

// ParseBoundingBoxFormat returns the format of a name, in upper or lower case.
func ParseBoundingBoxFormat(name string) (BoundingBoxFormat, error) {
	for f := XYXY; f <= XYXYXYXY; f++ {
		if strings.EqualFold(name, f.String()) {
			return f, nil
		}
	}
	return 0, fmt.Errorf("tvtensors: no bounding box format is called %q; want one of %s", name, strings.Join(formatNames[1:], ", "))
}

// A ClampingMode is the treatment of boxes that exceed the canvas.
type ClampingMode int

// The clamping modes. They differ for rotated boxes only.
const (
	Soft    ClampingMode = iota // "soft", the default: clip boxes to the canvas, rotated boxes less than Hard does
	Hard                        // "hard": clip all parts outside of the canvas
	NoClamp                     // None: do not change boxes
)

// String returns the name of the mode in Python.
func (m ClampingMode) String() string {
	switch m {
	case Soft:
		return "soft"
	case Hard:
		return "hard"
	case NoClamp:
		return "None"
	}
	return fmt.Sprintf("ClampingMode(%d)", int(m))
}

// Valid reports whether m is one of the modes.
func (m ClampingMode) Valid() bool { return Soft <= m && m <= NoClamp }

// BoundingBoxes are the boxes of one image, [N, 4], or [N, 5] or [N, 8] where they
// are rotated: torchvision.tv_tensors.BoundingBoxes.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.tv_tensors.BoundingBoxes.html
type BoundingBoxes struct {
	*torch.Tensor
	Format       BoundingBoxFormat
	CanvasSize   [2]int // height and width of the image
	ClampingMode ClampingMode
}

// NewBoundingBoxes returns x as boxes on a canvas of a height and a width:
// tv_tensors.BoundingBoxes(x, format=format, canvas_size=(h, w)). A single box may
// lack the dimension N. It panics with a *torch.Error if x does not have that
// shape, or if rotated boxes are not floating-point numbers.
func NewBoundingBoxes(x *torch.Tensor, format BoundingBoxFormat, h, w int, clamping ...ClampingMode) BoundingBoxes {
	b := BoundingBoxes{Tensor: x, Format: format, CanvasSize: [2]int{h, w}}
	if len(clamping) > 0 {
		b.ClampingMode = clamping[0]
	}
	if x.Dim() == 1 {
		b.Tensor = x.Unsqueeze(0)
	}
	why := b.mistake()
	if why == "" && b.Format.Rotated() && !b.DType().IsFloatingPoint() {
		why = "rotated boxes must be floating-point numbers"
	}
	if why != "" {
		fail("NewBoundingBoxes", x, "%s", why)
	}
	return b
}

// Check panics with a *torch.Error, in the name of an op, if the shape, format
// or clamping mode of b is invalid.
func (b BoundingBoxes) Check(op string) {
	if why := b.mistake(); why != "" {
		panic(&torch.Error{Op: op, Args: b.Describe(), Msg: why})
	}
}

func (b BoundingBoxes) mistake() string {
	switch {
	case !b.Format.Valid():
		return fmt.Sprintf("the boxes have %v; want one of %s", b.Format, strings.Join(formatNames[1:], ", "))
	case !b.ClampingMode.Valid():
		return fmt.Sprintf("the clamping mode is %v; want Soft, Hard or NoClamp", b.ClampingMode)
	case b.Dim() != 2:
		return fmt.Sprintf("boxes have two dimensions, [N, %d]", b.Format.Numbers())
	case b.Size(1) != b.Format.Numbers() && b.Numel() > 0:
		return fmt.Sprintf("boxes of the format %v have %d numbers each", b.Format, b.Format.Numbers())
	}
	return ""
}

// Describe returns a description of b in one line, such as "BoundingBoxes [3, 4] int64
// XYXY on 480×640".
func (b BoundingBoxes) Describe() string {
	return fmt.Sprintf("BoundingBoxes %s %v on %d×%d", describe(b.Tensor), b.Format, b.CanvasSize[0], b.CanvasSize[1])
}

// With returns x with the format, canvas and clamping mode of b: tv_tensors.wrap(x, like=b).
func (b BoundingBoxes) With(x *torch.Tensor) BoundingBoxes {
	b.Tensor = x
	return b
}

// KeyPoints are points of one image, [..., 2], each x and y: torchvision.tv_tensors.KeyPoints.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.tv_tensors.KeyPoints.html
type KeyPoints struct {
	*torch.Tensor
	CanvasSize [2]int // height and width of the image
}

// NewKeyPoints returns x as points on a canvas of a height and a width:
// tv_tensors.KeyPoints(x, canvas_size=(h, w)). A single point may lack the
// dimension N. It panics with a [*torch.Error] if x is not of that shape.
func NewKeyPoints(x *torch.Tensor, h, w int) KeyPoints {
	k := KeyPoints{Tensor: x, CanvasSize: [2]int{h, w}}
	if x.Dim() == 1 {
		k.Tensor = x.Unsqueeze(0)
	}
	if k.Dim() < 2 || k.Size(-1) != 2 {
		fail("NewKeyPoints", x, "key points have the shape [..., 2]")
	}
	return k
}

// Check panics with a *torch.Error, in the name of an op, if k does not have the shape [...,
// 2].
func (k KeyPoints) Check(op string) {
	if k.Dim() < 2 || k.Size(-1) != 2 {
		panic(&torch.Error{Op: op, Args: k.Describe(), Msg: "key points have the shape [..., 2]"})
	}
}

// Describe returns a description of k in one line, such as "KeyPoints [17, 2]
// float32 on 480×640".
func (k KeyPoints) Describe() string {
	return fmt.Sprintf("KeyPoints %s on %d×%d", describe(k.Tensor), k.CanvasSize[0], k.CanvasSize[1])
}

// With returns x with the canvas of k: tv_tensors.wrap(x, like=k).
func (k KeyPoints) With(x *torch.Tensor) KeyPoints {
	k.Tensor = x
	return k
}

// A Kind is the kind of a value, for transforms. It is the key of maps where
// Python has dictionaries by type.
type Kind int

// The kinds.
const (
	Other         Kind = iota // anything else: a label, a name; as a key it is Python's "others"
	PureTensor                // a *torch.Tensor
	Picture                   // an image.Image: Python's PIL.Image.Image
	ImageKind                 // an [Image]
	VideoKind                 // a [Video]
	MaskKind                  // a [Mask]
	BoxesKind                 // [BoundingBoxes]
	KeyPointsKind             // [KeyPoints]
	CustomKind                // a custom type, see [Register]
)

// String returns the name of the type in Python.
func (k Kind) String() string {
	names := [...]string{"others", "Tensor", "PIL.Image", "Image", "Video", "Mask", "BoundingBoxes", "KeyPoints", "TVTensor"}
	if k < 0 || int(k) >= len(names) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return names[k]
}

var (
	customMu sync.RWMutex
	custom   = map[reflect.Type]bool{}
)

// Register makes T a type that transforms know, as a subclass of TVTensor is in
// Python. functional.RegisterKernel, which calls this, sets what they do with
// it.
func Register[T any]() {
	customMu.Lock()
	defer customMu.Unlock()
	custom[reflect.TypeFor[T]()] = true
}

// KindOf returns the kind of a value. A nil tensor or picture is Other.
func KindOf(v any) Kind {
	switch v := v.(type) {
	case nil:
	case *torch.Tensor:
		return there(v, PureTensor)
	case Image:
		return there(v.Tensor, ImageKind)
	case Video:
		return there(v.Tensor, VideoKind)
	case Mask:
		return there(v.Tensor, MaskKind)
	case BoundingBoxes:
		return there(v.Tensor, BoxesKind)
	case KeyPoints:
		return there(v.Tensor, KeyPointsKind)
	case image.Rectangle: // an image.Image by accident
	case image.Image:
		if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer && r.IsNil() {
			return Other
		}
		return Picture
	default:
		customMu.RLock()
		defer customMu.RUnlock()
		if custom[reflect.TypeOf(v)] {
			return CustomKind
		}
	}
	return Other
}

func there(x *torch.Tensor, k Kind) Kind {
	if x == nil {
		return Other
	}
	return k
}

// TensorOf returns the tensor of a value that is one or embeds one, and nil otherwise.
func TensorOf(v any) *torch.Tensor {
	switch v := v.(type) {
	case *torch.Tensor:
		return v
	case Image:
		return v.Tensor
	case Video:
		return v.Tensor
	case Mask:
		return v.Tensor
	case BoundingBoxes:
		return v.Tensor
	case KeyPoints:
		return v.Tensor
	}
	return nil
}

// Wrap returns x as a value of like's type, with its canvas, format and clamping
// mode: tv_tensors.wrap(x, like=like). Where like is a plain tensor it is x.
func Wrap(x *torch.Tensor, like any) any {
	switch like := like.(type) {
	case Image:
		return Image{x}
	case Video:
		return Video{x}
	case Mask:
		return Mask{x}
	case BoundingBoxes:
		return like.With(x)
	case KeyPoints:
		return like.With(x)
	}
	return x
}

// Describe returns a description of a value in one line, for errors.
func Describe(v any) string {
	switch v := v.(type) {
	case BoundingBoxes:
		if v.Tensor != nil {
			return v.Describe()
		}
	case KeyPoints:
		if v.Tensor != nil {
			return v.Describe()
		}
	}
	switch k := KindOf(v); k {
	case Other, CustomKind:
		return fmt.Sprintf("%T", v)
	case Picture:
		b := v.(image.Image).Bounds()
		return fmt.Sprintf("picture of %d×%d pixels", b.Dx(), b.Dy())
	case PureTensor:
		return describe(v.(*torch.Tensor))
	default:
		return k.String() + " " + describe(TensorOf(v))
	}
}

func describe(x *torch.Tensor) string {
	return strings.ReplaceAll(fmt.Sprint(x.Shape()), " ", ", ") + " " + fmt.Sprint(x.DType())
}

func fail(op string, x *torch.Tensor, format string, args ...any) {
	panic(&torch.Error{Op: "tvtensors." + op, Args: describe(x), Msg: fmt.Sprintf(format, args...)})
}
