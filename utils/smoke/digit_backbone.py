"""Teach NAS-FPN's backbone to name digits, on parts of the training images of digits_coco.py: a
detector then starts from it, as the documented one starts from a backbone that names ImageNet's
classes.

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

SIDE = 64  # pixels of a crop; the network's cells are 8, 16 and 32 pixels wide
STRIDES = (8, 16, 32)
SHIFT = 12  # pixels by which a digit's middle is at most beside that of its crop
MEAN, DEVIATION = np.float32([[123.675, 116.28, 103.53], [58.395, 57.12, 57.375]])
REPORT = 500  # steps
TOGETHER = 64  # crops that are judged at a time


class Crops:
    """Crops around the digits of a split, at the network's scale: images of `size` pixels."""

    def __init__(self, data: Path, split: str, size: int):
        found = json.loads((data / "annotations" / f"instances_{split}.json").read_text())
        images = {image["id"]: image for image in found["images"]}
        place = {image_id: number for number, image_id in enumerate(images)}
        border = [SIDE] * 4
        self.images = [
            cv2.copyMakeBorder(
                cv2.resize(cv2.imread(str(data / split / image["file_name"])), (size, size)),
                *border,
                cv2.BORDER_REFLECT,
            )
            for image in images.values()
        ]
        self.digits = []  # (number of the image, x and y of the middle in it, class)
        for box in found["annotations"]:
            left, top, width, height = (
                np.array(box["bbox"]) * size / images[box["image_id"]]["width"]
            )
            middle = (left + width / 2 + SIDE, top + height / 2 + SIDE)
            self.digits.append((place[box["image_id"]], *middle, box["category_id"] - 1))

    def batch(
        self, chosen: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(images float32 (N, 3, 64, 64), pixels of the digits' middles int32 (N, 2), labels
        int32 (N,)) of the digits numbered `chosen`.
        """
        crops, middles, labels = [], [], []
        for number in chosen:
            image, x, y, label = self.digits[number]
            shift = generator.integers(-SHIFT, SHIFT + 1, 2)
            left, top = np.int32((x, y)) - SIDE // 2 + shift
            crops.append(self.images[image][top : top + SIDE, left : left + SIDE, ::-1])
            middles.append((y - top, x - left))
            labels.append(label)
        pixels = (np.float32(crops) - MEAN) / DEVIATION
        return pixels.transpose(0, 3, 1, 2), np.int32(middles), np.int32(labels)


class DigitNamer(nn.Cell):
    """The backbone and a linear layer on each of its levels: (N, 3, 64, 64) and the middles
    (N, 2) to three logits (N, 10).
    """

    def __init__(self, blocks: list[int], width: int):
        super().__init__()
        self.backbone = ResNet(blocks, width, Form(bn_momentum=0.9))
        self.heads = nn.CellList([nn.Dense(8 * width * 2**level, 10) for level in range(3)])
        for parameter in self.backbone.trainable_params():
            if parameter.ndim == 4:
                drawn = HeNormal(mode="fan_in", nonlinearity="relu")
                parameter.set_data(initializer(drawn, parameter.shape))

    def construct(self, images, middles):
        logits = ()
        for features, head, stride in zip(self.backbone(images), self.heads, STRIDES):
            cells = SIDE // stride
            place = middles[:, 0] // stride * cells + middles[:, 1] // stride
            is_there = ops.one_hot(place, cells * cells).reshape(-1, 1, cells, cells)
            logits += (head((features * is_there).sum((2, 3))),)
        return logits


class NamingLoss(nn.Cell):
    """Sum of the three levels' cross entropies, a scalar."""

    def __init__(self, network: nn.Cell):
        super().__init__()
        self.network, self.cross_entropy = network, nn.CrossEntropyLoss()

    def construct(self, images, middles, labels):
        loss = 0.0
        for logits in self.network(images, middles):
            loss += self.cross_entropy(logits, labels)
        return loss


def accuracies(network: nn.Cell, crops: Crops, generator: np.random.Generator) -> list[float]:
    """Share of the digits that each level names rightly."""
    network.set_train(False)
    right = []
    parts = -(-len(crops.digits) // TOGETHER)
    for chosen in np.array_split(np.arange(len(crops.digits)), parts):
        images, middles, labels = crops.batch(chosen, generator)
        found = network(ms.Tensor(images), ms.Tensor(middles))
        right.append([logits.asnumpy().argmax(1) == labels for logits in found])
    return np.concatenate(right, axis=1).mean(1).tolist()


def train(network: nn.Cell, crops: Crops, config: SimpleNamespace) -> None:
    """AdamW; the rate rises for 100 steps, then falls along half a cosine."""
    done = np.arange(config.steps)
    rates = config.lr * np.minimum((done + 1) / 100, 1) * (1 + np.cos(np.pi * done / config.steps))
    optimizer = nn.AdamWeightDecay(
        network.trainable_params(), ms.Tensor(np.float32(rates / 2)), weight_decay=1e-4
    )
    step = nn.TrainOneStepCell(NamingLoss(network), optimizer).set_train()
    generator, losses = np.random.default_rng(config.seed), []
    for number in range(1, config.steps + 1):
        chosen = generator.integers(len(crops.digits), size=config.batch_size)
        losses.append(float(step(*map(ms.Tensor, crops.batch(chosen, generator))).asnumpy()))
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
    train(network, Crops(Path(data), "train2017", config.image_size), config)
    held_out = Crops(Path(data), "val2017", config.image_size)
    shares = accuracies(network, held_out, np.random.default_rng(config.seed))
    print("held-out digits named rightly at the three levels:", *(f"{one:.3f}" for one in shares))
    ms.save_checkpoint([{"name": key, "data": one} for key, one in names.items()], checkpoint)


if __name__ == "__main__":
    start(main)
