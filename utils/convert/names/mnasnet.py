"""MnasNet's weights."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from folder import network_of
from sources import TORCH_BATCH_NORM, Published, Source

BLOCKS = (3, 3, 3, 2, 4, 1)  # of each stage; they are features.2 to features.17 one after the other
PLACES = [(stage, block) for stage, count in enumerate(BLOCKS) for block in range(count)]
LARGER = 232  # pixels that torchvision resizes to for its later weights
TOP = 320  # channels before the last convolution at depth_multiplier 1


def options_of(head: str, classifier: str, preprocessing: str) -> Callable[[dict], dict]:
    """A function that tells the options, see Source, from the tensors of these names."""

    def options(weights: dict) -> dict:
        width = weights[head].shape[1] / TOP
        resized = LARGER if preprocessing == "torchvision" and width in (0.75, 1.3) else 256
        return {
            "class_num": weights[classifier].shape[0],
            "mnasnet_b1": True,
            "depth_multiplier": width,
            "crop_fraction": round(224 / resized, 4),
            "bn_momentum": 0.9997,
            "image_size": 224,
            "preprocessing": preprocessing,
        }

    return options


def torchvision_network(options: dict) -> Any:
    """The network of torchvision."""
    import torchvision

    return torchvision.models.MNASNet(options["depth_multiplier"], options["class_num"])


def timm_network(options: dict) -> Any:
    """The network of timm."""
    import timm

    width = round(100 * options["depth_multiplier"])
    return timm.create_model(f"mnasnet_{width:03}", num_classes=options["class_num"])


def torchvision_block(match: re.Match) -> str:
    """The module of torchvision that is features.N."""
    stage, block = PLACES[int(match[1]) - 2]
    return f"layers.{8 + stage}.{block}.layers."


def timm_block(match: re.Match) -> str:
    """The module of timm that is a layer of features.N."""
    stage, block = PLACES[int(match[1]) - 2]
    layers = {"0": "conv_pw", "1": "bn1", "3": "conv_dw", "4": "bn2", "6": "conv_pwl", "7": "bn3"}
    return f"blocks.{stage + 1}.{block}.{layers[match[2]]}."


TORCHVISION = Source(
    title="torchvision",
    marker="layers.8.0.layers.0.weight",
    rules=(
        (r"^features\.0\.conv\.", "layers.0."),
        (r"^features\.0\.bn\.", "layers.1."),
        (r"^features\.1\.sequence\.(\d)\.", lambda m: f"layers.{int(m[1]) + 3}."),
        (r"^features\.(\d+)\.conv\.", torchvision_block),
        (r"^conv1\.(\d)\.", lambda m: f"layers.{int(m[1]) + 14}."),
        (r"^fc\.", "classifier.1."),
        *TORCH_BATCH_NORM,
    ),
    options=options_of("layers.14.weight", "classifier.1.weight", "torchvision"),
    build=torchvision_network,
)
SEPARABLE = {"0": "conv_dw", "1": "bn1", "3": "conv_pw", "4": "bn2"}
TIMM = Source(
    title="timm",
    marker="blocks.1.0.conv_pwl.weight",
    rules=(
        (r"^features\.0\.conv\.", "conv_stem."),
        (r"^features\.0\.bn\.", "bn1."),
        (r"^features\.1\.sequence\.(\d)\.", lambda m: f"blocks.0.0.{SEPARABLE[m[1]]}."),
        (r"^features\.(\d+)\.conv\.(\d)\.", timm_block),
        (r"^conv1\.0\.", "conv_head."),
        (r"^conv1\.1\.", "bn2."),
        (r"^fc\.", "classifier."),
        *TORCH_BATCH_NORM,
    ),
    options=options_of("conv_head.weight", "classifier.weight", "timm"),
    build=timm_network,
)
SOURCES = (TORCHVISION, TIMM)
PART = ""


def published(
    name: str,
    file: str,
    source: Source,
    top1: float,
    top5: float,
    reported_by: str,
    width: float,
) -> Published:
    """A row of PUBLISHED; `width` is its depth_multiplier."""
    options = {"depth_multiplier": width, "class_num": 1000}
    return Published(name, file, source, top1, top5, reported_by, lambda: source.build(options))


META, RESULTS = "torchvision's weights", "timm's results-imagenet.csv"
# fmt: off
PUBLISHED = (
    published("mnasnet0_5, torchvision", "mnasnet0.5_top1_67.823-3ffadce67e.pth", TORCHVISION,
              67.734, 87.490, META, 0.5),
    published("mnasnet0_75, torchvision", "mnasnet0_75-7090bc5f.pth", TORCHVISION,
              71.180, 90.496, META, 0.75),
    published("mnasnet1_0, torchvision", "mnasnet1.0_top1_73.512-f206786ef8.pth", TORCHVISION,
              73.456, 91.510, META, 1.0),
    published("mnasnet1_3, torchvision", "mnasnet1_3-a4c69d6f.pth", TORCHVISION,
              76.506, 93.522, META, 1.3),
    published("mnasnet_100.rmsp_in1k, timm", "mnasnet_b1-74cb7081.pth", TIMM,
              74.650, 92.124, RESULTS, 1.0),
)
# fmt: on


def build_network(options: dict) -> tuple[Any, dict]:
    """(network, options of its record) of the folder."""
    return network_of("src.models.mnasnet", "src.config", options)
