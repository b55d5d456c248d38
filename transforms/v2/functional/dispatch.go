package functional

import (
	"fmt"
	"image"
	"reflect"
	"sync"

	"github.com/torchhub/torchhub/torch"
	"github.com/torchhub/torchhub/transforms/internal/args"
	tv "github.com/torchhub/torchhub/transforms/tvtensors"
)

// kernels are the functions of a functional for each kind of value. Where one
// is nil the functional does not take that kind; a nil video is the image's.
type kernels struct {
	name    string
	except  kinds                             // the kinds that it does not take in spite of image
	image   func(*torch.Tensor) *torch.Tensor // plain tensors too
	mask    func(*torch.Tensor) *torch.Tensor
	boxes   func(tv.BoundingBoxes) tv.BoundingBoxes
	points  func(tv.KeyPoints) tv.KeyPoints
	picture func(image.Image) image.Image
}

type kinds uint

func of(ks ...tv.Kind) (s kinds) {
	for _, k := range ks {
		s |= 1 << k
	}
	return s
}

func (s kinds) has(k tv.Kind) bool { return s>>k&1 != 0 }

var (
	images     = of(tv.PureTensor, tv.ImageKind, tv.VideoKind)
	pictures   = images | of(tv.Picture)
	everything = pictures | of(tv.MaskKind, tv.BoxesKind, tv.KeyPointsKind)
)

// takes lists the kinds of values for which each functional has a kernel:
// torchvision's registry of kernels.
var takes = map[string]kinds{
	"GetDimensions": pictures, "GetNumChannels": pictures, "GetSize": everything, "GetNumFrames": of(tv.PureTensor, tv.VideoKind),
	"FiveCrop": pictures, "TenCrop": pictures, // whose results are several
}

func init() {
	for _, k := range []kernels{ // the arguments do not matter
		affineKernels(AffineMap{}, AffineOptions{}), centerCropKernels(nil), cropKernels(0, 0, 0, 0), elasticKernels(nil, ElasticOptions{}),
		horizontalFlipKernels(), padKernels(nil, PadOptions{}), perspectiveKernels(nil, nil, PerspectiveOptions{}), resizeKernels(nil, ResizeOptions{}),
		resizedCropKernels(0, 0, 0, 0, nil, ResizeOptions{}), rotateKernels(0, RotateOptions{}), verticalFlipKernels(),
		adjustBrightnessKernels(0), adjustContrastKernels(0), adjustGammaKernels(0, 0), adjustHueKernels(0), adjustSaturationKernels(0),
		adjustSharpnessKernels(0), autocontrastKernels(), equalizeKernels(), eraseKernels(0, 0, 0, 0, nil), gaussianBlurKernels(nil, nil),
		gaussianNoiseKernels(0, 0), grayscaleToRGBKernels(), invertKernels(), jpegKernels(0), normalizeKernels(nil, nil), permuteChannelsKernels(nil),
		posterizeKernels(0), rgbToGrayscaleKernels(0), solarizeKernels(0), toDtypeKernels(0, false), uniformTemporalSubsampleKernels(0),
	} {
		takes[k.name] = k.takes()
	}
}

// takes returns the kinds that there are kernels for.
func (k kernels) takes() (s kinds) {
	for _, r := range []struct {
		there bool
		kinds kinds
	}{{k.image != nil, images}, {k.mask != nil, of(tv.MaskKind)}, {k.boxes != nil, of(tv.BoxesKind)}, {k.points != nil, of(tv.KeyPointsKind)}, {k.picture != nil, of(tv.Picture)}} {
		if r.there {
			s |= r.kinds
		}
	}
	return s &^ k.except
}

// A kernel of a type that a program has registered.
type customKernel func(x any, args []any) any

var (
	customMu sync.RWMutex
	custom   = map[string]map[reflect.Type]customKernel{}
)

