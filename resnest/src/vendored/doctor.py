# Copied from utils/vendored/doctor.py by `make vendor`: change it there.
"""A data doctor: what a run would meet in a tree of images, before it is started.

python src/dataset.py --check DATA [--against TRAIN]
"""

from __future__ import annotations

import collections
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from .classes import listed
from .flags import parse_flags
from .identical import note_identical
from .images import ImageTree, read_image_tree
from .inputs import require_images
from .launch import UserError, printable
from .probe import decoded
from .record import read_record
from .splits import EVALUATION, TRAINING, find_split

if TYPE_CHECKING:
    import mindspore.dataset as ds

SETTINGS = {
    "data": {
        "check": ("", "images to look at, one folder a class, or the folder above"),
        "against": (
            "",
            "training images, or a trained model: whose classes are the network's",
        ),
    }
}
SHOWN = 10  # files named of a kind
TIMED = 512  # images


def read_flags(description: str) -> dict:
    """{key: value} of SETTINGS on the command line; raises UserError where folders are missing."""
    flags, _ = parse_flags(SETTINGS, description=description)
    if not flags["check"]:
        raise UserError("which images? --check FOLDER")
    if flags["against"] and not os.path.isfile(flags["against"]):
        require_images(flags["against"])
    require_images(flags["check"])
    return flags


def main(flags: dict, pipeline: Callable[[ImageTree], ds.Dataset]) -> None:
    """Print what is in the tree that `flags` name; raise UserError where a run would fail.

    `pipeline` maps an ImageTree to the data set that an evaluation reads, to time it.
    """
    names = _class_names(flags["against"]) if flags["against"] else None
    tree = read_image_tree(
        find_split(flags["check"], EVALUATION if names else TRAINING),
        (lambda folders: names) if names else list,
    )
    print_counts(tree)
    _print_others(tree)
    bad = _check_files(tree)
    if bad:
        raise UserError(f"{tree.folder}: {bad} images cannot be decoded; repair or remove them")
    if os.path.isdir(flags["against"]):
        note_identical(flags["against"], tree.folder, most=sys.maxsize)
    part = tree._replace(paths=tree.paths[:TIMED], labels=tree.labels[:TIMED])
    time_pipeline(pipeline(part))
    print("a run would find nothing wrong with these images")


def print_counts(tree: ImageTree) -> None:
    """Print how many images `tree` has of each class."""
    print(f"{len(tree.paths)} images in {len(tree.class_names)} classes: {printable(tree.folder)}")
    counts = collections.Counter(tree.labels.tolist())
    for label, name in enumerate(tree.class_names):
        print(f"{counts[label]:8d}  {printable(name)}")


def time_pipeline(dataset: ds.Dataset) -> None:
    """Print the time that an image of `dataset` takes."""
    started, images = time.perf_counter(), 0
    for batch in dataset.create_tuple_iterator(num_epochs=1, output_numpy=True):
        images += len(batch[-1])
    milliseconds = 1000 * (time.perf_counter() - started) / images
    print(f"{milliseconds:.2f} ms an image in the pipeline of evaluation")


def _class_names(path):
    """Those of the model's record or of the training tree at `path`."""
    if not os.path.isfile(path):
        return read_image_tree(find_split(path, TRAINING), list).class_names
    names = read_record(path)[0]["class_names"]
    if not names:
        raise UserError(f"{path}: no record of class names in it; give the training images instead")
    print(f"class names: {printable(path)}")
    return names


def _print_others(tree):
    known = set(tree.paths)
    others = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(tree.folder)
        for name in names
        if os.path.join(folder, name) not in known
    ]
    if others:
        print(f"{len(others)} other files, not read: {listed(others)}")


def _check_files(tree):
    """Read and decode every image; print the damaged ones. Returns how many there are."""
    from tqdm import tqdm

    bad, sizes = 0, collections.Counter()
    for _, found in tqdm(decoded(tree.paths), total=len(tree.paths), unit="image", disable=None):
        if isinstance(found, tuple):
            sizes[found] += 1
            continue
        bad += 1
        if bad <= SHOWN:
            print(printable(found))
    if bad > SHOWN:
        print(f"... and {bad - SHOWN} more")
    for (width, height), number in sizes.most_common(3):
        print(f"{number} images of {width} x {height}")
    print(f"{len(sizes)} sizes in all")
    return bad
