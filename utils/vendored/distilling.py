"""Distillation: a trained classifier's logits, of the images that training sees, go beside the
labels.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from .epochs import Change
from .exported import classifier_outputs, first_output, open_model
from .launch import UserError, printable
from .mixing import Mixing, create_mixing
from .preprocessing import COLOUR_ORDERS, Preprocessing, recorded_preprocessing
from .record import read_record


class Teacher:
    """Changes batches by `mixing`, if there is one, and makes their labels float32 (N, 3 + C): what
    Mixing says, and the C logits that the ONNX file `path` gives for the changed images.

    `preprocessing` is what images have gone through; they are turned into what the file's record
    wants. onnxruntime computes on the CPU. Raises UserError where the file is no classifier of
    `classes` classes, called `class_names` where both sides know names, of images of this size.
    """

    def __init__(
        self,
        path: str,
        classes: int,
        class_names: list[str] | None,
        preprocessing: Preprocessing,
        mixing: Mixing | None = None,
    ):
        self.mixing, self.model = mixing, open_model(path)
        found = classifier_outputs(path, self.model)
        if found != classes:
            raise UserError(f"{path}: the teacher has {found} classes, this network {classes}")
        names = read_record(path)[0]["class_names"]
        if names and class_names and names != class_names:
            one, other = next(pair for pair in zip(names, class_names) if pair[0] != pair[1])
            raise UserError(
                f"{path}: the teacher's classes are others, or in another order: '{printable(one)}'"
                f" where this network has '{printable(other)}'"
            )
        size = self.model.shape[2:]
        if tuple(size) != tuple(preprocessing.size):
            raise UserError(
                f"{path}: the teacher wants images of {size[0]} x {size[1]}, this network of"
                f" {preprocessing.size[0]} x {preprocessing.size[1]}; export it for these"
            )
        wanted = recorded_preprocessing(path, size)
        if wanted is None:
            print(f"{printable(path)}: no record of its preprocessing; it gets this network's")
        self.factor, self.offset, self.step = _between(preprocessing, wanted or preprocessing)

    def __call__(
        self, batch: tuple[np.ndarray, np.ndarray], random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """The changed (images, labels)."""
        images, labels = self.mixing(batch, random) if self.mixing else batch
        if labels.ndim == 1:
            labels = np.stack([labels, labels, np.ones(len(labels))], axis=1)
        return images, np.concatenate([labels, self.logits(images)], axis=1, dtype=np.float32)

    def logits(self, images: np.ndarray) -> np.ndarray:
        """float32 (N, C) of images float32 (N, 3, H, W), normalised for this network."""
        images = (images * self.factor + self.offset)[:, :: self.step]
        size, predict = self.model.shape[0] or len(images), first_output(self.model)
        parts = [images[first : first + size] for first in range(0, len(images), size)]
        # A file of a fixed number of images gets so many, the last part's again if need be.
        filled = [np.resize(part, (size, *part.shape[1:])) for part in parts]
        return np.concatenate([predict(part) for part in filled])[: len(images)]


def _between(ours, theirs):
    """(factor, offset, step): images of `ours` times factor plus offset, float32 (3, 1, 1), with
    their channels in steps of step, are images of `theirs`.
    """
    order = COLOUR_ORDERS[ours.colour_order]
    (mean, std), (their_mean, their_std) = [
        np.array((how.mean, how.std), np.float64)[:, ::order, None, None] for how in (ours, theirs)
    ]
    factor, offset = std / their_std, (mean - their_mean) / their_std
    step = order * COLOUR_ORDERS[theirs.colour_order]
    return factor.astype(np.float32), offset.astype(np.float32), step


def create_change(
    config: SimpleNamespace,
    classes: int,
    class_names: list[str] | None,
    preprocessing: Preprocessing,
) -> Change | None:
    """What `config` asks for in mixup, cutmix, erasing and teacher; None where that is nothing.

    The other arguments are the Teacher's.
    """
    mixing = create_mixing(config)
    if not config.teacher:
        return mixing
    return Teacher(config.teacher, classes, class_names, preprocessing, mixing)
