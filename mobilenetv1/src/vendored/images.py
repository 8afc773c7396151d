# Copied from utils/vendored/images.py by `make vendor`: change it there.
"""Trees of class folders: which images, of which class, and the source of a data pipeline."""

import collections
import os
import re
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .jpeg import damage
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
RECENT = 2048  # images that a pipeline may have read ahead
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


class ImageFiles:
    """Random access to (content uint8 (bytes,), label int32 ()) of the images of a tree.

    Content that would end MindSpore's decoder by a signal raises UserError with the path.
    """

    def __init__(self, tree):
        self.paths, self.labels = tree.paths, tree.labels
        self.recent = collections.deque(maxlen=RECENT)

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        path = self.paths[index]
        self.recent.append(path)
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror})") from None
        wrong = damage(content)
        if wrong:
            raise UserError(
                f"{path}: this image cannot be decoded ({wrong}); repair it or remove it from the"
                " data set"
            )
        return np.frombuffer(content, np.uint8), self.labels[index, ...]


def image_dataset(tree, shuffle, workers, rank=0, ranks=1, padded=True):
    """A data set with the columns image (encoded, uint8) and label (int32) of this rank's share.

    Shares of all ranks have the same size where `padded`, by repeating a few images; else each
    image is in exactly one.
    """
    import mindspore.dataset as ds

    options = {
        "python_multiprocessing": False,
        "num_parallel_workers": max(1, min(workers // 2, 8)),
    }
    files = ImageFiles(tree)
    if ranks == 1:
        return ds.GeneratorDataset(files, ["image", "label"], shuffle=shuffle, **options)
    if padded:
        return ds.GeneratorDataset(
            files, ["image", "label"], shuffle=shuffle, num_shards=ranks, shard_id=rank, **options
        )
    check_batch_size(tree.folder, len(files), ranks)
    own = list(range(rank, len(files), ranks))
    sampler = (ds.SubsetRandomSampler if shuffle else ds.SubsetSampler)(own)
    return ds.GeneratorDataset(files, ["image", "label"], sampler=sampler, **options)


def refuse_undecodable(dataset, error):
    """Raise UserError with the path where the RuntimeError `error` of the pipeline `dataset` comes
    of an image that was read not long ago and that Pillow cannot decode either.
    """
    from PIL import Image

    if "ecode" not in str(error):
        return
    while dataset.children:
        dataset = dataset.children[0]
    for path in getattr(getattr(dataset, "source", None), "recent", ()):
        try:
            with Image.open(path) as image:
                image.load()
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as reason:
            raise UserError(
                f"{path}: this image cannot be decoded ({reason}); repair it or remove it from the"
                " data set"
            ) from None
