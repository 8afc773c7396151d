"""An interrupted run goes on to the weights of an uninterrupted one; what it wrote stays whole."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mindspore as ms
import numpy as np

from entry_points import assert_one_line, start
from folders import REPOSITORY
from test_mobilenetv1_data import write_records

FLAGS = [
    "--device_target",
    "CPU",
    "--image_size",
    "32",
    "--width_multiplier",
    "0.25",
    "--batch_size",
    "8",
    "--warmup_epochs",
    "1",
    "--epoch_size",
    "4",
    "--save_checkpoint_epochs",
    "1",
    "--run_eval",
    "True",
]


def data_flags(folder, images):
    """A data set of `images` to train on and 5 to evaluate on."""
    write_records(folder / "cifar-10-batches-bin/train.bin", images)
    write_records(folder / "cifar-10-verify-bin/test.bin", 5)
    return ["--dataset_path", folder]


def last_weights(folder):
    return ms.load_checkpoint(str(folder / "ckpt_0/mobilenetv1-4_4.ckpt"))


def test_resumed_training_ends_with_the_same_weights(tmp_path):
    flags = [*FLAGS, *data_flags(tmp_path / "a folder's $data", 36)]
    for name in ("whole", "resumed"):
        (tmp_path / name).mkdir()
    whole = start("mobilenetv1", "train.py", *flags, cwd=tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr

    # Killed as soon as the second epoch's checkpoint is there.
    running = subprocess.Popen(
        [sys.executable, str(REPOSITORY / "mobilenetv1/train.py"), *map(str, flags)],
        cwd=tmp_path / "resumed",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.time() + 300
    while (
        not (tmp_path / "resumed/ckpt_0/mobilenetv1-2_4.ckpt").exists() and time.time() < deadline
    ):
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    for path in (tmp_path / "resumed/ckpt_0").glob("mobilenetv1-*.ckpt"):
        # Whole, whenever the run was killed, and with the record.
        assert len(ms.load_checkpoint(str(path), crc_check=True)) == 224
    for epoch in (3, 4):
        (tmp_path / f"resumed/ckpt_0/mobilenetv1-{epoch}_4.ckpt").unlink(missing_ok=True)

    resumed = start("mobilenetv1", "train.py", *flags, "--resume", "auto", cwd=tmp_path / "resumed")
    assert resumed.returncode == 0, resumed.stderr
    assert "resume after epoch 2" in resumed.stdout
    expected, got = last_weights(tmp_path / "whole"), last_weights(tmp_path / "resumed")
    assert list(expected) == list(got)
    for name in expected:
        np.testing.assert_array_equal(expected[name].asnumpy(), got[name].asnumpy(), err_msg=name)
    tables = [
        (tmp_path / name / "ckpt_0/metrics.csv").read_text().splitlines()
        for name in ("whole", "resumed")
    ]
    without_speed = [
        [line.split(",")[:4] + line.split(",")[5:] for line in table] for table in tables
    ]
    assert without_speed[0] == without_speed[1] and len(tables[0]) == 5

    again = start("mobilenetv1", "train.py", *flags, "--resume", "auto", cwd=tmp_path / "resumed")
    assert_one_line(again.returncode, again.stderr, "nothing left to train")
    other = start(
        "mobilenetv1",
        "train.py",
        *flags,
        "--batch_size",
        "5",
        "--resume",
        "auto",
        cwd=tmp_path / "resumed",
    )
    assert_one_line(other.returncode, other.stderr, "not whole epochs")


def test_a_full_disk_leaves_what_was_there(tmp_path):
    """A file size limit stands in for the disk: writes beyond it fail as on a full one."""
    flags = [*FLAGS, *data_flags(tmp_path / "data", 8), "--epoch_size", "2"]
    first = start("mobilenetv1", "train.py", *flags, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    before = {path.name: path.read_bytes() for path in (tmp_path / "ckpt_0").glob("*.ckpt")}
    limited = subprocess.run(
        [
            "bash",
            "-c",
            'ulimit -f 600; exec "$@"',
            "bash",
            sys.executable,
            str(REPOSITORY / "mobilenetv1/train.py"),
            *map(str, flags),
            "--width_multiplier",
            "0.5",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert_one_line(
        limited.returncode,
        limited.stderr.splitlines()[-1],
        ".ckpt: cannot be written",
        "too large",
        "what was there is whole",
    )
    assert {
        path.name: path.read_bytes() for path in (tmp_path / "ckpt_0/earlier.1").glob("*.ckpt")
    } == before
    assert not list((tmp_path / "ckpt_0").glob(".*"))


def test_runs_in_one_folder(tmp_path):
    """A new run puts the earlier one's files aside, and deletes neither those nor its own;
    resumed, none move.
    """
    data = data_flags(tmp_path / "data", 8)

    def train(epochs, keep=3, resume=""):
        done = start(
            "mobilenetv1",
            "train.py",
            *FLAGS,
            *data,
            "--epoch_size",
            epochs,
            "--keep_checkpoint_max",
            keep,
            "--resume",
            resume,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def names(folder):
        return {path.name for path in (tmp_path / "ckpt_0" / folder).iterdir() if path.is_file()}

    records = {"config.yaml", "metrics.csv", "curves.png", "mobilenetv1-best.ckpt"}
    three, two = (
        {f"mobilenetv1-{epoch}_1.ckpt" for epoch in range(1, last + 1)} for last in (3, 2)
    )
    assert "earlier run" not in train(3) and names(".") == three | records
    assert f"kept from an earlier run: {Path('ckpt_0/earlier.1')}" in train(2).replace("./", "")
    assert names(".") == two | records and names("earlier.1") == three | records
    train(3)
    assert (
        names(".") == names("earlier.1") == three | records and names("earlier.2") == two | records
    )
    # The checkpoint of epoch 3 is now older than that of epoch 2.
    assert "earlier run" not in train(2, keep=1, resume="ckpt_0/mobilenetv1-1_1.ckpt")
    assert names(".") == {"mobilenetv1-2_1.ckpt"} | records
