"""Makes testdata/odd_pictures.json: PNGs, GIFs, BMPs and WebPs that are damaged or odd, and what
Pillow reads of each.

    python odd_pictures.py    # Pillow 13
"""
import base64
import io
import json
import pathlib
import struct
import sys
import zlib

import numpy as np
from PIL import Image

root = pathlib.Path(__file__).parent.parent.parent
sys.path.insert(0, str(root / "transforms/internal/codec/testdata"))
import summaries  # noqa: E402

files = {}

# PNG
y, x = np.mgrid[0:9, 0:13]
rgb = Image.fromarray(np.stack([x * 19, y * 28, x * y], -1).astype(np.uint8))


def chunk(kind, data, crc=0):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) ^ crc)


signature = b"\x89PNG\r\n\x1a\n"
header = chunk(b"IHDR", struct.pack(">IIBBBBB", 13, 9, 8, 2, 0, 0, 0))
rows = b"".join(b"\0" + rgb.tobytes()[39 * i:39 * i + 39] for i in range(9))
z, end = zlib.compress(rows), chunk(b"IEND", b"")
start = signature + header
bad = bytearray(z)
bad[-1] ^= 1
flipped = bytearray(z)
flipped[len(z) // 2] ^= 16
short = b"".join(b"\0" + rgb.tobytes()[39 * i:39 * i + 39] for i in range(5))
files |= {
    "png": start + chunk(b"IDAT", z) + end,
    "png, pixels' CRC": start + chunk(b"IDAT", z, 1) + end,
    "png, header's CRC": signature + header[:-1] + b"\0" + chunk(b"IDAT", z) + end,
    "png, text's CRC before": start + chunk(b"tEXt", b"a\0b", 1) + chunk(b"IDAT", z) + end,
    "png, text's CRC behind": start + chunk(b"IDAT", z) + chunk(b"tEXt", b"a\0b", 1) + chunk(b"IEND", b"", 1),
    "png, no end": start + chunk(b"IDAT", z),
    "png, more rows": start + chunk(b"IDAT", zlib.compress(rows + bytes(77))) + end,
    "png, fewer rows": start + chunk(b"IDAT", zlib.compress(short)) + end,
    "png, half a row": start + chunk(b"IDAT", zlib.compress(rows[:100])) + end,
    "png, Adler-32": start + chunk(b"IDAT", bytes(bad)) + end,
    "png, Adler-32 in a chunk of its own": start + chunk(b"IDAT", z[:-4]) + chunk(b"IDAT", bytes(bad[-4:])) + end,
    "png, one bit": start + chunk(b"IDAT", bytes(flipped)) + end,
    "png, tRNS behind": start + chunk(b"IDAT", z) + chunk(b"tRNS", bytes(6)) + end,
    "png, texts too large": start + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 20 | 1))) + chunk(b"IDAT", z) + end,
    "png, pixels cut behind": start + chunk(b"IDAT", z) + chunk(b"IDAT", b"abc")[:9],
}
for n in (4, 8, 12, 14, 16, 17, 20, 40):
    files[f"png, cut by {n}"] = (start + chunk(b"IDAT", z) + end)[:-n]


def animation(frames, default=False):
    out, sequence = start + chunk(b"acTL", struct.pack(">II", len(frames), 0)), 0
    if default:
        out += chunk(b"IDAT", z)
    for i, (box, dispose, blend) in enumerate(frames):
        w, h = box[2] - box[0], box[3] - box[1]
        out += chunk(b"fcTL", struct.pack(">IIIIIHHBB", sequence, w, h, box[0], box[1], 5 + i, 100, dispose, blend))
        sequence += 1
        data = zlib.compress(b"".join(b"\1" + bytes([i * 40 + 9]) * (3 * w) for _ in range(h)))
        if i == 0 and not default:
            out += chunk(b"IDAT", data)
        else:
            out += chunk(b"fdAT", struct.pack(">I", sequence) + data)
            sequence += 1
    return out + end


whole = (0, 0, 13, 9)
parts = [(whole, 0, 0), ((2, 1, 7, 5), 1, 1), ((5, 3, 13, 9), 2, 0), ((0, 0, 4, 4), 2, 1), ((1, 2, 9, 8), 0, 0)]
files["apng"] = animation(parts)
files["apng, default image"] = animation(parts, True)
files["apng, too few frames"] = animation(parts)[:-200]

# GIF
def gif(*blocks, flags=0x80, table=b"\xff\0\0\0\xff\0"):
    return b"GIF89a" + struct.pack("<HHBBB", 3, 2, flags, 0, 0) + (table if flags else b"") + b"".join(blocks) + b";"


