"""Around the network: parameter groups for weight decay, the learning rate of each step."""

import math
from types import SimpleNamespace

import mindspore.nn as nn
import numpy as np


def get_param_groups(network: nn.Cell) -> list:
    """Trainable parameters as two groups for an optimiser: biases and batch norm without weight
    decay, then the rest.

    Decay would pull gamma and beta away from what normalisation needs, without regularising
    anything (https://arxiv.org/abs/1812.01187, section 3.1).
    """
    without, with_decay = [], []
    for parameter in network.trainable_params():
        (without if parameter.name.endswith((".bias", ".gamma", ".beta")) else with_decay).append(
            parameter
        )
    return [{"params": without, "weight_decay": 0.0}, {"params": with_decay}]


def cosine_annealing(epoch: int, lr: float, eta_min: float, T_max: int) -> float:
    """Rate of `epoch` (from 0) on a half cosine from `lr` to `eta_min` at epoch `T_max`
    (arXiv:1608.03983, eq. 5).
    """
    return eta_min + (lr - eta_min) * (1 + math.cos(math.pi * epoch / T_max)) / 2


def exponential(
    epoch: int, lr: float, lr_gamma: float, lr_epochs: list, warmup_epochs: float = 0
) -> float:
    """Rate of `epoch` (from 0): `lr`, times `lr_gamma` from each of the epochs `lr_epochs` on.

    An epoch that begins inside the warm-up changes nothing, not even after it.
    """
    return lr * lr_gamma ** sum(warmup_epochs <= start <= epoch for start in lr_epochs)


def get_lr(config: SimpleNamespace, lr: float, steps_per_epoch: int) -> np.ndarray:
    """Learning rates of all steps, float32 (config.max_epoch * steps_per_epoch,).

    A straight line up to `lr` over config.warmup_epochs, then config.lr_scheduler,
    'cosine_annealing' or 'exponential', constant within an epoch and counted from the first epoch
    of training. Raises ValueError for another scheduler.
    """
    warmup = int(config.warmup_epochs * steps_per_epoch)
    if config.lr_scheduler == "cosine_annealing":
        rates = [
            cosine_annealing(epoch, lr, config.eta_min, config.T_max)
            for epoch in range(config.max_epoch)
        ]
    elif config.lr_scheduler == "exponential":
        lr_epochs = [int(epoch) for epoch in str(config.lr_epochs).split(",")]
        rates = [
            exponential(epoch, lr, config.lr_gamma, lr_epochs, warmup / steps_per_epoch)
            for epoch in range(config.max_epoch)
        ]
    else:
        raise ValueError(
            f"lr_scheduler is 'cosine_annealing' or 'exponential', got '{config.lr_scheduler}'"
        )
    rates = np.repeat(rates, steps_per_epoch)
    rates[:warmup] = (lr * np.arange(1, warmup + 1) / max(warmup, 1))[: len(rates)]
    return rates.astype(np.float32)
