"""Writes transforms/internal/tiff/testdata/golden.json: small TIFFs of every kind, whole and damaged, and what Pillow reads in them.

    python testdata/gen/tiffs.py

It needs Pillow 13.0 with libtiff 4.7.2, and NumPy. Pixels are whole numbers, the same on every machine.
"""
import base64
import hashlib
import json
import pathlib
import re
import runpy

folder = pathlib.Path(__file__).resolve().parents[2] / "transforms" / "internal" / "tiff" / "testdata"
live = runpy.run_path(str(folder / "live.py"))


def entry(what, data, result):
    pixels = base64.b64decode(result.get("pixels", ""))
    return {"what": what, "data": base64.b64encode(data).decode(), "mode": result["mode"], "size": result.get("size", []),
            "sha256": hashlib.sha256(pixels).hexdigest() if result["mode"] else ""}


def main():
    out, seen = [], {}
    for seed in range(100000, 104000):
        data, begin, what = live["make"](seed)
        kind = tuple(re.search(k + r" (\S+)", what)[1] for k in ("compression", "photo", "planar")) + ("tile None" in what,)
        for damaged in (False, True):
            key = kind[:1] + (kind[1] == "6",) if damaged else kind
            if seen.get((damaged, key), 0) >= (2 if damaged else 1) or len(data) > 1000:
                continue
            d = live["damage"](data, begin, live["np"].random.default_rng(seed)) if damaged else data
            result = live["read"](d)
            if damaged and "photo 6" in what and result["mode"] or not damaged and not result["mode"] or damaged and "compression 50000" in what:
                continue
            seen[damaged, key] = seen.get((damaged, key), 0) + 1
            out.append(entry(("damaged " if damaged else "") + f"#{seed} " + what, d, result))
    (folder / "golden.json").write_text("[\n" + ",\n".join(json.dumps(e) for e in out) + "\n]\n")
    print(len(out), "files")


main()
