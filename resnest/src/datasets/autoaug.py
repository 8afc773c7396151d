"""RandAugment (https://arxiv.org/abs/1909.13719) with Pillow: operations of one common strength,
drawn at random.
"""

from __future__ import annotations

import random
from types import ModuleType

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

LARGEST_MAGNITUDE = 30


def shear_x(image: Image.Image, value: float) -> Image.Image:
    """Move each row by `value` times its height in the image, so that vertical lines lean."""
    return affine(image, (1, value, 0, 0, 1, 0))


def shear_y(image: Image.Image, value: float) -> Image.Image:
    """Move each column by `value` times its distance from the left edge."""
    return affine(image, (1, 0, 0, value, 1, 0))


def translate_x_abs(image: Image.Image, pixels: float) -> Image.Image:
    """Show what lies `pixels` to the right."""
    return translate(image, pixels, 0)


def translate_y_abs(image: Image.Image, pixels: float) -> Image.Image:
    """Show what lies `pixels` below."""
    return translate(image, 0, pixels)


def translate(image: Image.Image, right: float, below: float) -> Image.Image:
    """`image` with (x, y) taken from (x + right, y + below), as `affine` does it."""
    if right == int(right) and below == int(below):  # The same values, in a tenth of the time.
        left, top = int(right), int(below)
        return image.crop((left, top, left + image.width, top + image.height))
    return affine(image, (1, 0, right, 0, 1, below))


def affine(image: Image.Image, coefficients: tuple) -> Image.Image:
    """`image` with (x, y) taken from (a x + b y + c, d x + e y + f); black where that lies
    outside, bicubic.
    """
    return image.transform(
        image.size, Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC
    )


def solarize_add(image: Image.Image, added: float) -> Image.Image:
    """Add `added` to every value, up to 255, and invert what is then 128 or more."""
    return image.point(
        [
            255 - value if value >= 128 else value
            for value in (min(level + int(added), 255) for level in range(256))
        ]
        * len(image.getbands())
    )


# Name: (operation on (image, value), value at magnitude 0, value at magnitude 30, whether the sign
# is drawn too).
# fmt: off
OPERATIONS = {
    "AutoContrast": (lambda image, _: ImageOps.autocontrast(image), 0, 1, False),
    "Equalize": (lambda image, _: ImageOps.equalize(image), 0, 1, False),
    "Invert": (lambda image, _: ImageOps.invert(image), 0, 1, False),
    "Rotate": (lambda image, degrees: image.rotate(degrees), 0, 30, True),
    "Posterize": (lambda image, bits: ImageOps.posterize(image, max(int(bits), 1)), 0, 4, False),
    "Solarize": (lambda image, threshold: ImageOps.solarize(image, threshold), 0, 256, False),
    "SolarizeAdd": (solarize_add, 0, 110, False),
    "Color": (lambda image, by: ImageEnhance.Color(image).enhance(by), 0.1, 1.9, False),
    "Contrast": (lambda image, by: ImageEnhance.Contrast(image).enhance(by), 0.1, 1.9, False),
    "Brightness": (lambda image, by: ImageEnhance.Brightness(image).enhance(by), 0.1, 1.9, False),
    "Sharpness": (lambda image, by: ImageEnhance.Sharpness(image).enhance(by), 0.1, 1.9, False),
    "ShearX": (shear_x, 0, 0.3, True),
    "ShearY": (shear_y, 0, 0.3, True),
    "TranslateXabs": (translate_x_abs, 0, 100, True),
    "TranslateYabs": (translate_y_abs, 0, 100, True),
}
# fmt: on


class RandAugment:
    """`n` operations, drawn with replacement, one after the other on a uint8 RGB image (H, W, 3).

    Args:
        n: number of operations drawn. Each is then left out with a probability that is itself drawn
            from 0.2..0.8.
        m: magnitude, 0..30: where between its two values in OPERATIONS each operation works.
        from_pil: the image comes as a PIL.Image instead of an array.
        as_pil: the result is a PIL.Image instead of an array.
    """

    def __init__(self, n: int, m: float, from_pil: bool = False, as_pil: bool = False):
        self.n, self.m, self.from_pil, self.as_pil = n, m, from_pil, as_pil

    def __call__(
        self, image: np.ndarray | Image.Image, generator: random.Random | ModuleType = random
    ) -> np.ndarray | Image.Image:
        """The augmented image, of the same size; `generator` (a random.Random) draws the
        operations.
        """
        image = image if self.from_pil else Image.fromarray(image)
        for operation, lowest, highest, signed in generator.choices(
            list(OPERATIONS.values()), k=self.n
        ):
            if generator.random() > generator.uniform(0.2, 0.8):
                continue
            value = lowest + self.m / LARGEST_MAGNITUDE * (highest - lowest)
            if signed and generator.random() < 0.5:
                value = -value
            image = operation(image, value)
        return image if self.as_pil else np.asarray(image)
