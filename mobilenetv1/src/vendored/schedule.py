# Copied from utils/vendored/schedule.py by `make vendor`: change it there.
"""Changes of a folder's learning rates, where they are asked for."""

from types import SimpleNamespace

import numpy as np


def adapt_rates(
    rates: np.ndarray, config: SimpleNamespace, images: int, steps_per_epoch: int
) -> np.ndarray:
    """`rates`, float32 (steps,), with what `config` asks for in restart_epochs, restart_factor and
    base_batch. `images` are those of a step of the run, or of its device where the rates are
    already the number of devices times theirs.
    """
    if config.restart_epochs:
        length = config.restart_epochs * steps_per_epoch
        rates = with_restarts(rates, length, config.restart_factor)
    if config.base_batch:
        factor = images * config.accumulate_steps / config.base_batch
        print(f"learning rates times {factor:.6g}: base_batch is {config.base_batch}", flush=True)
        rates = rates * np.float32(factor)
    return rates


def with_restarts(rates: np.ndarray, length: float, factor: float) -> np.ndarray:
    """`rates` up to the first of the largest, and from there on cosines to the smallest after it,
    of `length` steps, `factor` times longer each (arXiv:1608.03983, equation 5).
    """
    peak = int(rates.argmax())
    step = np.arange(len(rates) - peak, dtype=np.float64)
    start = 0.0
    position = np.empty_like(step)
    while start < len(step):
        within = (step >= start) & (step < start + length)
        position[within] = (step[within] - start) / length
        start, length = start + length, length * factor
    largest, smallest = float(rates[peak]), float(rates[peak:].min())
    cosines = smallest + (largest - smallest) * (1 + np.cos(np.pi * position)) / 2
    return np.concatenate([rates[:peak], cosines]).astype(np.float32)
