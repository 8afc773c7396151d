"""Softmax cross entropy against smoothed labels (arXiv:1512.00567, section 7)."""

from types import SimpleNamespace

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype


class CrossEntropySmooth(nn.Cell):
    """Mean over the batch of the cross entropy between logits (N, C) and labels.

    Args:
        sparse: labels are class indices (N,) int32; otherwise one-hot rows (N, C).
        reduction: 'mean', 'sum' or 'none'.
        smooth_factor: s, the share of probability given to the other classes: the label's class
            gets 1 - s, each other one s / (num_classes - 1). In [0, 1).
        num_classes: C.
    """

    def __init__(
        self,
        sparse: bool = True,
        reduction: str = "mean",
        smooth_factor: float = 0.0,
        num_classes: int = 1000,
    ):
        super().__init__()
        self.sparse = sparse
        self.num_classes = num_classes
        self.on_value = Tensor(1.0 - smooth_factor, mstype.float32)
        self.off_value = Tensor(smooth_factor / max(num_classes - 1, 1), mstype.float32)
        self.cross_entropy = nn.SoftmaxCrossEntropyWithLogits(sparse=False, reduction=reduction)

    def construct(self, logits, labels):
        if self.sparse:
            labels = ops.one_hot(labels, self.num_classes, self.on_value, self.off_value)
        return self.cross_entropy(logits, labels)


def create_loss(config: SimpleNamespace) -> CrossEntropySmooth:
    """The loss that `config` describes."""
    # MindSpore's own sparse loss turns infinite on the CPU where a probability underflows; this one
    # does not.
    smooth_factor = config.label_smooth_factor if config.use_label_smooth else 0.0
    return CrossEntropySmooth(
        sparse=True, reduction="mean", smooth_factor=smooth_factor, num_classes=config.class_num
    )
