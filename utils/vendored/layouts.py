"""Data sets whose classes stand in a file instead of in folders' names, as they are shipped.

Tiny ImageNet's val/images with val_annotations.txt; ILSVRC's flat validation images with
LOC_val_solution.csv, val.txt (a name and a position in the sorted synsets a line) or the
development kit's ILSVRC2012_validation_ground_truth.txt and meta.mat.
"""

from __future__ import annotations

import os
from pathlib import Path

from .classes import imagenet_classes
from .launch import UserError

GROUND_TRUTH = "ILSVRC2012_validation_ground_truth.txt"
FILES = ("val_annotations.txt", "LOC_val_solution.csv", "val.txt", GROUND_TRUTH)
KIT = "ILSVRC2012_devkit_t12/data"


def labelled_images(folder: str, images: list[str]) -> dict[str, list[str]] | None:
    """{class: sorted images} of the names `images` in `folder`, from the file beside or above them.

    None where there is no such file. Raises UserError where it does not name a class for each.
    """
    path = label_file(folder)
    if path is None:
        return None
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a readable text file of labels ({error})") from None
    if path.name == GROUND_TRUTH:
        labels = _by_number(path, lines, sorted(images))
    else:
        labels = dict(
            filter(None, (_entry(path, number, line) for number, line in enumerate(lines)))
        )
    found = {}
    for image in sorted(images):
        name = labels.get(image) or labels.get(image.split(".")[0])
        if name is None:
            raise UserError(f"{path}: no class for {os.path.join(folder, image)}")
        found.setdefault(name, []).append(image)
    print(f"classes of the images from {path}", flush=True)
    return dict(sorted(found.items()))


def label_file(folder: str) -> Path | None:
    """The file with the classes of the images in `folder`: in it, above it, in the kit, or None."""
    above = Path(folder).absolute().parent
    for name in FILES:
        for base in (Path(folder), above, Path(folder, KIT), above / KIT):
            if (base / name).is_file():
                return base / name
    return None


def _entry(path, number, line):
    """(image, class) of a line; None for an empty one and for a head."""
    words = line.replace(",", " ").split()
    if not words or words[:2] == ["ImageId", "PredictionString"]:
        return None
    if len(words) < 2:
        raise UserError(f"{path}, line {number + 1}: expected an image and its class")
    name = words[1]
    if name.isdecimal() and int(name) < 1000:
        name = list(imagenet_classes())[int(name)]
    return words[0], name


def _by_number(path, lines, images):
    """The kit numbers its synsets in an order of its own, which meta.mat has."""
    meta = path.with_name("meta.mat")
    if not meta.is_file():
        raise UserError(
            f"{path}: its numbers are the development kit's own, and meta.mat, which names them, is"
            " not beside it"
        )
    from scipy.io import loadmat

    try:
        synsets = loadmat(meta, squeeze_me=True, struct_as_record=False)["synsets"]
        names = {int(synset.ILSVRC2012_ID): str(synset.WNID) for synset in synsets}
        classes = [names[int(line)] for line in lines if line.strip()]
    except (KeyError, ValueError, TypeError, AttributeError, OSError) as error:
        raise UserError(f"{path}: does not fit {meta} ({type(error).__name__})") from None
    if len(classes) != len(images):
        raise UserError(f"{path}: {len(classes)} labels for {len(images)} images")
    return dict(zip(images, classes))