// RegisterKernel sets the kernel of a functional of this package, such as "Resize", for
// values of a custom type, which transforms then recognize: register_kernel(functional, T).
// The kernel gets all arguments of the functional. It panics with a [*torch.Error] if there
// is no such functional, if T is a type with built-in kernels, or if it was registered
// before.
//
// https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.v2.functional.register_kernel.html
func RegisterKernel[T any](functional string, kernel func(x T, args ...any) T) {
	if _, ok := takes[functional]; !ok {
		fail("RegisterKernel", nil, "there is no functional %q", functional)
	}
	t := reflect.TypeFor[T]()
	switch t {
	case reflect.TypeFor[tv.Image](), reflect.TypeFor[tv.Video](), reflect.TypeFor[tv.Mask](), reflect.TypeFor[tv.BoundingBoxes](),
		reflect.TypeFor[tv.KeyPoints](), reflect.TypeFor[*torch.Tensor]():
		fail("RegisterKernel", nil, "kernels cannot be registered for the type %v of tvtensors or torch", t)
	}
	if t.Implements(reflect.TypeFor[image.Image]()) {
		fail("RegisterKernel", nil, "%v is a picture, which has its kernels", t)
	}
	customMu.Lock()
	defer customMu.Unlock()
	if custom[functional] == nil {
		custom[functional] = map[reflect.Type]customKernel{}
	}
	if custom[functional][t] != nil {
		fail("RegisterKernel", nil, "%s has a kernel for %v already", functional, t)
	}
	custom[functional][t] = func(x any, args []any) any { return kernel(x.(T), args...) }
	tv.Register[T]()
}

func customOf(functional string, v any) customKernel {
	customMu.RLock()
	defer customMu.RUnlock()
	return custom[functional][reflect.TypeOf(v)]
}

// Takes reports whether a functional, named as in Go, has a kernel for v. A
// transform does not change values without a kernel.
func Takes(functional string, v any) bool {
	if k := tv.KindOf(v); k != tv.CustomKind {
		return takes[functional].has(k)
	}
	return customOf(functional, v) != nil
}

// IsPureTensor reports whether v is a plain tensor, none of the types of
// tvtensors: is_pure_tensor(v).
func IsPureTensor(v any) bool { return tv.KindOf(v) == tv.PureTensor }

// call applies a functional to a value of any type. The args are the arguments of a registered
// kernel.
func call[T any](x T, k kernels, a ...any) T { return as[T](k.name, x, dispatch(x, k, a)) }

// as returns a result as the type of the input. The two differ only for pictures of a type of the caller's.
func as[T any](functional string, x any, out any) T {
	t, ok := out.(T)
	if !ok {
		fail(functional, x, "the result is a %T; call %s[image.Image]", out, functional)
	}
	return t
}

func dispatch(x any, k kernels, a []any) (out any) {
	defer named(k.name, x)
	custom := customOf(k.name, x)
	if !k.takes().has(tv.KindOf(x)) && custom == nil {
		fail(k.name, x, "%s does not take this type; it takes %v", k.name, k.takes())
	}
	tensor := func(f func(*torch.Tensor) *torch.Tensor, x *torch.Tensor) (y *torch.Tensor) {
		torch.Scope(func() { y = keep(f(x), x) })
		return y
	}
	switch x := x.(type) {
	case *torch.Tensor:
		return tensor(k.image, x)
	case tv.Image:
		return tv.Image{Tensor: tensor(k.image, x.Tensor)}
	case tv.Video:
		return tv.Video{Tensor: tensor(k.image, x.Tensor)}
	case tv.Mask:
		return tv.Mask{Tensor: tensor(k.mask, x.Tensor)}
	case tv.BoundingBoxes:
		x.Check(args.V2 + k.name)
		torch.Scope(func() {
			y := k.boxes(x)
			y.Tensor = keep(y.Tensor, x.Tensor)
			out = y
		})
		return out
	case tv.KeyPoints:
		x.Check(args.V2 + k.name)
		torch.Scope(func() {
			y := k.points(x)
			y.Tensor = keep(y.Tensor, x.Tensor)
			out = y
		})
		return out
	case image.Image:
		return k.picture(x)
	}
	return custom(x, a)
}

// keep keeps y beyond the scope in which it was made. An x that is returned unchanged does not
// belong to the scope.
func keep(y, x *torch.Tensor) *torch.Tensor {
	if y == x {
		return y
	}
	return torch.Keep(y)
}

// named, deferred, adds the name of the functional and its value to a panic of an op.
func named(functional string, x any) {
	args.Guard(recover(), args.V2+functional, func() string { return tv.Describe(x) })
}

// fail panics on behalf of a functional: it does not take the value x.
func fail(functional string, x any, format string, a ...any) {
	e := &torch.Error{Op: args.V2 + functional, Msg: fmt.Sprintf(format, a...)}
	if x != nil {
		e.Args = tv.Describe(x)
	}
	panic(e)
}

func (s kinds) String() string {
	text := ""
	for k := tv.PureTensor; k <= tv.KeyPointsKind; k++ {
		if s.has(k) {
			if text != "" {
				text += ", "
			}
			text += k.String()
		}
	}
	return text
}
