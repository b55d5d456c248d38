"""Says in words what Pillow reads of files: one picture, all frames, and turned upright."""
import base64, io, zlib
import numpy as np
from PIL import Image
import warnings
from PIL import ImageSequence
warnings.simplefilter("ignore")
Image.MAX_IMAGE_PIXELS = 1 << 23  # twice as many are refused, and in Go as many are

def summary(img):
    raw, mode = img.tobytes(), img.mode
    if mode == "1": raw = np.array(img).astype(np.uint8).tobytes().replace(b"\1", b"\xff")
    t = img.info.get("transparency")
    parts = [mode, "%dx%d" % img.size, "%08x" % zlib.crc32(raw)]
    if mode in ("P", "PA"):
        c = img.copy()
        c.info.pop("transparency", None)
        parts.append("%08x" % zlib.crc32(c.convert("RGB").tobytes()))
    if t is not None: parts.append(t.hex() if isinstance(t, bytes) else str(list(t)) if isinstance(t, tuple) else str([t]))
    return " ".join(parts)

def attempt(f):
    try: return f()
    except Exception as e: return "error " + repr(e)

def first(data):
    img = Image.open(io.BytesIO(data))
    return summary(img.copy())

def frames(data):
    out = []
    try:
        for f in ImageSequence.Iterator(Image.open(io.BytesIO(data))):
            c = f.copy()
            out.append(summary(c) + " %.3f" % c.info.get("duration", 0))
            if len(out) == 12: break
    except Exception as e: out.append("error " + repr(e))
    return out

def turned(data):
    """exif_transpose, but for what it writes into the new picture's info, which fails for odd data."""
    T, img = Image.Transpose, Image.open(io.BytesIO(data))
    img.load()
    method = {2: T.FLIP_LEFT_RIGHT, 3: T.ROTATE_180, 4: T.FLIP_TOP_BOTTOM, 5: T.TRANSPOSE, 6: T.ROTATE_270, 7: T.TRANSVERSE, 8: T.ROTATE_90}.get(img.getexif().get(274, 1))
    return summary(img.copy() if method is None else img.transpose(method))

def summarize(files):
    files = [base64.b64decode(f) for f in files]
    return [{"First": attempt(lambda: first(f)), "Frames": frames(f), "Turned": attempt(lambda: turned(f))} for f in files]
