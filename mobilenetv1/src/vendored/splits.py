# Copied from utils/vendored/splits.py by `make vendor`: change it there.
"""The folders of training and of evaluation images, which may be named by the folder above."""

from __future__ import annotations

import os
from collections.abc import Sequence

from .launch import UserError, printable
from .layouts import label_file
from .listing import contents

TRAINING = ("train", "ILSVRC2012_train")
EVALUATION = ("val", "validation_preprocess", "ILSVRC2012_val", "validation")
# Class folders that are all called so, in any letter case, are splits without classes.
NO_CLASSES = {name.lower() for name in (*TRAINING, *EVALUATION)} | {
    "training", "valid", "eval", "evaluation", "test", "testing", "ilsvrc2012_test", "trainval"
}  # fmt: skip


def find_split(path: str, names: Sequence[str]) -> str:
    """The folder of the split: that below `path` which is called one of `names`, else `path`.

    A folder of that name with images directly in it is a class of `path`, not a split, unless a
    file has their classes. What was chosen is printed.
    """
    found = split_below(path, names)
    if found:
        print(f"images: {printable(found)}", flush=True)
    return found or path


def split_below(path: str, names: Sequence[str]) -> str:
    """As find_split, without a word; "" where there is none."""
    for name in names:
        below = os.path.join(path, name)
        if os.path.isdir(below) and (contents(below).folders or label_file(below)):
            return below
    return ""


def held_out_split(training_path: str, flag: str) -> str:
    """The folder of evaluation images in `training_path` or beside it; `flag` names another.

    Raises UserError where there is none: training images say nothing about others.
    """
    trained = os.path.realpath(split_below(training_path, TRAINING) or training_path)
    for base in (training_path, os.path.dirname(os.path.abspath(training_path))):
        for name in EVALUATION:
            found = split_below(base, (name,))
            if found and os.path.realpath(found) != trained:
                return found
    raise UserError(
        f"images to evaluate on are wanted: --{flag} FOLDER; neither {training_path} nor the"
        f" folder above has one of {', '.join(EVALUATION)} besides the training images"
    )
