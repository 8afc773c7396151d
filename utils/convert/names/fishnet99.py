"""FishNet99's weights."""

from __future__ import annotations

from typing import Any

from folder import network_of
from sources import TORCH_BATCH_NORM, Published, Source


def options(weights: dict) -> dict:
    """See Source."""
    return {
        "num_classes": weights["fish.fish.9.4.1.weight"].shape[0],
        "pool_padding": "symmetric",
        "preprocessing": "torchvision",
    }


def build(options: dict) -> Any:
    """The authors' network, from the description: they published no package."""
    from fishnet99_torch import FishNet

    return FishNet(options["num_classes"])


AUTHORS = Source(
    title="github.com/kevin-ssy/FishNet, fishnet99",
    marker="fish.fish.9.4.1.weight",
    rules=(
        (
            r"layers_?\.([012])\.([02])\.",
            lambda m: f"{'bn' if m[2] == '0' else 'conv'}{int(m[1]) + 1}.",
        ),
        (r"^stem\.([012])", lambda m: f"conv{int(m[1]) + 1}"),
        (r"^tail_layer\.(\d)\.layer_FishTail\.layer_DownStage", r"fish.fish.\1.0"),
        (r"^bridge\.stem\.5", "fish.fish.3.1"),
        (r"^bridge\.stem", "fish.fish.3.0"),
        (r"^bridge\.layers_Bridge", "fish.fish.3.2"),
        (r"^bridge\.se_block", "fish.fish.3.3.0"),
        (r"^body_layer\.(\d)\.", lambda m: f"fish.fish.{int(m[1]) + 4}."),
        (r"^head_layer\.(\d)\.", lambda m: f"fish.fish.{int(m[1]) + 7}."),
        (r"layer_FishBody\.layer_UpStage|layer_FishHead", "0"),
        (r"transfer\.layers_TransferBlock", "1"),
        (r"^classifier\.6", "fish.fish.9.4.1"),
        (r"^classifier", "fish.fish.9.3"),
        *TORCH_BATCH_NORM,
    ),
    options=options,
    build=build,
)
SOURCES = (AUTHORS,)
PART = ""
PUBLISHED = (
    Published(
        "fishnet99",
        "fishnet99_ckpt.tar",
        AUTHORS,
        77.41,
        93.59,
        "the authors' README",
        lambda: build({"num_classes": 1000}),
    ),
)


def build_network(options: dict) -> tuple[Any, dict]:
    """(network, options of its record) of the folder."""
    return network_of("src.fishnet", "src.config", options)
