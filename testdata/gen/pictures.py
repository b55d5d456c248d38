"""Makes testdata/pictures: small pictures of every format and mode, and pixels.txt,
the CRC-32 of what Pillow reads of each after convert("RGB").

    python pictures.py    # Pillow 13, and cjpeg of Debian's libjpeg-turbo-progs
"""
import binascii
import io
import pathlib
import subprocess

import numpy as np
from PIL import Image

out = pathlib.Path(__file__).parent.parent / "pictures"
out.mkdir(exist_ok=True)

w, h = 61, 45
y, x = np.mgrid[0:h, 0:w]
a = np.stack([x * 4, y * 5, 255 - x * 2 - y, 255 - x * 4], -1).astype(np.uint8)
a += np.random.default_rng(0).integers(0, 9, a.shape, dtype=np.uint8)
rgba = Image.fromarray(a, "RGBA")
rgb = rgba.convert("RGB")
gray16 = Image.fromarray(a[..., 0].astype(np.uint16) * 3)
exif = Image.Exif()
exif[0x112] = 6

files = {
    "photo.jpg": (rgb, {}),
    "444.jpg": (rgb, {"subsampling": 0}),
    "422.jpg": (rgb, {"subsampling": 1}),
    "progressive.jpg": (rgb, {"progressive": True}),
    "gray.jpg": (rgb.convert("L"), {}),
    "cmyk.jpg": (rgb.convert("CMYK"), {}),
    "turned.jpg": (rgb, {"exif": exif}),
    "photo.png": (rgb, {}),
    "alpha.png": (rgba, {}),
    "gray.png": (rgb.convert("L"), {}),
    "grayalpha.png": (rgba.convert("LA"), {}),
    "gray16.png": (gray16, {}),
    "bits.png": (rgb.convert("1"), {}),
    "palette.png": (rgb.quantize(40), {"transparency": 3}),
    "photo.gif": (rgb, {}),
    "photo.bmp": (rgb, {}),
    "palette.bmp": (rgb.quantize(20), {}),
    "photo.tiff": (rgb, {"compression": "tiff_lzw"}),
    "gray16.tiff": (gray16, {}),
    "lossy.webp": (rgb, {}),
    "alpha.webp": (rgba, {}),
    "lossless.webp": (rgb, {"lossless": True}),
    "bits.pbm": (rgb.convert("1"), {}),
    "gray.pgm": (rgb.convert("L"), {}),
    "gray16.pgm": (gray16, {}),
    "photo.ppm": (rgb, {}),
    "floats.pfm": (rgb.convert("F"), {}),
    "icon.ico": (rgba, {"sizes": [(32, 32), (16, 16)], "bitmap_format": "bmp"}),
    "png.ico": (rgb, {"sizes": [(45, 45), (16, 16)]}),
    "photo.tga": (rgb, {"compression": "tga_rle"}),
    "alpha.tga": (rgba, {}),
    "palette.tga": (rgb.quantize(20), {"compression": "tga_rle"}),
}
# What Pillow reads and does not write.
ppm = io.BytesIO()
rgb.save(ppm, "PPM")
jpeg = lambda *args: subprocess.run(["cjpeg", "-arithmetic", *args], input=ppm.getvalue(), capture_output=True, check=True).stdout
progressive = io.BytesIO()
rgb.save(progressive, "JPEG", progressive=True)
masked = io.BytesIO()
rgb.resize((32, 32)).save(masked, "ICO", sizes=[(32, 32)], bitmap_format="bmp")
raw = {
    "arithmetic.jpg": jpeg("-restart", "1"),
    "arithmetic-progressive.jpg": jpeg("-progressive", "-sample", "1x1"),
    "plain.ppm": b"P3 # a comment\n%d %d\n999\n" % (w, 3) + b" ".join(b"%d" % (v * 3) for v in rgb.crop((0, 0, w, 3)).tobytes()) + b"\n",
    "masked.cur": masked.getvalue().replace(b"\0\0\1\0", b"\0\0\2\0", 1),
    "missing.jpg": progressive.getvalue()[:680] + b"\xff\xd9",
}

lines = []
for name, (img, options) in files.items():
    img.save(out / name, **options)
for name, data in raw.items():
    (out / name).write_bytes(data)
for name in files | raw:
    got = Image.open(out / name).convert("RGB")
    lines.append(f"{name} {got.width} {got.height} {binascii.crc32(got.tobytes()):08x}\n")
(out / "pixels.txt").write_text("".join(lines))
