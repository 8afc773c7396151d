"""The learning rate of every training step: linear warm-up, then cosine annealing by epochs."""

import numpy as np


def get_lr(
    lr_init: float,
    eta_min: float,
    T_max: int,
    warmup_epochs: int,
    epoch_size: int,
    steps_per_epoch: int,
) -> np.ndarray:
    """The learning rates of all steps, float32 of shape (epoch_size * steps_per_epoch,).

    After the warm-up, all steps of epoch e have eta_min + (lr_init - eta_min) (1 + cos(pi e /
    T_max)) / 2, where e counts from the start of training (https://arxiv.org/abs/1608.03983,
    equation 5): beyond T_max it rises again.
    """
    step = np.arange(epoch_size * steps_per_epoch)
    warmup = int(warmup_epochs * steps_per_epoch)
    annealed = (
        eta_min + (lr_init - eta_min) * (1 + np.cos(np.pi * (step // steps_per_epoch) / T_max)) / 2
    )
    return np.where(step < warmup, lr_init * (step + 1) / max(warmup, 1), annealed).astype(
        np.float32
    )
