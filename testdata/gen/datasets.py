"""Writes datasets/sources.json: what torchvision knows of the data sets that are published as files.

For each data set, or each part of one that is published by itself: the files with their addresses, or with the page
where a person finds those that a program cannot download; the MD5 checksums of the files on the disk that torchvision
compares; and the names of the classes, where the files do not have them.
"""
import contextlib
import importlib
import json
import os
import sys
import tempfile

from torchvision import datasets as d
from torchvision.datasets import imagenet, inaturalist, voc

out = {}


def remote(urls, file, md5, page=None):
    return {"urls": urls, "file": file, "md5": md5 or "", **({"page": page} if page else {})}


def add(name, remotes=(), files=None, classes=None, dir=None, page=None):
    out[name] = {"remote": list(remotes)}
    if page:
        out[name]["page"] = page
    if dir:
        out[name]["dir"] = dir
    if files:
        out[name]["files"] = files
    if classes:
        out[name]["classes"] = classes


def downloads(cls, **kw):
    """What the class downloads: the folder, and the files."""
    module = importlib.import_module(cls.__module__)
    found, folders = [], set()

    def url(url, root, *rest, filename=None, md5=None, **kw):
        rest = list(rest)
        if module.__name__.endswith("sbu") and len(rest) == 3:  # download_and_extract_archive(url, root, extract_root, filename, md5)
            rest = rest[1:]
        filename = filename or (rest.pop(0) if rest else None) or os.path.basename(url)
        folders.add(os.path.relpath(root, tmp))
        found.append(remote([url], str(filename), md5 or (rest[0] if rest else None)))

    def archive(url_, download_root, *rest, **kw):
        url(url_, download_root, *rest, **kw)

    def archive_by_name(*args, **kw):
        kw = {{"url": "url_"}.get(k, k): v for k, v in kw.items()}
        archive(*args, **kw)

    def drive(id, root, filename, md5=None):
        folders.add(os.path.relpath(root, tmp))
        found.append(remote([], filename, md5, f"https://drive.google.com/file/d/{id}/view"))

    stand_ins = {"download_url": url, "download_and_extract_archive": archive_by_name, "download_file_from_google_drive": drive, "extract_archive": lambda *a, **k: None}
    was = {k: getattr(module, k) for k in stand_ins if hasattr(module, k)}
    for k in was:
        setattr(module, k, stand_ins[k])
    with tempfile.TemporaryDirectory() as tmp:
        with contextlib.suppress(OSError, RuntimeError):  # there is nothing to read
            cls(tmp, download=True, **kw)
    for k, f in was.items():
        setattr(module, k, f)
    assert found and len(folders) == 1, (cls, found, folders)
    (folder,) = folders
    return {"remotes": found, "dir": None if folder == "." else folder}


for name in "MNIST", "FashionMNIST", "KMNIST":
    c = getattr(d, name)
    add(name, [remote([m + f for m in c.mirrors], f, md5) for f, md5 in c.resources], classes=c.classes)
add("EMNIST", [remote([d.EMNIST.url], os.path.basename(d.EMNIST.url), d.EMNIST.md5)])
for part in "train", "test":
    add("QMNIST " + part, [remote([u], os.path.basename(u), md5) for u, md5 in d.QMNIST.resources[part]])
for part in "train", "test":
    u, file, md5 = d.USPS.split_list[part]
    add("USPS " + part, [remote([u], file, md5)])
for c in d.CIFAR10, d.CIFAR100:
    files = dict(map(tuple, c.train_list + c.test_list)) | {c.meta["filename"]: c.meta["md5"]}
    add(c.__name__, [remote([c.url], c.filename, c.tgz_md5)], files)
add("STL10", [remote([d.STL10.url], d.STL10.filename, d.STL10.tgz_md5)], dict(map(tuple, d.STL10.train_list + d.STL10.test_list)))
for part, (u, file, md5) in d.SVHN.split_list.items():
    add("SVHN " + part, [remote([u], file, md5)], {file: md5})

add("ImageNet", files=dict(imagenet.ARCHIVE_META.values()), page="https://image-net.org/challenges/LSVRC/2012/2012-downloads.php")
f = d.Flowers102
add("Flowers102", **downloads(f), files={file: md5 for k, (file, md5) in f._file_dict.items() if k != "image"}, classes=f.classes)
for c in d.Food101, d.OxfordIIITPet, d.Caltech101, d.Caltech256, d.DTD, d.EuroSAT, d.FGVCAircraft, d.SUN397, d.Country211, d.Kitti, d.SBDataset, d.CLEVRClassification:
    add(c.__name__, **downloads(c))
add("SBDataset train_noval", [remote([d.SBDataset.voc_train_url], d.SBDataset.voc_split_filename, d.SBDataset.voc_split_md5)])
for year, v in voc.DATASET_YEAR_DICT.items():
    add("VOC " + year, [remote([v["url"]], v["filename"], v["md5"])])
add("CelebA", **downloads(d.CelebA), files={file: md5 for _, md5, file in d.CelebA.file_list if not file.endswith(".zip")})
for part in "train", "test":
    add("GTSRB " + part, **downloads(d.GTSRB, split=part))
add("RenderedSST2", **downloads(d.RenderedSST2), classes=["negative", "positive"])
add("FER2013", files=dict(d.FER2013._RESOURCES.values()), dir="fer2013",
    page="https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge")
for background, part in (True, "images_background"), (False, "images_evaluation"):
    x = downloads(d.Omniglot, background=background)
    add("Omniglot " + part, **x, files={part + ".zip": d.Omniglot.zips_md5[part]})
add("SEMEION", **downloads(d.SEMEION), files={d.SEMEION.filename: d.SEMEION.md5_checksum})
add("LFW", files={file: md5 for _, file, md5 in d.LFWPeople.file_dict.values()} | d.LFWPeople.checksums, dir=d.LFWPeople.base_folder,
    page="https://www.kaggle.com/datasets/jessicali9530/lfw-dataset")
for size in d.Imagenette._ARCHIVES:
    add("Imagenette " + size, **downloads(d.Imagenette, size=size))
add("Imagenette", classes=[f"{k} {', '.join(v)}" for k, v in d.Imagenette._WNID_TO_CLASS.items()])
p = d.Places365
for part, (file, md5) in p._FILE_LIST_META.items():
    kind = "challenge" if "challenge" in part else "standard"
    kit, kit_md5 = p._DEVKIT_META[kind]
    add("Places365 " + part, [remote([p._BASE_URL + kit], kit, kit_md5)], {file: md5, p._CATEGORIES_META[0]: p._CATEGORIES_META[1]})
    for small in False, True:
        tar, md5 = p._IMAGES_META[part, small]
        add(f"Places365 {part} {'small' if small else 'large'}", [remote([p._BASE_URL + tar], tar, md5)])
for version in inaturalist.DATASET_URLS:
    add("INaturalist " + version, [remote([inaturalist.DATASET_URLS[version]], version + ".tgz", inaturalist.DATASET_MD5[version])])
add("WIDERFace", **downloads(d.WIDERFace))
add("SBU", [remote([d.SBU.url], d.SBU.filename, d.SBU.md5_checksum)], {d.SBU.filename: d.SBU.md5_checksum})
add("MovingMNIST", **downloads(d.MovingMNIST))
for name, (url, file, md5) in d.PhotoTour.urls.items():
    add("PhotoTour " + name, [remote([url], file, md5)])

json.dump(out, sys.stdout, indent=1, ensure_ascii=False)
print()
