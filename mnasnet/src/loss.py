"""Softmax cross entropy with label smoothing."""

from types import SimpleNamespace

import mindspore as ms
import mindspore.nn as nn
import mindspore.ops as ops


class CrossEntropySmooth(nn.LossBase):
    """Cross entropy of logits (N, num_classes) with class indices (N,), or with probabilities where
    not `sparse`.

    The target is 1 - smooth_factor for the true class and smooth_factor / (num_classes - 1) for
    each other one (https://arxiv.org/abs/1512.00567, section 7, with the true class left out of the
    spread).

    Args:
        sparse: whether labels are class indices (int32) rather than a distribution (N,
            num_classes).
        reduction: 'mean', 'sum' or 'none' over the batch.
        smooth_factor: 0 to below 1.
        num_classes: at least 2.
    """

    def __init__(
        self,
        sparse: bool = True,
        reduction: str = "mean",
        smooth_factor: float = 0.0,
        num_classes: int = 1000,
    ):
        super().__init__(reduction)
        if not 0 <= smooth_factor < 1:
            raise ValueError(f"smooth_factor must be at least 0 and below 1, not {smooth_factor}")
        if num_classes < 2:
            raise ValueError(f"num_classes must be at least 2, not {num_classes}")
        self.sparse = sparse
        self.num_classes = num_classes
        self.on_value = ms.Tensor(1 - smooth_factor, ms.float32)
        self.off_value = ms.Tensor(smooth_factor / (num_classes - 1), ms.float32)
        self.one_hot = ops.OneHot()
        self.cross_entropy = nn.SoftmaxCrossEntropyWithLogits(sparse=False, reduction=reduction)

    def construct(self, logits, labels):
        if self.sparse:
            labels = self.one_hot(labels, self.num_classes, self.on_value, self.off_value)
        # A half-precision network still gets its loss in float32.
        return self.cross_entropy(self.cast(logits, ms.float32), labels)


def smooth_factor(config: SimpleNamespace) -> float:
    """The share of a label that goes to other classes, in training and evaluation."""
    return config.label_smooth_factor if config.use_label_smooth else 0.0


def create_loss(config: SimpleNamespace) -> nn.LossBase:
    """The loss that `config` describes."""
    return CrossEntropySmooth(True, "mean", smooth_factor(config), config.class_num)
