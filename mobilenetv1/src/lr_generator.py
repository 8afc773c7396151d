"""Learning rates, one a step: a linear warm-up, then one of four decays."""

import math
from types import SimpleNamespace

import numpy as np

MODES = ("poly", "cosine", "steps", "linear")
# The documented rate on ImageNet belongs to the documented four devices with 256 images each.
RECIPE_BATCH, RECIPE_RATE = 4 * 256, 0.8
# from this many tenths of the steps on: factor
STEP_FACTORS = ((8, 0.001), (6, 0.01), (3, 0.1), (0, 1.0))


def linear_warmup_lr(current_step: int, warmup_steps: int, base_lr: float, init_lr: float) -> float:
    """The rate after `current_step` of `warmup_steps` on the straight line from `init_lr` to
    `base_lr`.
    """
    return init_lr + (base_lr - init_lr) * current_step / warmup_steps


def get_lr(
    lr_init: float,
    lr_end: float,
    lr_max: float,
    warmup_epochs: int,
    total_epochs: int,
    steps_per_epoch: int,
    lr_decay_mode: str,
) -> np.ndarray:
    """Rates for all steps, float32 (total_epochs * steps_per_epoch,).

    Warm-up from `lr_init` to `lr_max`, then `lr_decay_mode`: 'poly' (squared), 'cosine', 'steps' (a
    tenth from the first step on that is not before 0.3, 0.6 and 0.8 of all steps) or 'linear' (to
    `lr_end`, which only this one reads).
    """
    total, warmup = total_epochs * steps_per_epoch, warmup_epochs * steps_per_epoch
    rates = []
    for step in range(total):
        if step < warmup:
            rates.append(
                linear_warmup_lr(step + (lr_decay_mode == "cosine"), warmup, lr_max, lr_init)
            )
            continue
        done = (step - warmup) / (total - warmup)
        if lr_decay_mode == "poly":
            rates.append(lr_max * (1 - done) ** 2)
        elif lr_decay_mode == "cosine":
            rates.append(lr_max * _cosine_factor(step, total, warmup))
        elif lr_decay_mode == "steps":
            rates.append(
                lr_max
                * next(factor for tenths, factor in STEP_FACTORS if 10 * step >= tenths * total)
            )
        else:
            rates.append(lr_max - (lr_max - lr_end) * done)
    return np.array(rates, np.float32)


def note_learning_rate(config: SimpleNamespace, ranks: int) -> None:
    """Print a line where the rate on ImageNet is far from what goes with the images of a step."""
    images = config.batch_size * ranks
    fitting = RECIPE_RATE * images / RECIPE_BATCH
    if config.dataset == "imagenet2012" and not fitting / 2 <= config.lr_max <= fitting * 2:
        print(
            f"note: lr_max is {config.lr_max:g} with {images} images a step; documented is"
            f" {RECIPE_RATE} with {RECIPE_BATCH}, which makes it --lr_max {fitting:.2g} here"
        )


def warmup_cosine_annealing_lr(
    lr: float, steps_per_epoch: int, warmup_epochs: int, max_epoch: int = 120, global_step: int = 0
) -> np.ndarray:
    """The 'cosine' schedule with a warm-up from 0, float32, without its first `global_step`
    steps.
    """
    return get_lr(0.0, 0.0, lr, warmup_epochs, max_epoch, steps_per_epoch, "cosine")[global_step:]


def _cosine_factor(step, total, warmup):
    # The documented schedule counts `step` from the start of training, not from the end of the
    # warm-up.
    linear = (total - step) / (total - warmup)
    return linear * 0.5 * (1 + math.cos(0.94 * math.pi * step / (total - warmup))) + 1e-5
