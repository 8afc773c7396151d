"""FishNet-99 in a copy of its folder: two real processes, resuming, fine-tuning."""

import json
import re
from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
import yaml

from elsewhere import rows
from fishnet99_elsewhere import (
    SMALL,
    fishnet99,  # noqa: F401 - the fixture `elsewhere`
)

pytestmark = pytest.mark.slow

DATA = Path(__file__).parent / "data"
TRAINING = [*SMALL, "--batch_size", "4", "--epoch_size", "2", "--T_max", "2"]
TRAINING += ["--save_checkpoint_epochs", "1"]


def train(elsewhere, *flags):
    command = ("scripts/run_train_ascend.sh", "table.json", "--data_path", "images/train")
    return elsewhere.bash(*command, *TRAINING, *flags)


@pytest.fixture(scope="module")
def trained(elsewhere):
    """After two epochs of two steps in two processes. The folder of checkpoints is
    `checkpoints`.
    """
    train(elsewhere)
    elsewhere.checkpoints = elsewhere.root / "train_parallel0/ckpt_0"
    return elsewhere


def test_training_in_two_processes(trained):
    for worker in "01":
        log = (trained.root / f"train_parallel{worker}/log").read_text()
        assert "2 CPU device(s): lr_init 0.1, T_max 2, epoch_size 2\n" in log
        assert "CPU: training in float32; mixed precision (O3) is for Ascend and GPU\n" in log
        assert (
            re.search(r"^epoch: 2 step: 2, loss is \d+\.\d+$", log, re.M)
            and "\ntrain success\n" in log
        )
    assert {path.name for path in trained.checkpoints.iterdir()} == {
        "config.yaml",
        "curves.png",
        "metrics.csv",
        "train_fishnet99_imagenet-1_2.ckpt",
        "train_fishnet99_imagenet-2_2.ckpt",
    }
    assert not list(trained.root.glob("train_parallel*/ckpt_1/*.ckpt"))
    table = rows(trained.checkpoints)
    assert [(row["epoch"], row["step"], float(row["lr"])) for row in table] == [
        ("1", "2", pytest.approx(0.1)),
        ("2", "4", pytest.approx(0.05)),
    ]
    assert yaml.safe_load((trained.checkpoints / "config.yaml").read_text())["lr_init"] == 0.1
    entries = ms.load_checkpoint(str(trained.checkpoints / "train_fishnet99_imagenet-2_2.ckpt"))
    assert set(dict(json.loads((DATA / "fishnet99.params.json").read_text()))) <= set(entries)
    assert sum(name.startswith("moments.") for name in entries) == 302


def test_resumed_training_ends_with_the_same_weights(trained):
    last = trained.checkpoints / "train_fishnet99_imagenet-2_2.ckpt"
    whole, table = ms.load_checkpoint(str(last)), rows(trained.checkpoints)
    last.unlink()
    train(trained, "--resume", "auto")
    assert "resume after epoch 1" in (trained.root / "train_parallel1/log").read_text()
    resumed = ms.load_checkpoint(str(last))
    assert list(resumed) == list(whole)
    for name, value in whole.items():
        np.testing.assert_array_equal(resumed[name].asnumpy(), value.asnumpy(), err_msg=name)
    for key in ("epoch", "step", "loss", "lr"):
        assert [row[key] for row in rows(trained.checkpoints)] == [row[key] for row in table]


def test_fine_tuning_for_another_number_of_classes(trained):
    """A network for five classes from the weights for two, validated while it trains; the best
    checkpoint is kept.
    """
    weights = trained.checkpoints / "train_fishnet99_imagenet-2_2.ckpt"
    flags = [
        "--pre_trained",
        "True",
        "--checkpoint_path",
        weights,
        "--dataset_path",
        "images/train",
    ]
    flags += ["--save_checkpoint_path", "tuned", *TRAINING, "--num_classes", "5"]
    flags += ["--epoch_size", "1", "--run_eval", "--val_data_path", "images/val"]
    out = trained.python("train.py", *flags)
    assert (
        "train_fishnet99_imagenet-2_2.ckpt; not loaded: classifier.6.weight, classifier.6.bias\n"
        in out
    )
    top1 = float(rows(trained.root / "tuned/ckpt_0")[0]["top1"])
    assert (
        top1 * 7 == pytest.approx(round(top1 * 7))
        and f"epoch: 1 evaluation: {{'top1': {top1}, 'top5': 1.0}}" in out
    )
    assert {path.name for path in (trained.root / "tuned/ckpt_0").glob("*.ckpt")} == {
        "train_fishnet99_imagenet-1_4.ckpt",
        "train_fishnet99_imagenet-best.ckpt",
    }
