"""What is done with an image: CIFAR-10's and ImageNet's, in training and in evaluation."""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.dataset import vision

from src.vendored.preprocessing import Preprocessing

# RGB on the scale 0..255.
CIFAR_MEAN = tuple(255 * value for value in (0.4914, 0.4822, 0.4465))
CIFAR_STD = tuple(255 * value for value in (0.2023, 0.1994, 0.2010))
IMAGENET_MEAN = tuple(255 * value for value in (0.485, 0.456, 0.406))
IMAGENET_STD = tuple(255 * value for value in (0.229, 0.224, 0.225))


def evaluation_preprocessing(dataset: str, height: int, width: int) -> Preprocessing:
    """Normalised RGB: CIFAR-10's images as a whole, ImageNet's cut out after the shorter side has
    become 256/224 of the larger side wanted.
    """
    size, side = (height, width), max(height, width)
    if dataset == "cifar10":
        return Preprocessing(size, CIFAR_MEAN, CIFAR_STD)
    return Preprocessing(size, IMAGENET_MEAN, IMAGENET_STD, side / (side * 256 // 224), True)


def cifar_operations(
    do_train: bool, preprocessing: Preprocessing, flip: float, more: Sequence = ()
) -> list:
    """Image uint8 (32, 32, 3) to float32 (3, height, width), normalised RGB; augmented if
    `do_train`, mirrored with the probability `flip`, and `more` operations then.
    """
    augment = [
        vision.RandomCrop((32, 32), (4, 4, 4, 4)),
        vision.RandomHorizontalFlip(prob=flip),
        *more,
    ]
    return [*(augment if do_train else []), *preprocessing.operations()]


def imagenet_operations(
    do_train: bool, preprocessing: Preprocessing, flip: float, more: Sequence = ()
) -> list:
    """Encoded image (uint8 bytes) to float32 (3, height, width), normalised RGB: a random part of
    it, mirrored with the probability `flip`, if `do_train`, and `more` operations then; else its
    centre.
    """
    if not do_train:
        return [vision.Decode(), *preprocessing.operations()]
    crop = vision.RandomCropDecodeResize(
        preprocessing.size,
        scale=(0.08, 1.0),
        ratio=(0.75, 1.333),
        interpolation=preprocessing.inter(),
    )
    return [crop, vision.RandomHorizontalFlip(prob=flip), *more, *preprocessing.normalise()]
