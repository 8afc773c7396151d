"""Softmax cross entropy against smoothed labels (https://arxiv.org/abs/1512.00567, section 7)."""

from types import SimpleNamespace

import mindspore as ms
import mindspore.nn as nn
import mindspore.ops as ops


class CrossEntropy(nn.Cell):
    """Mean over the batch of the cross entropy of logits (N, C) against class indices (N,) int32: a
    float32 scalar.

    Args:
        smooth_factor: s, the share of probability given to the other classes: the label's class
            gets 1 - s, each of the others s / (num_classes - 1). From 0 to less than 1.
        num_classes: C, at least 2.
    """

    def __init__(self, smooth_factor: float = 0.0, num_classes: int = 1000):
        super().__init__()
        self.num_classes = num_classes
        self.on_value = ms.Tensor(1.0 - smooth_factor, ms.float32)
        self.off_value = ms.Tensor(smooth_factor / (num_classes - 1), ms.float32)
        self.cross_entropy = nn.SoftmaxCrossEntropyWithLogits(sparse=False, reduction="mean")

    def construct(self, logits, labels):
        targets = ops.one_hot(labels, self.num_classes, self.on_value, self.off_value)
        # In float32 where the network is float16 too, in which small probabilities vanish.
        return self.cross_entropy(logits.astype(ms.float32), targets)


def create_loss(config: SimpleNamespace) -> nn.Cell:
    """The loss that `config` describes."""
    return CrossEntropy(config.label_smoothing, config.num_classes)
