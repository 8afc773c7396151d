"""ResNeSt's weights: the authors' and timm's have the same names."""

from __future__ import annotations

from typing import Any

from command import Failure
from folder import network_of
from sources import TORCH_BATCH_NORM, Published, Source, first_installed

# Blocks of layer3 and layer4: the depth, and the size and preprocessing of the published accuracy.
DEPTHS = {
    (6, 3): (50, 224, "torchvision", 0.0),
    (23, 3): (101, 256, "torchvision", 0.0),
    (36, 3): (200, 320, "timm", 0.909),
    (48, 8): (269, 416, "timm", 0.928),
}
TIMM = {50: "resnest50d", 101: "resnest101e", 200: "resnest200e", 269: "resnest269e"}


def options(weights: dict) -> dict:
    """See Source. Raises Failure for other depths."""
    blocks = tuple(
        len({name.split(".")[1] for name in weights if name.startswith(f"{layer}.")})
        for layer in ("layer3", "layer4")
    )
    if blocks not in DEPTHS:
        depths = ", ".join(str(depth) for depth, *_ in DEPTHS.values())
        raise Failure(
            f"a ResNeSt with {blocks[0]} and {blocks[1]} blocks in layer3 and layer4; the folder"
            f" has the depths {depths}"
        )
    depth, size, preprocessing, crop_fraction = DEPTHS[blocks]
    return {
        "net_name": f"resnest{depth}",
        "num_classes": weights["fc.weight"].shape[0],
        "attention_bias": True,
        "eval_crop_size": size,
        "preprocessing": preprocessing,
        "crop_fraction": crop_fraction,
    }


def authors(depth: int, classes: int = 1000) -> Any:
    """The network of the package resnest."""
    import resnest.torch

    return getattr(resnest.torch, f"resnest{depth}")(pretrained=False, num_classes=classes)


def timm_network(depth: int, classes: int = 1000) -> Any:
    """The network of the package timm."""
    import timm

    return timm.create_model(TIMM[depth], num_classes=classes)


def build(options: dict) -> Any:
    """The network of whichever package is installed."""
    depth, classes = int(options["net_name"].removeprefix("resnest")), options["num_classes"]
    return first_installed(lambda: authors(depth, classes), lambda: timm_network(depth, classes))


BOTH = Source(
    title="github.com/zhanghang1989/ResNeSt, timm",
    marker="layer1.0.conv2.fc1.weight",
    rules=(
        (r"(conv2\.conv)\.convs\.[01]\.", r"\1."),
        (r"(conv2\.fc[12])\.convs\.0\.", r"\1."),
        *TORCH_BATCH_NORM,
    ),
    options=options,
    build=build,
    halves=r"(conv2\.conv)\.convs\.([01])\.",
)
SOURCES = (BOTH,)
PART = ""
README, RESULTS = "the authors' README", "timm's results-imagenet.csv"
# fmt: off
PUBLISHED = (
    Published("resnest50, authors", "resnest50-528c19ca.pth", BOTH, 81.03, None, README,
              lambda: authors(50)),
    Published("resnest101, authors", "resnest101-22405ba7.pth", BOTH, 82.83, None, README,
              lambda: authors(101)),
    Published("resnest200, authors", "resnest200-75117900.pth", BOTH, 83.84, None, README,
              lambda: authors(200)),
    Published("resnest269, authors", "resnest269-0cc87c48.pth", BOTH, 84.54, None, README,
              lambda: authors(269)),
    Published("resnest50d.in1k, timm", "model.safetensors", BOTH, 80.964, 95.384, RESULTS,
              lambda: timm_network(50)),
    Published("resnest101e.in1k, timm", "model.safetensors", BOTH, 82.884, 96.322, RESULTS,
              lambda: timm_network(101)),
    Published("resnest200e.in1k, timm", "model.safetensors", BOTH, 83.846, 96.884, RESULTS,
              lambda: timm_network(200)),
    Published("resnest269e.in1k, timm", "model.safetensors", BOTH, None, None, RESULTS,
              lambda: timm_network(269)),
)
# fmt: on


def build_network(options: dict) -> tuple[Any, dict]:
    """(network, options of its record) of the folder."""
    return network_of("src.models.resnest", "src.config", options)
