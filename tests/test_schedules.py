"""Every learning-rate schedule against its documented rule, step by step, at odd step counts."""

import math
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from folders import NAMES, import_from

# (steps an epoch, epochs, warm-up epochs): shares of the steps that are no whole numbers, a warm-up
# longer than the first drop, none at all, one longer than the training.
ODD = ((1251, 91, 5), (7, 13, 6), (13, 7, 0), (1, 11, 1), (3, 3, 5), (625, 10, 2))


def assert_rates(rates, rule, total):
    expected = [rule(step) for step in range(total)]
    assert rates.dtype == np.float32 and rates.shape == (total,)
    np.testing.assert_allclose(rates, expected, rtol=1e-6, atol=1e-12)


def warm_up(step, steps, init, top):
    return init + (top - init) * step / steps


def cosine_by_epoch(step, steps, top, end, t_max):
    return end + (top - end) * (1 + math.cos(math.pi * (step // steps) / t_max)) / 2


def tenfold_drops(step, total):
    return 0.1 ** sum(step >= Fraction(tenths, 10) * total for tenths in (3, 6, 8))


def decay(mode, step, total, warmup, lr):
    init, end, top = lr
    left = total - warmup
    if mode == "poly":
        return top * (1 - (step - warmup) / left) ** 2
    if mode == "cosine":
        wave = (1 + math.cos(0.94 * math.pi * step / left)) / 2
        return top * ((total - step) / left * wave + 1e-5)
    return top - (top - end) * (step - warmup) / left


@pytest.mark.parametrize("steps, epochs, warmup_epochs", ODD)
@pytest.mark.parametrize("mode", ["poly", "cosine", "steps", "linear"])
def test_mobilenetv1(mode, steps, epochs, warmup_epochs):
    lr, total, warmup = (0.01, 1e-5, 0.1), steps * epochs, steps * warmup_epochs

    def rule(step):
        if step < warmup:
            return warm_up(step + (mode == "cosine"), warmup, lr[0], lr[2])
        if mode == "steps":
            return lr[2] * tenfold_drops(step, total)
        return decay(mode, step, total, warmup, lr)

    get_lr = import_from("mobilenetv1", "src.lr_generator").get_lr
    assert_rates(get_lr(*lr, warmup_epochs, epochs, steps, mode), rule, total)


# 'linear' has no meaning for five epochs or fewer.
@pytest.mark.parametrize(
    "mode, steps, epochs, warmup_epochs",
    [(mode, *odd) for mode in ("other", "poly", "cosine", "steps") for odd in ODD]
    + [("linear", *odd) for odd in ODD if odd[1] > 5],
)
def test_mnasnet(mode, steps, epochs, warmup_epochs):
    lr, total, warmup = (1e-4, 1e-5, 0.2), steps * epochs, steps * warmup_epochs

    def rule(step):
        if mode == "steps":
            return lr[2] * tenfold_drops(step, total)
        if step < warmup:
            return warm_up(step + (mode == "cosine"), warmup, lr[0], lr[2])
        if mode == "linear":
            epoch, main = step // steps, epochs - 5
            if step < steps * main:
                return lr[0] * (main - epoch) / main
            return lr[0] * (epochs - epoch) / (5 * main)
        return decay(mode, step, total, warmup, lr)

    get_lr = import_from("mnasnet", "src.lr_generator").get_lr
    assert_rates(get_lr(*lr, warmup_epochs, epochs, steps, mode), rule, total)


@pytest.mark.parametrize("steps, epochs, warmup_epochs", [*ODD, (7, 5, 1.5), (9, 4, 0.25)])
def test_fishnet99(steps, epochs, warmup_epochs):
    warmup = int(warmup_epochs * steps)

    def rule(step):
        if step < warmup:
            return 0.4 * (step + 1) / warmup
        return cosine_by_epoch(step, steps, 0.4, 0.001, 5)

    rates = import_from("fishnet99", "src.lr_generator").get_lr(
        0.4, 0.001, 5, warmup_epochs, epochs, steps
    )
    assert_rates(rates, rule, steps * epochs)


def resnest_rates(steps, **settings):
    get_lr = import_from("resnest", "src.models.utils").get_lr
    return get_lr(SimpleNamespace(eta_min=0.001, T_max=5, lr_gamma=0.1, **settings), 0.2, steps)


@pytest.mark.parametrize("steps, epochs, warmup_epochs", [*ODD, (7, 5, 1.5), (9, 4, 0.25)])
def test_resnest_cosine(steps, epochs, warmup_epochs):
    warmup = int(warmup_epochs * steps)

    def rule(step):
        if step < warmup:
            return 0.2 * (step + 1) / warmup
        return cosine_by_epoch(step, steps, 0.2, 0.001, 5)

    rates = resnest_rates(
        steps, lr_scheduler="cosine_annealing", max_epoch=epochs, warmup_epochs=warmup_epochs
    )
    assert_rates(rates, rule, steps * epochs)


@pytest.mark.parametrize(
    "warmup_epochs, milestones",
    [
        (0, (0, 4)),
        (2, (1, 4)),  # inside the warm-up: no effect, not even later
        (2, (0, 2, 4)),  # where the warm-up ends, it has an effect
        (1.5, (1, 2, 3)),  # epoch 1 begins inside the warm-up
        (3, (2, 2, 5, 5)),  # an epoch given twice counts twice
        (9, (1, 8)),  # all of the training is warm-up
    ],
)
def test_resnest_exponential(warmup_epochs, milestones):
    steps, epochs = 7, 9
    warmup = int(warmup_epochs * steps)
    rates, rate = [], 0.2
    for step in range(steps * epochs):
        if step < warmup:
            rates.append(0.2 * (step + 1) / warmup)
            continue
        if step % steps == 0:
            rate *= 0.1 ** milestones.count(step // steps)
        rates.append(rate)

    settings = {"lr_scheduler": "exponential", "max_epoch": epochs, "warmup_epochs": warmup_epochs}
    got = resnest_rates(steps, lr_epochs=",".join(map(str, milestones)), **settings)
    assert_rates(got, rates.__getitem__, steps * epochs)


@pytest.mark.parametrize("lengths", [(2, 5, 23, 60, 160), (0, 1, 0, 2, 3), (1, 1, 1, 1, 1)])
@pytest.mark.parametrize("steps, epochs", [(916, 9), (7, 300), (13, 250), (1, 6), (3, 5)])
def test_nas_fpn(steps, epochs, lengths):
    top, end, total = 0.05, 2.5e-4, steps * epochs
    starts = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
    ends = (top * 1e-4 / 3, top * 1e-3, top * 1e-2, top * 0.1, top)

    def rule(step):
        begin = 0
        for length, first, last in zip(lengths, starts, ends):
            if step < begin + length * steps:
                done = (step - begin) / (length * steps)
                return first * (1 - done) + last * done
            begin += length * steps
        return end + (top - end) * (1 + math.cos(math.pi * (step - begin) / (total - begin))) / 2

    get_lr = import_from("nas_fpn", "src.lr_generator").get_lr
    assert_rates(get_lr(0, 1e-6, end, top, *lengths, epochs, steps), rule, total)


@pytest.mark.parametrize("folder", NAMES)
def test_every_folder_has_its_rule(folder):
    tests = [name for name in globals() if name.startswith(f"test_{folder}")]
    assert tests, f"add test_{folder}, of the rate of every step, to tests/test_schedules.py"
