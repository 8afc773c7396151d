# Copied from utils/vendored/photos.py by `make vendor`: change it there.
"""Photos as people have them: found in folders, read upright, made ready for a network."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from .files import read_file
from .jpeg import damage
from .launch import UserError
from .listing import SUFFIXES, contents_below, note_others

if TYPE_CHECKING:
    from .preprocessing import Preprocessing

ORIENTATION = 0x0112  # the tag in EXIF (CIPA DC-008, 4.6.4 A)
# What makes a photo of each orientation upright, in words and on pixels (H, W, 3).
UPRIGHT = {
    2: ("mirrored", lambda pixels: pixels[:, ::-1]),
    3: ("turned by 180 degrees", lambda pixels: pixels[::-1, ::-1]),
    4: ("turned by 180 degrees and mirrored", lambda pixels: pixels[::-1]),
    5: ("turned right and mirrored", lambda pixels: pixels.swapaxes(0, 1)),
    6: ("turned right", lambda pixels: pixels.swapaxes(0, 1)[:, ::-1]),
    7: ("turned left and mirrored", lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1)),
    8: ("turned left", lambda pixels: pixels.swapaxes(0, 1)[::-1]),
}
LONGEST_RATIO = 100  # of a photo's sides: beyond, to resize the shorter takes any memory
SHOWN_SIDES = 240, 1280  # pixels: the longer side of a picture of a photo


class Photo(NamedTuple):
    """A photo at `path`, upright: its `size` (width, height), how it was `turned`, the network's
    input `image`, float32 (3, H, W), and `shown`, RGB uint8 (h, w, 3), to draw on, or None.
    """

    path: str
    size: tuple[int, int]
    turned: str
    image: np.ndarray
    shown: np.ndarray | None


def find_photos(given: Sequence[str]) -> list[str]:
    """The files among `given`, and the images in the folders among them, however deep, by name.

    Raises UserError where one is not there, or where there is no image at all.
    """
    if not given:
        raise UserError("which photos? --photos FILE or FOLDER ... (--help lists all flags)")
    found = []
    for path in given:
        if not os.path.lexists(path):
            raise UserError(f"{path}: no such photo or folder")
        found += _below(path) if os.path.isdir(path) else [path]
    if not found:
        raise UserError(f"{given[0]}: no image in this folder ({', '.join(SUFFIXES)})")
    return list(dict.fromkeys(found))


def _below(folder):
    found, others = [], []
    for place, inside in contents_below(folder):
        found += [os.path.join(place, name) for name in inside.images]
        others += [os.path.join(place, name) for name in inside.others]
    note_others(folder, others)
    return found


def read_photo(
    path: str,
    decode: Callable[[np.ndarray], np.ndarray],
    operations: Sequence[Callable[[np.ndarray], np.ndarray]],
    is_shown: bool,
) -> Photo:
    """The Photo in the file `path`; with `is_shown`, to be drawn on.

    `decode` maps a file's bytes, uint8 (bytes,), to RGB uint8 (H, W, 3), and `operations` that to
    the network's input. Raises UserError where the file is not readable, no image, or damaged.
    """
    try:
        content = read_file(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    wrong = damage(content)
    if wrong:
        raise UserError(f"{path}: cannot be decoded ({wrong})")
    try:
        pixels = decode(np.frombuffer(content, np.uint8))
    except (RuntimeError, ValueError, TypeError):
        raise UserError(f"{path}: cannot be decoded (its data are damaged)") from None
    turned, make_upright = UPRIGHT.get(_orientation(content), ("", lambda pixels: pixels))
    pixels = np.ascontiguousarray(make_upright(pixels))
    height, width = pixels.shape[:2]
    if max(height, width) > LONGEST_RATIO * min(height, width):
        raise UserError(f"{path}: {width} x {height} pixels are too narrow for a photo")
    image = pixels
    for operation in operations:
        image = operation(image)
    return Photo(path, (width, height), turned, image, _shown(pixels) if is_shown else None)


def _orientation(content):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return Image.open(io.BytesIO(content)).getexif().get(ORIENTATION, 1)
        except Exception:  # EXIF that Pillow cannot read, in whatever way, says nothing.
            return 1


def _shown(pixels):
    longer, (smallest, largest) = max(pixels.shape[:2]), SHOWN_SIDES
    factor = min(max(longer, smallest), largest) / longer
    size = [max(1, round(side * factor)) for side in pixels.shape[1::-1]]
    return np.array(Image.fromarray(pixels).resize(size))


def seen_part(preprocessing: Preprocessing, size: tuple[int, int]) -> tuple[float, ...]:
    """(left, top, right, bottom), shares of a photo of `size` (width, height): what the network
    sees of it.
    """
    resized, (width, height) = preprocessing.resized(), size
    if isinstance(resized, int):
        factor = resized / min(size)
        resized = (height * factor, width * factor)
    margins = [(1 - want / have) / 2 for want, have in zip(preprocessing.size, resized)]
    return margins[1], margins[0], 1 - margins[1], 1 - margins[0]
