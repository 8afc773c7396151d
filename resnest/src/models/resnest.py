"""ResNeSt: ResNet-D with split attention (https://arxiv.org/abs/2004.08955), in the four
published depths.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from src.models.resnet import ResNet
from src.vendored.checkpoints import load_weights

# Blocks in each stage and width of the stem, from the authors' release.
NETWORKS = {
    "resnest50": ((3, 4, 6, 3), 32),
    "resnest101": ((3, 4, 23, 3), 64),
    "resnest200": ((3, 24, 36, 3), 64),
    "resnest269": ((3, 30, 48, 8), 64),
}
CLASSIFIER = ("fc.weight", "fc.bias")  # what depends on the classes


def resnest50(pretrained: bool = False, root: str = ".", **kwargs: object) -> ResNet:
    """ResNeSt-50; with the weights of `root`/resnest50.ckpt if `pretrained`. `kwargs` are
    ResNet's.
    """
    return get_network("resnest50", pretrained, Path(root, "resnest50.ckpt"), **kwargs)


def resnest101(pretrained: bool = False, root: str = ".", **kwargs: object) -> ResNet:
    """ResNeSt-101, as resnest50."""
    return get_network("resnest101", pretrained, Path(root, "resnest101.ckpt"), **kwargs)


def resnest200(pretrained: bool = False, root: str = ".", **kwargs: object) -> ResNet:
    """ResNeSt-200, as resnest50."""
    return get_network("resnest200", pretrained, Path(root, "resnest200.ckpt"), **kwargs)


def resnest269(pretrained: bool = False, root: str = ".", **kwargs: object) -> ResNet:
    """ResNeSt-269, as resnest50."""
    return get_network("resnest269", pretrained, Path(root, "resnest269.ckpt"), **kwargs)


def get_network(
    net_name: str, resume: bool = False, resume_path: str | Path | None = None, **kwargs: object
) -> ResNet:
    """The network called `net_name` (a key of NETWORKS); with the weights of the file `resume_path`
    if `resume`.

    `kwargs` are ResNet's. Raises NotImplementedError for another name.
    """
    if net_name not in NETWORKS:
        raise NotImplementedError(f"no network '{net_name}'; there are {', '.join(NETWORKS)}")
    layers, stem_width = NETWORKS[net_name]
    network = ResNet(layers, stem_width, **kwargs)
    if resume:
        load_weights(network, resume_path)
    return network


def build_network(config: SimpleNamespace) -> ResNet:
    """The network that `config` describes."""
    return get_network(
        config.net_name,
        num_classes=config.num_classes,
        last_gamma=config.last_gamma,
        final_drop=config.final_drop,
        attention_bias=config.attention_bias,
    )


def prepare_for_export(network: ResNet) -> ResNet:
    """`network` itself: what is written for speed on CPU is as fast in exported files."""
    return network
