"""ResNeSt's learning rates."""

from types import SimpleNamespace

import numpy as np
import pytest

from folders import import_from

utils = import_from("resnest", "src.models.utils")
config_train = import_from("resnest", "src.config").config_train


def schedule(lr, steps, **changes):
    return utils.get_lr(SimpleNamespace(**{**vars(config_train), **changes}), lr, steps)


@pytest.mark.parametrize(
    "lr, steps, expected",
    [
        (
            0.025,
            20018,
            {
                0: 2.497752e-7,
                20017: 0.005,
                20018: 0.00500025,
                100089: 0.025,
                100090: 0.02497885,
                200180: 0.02491548,
                2702430: 0.0125,
                -1: 8.461499e-7,
            },
        ),
        (
            0.2,
            2502,
            {
                0: 1.598721e-5,
                12509: 0.2,
                12510: 0.19983082,
                25020: 0.19932383,
                337770: 0.1,
                -1: 6.769199e-6,
            },
        ),
    ],
)
def test_cosine_schedule_at_documented_settings(lr, steps, expected):
    rates = schedule(lr, steps)
    assert rates.dtype == np.float32 and len(rates) == 270 * steps
    np.testing.assert_allclose(
        [rates[step] for step in expected], list(expected.values()), rtol=1e-6
    )


@pytest.mark.parametrize(
    "changes, expected",
    [
        (
            {"warmup_epochs": 2, "T_max": 6, "max_epoch": 6},
            [
                0.00125,
                0.0075,
                0.01375,
                0.02,
                0.01875,
                0.01875,
                0.0125,
                0.0125,
                0.00625,
                0.00625,
                0.00167468,
                0.00167468,
            ],
        ),
        (
            {"lr_scheduler": "exponential", "warmup_epochs": 1, "max_epoch": 6, "lr_epochs": "2,4"},
            [0.0025, 0.015, 0.025, 0.025] + [0.0025] * 4 + [0.00025] * 4,
        ),
        ({"warmup_epochs": 0, "max_epoch": 1, "T_max": 1}, [0.025, 0.025]),
        ({"warmup_epochs": 5, "max_epoch": 1}, [0.0005, 0.003]),
    ],
)
def test_schedule_every_fifth_of_ten_steps(changes, expected):
    np.testing.assert_allclose(schedule(0.025, 10, **changes)[::5], expected, rtol=1e-5)


def test_unknown_schedule_is_named():
    with pytest.raises(ValueError, match="linear"):
        schedule(0.1, 1, lr_scheduler="linear")
