# Copied from utils/vendored/losses.py by `make vendor`: change it there.
"""Losses beside the documented ones, and for labels of mixed images."""

from __future__ import annotations

from types import SimpleNamespace

import mindspore as ms
from mindspore import nn, ops


class BinaryCrossEntropy(nn.Cell):
    """Mean over images and classes of the binary cross entropies of logits (N, C) with classes (N,)
    int32: each class for itself (arXiv:2110.00476, section 3.1), without label smoothing.
    """

    def construct(self, logits, labels):
        logits = logits.astype(ms.float32)
        targets = ops.one_hot(labels, logits.shape[1]).astype(ms.float32)
        ones = ops.ones_like(logits)
        return ops.binary_cross_entropy_with_logits(logits, targets, ones, ones, "mean")


class MixedLoss(nn.Cell):
    """`loss`, of logits (N, C) and classes (N,) int32, for the labels that Mixing makes: both
    classes' losses, by their shares.
    """

    def __init__(self, loss: nn.Cell):
        super().__init__()
        self.loss = loss

    def construct(self, logits, labels):
        share = labels[0, 2]
        one = self.loss(logits, labels[:, 0].astype(ms.int32))
        other = self.loss(logits, labels[:, 1].astype(ms.int32))
        return share * one + (1 - share) * other


class DistilledLoss(nn.Cell):
    """(1 - weight) times `loss`, of the labels that Mixing makes, and weight times T^2 times the
    Kullback-Leibler divergence of the softmax of logits / T from that of a teacher's, for labels
    float32 (N, 3 + C) of a Teacher (arXiv:1503.02531, section 2; T is `temperature`).
    """

    def __init__(self, loss: nn.Cell, weight: float, temperature: float):
        super().__init__()
        self.loss, self.weight, self.temperature = loss, weight, temperature

    def construct(self, logits, labels):
        wanted = ops.log_softmax(labels[:, 3:] / self.temperature, 1)
        own = ops.log_softmax(logits.astype(ms.float32) / self.temperature, 1)
        divergence = (ops.exp(wanted) * (wanted - own)).sum(1).mean() * self.temperature**2
        return (1 - self.weight) * self.loss(logits, labels[:, :3]) + self.weight * divergence


def chosen_loss(documented: nn.Cell, config: SimpleNamespace) -> nn.Cell:
    """`documented`, or what `config` asks for under bce and teacher, for the labels that training
    has.
    """
    loss = BinaryCrossEntropy() if config.bce else documented
    if config.teacher:
        return DistilledLoss(MixedLoss(loss), config.teacher_weight, config.teacher_temperature)
    return MixedLoss(loss) if config.mixup or config.cutmix else loss
