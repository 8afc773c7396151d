"""Sigmoid focal loss (arXiv:1708.02002, section 3)."""

from mindspore import nn, ops


class SigmoidFocalClassificationLoss(nn.Cell):
    """Focal loss of every anchor and class: logits (N, A, C) and labels (N, A) int32 in [0, C) to
    (N, A, C).

    weight * (1 - p_t) ** gamma * binary cross entropy, where p_t is the probability given to the
    truth and the weight `alpha` for the anchor's class, 1 - `alpha` for the others. Background is a
    class as any other: class 0.
    """

    def __init__(self, gamma=2.0, alpha=0.75):
        super().__init__()
        self.gamma = gamma
        self.alpha = alpha

    def construct(self, logits, labels):
        target = ops.one_hot(labels, logits.shape[-1]).astype(logits.dtype)
        cross_entropy = ops.SigmoidCrossEntropyWithLogits()(logits, target)
        probability = ops.sigmoid(logits)
        miss = target + probability - 2 * target * probability  # 1 - p_t
        weight = 1 - self.alpha + (2 * self.alpha - 1) * target
        return weight * miss**self.gamma * cross_entropy
