"""Wrong input ends with exit code 1 and one line that says what is wrong and where, before
anything is overwritten.
"""

import os

import mindspore as ms
import numpy as np
import pytest
from PIL import Image

from entry_points import assert_one_line, call
from folders import import_from
from test_mobilenetv1_data import write_records

CPU = ["--device_target", "CPU"]
SMALL = [*CPU, "--image_size", "32", "--width_multiplier", "0.25"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with small data and a whole, a truncated, a random, an empty and a foreign
    checkpoint.
    """
    root = tmp_path_factory.mktemp("it's a $place")
    write_records(root / "cifar/test.bin", 20)
    write_records(root / "wide/test.bin", 20, classes=12)
    for name in ("a", "b"):
        (root / "photos/val" / name).mkdir(parents=True)
        Image.new("RGB", (60, 50), name == "a" and "red" or "blue").save(
            root / f"photos/val/{name}/{name}.JPEG"
        )
    (root / "empty").mkdir()
    (root / "no images/val/class").mkdir(parents=True)
    network = import_from("mobilenetv1", "src.mobilenet_v1_fpn").mobilenet_v1(
        10, width_multiplier=0.25
    )
    ms.save_checkpoint(network, str(root / "good.ckpt"))
    content = (root / "good.ckpt").read_bytes()
    (root / "truncated.ckpt").write_bytes(content[: len(content) // 2])
    (root / "random.ckpt").write_bytes(np.random.RandomState(0).bytes(5000))
    (root / "empty.ckpt").write_bytes(b"")
    ms.save_checkpoint(ms.nn.Dense(3, 4), str(root / "other.ckpt"))
    return root


CIFAR, PHOTOS = (
    ["--dataset", "cifar10", "--dataset_path"],
    [
        "--dataset",
        "imagenet2012",
        "--dataset_path",
    ],
)
GOOD = ["--checkpoint_path", "good.ckpt"]
CASES = [  # script, arguments, words of the line
    ("eval.py", [*SMALL, *CIFAR, "nowhere", *GOOD], ["nowhere"]),
    ("eval.py", [*SMALL, *CIFAR, "empty", *GOOD], ["empty", "*.bin"]),
    ("eval.py", [*SMALL, *CIFAR, "wide", *GOOD], ["wide/test.bin", "label 11", "10 classes"]),
    (
        "eval.py",
        [*SMALL, *PHOTOS, "empty", "--class_num", "10", *GOOD],
        ["empty/<class>/<image>.jpg", "no folders in it"],
    ),
    (
        "eval.py",
        [*SMALL, *PHOTOS, "no images", "--class_num", "10", *GOOD],
        ["class folders without images"],
    ),
    ("train.py", [*SMALL, *PHOTOS, "photos/val/a"], ["photos/val/a", "images directly in it"]),
    ("train.py", [*SMALL, *CIFAR, "cifar", "--batch_size", "21"], ["20 images", "batch of 21"]),
    (
        "eval.py",
        [*SMALL, *CIFAR, "cifar", "--checkpoint_path", "nowhere.ckpt"],
        ["nowhere.ckpt: no such"],
    ),
    (
        "eval.py",
        [*SMALL, *CIFAR, "cifar", "--checkpoint_path", "truncated.ckpt"],
        ["truncated.ckpt: not a whole"],
    ),
    (
        "eval.py",
        [*SMALL, *CIFAR, "cifar", "--checkpoint_path", "random.ckpt"],
        ["random.ckpt: not a whole"],
    ),
    (
        "eval.py",
        [*SMALL, *CIFAR, "cifar", "--checkpoint_path", "empty.ckpt"],
        ["empty.ckpt: not a whole"],
    ),
    (
        "eval.py",
        [*SMALL, *CIFAR, "cifar", "--checkpoint_path", "other.ckpt"],
        ["other.ckpt", "nearest"],
    ),
    (
        "eval.py",
        [*SMALL, *CIFAR, "cifar", "--class_num", "12", *GOOD],
        ["fc.weight", "(10, 256)", "(12, 256)"],
    ),
    ("eval.py", [*CPU, *CIFAR, "cifar", *GOOD], ["good.ckpt", "has shape"]),
    ("export.py", [*SMALL, "--ckpt_file", "good.ckpt", "--file_format", "AIR"], ["AIR", "Ascend"]),
    (
        "export.py",
        [*SMALL, "--ckpt_file", "good.ckpt", "--file_format", "TFLITE"],
        ["file_format", "ONNX"],
    ),
    ("train.py", [*CPU, "--epoch_sise", "3"], ["--epoch_sise", "--epoch_size"]),
    ("train.py", [*CPU, "--epoch_size", "three"], ["epoch_size", "whole number", "three"]),
    ("train.py", [*CPU, "--epoch_size", "0"], ["epoch_size", "got 0"]),
    ("train.py", [*CPU, "--run_eval", "perhaps"], ["run_eval", "True or False"]),
    ("train.py", [*CPU, "--config_path", "random.ckpt"], ["random.ckpt", "yaml"]),
    ("train.py", [*CPU, "--config_path", "nowhere.yaml"], ["nowhere.yaml", "no such"]),
    ("train.py", [*CPU, "--device_id", "7"], ["device_id 7"]),
    ("train.py", [*SMALL, *CIFAR, "cifar", "--run_distribute", "True"], ["msrun"]),
    ("train.py", [*SMALL, *CIFAR, "cifar", "--parameter_server", "True"], ["parameter_server"]),
    ("eval_onnx.py", [*CPU, *CIFAR, "cifar", "--onnx_url", "nowhere.onnx"], ["nowhere.onnx"]),
    (
        "eval_onnx.py",
        [*CPU, *CIFAR, "cifar", "--onnx_url", "random.ckpt"],
        ["random.ckpt", "onnxruntime"],
    ),
    (
        "eval_onnx.py",
        [*CIFAR, "cifar", "--onnx_url", "random.ckpt", "--device_target", "GPU"],
        ["CUDAExecutionProvider"],
    ),
    (
        "preprocess.py",
        ["--dataset", "cifar10", "--data_path", "cifar", "--mindir_path", "random.ckpt"],
        ["MindIR"],
    ),
    (
        "postprocess.py",
        ["--dataset", "imagenet2012", "--label_dir", "random.ckpt"],
        ["random.ckpt"],
    ),
    ("postprocess.py", ["--dataset", "cifar10", "--label_dir", "empty.ckpt"], ["empty.ckpt"]),
    (
        "create_imagenet2012_label.py",
        ["--img_path", "."],
        ["folders in folders", "./no images"],
    ),
]


@pytest.mark.parametrize(
    "script, arguments, words", CASES, ids=[f"{c[0][:-3]}-{'-'.join(c[2])}" for c in CASES]
)
def test_one_line(place, script, arguments, words):
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    code, _, err = call("mobilenetv1", script, *arguments, cwd=place)
    assert_one_line(code, err, *words)
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before


def test_an_output_folder_that_cannot_be_written(place):
    code, _, err = call(
        "mobilenetv1",
        "export.py",
        *SMALL,
        "--ckpt_file",
        "good.ckpt",
        "--file_name",
        "good.ckpt/model",
        cwd=place,
    )
    assert_one_line(code, err, "good.ckpt")


@pytest.mark.parametrize("seed", range(20))
def test_random_yaml_never_crashes(place, tmp_path, seed):
    signs = np.frombuffer(b"ab:-{}[]\"' \n\t0&*!|%\xff", np.uint8)
    (tmp_path / "random.yaml").write_bytes(np.random.RandomState(seed).choice(signs, 60).tobytes())
    code, _, err = call(
        "mobilenetv1", "export.py", "--config_path", tmp_path / "random.yaml", *CPU, cwd=place
    )
    assert_one_line(code, err)  # At the latest the checkpoint is not there.


def test_truncated_checkpoints_never_crash(place, tmp_path):
    content = (place / "good.ckpt").read_bytes()
    for length in np.linspace(1, len(content) - 1, 12).astype(int):
        (tmp_path / "cut.ckpt").write_bytes(content[:length])
        code, _, err = call(
            "mobilenetv1", "export.py", *SMALL, "--ckpt_file", tmp_path / "cut.ckpt", cwd=place
        )
        assert_one_line(code, err, "cut.ckpt")
    assert os.listdir(tmp_path) == ["cut.ckpt"]
