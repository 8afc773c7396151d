# Copied from utils/vendored/identical.py by `make vendor`: change it there.
"""Held-out images that are training images as well: their accuracy says nothing about others."""

from __future__ import annotations

import collections
import hashlib
import os
import stat

from .launch import printable
from .listing import Progress, contents
from .splits import EVALUATION, TRAINING, split_below

MOST = 100_000  # training images that a run looks at before it starts


def note_identical(training_path: str, held_out_path: str, most: int = MOST) -> int:
    """Print how many images of the tree `held_out_path` are, byte for byte, in the tree
    `training_path` too, if any; each is that, or the folder above its split.

    Returns their number. From `most` training images on nothing is read, and that is printed. Only
    files of equal size are read.
    """
    trained = _images(split_below(training_path, TRAINING) or training_path)
    held_out = _images(split_below(held_out_path, EVALUATION) or held_out_path)
    if len(trained) > most:
        print(
            f"note: whether held-out images are among the {len(trained)} training images was not"
            " looked at; python src/dataset.py --check VALIDATION --against TRAINING does",
            flush=True,
        )
        return 0
    same = _same(trained, held_out)
    if same:
        (first, other), *_ = same.items()
        print(
            f"note: {len(same)} of {len(held_out)} held-out images are training images too, such as"
            f" {printable(first)}, the same as {printable(other)}",
            flush=True,
        )
    return len(same)


def _images(path):
    """The images in the class folders of `path`, directly in it, or in folders images of these."""
    found, folders = [], [path] if os.path.isdir(path) else []
    for depth in range(3):
        inner = []
        for folder in folders:
            images, below, _ = contents(folder)
            found += [os.path.join(folder, name) for name in images]
            wanted = below if depth == 0 else [name for name in below if name == "images"]
            inner += [os.path.join(folder, name) for name in wanted]
        folders = inner
    return found


def _same(trained, held_out):
    """{path of `held_out`: path of `trained` with the same content}."""
    progress = Progress("comparing held-out images with training images")
    sizes = {_size(path) for path in held_out} - {None}
    candidates = collections.defaultdict(list)
    for number, path in enumerate(trained):
        progress.at(number, len(trained), "sizes of files")
        size = _size(path)
        if size in sizes:
            candidates[size].append(path)
    suspects = [path for path in held_out if _size(path) in candidates]
    candidates = [path for paths in candidates.values() for path in paths]
    whole, digests = len(candidates) + len(suspects), {}
    for number, path in enumerate(candidates):
        progress.at(number, whole, "files read")
        digests[_digest(path)] = path
    same = {}
    for number, path in enumerate(suspects, len(candidates)):
        progress.at(number, whole, "files read")
        digest = _digest(path)
        if digest and digest in digests:
            same[path] = digests[digest]
    return same


def _size(path):
    """None for what is no file that can be read: another part of a run says so."""
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_size if stat.S_ISREG(facts.st_mode) else None


def _digest(path):
    try:
        with open(path, "rb") as file:
            return hashlib.blake2b(file.read()).digest()
    except OSError:
        return None
