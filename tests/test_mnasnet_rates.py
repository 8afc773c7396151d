"""MnasNet's learning rates."""

import numpy as np
import pytest

from folders import import_from

get_lr = import_from("mnasnet", "src.lr_generator").get_lr
FULL = (1e-4, 1e-5, 0.2, 5, 250, 625)
FULL_STEPS = (0, 624, 3124, 3125, 3749, 46875, 93750, 125000, 156249)
SMALL = (1e-4, 1e-5, 0.2, 2, 8, 5)
SMALL_STEPS = (0, 9, 10, 12, 39)
RATES = [
    (
        "other",
        FULL,
        [1e-4, 0.04001603, 0.199936, 0.2, 0.199185, 0.14286, 0.08163857, 0.04082429, 1.130606e-5],
    ),
    (
        "poly",
        FULL,
        [
            1e-4,
            0.04001603,
            0.199936,
            0.2,
            0.1983733,
            0.1020408,
            0.03331945,
            0.008329863,
            8.529779e-12,
        ],
    ),
    (
        "cosine",
        FULL,
        [
            1.63968e-4,
            0.04008,
            0.2,
            0.1998204,
            0.1989268,
            0.1156066,
            0.03122634,
            0.005214793,
            2.005363e-6,
        ],
    ),
    ("steps", FULL, [0.2, 0.2, 0.2, 0.2, 0.2, 0.02, 0.002, 2e-4, 2e-4]),
    (
        "linear",
        FULL,
        [
            1e-4,
            0.04001603,
            0.199936,
            9.795919e-5,
            9.795919e-5,
            6.938775e-5,
            3.877551e-5,
            1.836735e-5,
            8.163266e-8,
        ],
    ),
    ("other", SMALL, [1e-4, 0.18001, 0.2, 0.1866673, 0.006676333]),
    ("poly", SMALL, [1e-4, 0.18001, 0.2, 0.1742222, 2.222222e-4]),
    ("cosine", SMALL, [0.02009, 0.2, 0.1553411, 0.1287814, 7.803566e-4]),
    ("steps", SMALL, [0.2, 0.2, 0.2, 0.02, 2e-4]),
    ("linear", SMALL, [1e-4, 0.18001, 3.333333e-5, 3.333333e-5, 6.666667e-6]),
]


@pytest.mark.parametrize("mode, settings, expected", RATES)
def test_published_learning_rates(mode, settings, expected):
    rates = get_lr(*settings, mode)
    assert rates.dtype == np.float32 and rates.shape == (settings[4] * settings[5],)
    np.testing.assert_allclose(
        rates[list(FULL_STEPS if settings is FULL else SMALL_STEPS)], expected, rtol=1e-6
    )


@pytest.mark.parametrize(
    "mode, epochs, message",
    [
        ("exponential", 8, "exponential"),
        ("linear", 5, "more than 5 epochs"),
        ("other", 0, "0 epochs"),
    ],
)
def test_impossible_learning_rates(mode, epochs, message):
    with pytest.raises(ValueError, match=message):
        get_lr(1e-4, 1e-5, 0.2, 1, epochs, 5, mode)


def test_learning_rate_without_warmup_starts_at_its_top():
    assert get_lr(1e-4, 1e-5, 0.2, 0, 2, 3, "other")[0] == np.float32(0.2)
