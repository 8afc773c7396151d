# Copied from utils/vendored/drawing.py by `make vendor`: change it there.
"""Pictures with words on them, and a sheet of many."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

FONT = str(Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"))
MOST_CELLS = 100  # pictures on a sheet
CELL = 240  # pixels: its side
DARK, LIGHT = (32, 32, 32), (255, 255, 255)


@lru_cache
def _letters():
    return frozenset(FT2Font(FONT).get_charmap())


def drawable(name: str, instead: str) -> str:
    """`name`, or `instead` where the font lacks a letter of it."""
    return name if all(ord(letter) in _letters() for letter in name) else instead


def with_caption(picture: np.ndarray, lines: Sequence[str]) -> np.ndarray:
    """`picture`, RGB uint8 (H, W, 3), with the `lines` below it: (H + h, W, 3)."""
    height, width = picture.shape[:2]
    size = max(11, max(width, height) // 36)
    font = ImageFont.truetype(FONT, size)
    step = round(1.4 * size)
    canvas = Image.new("RGB", (max(width, CELL), height + step * len(lines) + size // 2), DARK)
    canvas.paste(Image.fromarray(picture), ((canvas.width - width) // 2, 0))
    draw = ImageDraw.Draw(canvas)
    for number, line in enumerate(lines):
        draw.text((size // 2, height + size // 4 + step * number), line, LIGHT, font)
    return np.array(canvas)


def with_heat(
    picture: np.ndarray, heat: np.ndarray, part: tuple[float, float, float, float]
) -> np.ndarray:
    """`picture`, RGB uint8 (H, W, 3), coloured by `heat` (h, w), 0 to 1, in its `part` (left, top,
    right, bottom as shares); the rest, which the network does not see, is darker.
    """
    height, width = picture.shape[:2]
    left, top, right, bottom = (
        round(share * side) for share, side in zip(part, (width, height, width, height))
    )
    box = slice(max(0, top), max(top + 1, bottom)), slice(max(0, left), max(left + 1, right))
    rows, columns = picture[box].shape[:2]
    smooth = Image.fromarray(np.float32(heat)).resize((columns, rows), Image.BILINEAR)
    smooth = np.array(smooth)[..., None].clip(0, 1)
    colours = matplotlib.colormaps["jet"](smooth[..., 0])[..., :3] * 255
    mixed = picture * 0.5
    mixed[box] = picture[box] * (1 - 0.6 * smooth) + colours * 0.6 * smooth
    return mixed.round().astype(np.uint8)


def encoded(picture: np.ndarray) -> bytes:
    """The JPEG file of `picture`, RGB uint8 (H, W, 3)."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=92, subsampling=0)
    return file.getvalue()


class ContactSheet:
    """The first MOST_CELLS of the pictures that are added, small, side by side."""

    def __init__(self):
        self.cells = []

    def add(self, picture: np.ndarray) -> None:
        """Put `picture`, RGB uint8 (H, W, 3), on the sheet, if there is room."""
        if len(self.cells) < MOST_CELLS:
            small = Image.fromarray(picture)
            small.thumbnail((CELL, CELL))
            self.cells.append(small)

    def png(self) -> bytes:
        """The sheet as a PNG file."""
        columns = math.ceil(math.sqrt(len(self.cells)))
        rows = math.ceil(len(self.cells) / columns)
        sheet = Image.new("RGB", (columns * CELL, rows * CELL), LIGHT)
        for number, cell in enumerate(self.cells):
            row, column = divmod(number, columns)
            left, top = column * CELL, row * CELL
            sheet.paste(cell, (left + (CELL - cell.width) // 2, top + (CELL - cell.height) // 2))
        file = io.BytesIO()
        sheet.save(file, "PNG")
        return file.getvalue()
