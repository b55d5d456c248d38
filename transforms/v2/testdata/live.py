import hashlib, signal, warnings
warnings.simplefilter("ignore")
import numpy, PIL.Image, torch
from torch.utils._pytree import tree_flatten
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F, InterpolationMode


torch.set_num_threads(1)  # as in Go: the number decides which kernel resizes, and how sums are parted


def unpack(p):
    kind = p["kind"]
    if kind == "others":
        return int(p["mode"])
    a = p["array"]
    if kind == "PIL.Image":
        mode = p["mode"]
        if a.shape[2] == 1:
            a = a[:, :, 0]
        return PIL.Image.frombytes(mode, (a.shape[1], a.shape[0]), a.tobytes())
    x = torch.from_numpy(a.copy()).to(getattr(torch, p["dtype"]))
    y = torch.empty_strided(x.shape, p.get("strides") or (), dtype=x.dtype)  # Go's memory format
    x = y.copy_(x)
    if kind == "Tensor":
        return x
    if kind == "BoundingBoxes":
        clamping = p["clamping"]
        return tv_tensors.BoundingBoxes(x, format=p["format"], canvas_size=tuple(p["canvas"]), clamping_mode=None if clamping == "None" else clamping)
    if kind == "KeyPoints":
        return tv_tensors.KeyPoints(x, canvas_size=tuple(p["canvas"]))
    return getattr(tv_tensors, kind)(x)


def pack(v):
    if isinstance(v, (tuple, list)):
        return {"kind": "several", "several": [pack(e) for e in v]}
    if isinstance(v, PIL.Image.Image):
        a = numpy.array(v)
        return {"kind": "PIL.Image", "mode": v.mode, "array": a if a.ndim == 3 else a[:, :, None]}
    if not isinstance(v, torch.Tensor):
        return {"kind": "others", "mode": str(v)}
    x = v.as_subclass(torch.Tensor)
    p = {"kind": type(v).__name__, "dtype": str(x.dtype)[6:], "array": x.float() if x.dtype in (torch.float16, torch.bfloat16) else x}
    if isinstance(v, tv_tensors.BoundingBoxes):
        p.update(format=v.format.value, canvas=list(v.canvas_size), clamping=str(v.clamping_mode))
    if isinstance(v, tv_tensors.KeyPoints):
        p.update(canvas=list(v.canvas_size))
    return p


made = {}


def make(expr):
    if expr not in made:
        made[expr] = eval(expr, globals())
    return made[expr]


def transform(expr, seed, sample, names=None):
    try:
        sample = [unpack(p) for p in sample]
        if names:
            sample = dict(zip(names, sample))
        torch.manual_seed(seed)
        out = make(expr)(sample)
        return {"out": [pack(v) for v in (out.values() if names else out)]}
    except Exception as e:
        return {"error": f"{type(e).__name__}: {e}"}


def functional(expr, seed, sample):
    out = []
    for p in sample:
        try:
            x = unpack(p)
            torch.manual_seed(seed)
            out.append(pack(make(expr)(x)))
        except Exception as e:
            out.append({"kind": "error", "error": f"{type(e).__name__}: {e}"})
    return out


# What a random transform makes of a sample, many times after one seed, each as a digest.
def draws(expr, seed, n, sample):
    sample = [unpack(p) for p in sample]
    torch.manual_seed(seed)
    t = make(expr)
    return [digest([pack(v) for v in t(sample)]) for _ in range(n)]


def digest(values):
    h = hashlib.sha256()
    for p in values:
        a = p["array"]
        a = a.numpy() if hasattr(a, "numpy") else a
        h.update((" ".join(map(str, a.shape)) + ";").encode())
        h.update(a.tobytes())
    return h.hexdigest()


# As transform, and with what torch's generator gives next. Some transforms draw for ever; that is an error.
def pipeline(expr, seed, sample):
    def late(*_):
        raise TimeoutError("it takes more than 20 seconds")
    signal.signal(signal.SIGALRM, late)
    signal.alarm(20)
    try:
        sample = [unpack(p) for p in sample]
        torch.manual_seed(seed)
        out = eval(expr)(sample)
        next = torch.randint(1 << 30, (1,)).item()
        return {"out": [pack(v) for v in out], "next": next}
    except Exception as e:
        return {"error": f"{type(e).__name__}: {e}"[:300]}
    finally:
        signal.alarm(0)
