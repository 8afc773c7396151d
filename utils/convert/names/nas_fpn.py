"""Weights of ResNet-50 for the backbone: torchvision's and timm's have the same names."""

from __future__ import annotations

from typing import Any

from sources import TORCH_BATCH_NORM, Published, Source, first_installed


def options(weights: dict) -> dict:
    """See Source."""
    return {"backbone_padding": "symmetric", "backbone_epsilon": 1e-5}


def up_to_c5(network: Any) -> Any:
    """`network`, a torch.nn.Module, with the last map, C5, as its output."""
    import torch

    network.fc = torch.nn.Identity()
    network.forward = lambda x: features(network, x)
    return network


def features(network: Any, x: Any) -> Any:
    """C5 of the images `x`."""
    activate = network.relu if hasattr(network, "relu") else network.act1
    x = network.maxpool(activate(network.bn1(network.conv1(x))))
    return network.layer4(network.layer3(network.layer2(network.layer1(x))))


def torchvision_network() -> Any:
    """The backbone of torchvision's network."""
    import torchvision

    return up_to_c5(torchvision.models.resnet50())


def timm_network() -> Any:
    """The backbone of timm's network."""
    import timm

    return up_to_c5(timm.create_model("resnet50"))


BOTH = Source(
    title="torchvision resnet50, timm resnet50",
    marker="layer1.0.conv3.weight",
    rules=((r"^backbone\.", ""), (r"\.down_sample_layer\.", ".downsample."), *TORCH_BATCH_NORM),
    options=options,
    build=lambda options: first_installed(torchvision_network, timm_network),
    left=r"num_batches_tracked$|^fc\.",
)
SOURCES = (BOTH,)
PART = "backbone."
META = "torchvision's weights"
# fmt: off
PUBLISHED = (
    Published("ResNet50 IMAGENET1K_V1, torchvision", "resnet50-0676ba61.pth", BOTH, 76.130, 92.862,
              META, torchvision_network),
    Published("ResNet50 IMAGENET1K_V2, torchvision", "resnet50-11ad3fa6.pth", BOTH, 80.858, 95.434,
              META, torchvision_network),
    Published("resnet50.a1_in1k, timm", "model.safetensors", BOTH, 81.214, 95.102,
              "timm's results-imagenet.csv", timm_network),
)
# fmt: on


def build_network(options: dict) -> tuple[Any, dict]:
    """(network, options of its record) of the folder's backbone."""
    from src.resnet import Form, ResNet

    form = Form(0.997, options["backbone_padding"], options["backbone_epsilon"])
    return ResNet([3, 4, 6, 3], 64, form).set_train(False), options
