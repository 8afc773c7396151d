# Copied from utils/vendored/images.py by `make vendor`: change it there.
"""Trees of class folders: which images there are, and of which class."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .classes import listed, names_for_evaluation, names_for_training
from .inputs import require_images
from .launch import UserError, printable
from .layouts import labelled_images
from .listing import STRAY, Progress, contents, note_others
from .splits import EVALUATION, NO_CLASSES, TRAINING, find_split


class ImageTree(NamedTuple):
    """`paths` of images below `folder`, `labels` (N,) int32: positions in `class_names`."""

    folder: str
    class_names: list
    paths: list
    labels: np.ndarray

    def share(self, rank: int, ranks: int) -> ImageTree:
        """What one of `ranks` evaluates: every image is in exactly one share."""
        return self._replace(paths=self.paths[rank::ranks], labels=self.labels[rank::ranks])


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
    try:
        class_names = list(naming(list(found)))
    except UserError:
        _refuse_splits(path, found, [])
        raise
    _refuse_splits(path, found, class_names)
    _match(path, found, class_names)
    position = {name: index for index, name in enumerate(class_names)}
    paths = [os.path.join(path, image) for images in found.values() for image in images]
    labels = [position[name] for name, images in found.items() for _ in images]
    return ImageTree(str(path), class_names, paths, np.array(labels, np.int32))


def _found_by_file(path):
    """{class: images} where the images lie directly in `path` or its folder images, else None."""
    for folder in ("", "images"):
        inner = os.path.join(path, folder)
        images = contents(inner).images if os.path.isdir(inner) else []
        found = labelled_images(inner, images) if images else None
        if found:
            return {
                name: [os.path.join(folder, image) for image in images]
                for name, images in found.items()
            }
    return None


def _found_by_folder(path):
    """{class: images} of the class folders in `path`."""
    folders, beside = _class_folders(path)
    progress, found, inside, others = Progress(f"listing the images of {path}"), {}, [], []
    for number, name in enumerate(folders):
        progress.at(number, len(folders), "folders")
        own, place = contents(os.path.join(path, name)), name
        deeper = own.folders
        if not own.images and "images" in deeper:
            deeper.remove("images")
            place = os.path.join(name, "images")
            own = contents(os.path.join(path, place))
        inside += [os.path.join(name, other) for other in deeper if other.lower() not in STRAY]
        found[name] = [os.path.join(place, image) for image in own.images]
        others += [os.path.join(place, other) for other in own.others]
    note_others(path, others)
    if not any(found.values()):
        raise UserError(
            f"{path}: expected {path}/<class>/<image>.jpg, found"
            f" {_without_images(path, inside, others)}"
        )
    _refuse_stray(path, found)
    if beside:
        _left_out(path, f"{len(beside)} images lie beside the class folders and are", beside)
    if inside:
        _left_out(path, f"{len(inside)} folders in class folders are", inside)
    return found


def _refuse_stray(path, found):
    stray = [name for name in found if found[name] and name.lower() in STRAY]
    if stray:
        raise UserError(
            f"{path}: '{printable(stray[0])}' is no class, but what systems leave behind, and has"
            f" {len(found[stray[0]])} images in it; move it out of the data set"
        )


def _refuse_splits(path, found, class_names):
    """Raise UserError where the classes would be train and val."""
    filled = [name for name in found if found[name]]
    others = [name for name in class_names if name.lower() not in NO_CLASSES]
    known = others and set(filled) <= set(class_names)
    if not known and all(name.lower() in NO_CLASSES for name in filled):
        raise UserError(
            f"{path}: {listed(filled)}: called as splits are, but the images in it have no class"
            f" folders; expected {path}/<class>/<image>.jpg or {path}/{filled[0]}/<class>/..."
        )


def _left_out(path, what, names):
    _note(path, f"{what} left out, such as {printable(names[0])}")


def _note(path, text):
    print(f"note: {printable(str(path))}: {text}", flush=True)


def _match(path, found, class_names):
    """Check the folders in `found` {name: images} against the classes; leave those with images."""
    known = set(class_names)
    unknown = [name for name in found if name not in known and found[name]]
    if unknown:
        raise UserError(
            f"{path}: {len(unknown)} class folders that the network does not know,"
            f" {listed(unknown)}; it knows {len(class_names)} classes, {listed(class_names)};"
            " rename or move the folders, or train with them"
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
    """(the names of the class folders in `path`, those of images beside them)."""
    require_images(path)
    expected = f"{str(path).rstrip('/')}/<class>/<image>.jpg"
    images, folders, _ = contents(path)
    if not folders or (images and all(name.lower() in STRAY for name in folders)):
        inside = "images directly in it, which have no class" if images else "no folders in it"
        raise UserError(f"{path}: expected {expected}, found {inside}")
    return folders, images


def _without_images(path, inside, others):
    """What a tree without images in its class folders looks like: `inside` are folders in them,
    `others` photos of other formats.
    """
    if others:
        return f"no JPEG, PNG or BMP in them, but {printable(others[0])}; convert the photos"
    if inside:
        return f"folders in folders (give one below, such as {path}/{os.path.dirname(inside[0])})"
    return "class folders without images"
