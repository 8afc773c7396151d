# Copied from utils/vendored/schedule.py by `make vendor`: change it there.
"""Changes of a folder's learning rates, where they are asked for."""

from types import SimpleNamespace

import numpy as np

from .launch import UserError


def adapt_rates(
    rates: np.ndarray, config: SimpleNamespace, images: int, steps_per_epoch: int
) -> np.ndarray:
    """`rates`, float32 (steps,), with what `config` asks for in restart_epochs, restart_factor,
    step_epochs, step_factor and base_batch. `images` are those of a step of the run, or of its
    device where the rates are already the number of devices times theirs. Raises UserError where
    step_epochs is no list of epochs, and where restart_epochs is given too.
    """
    if config.restart_epochs and config.step_epochs:
        raise UserError("restart_epochs and step_epochs are two schedules: give one of them")
    if config.restart_epochs:
        length = config.restart_epochs * steps_per_epoch
        rates = with_restarts(rates, length, config.restart_factor)
    if config.step_epochs:
        epoch = np.arange(len(rates)) / steps_per_epoch
        rates = with_steps(rates, epoch, _step_epochs(config, epoch[-1]), config.step_factor)
    if config.base_batch:
        factor = images * config.accumulate_steps / config.base_batch
        print(f"learning rates times {factor:.6g}: base_batch is {config.base_batch}", flush=True)
        rates = rates * np.float32(factor)
    return rates


def _step_epochs(config, last):
    """The epochs, float64 (N,), that step_epochs names, as far as `last`."""
    text = config.step_epochs.removeprefix("every")
    try:
        epochs = [float(epoch) for epoch in text.split(",")]
        if not all(0 < epoch < np.inf for epoch in epochs):
            raise ValueError(text)
        if text == config.step_epochs:
            return np.array(epochs)
        (period,) = epochs
        return np.arange(period, max(float(last), period), period)
    except ValueError:
        raise UserError(
            "step_epochs wants epochs such as 30,40, or 'every' and a number of epochs, got"
            f" '{config.step_epochs}'"
        ) from None


def with_steps(
    rates: np.ndarray, epoch: np.ndarray, milestones: np.ndarray, factor: float
) -> np.ndarray:
    """`rates` up to the first of the largest; from there on that one, multiplied by `factor` at
    each of the `milestones` behind it. `epoch`, float64 (steps,), is where a rate belongs.
    """
    peak = int(rates.argmax())
    passed = np.searchsorted(np.sort(milestones), epoch[peak:], side="right")
    falling = float(rates[peak]) * factor ** (passed - passed[0])
    return np.concatenate([rates[:peak], falling]).astype(np.float32)


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
