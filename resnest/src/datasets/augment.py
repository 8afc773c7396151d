"""Augmentation of training images, drawn from a seed of each sample's own."""

import math
import random

import numpy as np
from mindspore.dataset import vision
from PIL import Image, ImageEnhance

from src.datasets.autoaug import RandAugment

COLOR_JITTER = 0.4


class SampleSeeds:
    """A long list of distinct int64 (2,) rows, those of one `rank` different from all others'."""

    def __init__(self, rank: int):
        self.rank = rank

    def __len__(self):
        return 2**31 - 1

    def __getitem__(self, index):
        return np.array([self.rank, index], np.int64)


class TrainingTransform:
    """Random crop, flip, colour jitter and RandAugment: uint8 RGB (H, W, 3) to uint8 (crop_size,
    crop_size, 3).

    What is drawn depends on the sample's seed alone, not on the thread that works on it or on what
    it did before.
    """

    def __init__(self, crop_size: int):
        self.resize = vision.Resize((crop_size, crop_size), vision.Inter.BILINEAR)
        self.rand_augment = RandAugment(2, 12, from_pil=True)

    def __call__(self, image: np.ndarray, seed: np.ndarray) -> np.ndarray:
        generator = random.Random(seed.tobytes())
        cropped = Image.fromarray(self.resize(random_crop(image, generator)))
        if generator.random() < 0.5:
            cropped = cropped.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return self.rand_augment(color_jitter(cropped, generator), generator)


def random_crop(image: np.ndarray, generator: random.Random) -> np.ndarray:
    """A random part of `image`, uint8 RGB (H, W, 3)."""
    left, top, right, bottom = random_crop_box(image.shape[1], image.shape[0], generator)
    # MindSpore takes what lies apart in memory several times as long to resize.
    return np.ascontiguousarray(image[top:bottom, left:right])


def random_crop_box(
    width: int,
    height: int,
    generator: random.Random,
    area: tuple = (0.08, 1.0),
    ratio: tuple = (3 / 4, 4 / 3),
) -> tuple:
    """(left, top, right, bottom) in an image of this size: a part `area` of it, with width/height
    in `ratio`.

    The centre, as large as the ratio allows, where ten draws do not fit
    (https://arxiv.org/abs/1409.4842, section 6).
    """
    for _ in range(10):
        wanted = generator.uniform(*area) * width * height
        aspect = math.exp(generator.uniform(math.log(ratio[0]), math.log(ratio[1])))
        crop_width, crop_height = (
            round(math.sqrt(wanted * aspect)),
            round(math.sqrt(wanted / aspect)),
        )
        if 0 < crop_width <= width and 0 < crop_height <= height:
            left, top = (
                generator.randint(0, width - crop_width),
                generator.randint(0, height - crop_height),
            )
            return left, top, left + crop_width, top + crop_height
    crop_width = max(1, min(width, round(height * ratio[1])))
    crop_height = max(1, min(height, round(width / ratio[0])))
    left, top = (width - crop_width) // 2, (height - crop_height) // 2
    return left, top, left + crop_width, top + crop_height


def color_jitter(image: Image.Image, generator: random.Random) -> Image.Image:
    """`image` with brightness, contrast and saturation times factors of 0.6..1.4, in random
    order.
    """
    enhancers = [ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color]
    generator.shuffle(enhancers)
    for enhancer in enhancers:
        image = enhancer(image).enhance(generator.uniform(1 - COLOR_JITTER, 1 + COLOR_JITTER))
    return image
