"""RetinaNet's loss (arXiv:1708.02002): sigmoid focal loss of classes, smooth L1 of boxes."""

from types import SimpleNamespace

from mindspore import nn, ops


class SigmoidFocalClassificationLoss(nn.Cell):
    """Focal loss of every anchor and class: logits (N, A, C) and labels (N, A) int32 in [0, C) to
    (N, A, C).

    weight * (1 - p_t) ** gamma * binary cross entropy, where p_t is the probability given to the
    truth and the weight `alpha` for the anchor's class, 1 - `alpha` for the others. Background is a
    class as any other: class 0.
    """

    def __init__(self, gamma: float = 2.0, alpha: float = 0.75):
        super().__init__()
        self.gamma = gamma
        self.alpha = alpha

    def construct(self, logits, labels):
        # With the truth's logit negated, every logit is to fall: 1 - p_t is its sigmoid, the cross
        # entropy its softplus, which CPUs compute faster than a SigmoidCrossEntropyWithLogits.
        sign = 1 - 2 * ops.one_hot(labels, logits.shape[-1]).astype(logits.dtype)
        miss = ops.sigmoid(sign * logits)
        weight = 0.5 + (0.5 - self.alpha) * sign
        return weight * miss**self.gamma * ops.softplus(sign * logits)


class DetectionLoss(nn.Cell):
    """The loss of a batch, a scalar, from the detector's outputs and the anchors' targets.

    Focal loss over all anchors and classes plus smooth L1 over the matched anchors (mean of the
    four coordinates), summed over the batch and divided by its number of matched anchors.
    """

    def __init__(self, gamma: float, alpha: float):
        super().__init__()
        self.class_loss = SigmoidFocalClassificationLoss(gamma, alpha)
        self.box_loss = nn.SmoothL1Loss(beta=1.0, reduction="none")

    def construct(self, boxes, logits, box, label, num_match):
        matched = (label > 0).astype(boxes.dtype)
        class_loss = self.class_loss(logits, label).sum()
        box_loss = (self.box_loss(boxes, box).mean(-1) * matched).sum()
        return (class_loss + box_loss) / ops.maximum(num_match.astype(boxes.dtype).sum(), 1)


def create_loss(config: SimpleNamespace) -> DetectionLoss:
    """The loss that `config` describes."""
    return DetectionLoss(config.gamma, config.alpha)
