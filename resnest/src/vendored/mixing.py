# Copied from utils/vendored/mixing.py by `make vendor`: change it there.
"""Batches in which images are mixed and erased: mixup, CutMix, random erasing.

What is drawn follows from (seed, epoch, rank, step) alone, so that a resumed run draws the same;
MindSpore's own operations draw from one stream of a process, and erasing from Python's.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

# group: {key: (default, meaning, the choices or the range)}
# fmt: off
SETTINGS = {
    "images and loss": {
        "mixup": (0.0, "mix pairs of images by a share of the beta distribution with this alpha;"
                       " 0: off", {"min": 0.0}),
        "cutmix": (0.0, "put a part of another image into each, its share of the same distribution;"
                        " with mixup, each for half of the batches; 0: off", {"min": 0.0}),
        "erasing": (0.0, "probability that a rectangle of an image becomes noise; 0: off",
                    {"min": 0.0, "max": 1.0}),
        "bce": (False, "binary cross entropy of each class in place of the documented loss, without"
                       " label smoothing"),
    },
    "distillation": {
        "teacher": ("", "ONNX file of a classifier to learn from, of this or another folder"),
        "teacher_weight": (0.5, "share of the loss against the teacher; the labels have the rest",
                           {"min": 0.0, "max": 1.0}),
        "teacher_temperature": (1.0, "what both networks' logits are divided by for it",
                                {"min": 0.01, "max": 1000.0}),
    },
}
# fmt: on
ERASED_SHARE, ERASED_RATIO = (0.02, 1 / 3), (0.3, 1 / 0.3)
ATTEMPTS = 10


class Mixing:
    """Changes batches of images, float32 (N, C, H, W), normalised, with labels int32 (N,).

    With mixup (arXiv:1710.09412) or cutmix (arXiv:1905.04899) labels become float32 (N, 3): the
    image's class, the other's, and the share of the first, one share a batch. `erasing` is after
    arXiv:1708.04896, table 1: a rectangle of 0.02 to 1/3 of the area, with an aspect from 0.3 to
    1/0.3, becomes normal noise.
    """

    def __init__(self, mixup: float = 0.0, cutmix: float = 0.0, erasing: float = 0.0):
        self.mixup, self.cutmix, self.erasing = mixup, cutmix, erasing

    def __call__(
        self, batch: tuple[np.ndarray, np.ndarray], random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """The changed (images, labels); what is drawn comes from `random`."""
        images, labels = batch
        if self.mixup or self.cutmix:
            images, labels = self.mix(images, labels, random)
        if self.erasing:
            images = self.erase(images, random)
        return images, labels

    def mix(
        self, images: np.ndarray, labels: np.ndarray, random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Each image with another one of its batch, or with itself."""
        cuts = bool(self.cutmix) and (not self.mixup or random.random() < 0.5)
        alpha = self.cutmix if cuts else self.mixup
        share, others = random.beta(alpha, alpha), random.permutation(len(images))
        if cuts:
            top, bottom, left, right = _part(images.shape[2:], 1 - share, random)
            mixed = images.copy()
            mixed[..., top:bottom, left:right] = images[others, :, top:bottom, left:right]
            height, width = images.shape[2:]
            share = 1 - (bottom - top) * (right - left) / (height * width)
        else:
            mixed = np.float32(share) * images + np.float32(1 - share) * images[others]
        shares = np.full(len(labels), share)
        return mixed, np.stack([labels, labels[others], shares], axis=1).astype(np.float32)

    def erase(self, images: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Each with the probability `erasing`; not where no rectangle of those drawn fits."""
        images, (height, width) = images.copy(), images.shape[2:]
        for number in np.flatnonzero(random.random(len(images)) < self.erasing):
            for _ in range(ATTEMPTS):
                area = random.uniform(*ERASED_SHARE) * height * width
                ratio = np.exp(random.uniform(*np.log(ERASED_RATIO)))
                tall, wide = round((area * ratio) ** 0.5), round((area / ratio) ** 0.5)
                if 0 < tall < height and 0 < wide < width:
                    top = random.integers(height - tall + 1)
                    left = random.integers(width - wide + 1)
                    noise = random.standard_normal((len(images[0]), tall, wide), np.float32)
                    images[number, :, top : top + tall, left : left + wide] = noise
                    break
        return images


def _part(size, share, random):
    """(top, bottom, left, right) of a part of `share` of the area, about any pixel, cut at the
    edges.
    """
    height, width = size
    tall, wide = int(height * share**0.5), int(width * share**0.5)
    y, x = int(random.integers(height)), int(random.integers(width))
    top, left = max(y - tall // 2, 0), max(x - wide // 2, 0)
    return top, min(y + tall // 2, height), left, min(x + wide // 2, width)


def create_mixing(config: SimpleNamespace) -> Mixing | None:
    """What `config` asks for in mixup, cutmix and erasing; None where that is nothing."""
    chosen = (config.mixup, config.cutmix, config.erasing)
    return Mixing(*chosen) if any(chosen) else None
