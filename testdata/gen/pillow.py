"""Makes pictures of Pillow, does things to them with Pillow's and torchvision's functions, and takes them apart.

The tests of transforms/internal/pillow run this and call run() and histogram(), live and to write testdata/pillow.json:

    TORCHHUB_REFERENCE=path/to/python go test ./transforms/internal/pillow -run Goldens -update
"""
import warnings
import numpy, PIL
from PIL import Image, ImageEnhance, ImageFilter, ImageOps
from torchvision.transforms import _functional_pil as F
warnings.simplefilter("ignore")

def how(name):
    return Image.Resampling[name.upper()]

def make(p):
    raw = "1;8" if p["Mode"] == "1" else p["Mode"]
    im = Image.frombytes(p["Mode"], (p["W"], p["H"]), p["Pix"].tobytes(), "raw", raw)
    if p["Palette"]:
        im.putpalette(p["Palette"]["Colors"].tobytes(), p["Palette"]["Mode"])
    if p["Transparency"] is not None:
        t = p["Transparency"]
        im.info["transparency"] = t[0] if len(t) == 1 else tuple(t)
    if p["Alphas"] is not None:
        im.info["transparency"] = p["Alphas"].tobytes()
    return im

def take(im):
    if im.mode == "1":
        pix = numpy.asarray(im).astype("uint8").tobytes()
    else:
        pix = im.tobytes()
    palette = None
    if im.mode in ("P", "PA"):
        im.load()
        mode = im.im.getpalettemode()
        palette = [mode, im.getpalette(mode)]
    t = im.info.get("transparency")
    alphas = list(t) if isinstance(t, bytes) else None
    t = None if t is None or alphas is not None else [t] if isinstance(t, int) else list(t)
    return {"mode": im.mode, "w": im.width, "h": im.height, "pix": numpy.frombuffer(pix, "uint8"), "palette": palette, "transparency": t, "alphas": alphas}

def fill(f):
    return None if f is None else f[0] if len(f) == 1 else tuple(f)

ops = {
    "convert": lambda im, mode: im.convert(mode),
    "convert_twice": lambda im, via, mode: im.convert(via).convert(mode),
    "resize": lambda im, w, h, r: im.resize((w, h), how(r)),
    "resize_box": lambda im, w, h, r, box: im.resize((w, h), how(r), box),
    "resize_crop": lambda im, w, h, r, box: im.resize((w, h), how(r)).crop(box),
    "crop": lambda im, *box: im.crop(box),
    "pad": lambda im, padding, f, mode: F.pad(im, padding, fill(f), mode),
    "transpose": lambda im, method: im.transpose(method),
    "rotate": lambda im, angle, r, expand, center, f: F.rotate(im, angle, how(r), expand, center, fill(f)),
    "affine": lambda im, m, r, f: F.affine(im, m, how(r), fill(f)),
    "perspective": lambda im, m, r, f: F.perspective(im, m, how(r), fill(f)),
    "transform": lambda im, w, h, m, r, f: im.transform((w, h), Image.AFFINE, m, how(r), **F._parse_fill(fill(f), im)),
    "brightness": F.adjust_brightness,
    "contrast": F.adjust_contrast,
    "saturation": F.adjust_saturation,
    "sharpness": F.adjust_sharpness,
    "hue": F.adjust_hue,
    "gamma": F.adjust_gamma,
    "grayscale": F.to_grayscale,
    "invert": F.invert,
    "posterize": F.posterize,
    "solarize": F.solarize,
    "autocontrast": F.autocontrast,
    "equalize": F.equalize,
    "smooth": lambda im: im.filter(ImageFilter.SMOOTH),
    "point": lambda im, table: im.point(table),
    "split_merge": lambda im: Image.merge(im.mode, im.split()),
    "channel": lambda im, c: im.split()[c],
    "blend": lambda im, other, alpha: Image.blend(im, make(other), alpha),
    "composite": lambda im, other, mask: Image.composite(im, make(other), make(mask)),
}

def run(op, p, args):
    im = make(p)
    try:
        return take(ops[op](im, *args))
    except (ValueError, TypeError, OSError, OverflowError, NotImplementedError, KeyError, MemoryError, ZeroDivisionError, SystemError, AssertionError, Image.DecompressionBombError) as e:
        return {"error": type(e).__name__ + ": " + str(e)}

def histogram(p):
    return make(p).histogram()
