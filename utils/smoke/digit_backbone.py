"""Teach NAS-FPN's backbone to name digits, on the training images of digits_coco.py: a detector
then starts from it, as the documented one starts from a backbone that names ImageNet's classes.

    python utils/smoke/digit_backbone.py DATA CHECKPOINT '{"backbone_width": 16, ...}'

The settings, JSON, are those of nas_fpn/default_config.yaml that differ from the backbone's
defaults; `steps`, `batch_size` and `lr` are of this training. Each level of the backbone names the
digit whose middle lies in a cell from that cell's features alone. CHECKPOINT gets the backbone.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")  # before MindSpore

import cv2
import mindspore as ms
import numpy as np
from mindspore import nn, ops
from mindspore.common.initializer import HeNormal, initializer

from work import ROOT, start

sys.path.insert(0, str(ROOT / "nas_fpn"))
from src.resnet import Form, ResNet  # noqa: E402

STRIDES = (8, 16, 32)  # pixels from one cell of a level to the next
MEAN, DEVIATION = np.float32([[123.675, 116.28, 103.53], [58.395, 57.12, 57.375]])
REPORT = 500  # steps
TOGETHER = 20  # images that are judged at a time
NOTHING = -1  # label of a cell in which no digit has its middle


class Digits:
    """The images of a split at `size` pixels, and what each cell of each level is to say."""

    def __init__(self, data: Path, split: str, size: int):
        found = json.loads((data / "annotations" / f"instances_{split}.json").read_text())
        images = {image["id"]: image for image in found["images"]}
        place = {image_id: number for number, image_id in enumerate(images)}
        self.images = np.stack(
            [
                cv2.resize(cv2.imread(str(data / split / image["file_name"])), (size, size))
                for image in images.values()
            ]
        )[..., ::-1]
        self.labels = [
            np.full((len(images), size // stride, size // stride), NOTHING, np.int32)
            for stride in STRIDES
        ]
        for box in found["annotations"]:
            scale = size / images[box["image_id"]]["width"]
            left, top, width, height = np.array(box["bbox"]) * scale
            y, x = top + height / 2, left + width / 2
            for labels, stride in zip(self.labels, STRIDES):
                cell = place[box["image_id"]], int(y // stride), int(x // stride)
                labels[cell] = box["category_id"] - 1

    def batch(self, chosen: np.ndarray) -> tuple[np.ndarray, ...]:
        """(images float32 (N, 3, S, S), then for each level labels int32 (N, cells, cells)) of the
        images numbered `chosen`.
        """
        pixels = (np.float32(self.images[chosen]) - MEAN) / DEVIATION
        pixels = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
        return pixels, *(labels[chosen] for labels in self.labels)


class DigitNamer(nn.Cell):
    """The backbone and a linear layer on each of its levels: (N, 3, S, S) to three logits (N, 10,
    cells, cells).
    """

    def __init__(self, blocks: list[int], width: int):
        super().__init__()
        self.backbone = ResNet(blocks, width, Form(bn_momentum=0.9))
        self.heads = nn.CellList(
            [nn.Conv2d(8 * width * 2**level, 10, 1, has_bias=True) for level in range(3)]
        )
        for parameter in self.backbone.trainable_params():
            if parameter.ndim == 4:
                drawn = HeNormal(mode="fan_in", nonlinearity="relu")
                parameter.set_data(initializer(drawn, parameter.shape))

    def construct(self, images):
        logits = ()
        for features, head in zip(self.backbone(images), self.heads):
            logits += (head(features),)
        return logits


class NamingLoss(nn.Cell):
    """Sum of the three levels' mean cross entropies over the cells that have a label, a scalar."""

    def __init__(self, network: nn.Cell):
        super().__init__()
        self.network = network

    def construct(self, images, *labels):
        loss = 0.0
        for logits, wanted in zip(self.network(images), labels):
            loss += ops.cross_entropy(logits, wanted, ignore_index=NOTHING)
        return loss


def accuracies(network: nn.Cell, digits: Digits) -> list[float]:
    """Share of the labelled cells that each level names rightly."""
    network.set_train(False)
    right = [[] for _ in STRIDES]
    for chosen in np.array_split(np.arange(len(digits.images)), -(-len(digits.images) // TOGETHER)):
        images, *labels = digits.batch(chosen)
        for level, logits in enumerate(network(ms.Tensor(images))):
            named = logits.asnumpy().argmax(1) == labels[level]
            right[level].extend(named[labels[level] != NOTHING])
    return [float(np.mean(level)) for level in right]


def train(network: nn.Cell, digits: Digits, config: SimpleNamespace) -> None:
    """AdamW; the rate rises for 100 steps, then falls along half a cosine."""
    done = np.arange(config.steps)
    rates = config.lr * np.minimum((done + 1) / 100, 1) * (1 + np.cos(np.pi * done / config.steps))
    optimizer = nn.AdamWeightDecay(
        network.trainable_params(), ms.Tensor(np.float32(rates / 2)), weight_decay=1e-4
    )
    step = nn.TrainOneStepCell(NamingLoss(network), optimizer).set_train()
    generator, losses = np.random.default_rng(config.seed), []
    for number in range(1, config.steps + 1):
        chosen = generator.integers(len(digits.images), size=config.batch_size)
        losses.append(float(step(*map(ms.Tensor, digits.batch(chosen))).asnumpy()))
        if number % REPORT == 0:
            print(f"step {number}, loss {np.mean(losses[-REPORT:]):.3f}", flush=True)


def main(data: str, checkpoint: str, settings: str) -> None:
    """Train, say what held-out digits are taken for, write."""
    config = SimpleNamespace(**json.loads(settings))
    ms.set_context(mode=ms.GRAPH_MODE)
    ms.set_device("CPU")
    ms.set_seed(config.seed)
    network = DigitNamer(config.backbone_blocks, config.backbone_width)
    names = {parameter.name: parameter for parameter in network.backbone.get_parameters()}
    train(network, Digits(Path(data), "train2017", config.image_size), config)
    shares = accuracies(network, Digits(Path(data), "val2017", config.image_size))
    print("held-out digits named rightly at the three levels:", *(f"{one:.3f}" for one in shares))
    ms.save_checkpoint([{"name": key, "data": one} for key, one in names.items()], checkpoint)


if __name__ == "__main__":
    start(main)
