# Copied from utils/vendored/classes.py by `make vendor`: change it there.
"""The names of a network's classes, in the order of its outputs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from .launch import UserError, printable

SYNSET = re.compile(r"n\d{8}")
NAMES_SHOWN = 5
IMAGENET = Path(__file__).with_name("imagenet_classes.txt")
UNUSED = "(unused)"  # An output that is never a target, as the last of TensorFlow's 1001.


def imagenet_classes() -> dict[str, str]:
    """{synset id: readable name} of ImageNet's 1000 classes, in order."""
    lines = IMAGENET.read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines)


def names_for_training(folders: list[str], class_num: int) -> list[str]:
    """The class names of a network of `class_num` outputs trained on `folders`: theirs.

    Raises UserError where there are more of them, or only one.
    """
    if len(folders) > class_num:
        raise UserError(
            f"{len(folders)} class folders ({listed(folders)}), but the network has {class_num}"
            " classes (--class_num)"
        )
    if len(folders) < 2:
        raise UserError(f"one class folder only ({listed(folders)}): nothing to tell apart")
    return folders


def names_for_evaluation(
    folders: list[str], class_num: int, recorded: list[str] | None = None, names_file: str = ""
) -> list[str]:
    """The class names by which images in `folders` are labelled; prints where they come from.

    They are those of `names_file` (a name a line), else those `recorded` with the model, else
    ImageNet's where all folders are synset ids and the network has 1000 outputs (1001: the last is
    unused), else the folders themselves where there are as many as outputs. Raises UserError where
    none of these fits: positions in a listing are no labels.
    """
    if names_file:
        names, source = read_names(names_file), names_file
    elif recorded:
        names, source = recorded, "the model's record"
    elif class_num in (1000, 1001) and all(SYNSET.fullmatch(name) for name in folders):
        names, source = list(imagenet_classes()), "ImageNet's 1000 synset ids"
    elif len(folders) == class_num:
        names, source = list(folders), "the folders' names, as many as the network has outputs"
    else:
        raise UserError(
            f"{len(folders)} class folders ({listed(folders)}), but the network has {class_num}"
            " outputs and no record of their names: give --class_names FILE, a name a line in the"
            " order of the outputs"
        )
    if len(names) > class_num:
        raise UserError(
            f"{source}: {len(names)} class names, but the network has {class_num} outputs"
        )
    print(f"class names: {printable(str(source))}", flush=True)
    return names


def names_for_labels(
    folders: list[str], recorded: list[str] | None = None, names_file: str = ""
) -> list[str]:
    """As names_for_evaluation, where the network's outputs are not known: any number of folders."""
    outputs = 1000 if all(SYNSET.fullmatch(name) for name in folders) else len(folders)
    if recorded or names_file:
        outputs = len(recorded or read_names(names_file))
    return names_for_evaluation(folders, outputs, recorded, names_file)


def names_for_prediction(
    outputs: int, recorded: list[str] | None = None, names_file: str = ""
) -> list[str]:
    """The label of each of a network's `outputs`: as names_for_evaluation, without any folders;
    where nothing says them, their numbers. Prints where they come from.
    """
    if names_file or recorded:
        names = names_for_evaluation([], outputs, recorded, names_file)
    elif outputs in (1000, 1001):
        names = list(imagenet_classes())
        print("class names: ImageNet's 1000, since the network has as many outputs", flush=True)
    else:
        names = [f"class {number}" for number in range(outputs)]
        print("class names: none known; --class_names FILE gives them, one a line", flush=True)
    return names + [UNUSED] * (outputs - len(names))


def readable(labels: Sequence[str]) -> list[str]:
    """`labels`, with ImageNet's synset ids as what they mean, up to the first comma."""
    meanings = imagenet_classes()
    return [meanings[label].split(",")[0] if label in meanings else label for label in labels]


def read_names(path: str) -> list[str]:
    """The lines of the text file `path`. Raises UserError where it is none, or names repeat."""
    try:
        names = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a readable text file of class names ({error})") from None
    names = [name.strip() for name in names if name.strip()]
    if not names or len(set(names)) != len(names):
        raise UserError(f"{path}: wanted one class name a line, each once")
    return names


def listed(names: Sequence[str]) -> str:
    """The first few of `names`, as text."""
    shown = ", ".join(f"'{printable(name)}'" for name in list(names)[:NAMES_SHOWN])
    return shown + (", ..." if len(names) > NAMES_SHOWN else "")