def picture(codes, box=(0, 0, 3, 2), bits=2, flags=0, table=b"", tail=b"\0"):
    """Codes of bits + 1 bits."""
    n = sum(c << (bits + 1) * i for i, c in enumerate(codes))
    data = n.to_bytes(((bits + 1) * len(codes) + 7) // 8, "little")
    return b"," + struct.pack("<HHHHB", *box, flags) + table + bytes([bits, len(data)]) + data + tail


whole = [4, 0, 1, 4, 2, 3, 4, 1, 0]
control = lambda flags, color: b"!\xf9\4" + bytes([flags, 7, 0, color]) + b"\0"  # noqa: E731
files |= {
    "gif": gif(picture(whole + [5])),
    "gif, no end code": gif(picture(whole)),
    "gif, codes behind": gif(picture(whole + [1, 1, 4, 3, 3])),
    "gif, end code early": gif(picture(whole[:5] + [5])),
    "gif, cut": gif(picture(whole + [5]))[:-6],
    "gif, junk": gif(b"\0\0abc", picture(whole)),
    "gif, extension": gif(b"!\x55\2ab\0", picture(whole)),
    "gif, control of 5 bytes": gif(b"!\xf9\5\1\7\0\1\0\0", picture(whole)),
    "gif, no palette": gif(picture(whole), flags=0),
    "gif, interlaced": gif(picture(whole, flags=0x40)),
    "gif, its own palette": gif(picture(whole, flags=0x81, table=bytes(range(12)))),
    "gif, its own grays": gif(picture(whole, flags=0x81, table=bytes(i // 3 for i in range(12)))),
    "gif, frames": gif(control(9, 1), picture(whole), control(4, 0), picture(whole[::-1][:3] + [5], (1, 0, 2, 1)), control(8, 0), picture(whole), control(12, 0), picture(whole)),
    "gif, frames of grays": gif(picture(whole), control(5, 1), picture(whole), picture(whole, flags=0x80, table=b"abcdef"), picture(whole), flags=0),
    "gif, canvas grows": gif(picture(whole), control(1, 1), picture(whole, (2, 1, 3, 2)), picture(whole, (3, 2, 3, 2))),
}

# BMP without the header of the file, and with palettes of grays
for mode in ("1", "L", "P", "RGB", "RGBA"):
    b = io.BytesIO()
    rgb.convert(mode).save(b, "DIB")
    files["dib " + mode] = b.getvalue()
files["bmp, two grays in 8 bits"] = b"BM" + struct.pack("<IHHI", 0, 0, 0, 62) + struct.pack("<IiiHHIIiiII", 40, 5, 2, 1, 8, 0, 0, 0, 0, 2, 0) + bytes([0, 0, 0, 0, 255, 255, 255, 0]) + bytes([0x5a] * 16)

# WebP
b = io.BytesIO()
frames = [Image.fromarray(np.full((6, 8, 4), [i * 60, 255 - i * 60, 9, 255 - 90 * (i % 2)], np.uint8), "RGBA") for i in range(3)]
frames[0].save(b, "WEBP", save_all=True, append_images=frames[1:], duration=[40, 50, 60], lossless=True)
webp = b.getvalue()
files["webp, frames"] = webp
last = webp.rindex(b"VP8L")
files["webp, last frame's header"] = webp[:last + 8] + b"\0" + webp[last + 9:]
files["webp, cut"] = webp[:-3]
files["webp, something behind"] = webp + b"abc"

# Orientations outside of EXIF
xmp = b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
element = b"<tiff:Orientation>3</tiff:Orientation>"
exif = Image.Exif()
exif[0x112] = 8
exif = exif.tobytes()[6:]
digits = b"\nexif\n%8d\n%s\n" % (len(exif), exif.hex().encode())
text = lambda key, body: chunk(b"tEXt", key + b"\0" + body)  # noqa: E731
files |= {
    "png, XMP": start + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp) + chunk(b"IDAT", z) + end,
    "png, compressed XMP behind": start + chunk(b"IDAT", z) + chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(element)) + end,
    "png, profile": start + text(b"Raw profile type exif", digits) + chunk(b"IDAT", z) + end,
    "png, compressed profile and XMP": start + chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(digits)) + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp) + chunk(b"IDAT", z) + end,
    "png, broken EXIF": start + chunk(b"eXIf", b"abcdefgh") + chunk(b"IDAT", z) + end,
}
for fmt in ("JPEG", "WEBP"):
    for name, x in ("attribute", xmp), ("element", element):
        b = io.BytesIO()
        rgb.save(b, fmt, xmp=x, **({"lossless": True} if fmt == "WEBP" else {}))
        files[f"{fmt.lower()}, XMP {name}"] = b.getvalue()

encoded = [base64.b64encode(f).decode() for f in files.values()]
got = summaries.summarize(encoded)
for s in got:
    for k in ("First", "Turned"):
        s[k] = s[k].split("(")[0]
    s["Frames"] = [f.split("(")[0] for f in s["Frames"]]
out = {name: {"Data": data, "Want": s} for name, data, s in zip(files, encoded, got)}
(root / "testdata/odd_pictures.json").write_text(json.dumps(out, indent=0))
