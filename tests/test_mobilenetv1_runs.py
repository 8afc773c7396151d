"""MobileNetV1: runs in one folder put each other's files aside, and delete only their own."""

from pathlib import Path

from entry_points import start
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


def test_runs_in_one_folder(tmp_path):
    """A new run puts the earlier one's files aside, and deletes neither those nor its own;
    resumed, only those later than the checkpoint move.
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
    told = train(2, keep=1, resume="ckpt_0/mobilenetv1-1_1.ckpt")
    assert f"kept from an earlier run: {Path('ckpt_0/earlier.3')}" in told.replace("./", "")
    assert three - {"mobilenetv1-1_1.ckpt"} <= names("earlier.3")
    best = {"mobilenetv1-best.ckpt"}  # where a later epoch was the best, it moves, too
    assert names(".") - best == {"mobilenetv1-2_1.ckpt"} | records - best
