"""The ModelArts flow, with a stand-in for the package `moxing`, which exists on ModelArts alone."""

import os
import subprocess
import sys
import zipfile

import pytest

from folders import REPOSITORY, import_from
from test_mobilenetv1_data import write_records

MOXING = '''
"""Object storage as a folder of this machine: s3://x is $STORAGE/x."""
import os
import shutil


class file:
    @staticmethod
    def copy_parallel(source, target):
        storage = os.environ["STORAGE"] + "/"
        source, target = (path.replace("s3://", storage) for path in (source, target))
        shutil.copytree(source, target, dirs_exist_ok=True)
'''


def run(script, place, *flags):
    (place / "modules").mkdir(exist_ok=True)
    (place / "modules/moxing.py").write_text(MOXING)
    folders = [
        f"--{key}={place / 'job' / name}"
        for key, name in (("data_path", "data"), ("output_path", "output"), ("load_path", "load"))
    ]
    return subprocess.run(
        [
            sys.executable,
            str(REPOSITORY / "mobilenetv1" / script),
            "--enable_modelarts",
            "True",
            "--device_target",
            "CPU",
            "--image_size",
            "32",
            "--width_multiplier",
            "0.25",
            "--data_url",
            "s3://data",
            "--train_url",
            "s3://results",
            *folders,
            *flags,
        ],
        cwd=place,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "STORAGE": str(place / "storage"),
            "PYTHONPATH": str(place / "modules"),
            "JOB_ID": "job 1",
        },
    )


def test_train_evaluate_and_export(tmp_path):
    write_records(tmp_path / "cifar10/train.bin", 16)
    (tmp_path / "storage/data").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "storage/data/digits.zip", "w") as archive:
        archive.write(tmp_path / "cifar10/train.bin", "digits/train.bin")
    unzip = ["--need_modelarts_dataset_unzip", "True", "--modelarts_dataset_unzip_name", "digits"]

    done = run(
        "train.py",
        tmp_path,
        *unzip,
        "--epoch_size",
        "1",
        "--batch_size",
        "8",
        "--warmup_epochs",
        "0",
    )
    assert done.returncode == 0, done.stderr
    results = tmp_path / "storage/results/ckpt_0"
    assert sorted(path.name for path in results.iterdir()) == [
        "config.yaml",
        "curves.png",
        "metrics.csv",
        "mobilenetv1-1_2.ckpt",
    ]

    checkpoint = ["--checkpoint_url", "s3://results/ckpt_0", "--checkpoint", "mobilenetv1-1_2.ckpt"]
    done = run("eval.py", tmp_path, *unzip, *checkpoint)
    assert done.returncode == 0 and "evaluated 16 images" in done.stdout, done.stderr
    done = run(
        "export.py",
        tmp_path,
        "--checkpoint_url",
        "s3://results/ckpt_0",
        "--ckpt_file",
        str(tmp_path / "job/load/mobilenetv1-1_2.ckpt"),
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "storage/results/mobilenetv1.mindir").exists()


@pytest.mark.parametrize(
    "name", ["../outside.txt", "/outside of the target.txt", "a/../../outside.txt"]
)
def test_a_zip_entry_that_leaves_the_target_is_refused(tmp_path, name):
    adapter = import_from("mobilenetv1", "src.vendored.launch")
    sys.argv, before = [sys.argv[0]], sys.argv
    try:
        unpack = import_from("mobilenetv1", "src.model_utils.moxing_adapter").unpack
    finally:
        sys.argv = before
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("fine.txt", "fine")
        archive.writestr(name, "outside")
    with pytest.raises(adapter.UserError, match="would leave"):
        unpack(tmp_path / "bad.zip", tmp_path / "target")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["bad.zip"]
    (tmp_path / "bad.zip").write_bytes(b"no zip")
    with pytest.raises(adapter.UserError, match="not a whole zip"):
        unpack(tmp_path / "bad.zip", tmp_path / "target")
