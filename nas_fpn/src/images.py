"""Image files: JPEG, PNG and BMP by what they hold, whatever their names; whole ones only."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import warnings

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from src.annotations import Annotations
from src.vendored.files import read_file
from src.vendored.jpeg import damage
from src.vendored.launch import UserError

FORMATS = ("JPEG", "PNG", "BMP")  # what Pillow, OpenCV and the C++ program all read
READ = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
# What Pillow raises on damaged files, and OpenCV on images that are too large.
FAULTS = (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError, cv2.error)
# A fault is an exception here; remarks would only stand in the way of the line about it.
warnings.filterwarnings("ignore", module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
if hasattr(cv2, "setLogLevel"):  # OpenCV 4, which is what goes with the NumPy of MindSpore 2.7
    cv2.setLogLevel(0)
else:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def read_image(path: str, source: str = "") -> bytes:
    """The bytes of the image file `path`, as they are; `source` says where it is listed.

    Raises UserError where `decode` would.
    """
    try:
        data = read_file(path)
    except OSError as error:
        raise _unreadable(path, error, source) from None
    try:
        _header(data)
        with _quiet():
            # A JPEG file is read to its end, but decoded at an eighth of its size.
            _pixels(data, cv2.IMREAD_REDUCED_COLOR_8 | cv2.IMREAD_IGNORE_ORIENTATION)
    except FAULTS as error:
        raise _undecodable(path, error, source) from None
    return data


def image_shape(path: str, source: str = "") -> tuple[int, int]:
    """(height, width) of the image file `path`, listed at `source`, by its header.

    Raises UserError.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            return image.height, image.width
    except FAULTS as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise _unreadable(path, error, source) from None
        raise _undecodable(path, error, source) from None


def require_shapes(annotations: Annotations, shapes: dict[int, tuple[int, int]]) -> None:
    """Raise UserError where images' (height, width) are not those of the annotation file.

    `shapes` is by position. An image of which the file gives no size is any size.
    """
    wrong = [
        image
        for image, shape in shapes.items()
        if annotations.images[image].shape not in (None, shape)
    ]
    if not wrong:
        return
    named = []
    for image in wrong[:3]:
        (height, width), (wanted_height, wanted_width) = (
            shapes[image],
            annotations.images[image].shape,
        )
        named.append(
            f"{annotations.label(image)} is {width} x {height}, not {wanted_width} x"
            f" {wanted_height}"
        )
    turned = sum(shapes[image] == annotations.images[image].shape[::-1] for image in wrong)
    hint = f" ({turned} of them turned on their side, as EXIF does)" if turned else ""
    raise UserError(
        f"{annotations.path}: {len(wrong)} of {len(shapes)} images have another width and height"
        f" than it says{hint}:"
        f" {'; '.join(named)}{'; ...' if len(wrong) > 3 else ''}; annotate the images as they are"
        " stored, or if the boxes fit those, --trust_image_size True"
    )


def decode(data: bytes, name: str = "an image") -> np.ndarray:
    """RGB uint8 (H, W, 3) from the bytes of the image file `name`, not turned by EXIF.

    Raises UserError where they are no whole JPEG, PNG or BMP file.
    """
    try:
        header, image = _header(data), _pixels(data, READ)
    except FAULTS as error:
        raise _undecodable(name, error) from None
    if header.mode == "CMYK":
        # OpenCV computes with 256 in place of 255; the C++ program takes off the same.
        image = cv2.subtract(image, (1, 1, 1, 0))
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _header(data):
    wrong = damage(data)  # as in the C++ program; OpenCV fills what is missing with grey
    if wrong:
        raise ValueError(wrong)
    return Image.open(io.BytesIO(data), formats=FORMATS)


def _pixels(data, how):
    image = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    if image is None:
        raise ValueError("OpenCV cannot read it")
    return image


@contextlib.contextmanager
def _quiet():
    """No remarks of libjpeg and libpng, which they write to stderr themselves. Not for threads."""
    try:
        kept = os.dup(2)
    except OSError:  # closed: there is nothing to keep quiet
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _unreadable(path, error, source):
    if isinstance(error, FileNotFoundError):
        return UserError(f"{path}: no such image file{_listed(source)}")
    return UserError(f"{path}: this image cannot be read{_listed(source)}: {error.strerror}")


def _undecodable(name, error, source=""):
    reason = "it is no JPEG, PNG or BMP" if isinstance(error, UnidentifiedImageError) else error
    return UserError(
        f"{name}: this image cannot be decoded ({reason}){_listed(source)}; repair it or remove it"
        " from the data set"
    )


def _listed(source):
    return f", listed as {source}" if source else ""
