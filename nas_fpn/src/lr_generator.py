"""The learning rate: five straight warm-up phases, then half a cosine."""

import numpy as np

PHASE_STARTS = (None, 1e-5, 1e-4, 1e-3, 1e-2)  # the first phase starts at lr_init
PHASE_ENDS = (1e-4 / 3, 1e-3, 1e-2, 1e-1, 1.0)  # as shares of lr_max


def get_lr(
    global_step: int,
    lr_init: float,
    lr_end: float,
    lr_max: float,
    warmup_epochs1: int,
    warmup_epochs2: int,
    warmup_epochs3: int,
    warmup_epochs4: int,
    warmup_epochs5: int,
    total_epochs: int,
    steps_per_epoch: int,
) -> np.ndarray:
    """Rates float32 (total_epochs * steps_per_epoch - global_step,), one a step from `global_step`
    on.

    `warmup_epochs1` to `warmup_epochs5` are the lengths of consecutive phases. The starts of the
    last four are fixed, whatever `lr_max` is. What remains falls from `lr_max` to `lr_end`.
    """
    total = total_epochs * steps_per_epoch
    lengths = [
        epochs * steps_per_epoch
        for epochs in (
            warmup_epochs1,
            warmup_epochs2,
            warmup_epochs3,
            warmup_epochs4,
            warmup_epochs5,
        )
    ]
    phases = []
    for length, start, end in zip(lengths, (lr_init, *PHASE_STARTS[1:]), PHASE_ENDS):
        done = np.arange(length) / max(length, 1)
        phases.append(start * (1 - done) + end * lr_max * done)
    decay = max(total - sum(lengths), 0)
    phases.append(
        lr_end + (lr_max - lr_end) * (1 + np.cos(np.pi * np.arange(decay) / max(decay, 1))) / 2
    )
    return np.maximum(np.concatenate(phases)[global_step:total], 0).astype(np.float32)
