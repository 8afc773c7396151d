"""ResNeSt: wrong input ends with exit code 1 and one line, before anything is overwritten."""

import os
import shutil
import subprocess
import sys
import tempfile

import mindspore as ms
import numpy as np
import pytest
from PIL import Image

from entry_points import assert_one_line, call
from folders import REPOSITORY, import_from

CPU = ["--device_target", "CPU"]
SMALL = [*CPU, "--num_classes", "3", "--crop_size", "64", "--eval_crop_size", "64"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with small data and a whole, a truncated, a random, an empty and a foreign
    checkpoint.
    """
    root = tmp_path_factory.mktemp("it's a $place")
    for split in ("train", "val"):
        for name in ("a", "b", "c"):
            (root / "photos" / split / name).mkdir(parents=True)
            image = Image.new("RGB", (60, 50), "red" if name == "a" else "blue")
            image.save(root / f"photos/{split}/{name}/{name}.JPEG")
    (root / "empty").mkdir()
    (root / "no images/val/class").mkdir(parents=True)
    for name in "abcd":
        (root / "crowded/val" / name).mkdir(parents=True)
        image.save(root / f"crowded/val/{name}/{name}.JPEG")
    (root / "flat/val").mkdir(parents=True)
    image.save(root / "flat/val/a.JPEG")
    network = import_from("resnest", "src.models.resnest").get_network("resnest50", num_classes=3)
    ms.save_checkpoint(network, str(root / "good.ckpt"))
    content = (root / "good.ckpt").read_bytes()
    (root / "truncated.ckpt").write_bytes(content[: len(content) // 2])
    (root / "random.ckpt").write_bytes(np.random.RandomState(0).bytes(5000))
    (root / "empty.ckpt").write_bytes(b"")
    ms.save_checkpoint(ms.nn.Dense(3, 4), str(root / "other.ckpt"))
    write_exports(root)
    return root


def write_exports(root):
    """Exported files with inputs that are not square, and not images; a MindIR file cut in half."""
    pooled = ms.nn.SequentialCell(ms.nn.AvgPool2d(32, 32, pad_mode="valid"), ms.nn.Flatten())
    for name, shape in (("wide", (1, 3, 32, 64)), ("grey", (1, 1, 32, 32))):
        for file_format in ("ONNX", "MINDIR"):
            # ms.export does not write to names with a quote.
            with tempfile.TemporaryDirectory() as plain:
                ms.export(
                    pooled,
                    ms.Tensor(np.zeros(shape, np.float32)),
                    file_name=f"{plain}/{name}",
                    file_format=file_format,
                )
                shutil.move(f"{plain}/{name}.{file_format.lower()}", root)
    for suffix in ("onnx", "mindir"):
        content = (root / f"wide.{suffix}").read_bytes()
        (root / f"truncated.{suffix}").write_bytes(content[: len(content) // 2])


PHOTOS, GOOD = ["--root", "photos"], ["--pretrained_ckpt_path", "good.ckpt"]
CASES = [  # script, arguments, words of the line
    ("eval.py", [*SMALL, "--root", "nowhere", *GOOD], ["nowhere", "no such folder"]),
    ("eval.py", [*SMALL, "--dataset_path", "empty", *GOOD], ["empty", "no folders in it"]),
    ("eval.py", [*SMALL, "--root", "no images", *GOOD], ["class folders without images"]),
    (
        "eval.py",
        [*SMALL, "--root", "flat", *GOOD],
        ["flat: 'val': called as splits are"],
    ),
    (
        "eval.py",
        [*SMALL, "--root", ".", *GOOD],
        ["./<class>/<image>.jpg", "folders in folders"],
    ),
    (
        "eval.py",
        [*SMALL, "--root", "crowded", *GOOD],
        ["4 class folders", "3 outputs"],
    ),
    ("eval.py", [*SMALL, *PHOTOS, *GOOD, "--outdir", "good.ckpt"], ["good.ckpt"]),
    (
        "eval.py",
        [*SMALL, *PHOTOS, "--num_classes", "2", *GOOD],
        ["fc.weight", "(3, 2048)", "(2, 2048)"],
    ),
    ("eval.py", [*SMALL, *PHOTOS, "--net_name", "resnest101", *GOOD], ["good.ckpt"]),
    (
        "eval.py",
        [*SMALL, *PHOTOS, "--pretrained_ckpt_path", "nowhere.ckpt"],
        ["nowhere.ckpt: no such"],
    ),
    ("eval.py", [*SMALL, *PHOTOS], ["resnest50-270_2502.ckpt: no such"]),
    (
        "eval.py",
        [*SMALL, *PHOTOS, "--checkpoint_path", "truncated.ckpt"],
        ["truncated.ckpt: not a whole"],
    ),
    (
        "eval.py",
        [*SMALL, *PHOTOS, "--checkpoint_path", "random.ckpt"],
        ["random.ckpt: not a whole"],
    ),
    ("eval.py", [*SMALL, *PHOTOS, "--checkpoint_path", "empty.ckpt"], ["empty.ckpt: not a whole"]),
    ("eval.py", [*SMALL, *PHOTOS, "--checkpoint_path", "other.ckpt"], ["other.ckpt", "nearest"]),
    (
        "eval.py",
        [*SMALL, *PHOTOS, *GOOD, "--eval_crop_size", "48"],
        ["eval_crop_size", "multiple of 32"],
    ),
    (
        "eval.py",
        [*SMALL, *PHOTOS, *GOOD, "--test_batch_size", "4", "--drop_remainder"],
        ["3 images", "batch of 4"],
    ),
    ("train.py", [*SMALL, "--root", "photos/train/a"], ["photos/train/a", "images directly"]),
    ("train.py", [*SMALL, *PHOTOS, "--batch_size", "4"], ["3 images", "batch of 4"]),
    ("train.py", [*CPU, *PHOTOS, "--batch_size", "65"], ["batch_size", "got 65"]),
    ("train.py", [*CPU, "--epocs", "3"], ["--epocs", "--epochs"]),
    ("train.py", [*CPU, "--epochs", "three"], ["epochs", "whole number", "three"]),
    ("train.py", [*CPU, "--epochs", "300", "--max_epoch", "299"], ["300", "max_epoch"]),
    ("train.py", [*CPU, "--lr_epochs", "3,x"], ["lr_epochs", "3,x"]),
    ("train.py", [*CPU, "--lr_scheduler", "linear"], ["lr_scheduler", "cosine_annealing"]),
    ("train.py", [*CPU, "--final_drop", "1.5"], ["final_drop", "got 1.5"]),
    ("train.py", [*CPU, "--run_eval", "perhaps"], ["run_eval", "True or False"]),
    ("train.py", [*CPU, "--device_id", "7"], ["device_id 7"]),
    ("train.py", [*CPU, "--device_num", "2"], ["device_num is 2"]),
    ("train.py", [*CPU, "--run_distribute", "True"], ["msrun"]),
    (
        "train.py",
        [*SMALL, *PHOTOS, "--batch_size", "2", "--start_epoch", "270"],
        ["nothing left to train"],
    ),
    ("train.py", [*SMALL, *PHOTOS, "--batch_size", "2", "--outdir", "good.ckpt"], ["good.ckpt"]),
    ("train.py", [*SMALL, *PHOTOS, "--is_model_arts", "True"], ["moxing"]),
    (
        "train.py",
        [*SMALL, *PHOTOS, "--batch_size", "2", "--resume", "nowhere.ckpt"],
        ["nowhere.ckpt: no such"],
    ),
    ("export.py", [*SMALL], ["--checkpoint_path"]),
    (
        "export.py",
        [*SMALL, "--ckpt_file", "good.ckpt", "--height", "40", "--width", "64"],
        ["multiples of 32", "40"],
    ),
    ("export.py", [*SMALL, "--ckpt_file", "good.ckpt", "--file_format", "AIR"], ["AIR", "Ascend"]),
    (
        "export.py",
        [*SMALL, "--ckpt_file", "good.ckpt", "--file_format", "TFLITE"],
        ["file_format", "ONNX"],
    ),
    (
        "export.py",
        [*SMALL, "--ckpt_file", "good.ckpt", "--file_name", "good.ckpt/model"],
        ["good.ckpt"],
    ),
    ("eval_onnx.py", [*CPU, *PHOTOS, "--onnx_path", "nowhere.onnx"], ["nowhere.onnx"]),
    ("eval_onnx.py", [*CPU, *PHOTOS, "--onnx_path", "nowhere.mindir"], ["nowhere.mindir"]),
    ("eval_onnx.py", [*CPU, *PHOTOS, "--onnx_path", "random.ckpt"], ["random.ckpt", "onnxruntime"]),
    (
        "eval_onnx.py",
        [*CPU, *PHOTOS, "--onnx_path", "truncated.onnx"],
        ["truncated.onnx", "onnxruntime"],
    ),
    (
        "eval_onnx.py",
        [*CPU, *PHOTOS, "--onnx_path", "truncated.mindir"],
        ["truncated.mindir", "not a whole MindIR"],
    ),
    (
        "eval_onnx.py",
        [*CPU, *PHOTOS, "--onnx_path", "wide.onnx"],
        ["wide.onnx", "(1, 3, 32, 64)", "square"],
    ),
    (
        "eval_onnx.py",
        [*CPU, *PHOTOS, "--onnx_path", "wide.mindir"],
        ["wide.mindir", "(1, 3, 32, 64)", "square"],
    ),
    ("eval_onnx.py", [*CPU, *PHOTOS, "--onnx_path", "grey.onnx"], ["grey.onnx", "(1, 1, 32, 32)"]),
    (
        "eval_onnx.py",
        [*CPU, *PHOTOS, "--onnx_path", "grey.mindir"],
        ["grey.mindir", "(1, 1, 32, 32)"],
    ),
    (
        "eval_onnx.py",
        [*PHOTOS, "--onnx_path", "wide.onnx", "--device_target", "GPU"],
        ["CUDAExecutionProvider"],
    ),
    ("create_imagenet2012_label.py", ["--img_path", "."], ["folders in folders"]),
]


@pytest.mark.parametrize(
    "script, arguments, words", CASES, ids=[f"{c[0][:-3]}-{'-'.join(c[2])}" for c in CASES]
)
def test_one_line(place, script, arguments, words):
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    code, _, err = call("resnest", script, *arguments, cwd=place)
    assert_one_line(code, err, *words)
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before


@pytest.mark.slow
def test_a_full_disk_leaves_the_earlier_export(place, tmp_path):
    """A file size limit stands in for the disk: writes beyond it fail as on a full one."""
    for file_format in ("onnx", "mindir"):
        (tmp_path / f"resnest50.{file_format}").write_bytes(b"as it was")
        done = subprocess.run(
            [
                "bash",
                "-c",
                'ulimit -f 1000; exec "$@"',
                "bash",
                sys.executable,
                str(REPOSITORY / "resnest/export.py"),
                *SMALL,
                "--ckpt_file",
                str(place / "good.ckpt"),
                "--file_format",
                file_format,
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert_one_line(done.returncode, done.stderr, "File too large")
        assert (tmp_path / f"resnest50.{file_format}").read_bytes() == b"as it was"
    assert sorted(os.listdir(tmp_path)) == ["resnest50.mindir", "resnest50.onnx"]
