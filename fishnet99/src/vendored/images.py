# Copied from utils/vendored/images.py by `make vendor`: change it there.
"""Trees of class folders: which images there are, and of which class."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from .classes import listed, names_for_evaluation, names_for_training
from .launch import UserError, printable
from .layouts import label_file, labelled_images

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
PATIENCE = 2.0  # seconds without a word


class ImageTree(NamedTuple):
    """`paths` of images below `folder`, `labels` (N,) int32: positions in `class_names`."""

    folder: str
    class_names: list
    paths: list
    labels: np.ndarray

    def share(self, rank: int, ranks: int) -> ImageTree:
        """What one of `ranks` evaluates: every image is in exactly one share."""
        return self._replace(paths=self.paths[rank::ranks], labels=self.labels[rank::ranks])


def find_split(path: str, names: Sequence[str]) -> str:
    """The folder of the split: that below `path` which is called one of `names`, else `path`.

    A folder of that name with images directly in it is a class of `path`, not a split, unless a
    file has their classes. What was chosen is printed.
    """
    found = _split_in(path, names)
    if found:
        print(f"images: {printable(found)}", flush=True)
    return found or path


def _split_in(path, names):
    for name in names:
        below = os.path.join(path, name)
        if os.path.isdir(below) and (_class_folders(below) or label_file(below)):
            return below
    return ""


def held_out_split(training_path: str, flag: str) -> str:
    """The folder of evaluation images in `training_path` or beside it; `flag` names another.

    Raises UserError where there is none: training images say nothing about others.
    """
    for base in (training_path, os.path.dirname(os.path.abspath(training_path))):
        found = _split_in(base, EVALUATION)
        if found:
            return found
    raise UserError(
        f"images to evaluate on are wanted: --{flag} FOLDER; neither {training_path} nor the"
        f" folder above has one of {', '.join(EVALUATION)}"
    )


def read_image_tree(path: str, naming: Callable[[list[str]], list[str]]) -> ImageTree:
    """The ImageTree of `path`/<class>/<image>, images sorted by class and name.

    `naming` maps the sorted names of the class folders to the names of all classes, in the order of
    their labels. Images may lie in <class>/images, and their classes may stand in a file instead
    (see layouts). Raises UserError that says which tree was expected and which was found.
    """
    found = _found_by_file(path) or _found_by_folder(path)
    for name in [name for name in found if not found[name] and name.lower() in STRAY]:
        _note(path, f"the empty folder '{printable(name)}' is no class")
        del found[name]
    class_names = list(naming(list(found)))
    _match(path, found, class_names)
    position = {name: index for index, name in enumerate(class_names)}
    paths = [os.path.join(path, image) for images in found.values() for image in images]
    labels = [position[name] for name, images in found.items() for _ in images]
    return ImageTree(str(path), class_names, paths, np.array(labels, np.int32))


def _found_by_file(path):
    """{class: images} where the images lie directly in `path` or its folder images, else None."""
    for folder in ("", "images"):
        inner = os.path.join(path, folder)
        images = _images(inner) if os.path.isdir(inner) else []
        found = labelled_images(inner, images) if images else None
        if found:
            return {
                name: [os.path.join(folder, image) for image in images]
                for name, images in found.items()
            }
    return None


def _found_by_folder(path):
    """{class: images} of the class folders in `path`."""
    folders = _class_folders_or_error(path)
    started, told, found = time.monotonic(), False, {}
    for name in folders:
        inner = os.path.join(path, name)
        below = "" if _images(inner) or not os.path.isdir(f"{inner}/images") else "images"
        found[name] = [
            os.path.join(name, below, image) for image in _images(os.path.join(inner, below))
        ]
        if not told and time.monotonic() - started > PATIENCE:
            told = True
            print(f"listing the images of {printable(str(path))} ...", flush=True)
    beside = _images(path) if any(found.values()) else []
    if beside:
        _note(
            path,
            f"{len(beside)} images lie beside the class folders and are left out, such as"
            f" {printable(beside[0])}",
        )
    if not any(found.values()):
        raise UserError(
            f"{path}: expected {path}/<class>/<image>.jpg, found {_without_images(path, folders)}"
        )
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


def training_tree(path: str, class_num: int) -> ImageTree:
    """The ImageTree to train a network of `class_num` outputs on: `path`, or the split below it."""
    folder = find_split(path, TRAINING)
    return read_image_tree(folder, lambda folders: names_for_training(folders, class_num))


def evaluation_tree(
    path: str, class_num: int, recorded: list[str] | None = None, names_file: str = ""
) -> ImageTree:
    """The ImageTree to evaluate on: `path`, or the split below it; see names_for_evaluation."""
    folder = find_split(path, EVALUATION)
    return read_image_tree(
        folder, lambda folders: names_for_evaluation(folders, class_num, recorded, names_file)
    )


def check_batch_size(path: str, images: int, batch_size: int) -> None:
    """Raise UserError where `images` images at `path` do not fill one batch of `batch_size`."""
    if batch_size > images:
        raise UserError(
            f"{path}: {images} images are fewer than one batch of {batch_size}; lower --batch_size"
        )


def _class_folders(path):
    with os.scandir(path) as entries:
        return sorted(
            entry.name for entry in entries if _is_folder(entry) and not entry.name.startswith(".")
        )


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # such as a link to itself
        return False


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
    """The sorted names in `folder` that have an image's suffix, as the C++ programs list them.

    Links to nothing and pipes count too: they cannot be read, and that is said.
    """
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.name.lower().endswith(SUFFIXES)
            and not entry.name.startswith(".")
            and not _is_folder(entry)
        )
