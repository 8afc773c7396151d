"""Softmax cross entropy with label smoothing."""

from types import SimpleNamespace

import mindspore.nn as nn


def smoothed_cross_entropy(num_classes: int, smooth_factor: float) -> nn.Cell:
    """Mean cross entropy of logits (N, num_classes) with labels (N,) int32, smoothed by
    `smooth_factor`.

    The target is 1 - smooth_factor for the true class and smooth_factor / (num_classes - 1) for
    each other one. MindSpore spreads its share over all classes, the true one too, as in
    https://arxiv.org/abs/1512.00567, section 7; hence the correction. Raises ValueError unless
    smooth_factor lies in 0 .. (num_classes - 1) / num_classes.
    """
    return nn.CrossEntropyLoss(
        weight=None,
        ignore_index=-100,
        reduction="mean",
        label_smoothing=smooth_factor * num_classes / (num_classes - 1),
    )


def create_loss(config: SimpleNamespace) -> nn.Cell:
    """The loss that `config` describes."""
    smooth_factor = config.label_smooth_factor if config.use_label_smooth else 0.0
    return smoothed_cross_entropy(config.num_classes, smooth_factor)
