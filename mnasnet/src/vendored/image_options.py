# Copied from utils/vendored/image_options.py by `make vendor`: change it there.
"""What becomes of images, as options of training that a model carries with it."""

from __future__ import annotations

import math
from types import SimpleNamespace

from .launch import UserError
from .preprocessing import COLOUR_ORDERS, INTERPOLATIONS, Preprocessing

PRESET = "preset"  # as the key preprocessing says
# On the scale 0..255; https://pytorch.org/vision/stable/models.html.
IMAGENET = {
    "mean": (0.485 * 255, 0.456 * 255, 0.406 * 255),
    "std": (0.229 * 255, 0.224 * 255, 0.225 * 255),
}
CENTRE = {"crop_fraction": 0.875, "keep_aspect_ratio": True}
PRESETS = {
    "documented": {},
    "torchvision": {**IMAGENET, **CENTRE, "interpolation": "pillow_bilinear"},
    "timm": {**IMAGENET, **CENTRE, "interpolation": "pillow_bicubic"},
}
# {key: (default, meaning[, choices or range])}
COLOURS = {
    "mean": (PRESET, "what is taken from red, green and blue, as 124,116,104"),
    "std": (PRESET, "what they are divided by then, as 58,57,57"),
    "colour_order": ("RGB", "order of the network's channels", list(COLOUR_ORDERS)),
}
SETTINGS = {
    "preprocessing": (
        "documented",
        "what becomes of images: as documented, or as weights of torchvision or timm want it",
        list(PRESETS),
    ),
    "crop_fraction": (
        0.0,
        "share of a resized side that evaluation keeps; 0: as preprocessing says",
        {"min": 0, "max": 1},
    ),
    "interpolation": (
        PRESET,
        "how images are resized; Pillow's smooths where it shrinks",
        [PRESET, *INTERPOLATIONS],
    ),
    "aspect_ratio": (
        PRESET,
        "of resized images: keep it, and crop, or stretch them to the input's",
        [PRESET, "keep", "stretch"],
    ),
    **COLOURS,
}


def chosen(config: SimpleNamespace, documented: Preprocessing) -> Preprocessing:
    """`documented`, changed by what `config` says under the keys of SETTINGS, if it has them.

    Raises UserError for a mean or a deviation that is not three numbers.
    """
    found = documented._replace(**PRESETS[getattr(config, "preprocessing", "documented")])
    if getattr(config, "crop_fraction", 0):
        found = found._replace(crop_fraction=config.crop_fraction)
    if getattr(config, "interpolation", PRESET) != PRESET:
        found = found._replace(interpolation=config.interpolation)
    if getattr(config, "aspect_ratio", PRESET) != PRESET:
        found = found._replace(keep_aspect_ratio=config.aspect_ratio == "keep")
    for key, least in (("mean", -math.inf), ("std", 0)):
        text = getattr(config, key, PRESET)
        if text != PRESET:
            found = found._replace(**{key: _three(key, text, least)})
    return found._replace(colour_order=getattr(config, "colour_order", found.colour_order))


def _three(key, text, least):
    try:
        numbers = tuple(float(number) for number in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != 3 or not all(math.isfinite(number) and number > least for number in numbers):
        above = "" if least else " over 0"
        raise UserError(
            f"{key} is three numbers{above} on the scale 0 to 255, such as 124,116,104, got"
            f" '{text}'"
        )
    return numbers
