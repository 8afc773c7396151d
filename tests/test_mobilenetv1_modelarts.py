"""MobileNetV1's whole job on ModelArts, with a stand-in for the package `moxing`."""

import json
import os
import subprocess
import sys
import zipfile

import onnx

from folders import REPOSITORY
from script_calls import MOXING
from test_mobilenetv1_data import write_records


def run(script, place, *flags):
    (place / "modules").mkdir(exist_ok=True)
    (place / "modules/moxing.py").write_text(MOXING)
    places = {"data_path": "data", "output_path": "output", "load_path": "load"}
    local = [f"--{key}={place / 'job' / name}" for key, name in places.items()]
    common = ["--enable_modelarts", "True", "--device_target", "CPU"]
    network = ["--image_size", "32", "--width_multiplier", "0.25"]
    stored = ["--data_url", "s3://data", "--train_url", "s3://results"]
    program = [sys.executable, str(REPOSITORY / "mobilenetv1" / script)]
    environment = {
        "STORAGE": str(place / "storage"),
        "PYTHONPATH": str(place / "modules"),
        "JOB_ID": "job 1",
    }
    return subprocess.run(
        [*program, *common, *network, *stored, *local, *flags],
        cwd=place,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_train_evaluate_and_export(tmp_path):
    write_records(tmp_path / "cifar10/train.bin", 16)
    (tmp_path / "storage/data").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "storage/data/digits.zip", "w") as archive:
        archive.write(tmp_path / "cifar10/train.bin", "digits/train.bin")
    unzip = ["--need_modelarts_dataset_unzip", "True", "--modelarts_dataset_unzip_name", "digits"]

    short = ["--epoch_size", "1", "--batch_size", "8", "--warmup_epochs", "0"]
    done = run("train.py", tmp_path, *unzip, *short)
    assert done.returncode == 0, done.stderr
    results = tmp_path / "storage/results/ckpt_0"
    assert sorted(path.name for path in results.iterdir()) == [
        "config.yaml",
        "curves.png",
        "metrics.csv",
        "mobilenetv1-1_2.ckpt",
    ]

    stored = ["--checkpoint_url", "s3://results/ckpt_0"]
    done = run("eval.py", tmp_path, *unzip, *stored, "--checkpoint", "mobilenetv1-1_2.ckpt")
    assert done.returncode == 0 and "evaluated 16 images" in done.stdout, done.stderr
    local = str(tmp_path / "job/load/mobilenetv1-1_2.ckpt")
    (tmp_path / "job/load/mobilenetv1-1_2.ckpt").unlink()
    done = run("export.py", tmp_path, *stored, "--ckpt_file", local, "--file_format", "ONNX")
    assert done.returncode == 0, done.stderr
    model = onnx.load(tmp_path / "storage/results/mobilenetv1.onnx")
    record = {entry.key: entry.value for entry in model.metadata_props}["record"]
    assert json.loads(record)["class_names"][:2] == ["airplane", "automobile"]
