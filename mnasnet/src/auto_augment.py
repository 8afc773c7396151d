"""AutoAugment's operations and its policy for ImageNet (https://arxiv.org/abs/1805.09501)."""

import math
from collections.abc import Callable

import mindspore.dataset.transforms as transforms
import mindspore.dataset.vision as vision


def either_sign(operation: Callable, degrees: float) -> transforms.RandomChoice:
    """`operation` by plus or minus `degrees`, with even chances."""
    return transforms.RandomChoice([operation(degrees), operation(-degrees)])


def shear_x(degrees: float) -> vision.Affine:
    """Shear along x, about the centre, so that vertical lines lean by `degrees`."""
    return vision.Affine(degrees=0, translate=(0, 0), scale=1.0, shear=(degrees, 0))


def enhancement_factor(level: float) -> float:
    """Blending factor of color, contrast and sharpness: 1 leaves the image as it is."""
    return 0.1 + 0.18 * level


# Augmentations of uint8 RGB images (H, W, 3), each by its level, 0 to 10. The values are
# AutoAugment's (https://arxiv.org/abs/1805.09501, table 6), but for posterize, which keeps 1 to 4
# bits. A shear of 0.03 level is in pixels per pixel; solarize inverts every value from its
# threshold up.
OPERATIONS = {
    "autocontrast": lambda level: vision.AutoContrast(),
    "equalize": lambda level: vision.Equalize(),
    "invert": lambda level: vision.Invert(),
    "rotate": lambda level: either_sign(vision.Rotate, int(3 * level)),
    "shear_x": lambda level: either_sign(shear_x, math.degrees(math.atan(0.03 * level))),
    "posterize": lambda level: vision.Posterize(4 - int(0.4 * level)),
    "solarize": lambda level: vision.Solarize((256 - int(25.6 * level), 255)),
    "color": lambda level: vision.AdjustSaturation(enhancement_factor(level)),
    "contrast": lambda level: vision.AdjustContrast(enhancement_factor(level)),
    "sharpness": lambda level: vision.AdjustSharpness(enhancement_factor(level)),
}

# Pairs of (operation, level, probability); one pair is drawn for each image. Level 0 stands where
# there is no strength.
POLICY = (
    (("posterize", 8, 0.4), ("rotate", 9, 0.6)),
    (("solarize", 5, 0.6), ("autocontrast", 0, 0.6)),
    (("equalize", 0, 0.8), ("equalize", 0, 0.6)),
    (("posterize", 7, 0.6), ("posterize", 6, 0.6)),
    (("equalize", 0, 0.4), ("solarize", 4, 0.2)),
    (("equalize", 0, 0.4), ("rotate", 8, 0.8)),
    (("solarize", 3, 0.6), ("equalize", 0, 0.6)),
    (("posterize", 5, 0.8), ("equalize", 0, 1.0)),
    (("rotate", 3, 0.2), ("solarize", 8, 0.6)),
    (("equalize", 0, 0.6), ("posterize", 6, 0.4)),
    (("rotate", 8, 0.8), ("color", 0, 0.4)),
    (("rotate", 9, 0.4), ("equalize", 0, 0.6)),
    (("equalize", 0, 0.0), ("equalize", 0, 0.8)),
    (("invert", 0, 0.6), ("equalize", 0, 1.0)),
    (("color", 4, 0.6), ("contrast", 8, 1.0)),
    (("rotate", 8, 0.8), ("color", 2, 1.0)),
    (("color", 8, 0.8), ("solarize", 7, 0.8)),
    (("sharpness", 7, 0.4), ("invert", 0, 0.6)),
    (("shear_x", 5, 0.6), ("equalize", 0, 1.0)),
    (("color", 0, 0.4), ("equalize", 0, 0.6)),
    (("equalize", 0, 0.4), ("solarize", 4, 0.2)),
    (("solarize", 5, 0.6), ("autocontrast", 0, 0.6)),
    (("invert", 0, 0.6), ("equalize", 0, 1.0)),
    (("color", 4, 0.6), ("contrast", 8, 1.0)),
    (("equalize", 0, 0.8), ("equalize", 0, 0.6)),
)
