"""FishNet-99: the settings documented for several devices, and which checkpoints are found."""

import pytest

from folders import import_from, load_config

GROUPS = ("training", "device")


@pytest.mark.parametrize(
    "device, size, expected",
    [
        ("Ascend", 1, (0.05, 160, 150)),
        ("Ascend", 8, (0.4, 160, 150)),
        ("GPU", 1, (0.05, 160, 150)),
        ("GPU", 2, (0.1, 110, 100)),
        ("GPU", 8, (0.4, 160, 150)),
    ],
)
def test_settings_follow_the_devices(monkeypatch, device, size, expected):
    monkeypatch.setenv("RANK_SIZE", str(size))
    config = load_config("fishnet99", GROUPS, ("--device_type", device))
    assert (config.lr_init, config.epoch_size, config.T_max) == expected
    given = ("--device_type", device, "--lr_init", "0.3", "--epoch_size=7", "--T_max", "6")
    config = load_config("fishnet99", GROUPS, given)
    assert (config.lr_init, config.epoch_size, config.T_max) == (0.3, 7, 6)


def test_checkpoints_in_order_of_epoch(tmp_path):
    """As eval.py finds them: epoch 10 after 8, the best one last."""
    names = [f"train_fishnet99_imagenet-{end}.ckpt" for end in ("2_5", "8_5", "10_5", "best")]
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / "._best.ckpt").touch()  # of another system
    checkpoints = import_from("fishnet99", "eval").checkpoints
    assert checkpoints(str(tmp_path)) == [str(tmp_path / name) for name in names]
    assert checkpoints(str(tmp_path / names[1])) == [str(tmp_path / names[1])]
