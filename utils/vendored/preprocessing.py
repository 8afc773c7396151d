"""What becomes of an image before a network sees it, as an exported model's record says it."""

from __future__ import annotations

import math
from typing import NamedTuple

from .launch import UserError, printable
from .record import read_record

FIXED = {"interpolation": "bilinear", "colour_order": "RGB"}  # the same in all folders


class Preprocessing(NamedTuple):
    """An RGB image, 0 to 255, is resized, the network's input `size` (height, width) is cut out of
    its centre, and each pixel becomes (pixel - mean) / std.

    `crop_fraction` is the share of a resized side that is left; 1: all. With `keep_aspect_ratio`
    the shorter side is resized to what that gives, and the longer follows; else both are. With
    `padded` the longer one is resized to the input's, the shorter follows, and what the image
    leaves of the input, right and below, is filled with the mean.
    """

    size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    crop_fraction: float = 1.0
    keep_aspect_ratio: bool = False
    padded: bool = False

    def resized(self) -> int | tuple[int, int]:
        """The resized image's shorter side or, where the ratio is not kept, (height, width)."""
        sides = tuple(round(side / self.crop_fraction) for side in self.size)
        return max(sides) if self.keep_aspect_ratio else sides

    def described(self) -> dict:
        """What stands in a record: JSON's types, read by `recorded_preprocessing`."""
        lists = {key: list(getattr(self, key)) for key in ("size", "mean", "std")}
        described = {**self._asdict(), **lists, **FIXED}
        if not self.padded:
            del described["padded"]
        return described


def recorded_preprocessing(path: str, size: tuple[int, int]) -> Preprocessing | None:
    """The Preprocessing that the record of the exported model `path` holds, which is printed; None
    where it holds none.

    Raises UserError where it is damaged, or not for the file's input of `size` (height, width).
    """
    record, where = read_record(path)
    described, where = record.get("preprocessing"), printable(str(where))
    if described is None:
        return None
    try:
        described = {"padded": False, **described}
        found = Preprocessing(**{key: described[key] for key in Preprocessing._fields})
        numbers = [*found.size, *found.mean, *found.std, found.crop_fraction]
        fits = [len(found.size), len(found.mean), len(found.std)] == [2, 3, 3]
        fits = fits and all(math.isfinite(number) for number in numbers)
        fits = fits and all(value > 0 for value in (*found.size, *found.std))
        fits = fits and 0 < found.crop_fraction <= 1 and isinstance(found.keep_aspect_ratio, bool)
        fits = fits and isinstance(found.padded, bool)
    except (TypeError, KeyError, ValueError, OverflowError):
        fits = False
    if not fits:
        raise UserError(f"{where}: its record of preprocessing is damaged; export it again")
    other = [key for key, value in FIXED.items() if described.get(key, value) != value]
    if other:
        raise UserError(
            f"{where}: its record wants {other[0]} {described[other[0]]!r}, not"
            f" {FIXED[other[0]]!r}: not an export of this folder"
        )
    if tuple(found.size) != tuple(size):
        raise UserError(
            f"{where}: its record is of images {tuple(found.size)}, its input of {tuple(size)};"
            " export it again"
        )
    print(f"from {where}: preprocessing {described}", flush=True)
    return found._replace(size=tuple(found.size), mean=tuple(found.mean), std=tuple(found.std))
