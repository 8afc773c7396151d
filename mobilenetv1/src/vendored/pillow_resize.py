# Copied from utils/vendored/pillow_resize.py by `make vendor`: change it there.
"""Resizing as Pillow does it, and with it torchvision and timm."""

from __future__ import annotations

import numpy as np
from PIL import Image

RESAMPLING = {
    "pillow_bilinear": Image.Resampling.BILINEAR,
    "pillow_bicubic": Image.Resampling.BICUBIC,
}


class PillowCrop:
    """RGB uint8 (H, W, 3) to the centre (height, width), `size`, of the resized image.

    `resized` is the shorter side, the longer follows, or (height, width). Where Pillow shrinks it
    averages. Sides and corners are rounded as in torchvision's Resize and CenterCrop.
    """

    def __init__(self, resized: int | tuple[int, int], size: tuple[int, int], interpolation: str):
        self.resized, self.size = resized, size
        self.resampling = RESAMPLING[interpolation]

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """The cut pixels, uint8 (height, width, 3)."""
        image = Image.fromarray(pixels)
        if isinstance(self.resized, int):
            shorter = min(image.size)
            width, height = (side * self.resized // shorter for side in image.size)
        else:
            height, width = self.resized
        resized = image.resize((width, height), self.resampling)
        top, left = (round((have - want) / 2) for have, want in zip((height, width), self.size))
        return np.array(resized.crop((left, top, left + self.size[1], top + self.size[0])))
