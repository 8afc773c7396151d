# Copied from utils/vendored/optimizers.py by `make vendor`: change it there.
"""Optimisers and weight decay beside the documented ones, where they are asked for; loss scales."""

from __future__ import annotations

from types import SimpleNamespace

import mindspore as ms
import numpy as np
from mindspore import nn

UNDECAYED = (".bias", ".gamma", ".beta")


def decayed_apart(
    parameters: list[ms.Parameter], weight_decay: float, undecayed: tuple[str, ...] = UNDECAYED
) -> list[dict]:
    """`parameters` for an optimiser: those whose names end with one of `undecayed`, biases and
    BatchNorm, without weight decay, the others with it (arXiv:1812.01187, section 3.1).
    """
    apart = [p for p in parameters if p.name.endswith(undecayed)]
    others = [p for p in parameters if not p.name.endswith(undecayed)]
    groups = [
        {"params": others, "weight_decay": weight_decay},
        {"params": apart, "weight_decay": 0.0},
    ]
    return [*(group for group in groups if group["params"]), {"order_params": parameters}]


class AdamW(nn.AdamWeightDecay):
    """MindSpore's: moments m and v of the gradients as in Adam, without the correction of their
    first steps, and w = w - rate (m / (sqrt(v) + 1e-8) + decay w) (arXiv:1711.05101). It divides
    gradients by a fixed loss scale.
    """

    def __init__(self, parameters: list, learning_rate: ms.Tensor, loss_scale: float):
        super().__init__(parameters, learning_rate, beta1=0.9, beta2=0.999, eps=1e-8)
        self.loss_scale, self.need_scale = loss_scale, loss_scale != 1
        self.reciprocal_scale = ms.Tensor(1 / loss_scale, ms.float32)

    def construct(self, gradients):
        return super().construct(self.scale_grad(gradients))


def create_adamw(
    network: nn.Cell, learning_rates: np.ndarray, config: SimpleNamespace, loss_scale: float = 1.0
) -> AdamW:
    """AdamW of what `network` trains, with the weight_decay and norm_decay of `config`."""
    parameters = network.trainable_params()
    undecayed = () if config.norm_decay else UNDECAYED
    groups = decayed_apart(parameters, config.weight_decay, undecayed)
    return AdamW(groups, ms.Tensor(learning_rates), loss_scale)


def fixed_loss_scale(config: SimpleNamespace) -> float:
    """config.loss_scale, of what computes in float16 elsewhere; 1 on CPU, where all is float32: a
    power of two would change nothing but the time.
    """
    return 1.0 if config.device_target == "CPU" else float(config.loss_scale)


def create_loss_scale(config: SimpleNamespace) -> ms.amp.LossScaleManager:
    """Of mixed precision: config.loss_scale, or with is_dynamic_loss_scale one that adapts itself,
    and leaves out steps that overflow.
    """
    if config.is_dynamic_loss_scale:
        return ms.DynamicLossScaleManager(init_loss_scale=65536, scale_factor=2, scale_window=2000)
    return ms.FixedLossScaleManager(config.loss_scale, drop_overflow_update=False)
