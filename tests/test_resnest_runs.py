"""ResNeSt in a copy of its folder: two real processes, ModelArts, resuming, a checkpoint with
the documented names.
"""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from documented_checkpoint import write_documented_checkpoint
from elsewhere import Elsewhere, assert_golden, rows
from script_calls import MOXING

pytestmark = pytest.mark.slow

DATA = Path(__file__).parent / "data"
SMALL = ["--num_classes", "2", "--eval_crop_size", "64", "--num_workers", "1"]
TRAINING = [*SMALL, "--crop_size", "64", "--batch_size", "4", "--epochs", "2", "--lr", "0.01"]
TRAINING += ["--warmup_epochs", "1", "--eval_interval", "1", "--test_batch_size", "3"]


class ResNeSt(Elsewhere):
    """16 images to train on and 7 to evaluate, in ModelArts' storage."""

    def __init__(self, root):
        super().__init__(root, "resnest")
        generator = np.random.default_rng(0)
        for split, count in (("train", 16), ("val", 7)):
            for number in range(count):
                folder = root / "storage/images" / split / "ab"[number % 2]
                folder.mkdir(parents=True, exist_ok=True)
                pixels = generator.integers(0, 256, (70, 90, 3), np.uint8)
                cv2.imwrite(str(folder / f"{number}.JPEG"), pixels)
        (root / "modules").mkdir()
        (root / "modules/moxing.py").write_text(MOXING)
        self.environment = {"PYTHONPATH": str(root / "modules"), "STORAGE": str(root / "storage")}

    def train(self, *flags):
        command = ("scripts/run_distribute_train.sh", "table.json", "--root", "images")
        return self.bash(*command, "--outdir", "out", *TRAINING, *flags)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    return ResNeSt(tmp_path_factory.mktemp("else where"))


@pytest.fixture(scope="module")
def trained(elsewhere):
    """After two epochs in two processes, with the data from ModelArts' storage and the results
    back to it.
    """
    elsewhere.train(
        "--is_model_arts", "True", "--data_url", "s3://images", "--train_url", "s3://results"
    )
    return elsewhere


def test_training_in_two_processes(trained):
    for worker in "01":
        log = (trained.model / f"scripts/LOG{worker}/train_log.txt").read_text()
        assert (
            "================Start training================" in log
            and "epoch: 2 step: 2, loss is " in log
        )
        assert re.search(r"^fps_mean 16 time_used \d+\.\d+", log, re.M)
        assert len(re.findall(r"^epoch: [12], acc: \d\.\d+, eval_cost:\d+\.\d\d$", log, re.M)) == 2
    assert {path.name for path in (trained.root / "out/ckpt_0").iterdir()} == {
        "config.yaml",
        "curves.png",
        "metrics.csv",
        "resnest50-1_2.ckpt",
        "resnest50-2_2.ckpt",
        "resnest50-best.ckpt",
    }
    assert not list((trained.root / "out/ckpt_1").glob("*.ckpt"))
    # for two
    assert [float(row["lr"]) for row in rows(trained.root / "out/ckpt_0")] == pytest.approx(
        [0.02, 0.01]
    )


def test_modelarts(trained):
    """The data were copied once though both processes use them, and the results once."""
    logs = [(trained.model / f"scripts/LOG{worker}/train_log.txt").read_text() for worker in "01"]
    assert [re.findall("^copy (.*)$", log, re.M) for log in logs] == [
        [f"s3://images to {trained.root}/images", f"{trained.root}/out to s3://results"],
        [],
    ]
    assert (trained.root / "storage/results/ckpt_0/resnest50-2_2.ckpt").exists()


def test_evaluation_in_two_processes(trained):
    """Of 7 images one process gets 4, the other 3; the counts are summed, and equal those of one
    process.
    """
    checkpoint = trained.root / "out/ckpt_0/resnest50-1_2.ckpt"
    flags = ["--root", "images", *SMALL, "--test_batch_size", "2"]
    command = ("scripts/run_distribute_eval.sh", "table.json", "evaluated")
    trained.bash(*command, checkpoint, *flags)
    trained.python("eval.py", "--outdir", "alone", "--pretrained_ckpt_path", checkpoint, *flags)
    (alone,) = (trained.root / "alone/valid").glob("*/*_rank_0.log")
    logs = [
        next((trained.root / "evaluated/valid").glob(f"*/*_rank_{rank}.log")).read_text()
        for rank in (0, 1)
    ]
    before = [np.array(json.loads(re.search("before results=(.*)", log)[1])) for log in logs]
    after = [
        json.loads(re.search("after results=(.*)", log)[1]) for log in [*logs, alone.read_text()]
    ]
    assert sorted(part[2, 0] for part in before) == [3, 4]
    assert after == [(before[0] + before[1]).tolist()] * 3
    assert (
        f"top1_correct={after[0][0][0]}, tot=7,acc="
        in (trained.model / "scripts/LOG0/eval_log.txt").read_text()
    )


def test_resumed_training_ends_with_the_same_weights(trained):
    folder = trained.root / "out/ckpt_0"
    whole, table = (folder / "resnest50-2_2.ckpt").read_bytes(), rows(folder)
    (folder / "resnest50-2_2.ckpt").unlink()
    trained.train("--resume", "True")
    assert "resume after epoch 1" in (trained.model / "scripts/LOG1/train_log.txt").read_text()
    assert (folder / "resnest50-2_2.ckpt").read_bytes() == whole
    for key in ("epoch", "step", "loss", "lr"):
        assert [row[key] for row in rows(folder)] == [row[key] for row in table]


def test_a_checkpoint_with_the_documented_names_through_the_documented_commands(elsewhere):
    checkpoint = elsewhere.root / "resnest50-270_2502.ckpt"
    write_documented_checkpoint(checkpoint, "resnest", 389 + 247 + 3)
    (elsewhere.root / "names.txt").write_text("\n".join(["a", "b", *map(str, range(998))]))
    data = ("--root", "storage/images", "--class_names", "names.txt")
    flags = ("--outdir", "./output", "--pretrained_ckpt_path", checkpoint, *data)
    out = elsewhere.python("eval.py", *flags)
    assert re.search(
        r":INFO:after allreduce eval: top5_correct=\d, tot=7,acc=\d+\.\d\d%\(TOP5\)$",
        out,
        re.M,
    )
    flags = ("--net_name", "resnest50", "--file_format", "ONNX")
    elsewhere.python("export.py", "--device_id", "0", "--ckpt_file", checkpoint, *flags)
    assert_golden(elsewhere.root / "resnest50.onnx", DATA / "resnest.npz", 256)
    flags = ("--onnx_path", "resnest50.onnx", *data, "--outdir", "exports")
    elsewhere.python("eval_onnx.py", *flags)
    counts = [
        re.search("after results=(.*)", log.read_text())[1]
        for folder in ("output", "exports")
        for log in (elsewhere.root / folder / "valid").glob("*/*.log")
    ]
    assert len(counts) == 2 and counts[0] == counts[1]
