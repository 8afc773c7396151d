"""Trees of class folders: which images there are, and of which class."""

import os
import re
import time
from typing import NamedTuple

import numpy as np

from .launch import UserError, printable

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")  # in any letter case
TRAINING = ("train", "ILSVRC2012_train")
EVALUATION = ("val", "validation_preprocess", "ILSVRC2012_val", "validation")
# What storage servers and archives leave behind.
STRAY = {
    "#recycle",
    "lost+found",
    "__macosx",
    "@eadir",
    "$recycle.bin",
    "system volume information",
}
SYNSET = re.compile(r"n\d{8}")
NAMES_SHOWN = 5
PATIENCE = 2.0  # seconds without a word


class ImageTree(NamedTuple):
    """`paths` of images below `folder`, `labels` (N,) int32: positions in `class_names`."""

    folder: str
    class_names: list
    paths: list
    labels: np.ndarray


def find_split(path, names):
    """The folder of the split: that below `path` which is called one of `names`, else `path`.

    A folder of that name with images directly in it is a class of `path`, not a split. What was
    chosen is printed.
    """
    for name in names:
        below = os.path.join(path, name)
        if os.path.isdir(below) and any(_class_folders(below)):
            print(f"images: {printable(below)}", flush=True)
            return below
    return path


def held_out_split(training_path, flag):
    """The folder of evaluation images in `training_path` or beside it; `flag` names another.

    Raises UserError where there is none: training images say nothing about others.
    """
    beside = os.path.dirname(os.path.abspath(training_path))
    for base in (training_path, beside):
        for name in EVALUATION:
            path = os.path.join(base, name)
            if os.path.isdir(path) and _class_folders(path):
                return path
    raise UserError(
        f"run_eval wants images to evaluate on: --{flag} FOLDER; neither {training_path} nor the"
        f" folder above has one of {', '.join(EVALUATION)}"
    )


def read_image_tree(path, naming):
    """The ImageTree of `path`/<class>/<image>, images sorted by class and name.

    `naming` maps the sorted names of the class folders to the names of all classes, in the order of
    their labels. Raises UserError that says which tree was expected and which was found.
    """
    folders = _class_folders_or_error(path)
    found = _images_by_class(path, folders)
    if not any(found.values()):
        raise UserError(
            f"{path}: expected {path}/<class>/<image>.jpg, found {_without_images(path, folders)}"
        )
    for name in [name for name in folders if not found[name] and name.lower() in STRAY]:
        _note(path, f"the empty folder '{printable(name)}' is no class")
        del found[name]
    class_names = list(naming(list(found)))
    _match(path, found, class_names)
    position = {name: index for index, name in enumerate(class_names)}
    paths = [os.path.join(path, name, image) for name in found for image in found[name]]
    labels = [position[name] for name in found for _ in found[name]]
    return ImageTree(str(path), class_names, paths, np.array(labels, np.int32))


def _images_by_class(path, folders):
    started, told, found = time.monotonic(), False, {}
    for name in folders:
        found[name] = _images(os.path.join(path, name))
        if not told and time.monotonic() - started > PATIENCE:
            told = True
            print(f"listing the images of {printable(str(path))} ...", flush=True)
    return found


def _note(path, text):
    print(f"note: {printable(str(path))}: {text}", flush=True)


def _match(path, found, class_names):
    """Check the folders in `found` {name: images} against the classes; leave those with images."""
    known = set(class_names)
    unknown = [name for name in found if name not in known and found[name]]
    if unknown:
        raise UserError(
            f"{path}: {len(unknown)} class folders that the network does not know,"
            f" {listed(unknown)}; it knows {len(class_names)} classes, {listed(class_names)}"
        )
    for name in [name for name in found if not found[name]]:
        if name not in known:
            _note(path, f"the empty folder '{printable(name)}' is no class")
        del found[name]
    missing = [name for name in class_names if name not in found]
    if missing:
        number = f"{len(missing)} of {len(class_names)} classes"
        _note(path, f"no images of {number}, {listed(missing)}: they keep their labels")


def check_batch_size(path, images, batch_size):
    """Raise UserError where `images` images at `path` do not fill one batch of `batch_size`."""
    if batch_size > images:
        raise UserError(
            f"{path}: {images} images are fewer than one batch of {batch_size}; lower --batch_size"
        )


def _class_folders(path):
    with os.scandir(path) as entries:
        return sorted(
            entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")
        )


def _class_folders_or_error(path):
    expected = f"{str(path).rstrip('/')}/<class>/<image>.jpg"
    if not os.path.isdir(path):
        raise UserError(f"{path or 'the data path'}: no such folder; expected {expected}")
    folders = _class_folders(path)
    if not folders:
        inside = (
            "images directly in it, which have no class" if _images(path) else "no folders in it"
        )
        raise UserError(f"{path}: expected {expected}, found {inside}")
    return folders


def _without_images(path, folders):
    """What a tree without images in its class folders looks like."""
    inner = [name for name in folders if _class_folders(os.path.join(path, name))]
    if inner:
        return f"folders in folders (give one below, such as {os.path.join(path, inner[0])})"
    return "class folders without images"


def _images(folder):
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.name.lower().endswith(SUFFIXES)
            and not entry.name.startswith(".")
            and entry.is_file()
        )


def listed(names):
    """The first few of `names`, as text."""
    shown = ", ".join(f"'{printable(name)}'" for name in list(names)[:NAMES_SHOWN])
    return shown + (", ..." if len(names) > NAMES_SHOWN else "")
