"""The learning rate of every training step, in the five documented shapes."""

import numpy as np


def get_lr(
    lr_init: float,
    lr_end: float,
    lr_max: float,
    warmup_epochs: int,
    total_epochs: int,
    steps_per_epoch: int,
    lr_decay_mode: str,
) -> np.ndarray:
    """The learning rates of all steps, float32 of shape (total_epochs * steps_per_epoch,).

    `lr_decay_mode` is one of

        'other'   a line from lr_init to lr_max over the warm-up, then a line to lr_end;
        'poly'    the same warm-up, then lr_max times the square of what is left;
        'cosine'  a warm-up one step ahead, then lr_max times a cosine that counts from step 0,
                  times what is left;
        'linear'  the same warm-up, then a line that falls from lr_init, with a gentler one for the
                  last five epochs;
        'steps'   no warm-up, lr_max divided by ten after 30, 60 and 80 % of the steps.

    'linear' drops from lr_max to lr_init at the end of the warm-up. That is a slip in the published
    schedule, kept so that the name still stands for the published numbers: a line that decays
    lr_max is called 'other'.

    Raises ValueError for another mode, for counts that are not positive, and for 'linear' with five
    epochs or fewer.
    """
    if total_epochs < 1 or steps_per_epoch < 1 or warmup_epochs < 0:
        raise ValueError(
            "a schedule needs at least one epoch of one step and no negative warm-up, not "
            f"{total_epochs} epochs of {steps_per_epoch} steps with {warmup_epochs} of warm-up"
        )
    total, warmup = total_epochs * steps_per_epoch, warmup_epochs * steps_per_epoch
    step = np.arange(total, dtype=np.float64)
    after_warmup = max(total - warmup, 1)
    progress = (step - warmup) / after_warmup
    warmup_step = step
    if lr_decay_mode == "other":
        decay = lr_max - (lr_max - lr_end) * progress
    elif lr_decay_mode == "poly":
        decay = lr_max * (1 - progress) ** 2
    elif lr_decay_mode == "cosine":
        cosine = (1 + np.cos(0.94 * np.pi * step / after_warmup)) / 2
        decay = lr_max * ((total - step) / after_warmup * cosine + 1e-5)
        warmup_step = step + 1
    elif lr_decay_mode == "linear":
        decay = lr_init * _linear_shares(step // steps_per_epoch, total_epochs)
    elif lr_decay_mode == "steps":
        boundaries = total * np.array([0.3, 0.6, 0.8])
        return (lr_max * 0.1 ** np.searchsorted(boundaries, step, side="right")).astype(np.float32)
    else:
        raise ValueError(
            "lr_decay_mode is 'other', 'poly', 'cosine', 'linear' or 'steps', not"
            f" {lr_decay_mode!r}"
        )
    rising = lr_init + (lr_max - lr_init) * warmup_step / max(warmup, 1)
    return np.where(step < warmup, rising, decay).astype(np.float32)


def _linear_shares(epoch, total_epochs):
    if total_epochs <= 5:
        raise ValueError(
            f"lr_decay_mode 'linear' needs more than 5 epochs, not {total_epochs}; use 'other'"
        )
    main_epochs = total_epochs - 5
    left = np.where(epoch < main_epochs, main_epochs - epoch, (total_epochs - epoch) / 5)
    return left / main_epochs
