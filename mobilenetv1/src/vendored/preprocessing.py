# Copied from utils/vendored/preprocessing.py by `make vendor`: change it there.
"""What becomes of an image before a network sees it, as an exported model's record says it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from .launch import UserError, printable
from .record import read_record

if TYPE_CHECKING:
    import mindspore.dataset.vision as vision

LARGEST = 1 << 18  # pixels of a resized side
INTERPOLATIONS = ("bilinear", "pillow_bilinear", "pillow_bicubic")
COLOUR_ORDERS = {"RGB": 1, "BGR": -1}  # the step in which the network sees red, green and blue
CHOICES = {"interpolation": INTERPOLATIONS, "colour_order": COLOUR_ORDERS}


class Preprocessing(NamedTuple):
    """An RGB image, 0 to 255, is resized, the network's input `size` (height, width) is cut out of
    its centre, and each pixel becomes (pixel - mean) / std.

    `crop_fraction` is the share of a resized side that is left; 1: all. With `keep_aspect_ratio`
    the shorter side is resized to what that gives, and the longer follows; else both are. With
    `padded` the longer one is resized to the input's, the shorter follows, and what the image
    leaves of the input, right and below, is filled with the mean. `mean` and `std` are of red,
    green and blue, whatever order the network has them in.
    """

    size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    crop_fraction: float = 1.0
    keep_aspect_ratio: bool = False
    interpolation: str = "bilinear"
    colour_order: str = "RGB"
    padded: bool = False

    def resized(self) -> int | tuple[int, int]:
        """The resized image's shorter side or, where the ratio is not kept, (height, width)."""
        # Pillow's, as in timm, are cut to whole numbers; documented fractions give such.
        add = 1e-6 - 0.5 if self.interpolation.startswith("pillow") else 0
        sides = tuple(round(side / self.crop_fraction + add) for side in self.size)
        return max(sides) if self.keep_aspect_ratio else sides

    def operations(self) -> list:
        """Operations from RGB uint8 (H, W, 3) to float32 (3, height, width)."""
        import mindspore.dataset.vision as vision

        if self.interpolation.startswith("pillow"):
            from .pillow_resize import PillowCrop

            resize = [PillowCrop(self.resized(), tuple(self.size), self.interpolation)]
        else:
            resize = [
                vision.Resize(self.resized(), vision.Inter.BILINEAR),
                vision.CenterCrop(self.size),
            ]
        return [*resize, *self.normalise()]

    def inter(self) -> vision.Inter:
        """MindSpore's interpolation that is nearest, for crops by chance."""
        import mindspore.dataset.vision as vision

        is_cubic = self.interpolation.endswith("bicubic")
        return vision.Inter.BICUBIC if is_cubic else vision.Inter.BILINEAR

    def normalise(self) -> list:
        """Operations from RGB uint8 (height, width, 3) to float32 (3, height, width)."""
        import mindspore.dataset.vision as vision

        mode = vision.ConvertMode.COLOR_RGB2BGR
        turn = [vision.ConvertColor(mode)] if self.colour_order == "BGR" else []
        step = COLOUR_ORDERS[self.colour_order]
        normalise = vision.Normalize(self.mean[::step], self.std[::step], is_hwc=True)
        return [*turn, normalise, vision.HWC2CHW()]

    def described(self) -> dict:
        """What stands in a record: JSON's types, read by `recorded_preprocessing`."""
        lists = {key: list(getattr(self, key)) for key in ("size", "mean", "std")}
        described = {**self._asdict(), **lists}
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
        optional = {*CHOICES, "padded"}
        keys = [key for key in Preprocessing._fields if key not in optional or key in described]
        found = Preprocessing(**{key: described[key] for key in keys})
        numbers = [*found.size, *found.mean, *found.std, found.crop_fraction]
        fits = [len(found.size), len(found.mean), len(found.std)] == [2, 3, 3]
        fits = fits and all(math.isfinite(number) for number in numbers)
        fits = fits and all(value > 0 for value in (*found.size, *found.std))
        fits = fits and 0 < found.crop_fraction <= 1
        fits = fits and max(found.size) / found.crop_fraction < LARGEST
        fits = fits and isinstance(found.keep_aspect_ratio, bool) and isinstance(found.padded, bool)
    except (TypeError, KeyError, ValueError, OverflowError):
        fits = False
    if not fits:
        raise UserError(
            f"{where}: the model's record of its preprocessing is damaged; export it again"
        )
    for key, choices in CHOICES.items():
        value = getattr(found, key)
        if value not in list(choices):
            raise UserError(
                f"{where}: its record wants {key} {value!r}, not one of {', '.join(choices)}: not"
                " an export of this folder"
            )
    if tuple(found.size) != tuple(size):
        raise UserError(
            f"{where}: its record is of images {tuple(found.size)}, its input of {tuple(size)};"
            " export it again"
        )
    print(f"from {where}: preprocessing {described}", flush=True)
    return found._replace(size=tuple(found.size), mean=tuple(found.mean), std=tuple(found.std))
