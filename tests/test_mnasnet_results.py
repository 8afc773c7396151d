"""MnasNet's labels, and the accuracy of result files."""

import json
import subprocess
import sys

import numpy as np
import pytest

from folders import REPOSITORY
from test_mnasnet_data import crops  # noqa: F401 - the fixture `folder`


def run(script, *arguments, cwd):
    return subprocess.run(
        [sys.executable, REPOSITORY / "mnasnet" / script, *map(str, arguments)],
        cwd=cwd,
        text=True,
        capture_output=True,
    )


def write_results(folder, count=8, classes=6):
    """`count` result files and their labels: image i has its class at rank i."""
    results = folder / "result_Files"
    results.mkdir()
    labels = {}
    for index in range(count):
        logits = np.linspace(1, 0, classes, dtype=np.float32)
        labels[f"image {index}.v2.JPEG"] = index % classes
        logits.tofile(results / f"image {index}_0.bin")
    (folder / "imagenet_label.json").write_text(json.dumps(labels))
    return results, folder / "imagenet_label.json"


def test_labels(folder, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("n00000000\nn00000001\nn00000002\n")
    flags = ("--img_path", folder, "--class_names", names)
    done = run("create_imagenet2012_label.py", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "[WARNING] Create imagenet label. Currently only use for Imagenet2012!",
        f"class names: {names}",
        "[INFO] Completed! Total 7 data.",
    ]
    assert json.loads((tmp_path / "imagenet_label.json").read_text()) == {
        f"crop_{i}.JPEG": i % 3 for i in range(7)
    }
    assert {path.name for path in tmp_path.iterdir()} == {"imagenet_label.json", "names.txt"}


def test_labels_of_images_of_one_name(tmp_path):
    """Their results would have one name, so they are called by their path."""
    for name in ("a/x.jpg", "b/x.png", "b/y.png"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).touch()
    done = run("create_imagenet2012_label.py", "--img_path", tmp_path / "data", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    labels = json.loads((tmp_path / "imagenet_label.json").read_text())
    assert labels == {"a/x.jpg": 0, "b/x.png": 1, "y.png": 1}


@pytest.mark.parametrize(
    "tree, words",
    [
        ([], "no such folder"),
        (["README"], "no folders in it"),
        (["a/notes.txt"], "folders without images"),
    ],
)
def test_labels_of_a_wrong_tree(tmp_path, tree, words):
    for name in tree:
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(b"\xff\xda")  # what begins the pixels of a JPEG file
    done = run("create_imagenet2012_label.py", "--img_path", tmp_path / "data", cwd=tmp_path)
    assert (
        done.returncode == 1 and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    )
    assert words in done.stderr and not (tmp_path / "imagenet_label.json").exists()


def test_accuracy(tmp_path):
    results, labels = write_results(tmp_path)
    done = run("postprocess.py", "--result_path", results, "--label_path", labels, cwd=tmp_path)
    line = "Total data: 8, top1 accuracy: 0.25, top5 accuracy: 0.875.\n"
    assert done.stdout.endswith(line), done.stderr


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda results, labels: labels.unlink(), "imagenet_label.json"),
        (lambda results, labels: labels.write_text("{"), "not a label file"),
        (lambda results, labels: labels.write_text("[1]"), "not {image: class index}"),
        (
            lambda results, labels: labels.write_text('{"image 0.JPEG": 0}'),
            "7 images have no label, such as image 1",
        ),
        (
            lambda results, labels: (results / "image 3_0.bin").unlink(),
            "1 images have no result, such as image 3",
        ),
        (
            lambda results, labels: [path.unlink() for path in results.iterdir()],
            "8 images have no result, such as image 0",
        ),
        (
            lambda results, labels: (results / "image 3_0.bin").write_bytes(b"abcd"),
            "4 bytes are not rows of 6 float32",
        ),
        (
            lambda results, labels: (results / "image 0_0.bin").write_bytes(b"abc"),
            "3 bytes are not rows",
        ),
        (
            lambda results, labels: np.full(6, np.nan, np.float32).tofile(
                results / "image 3_0.bin"
            ),
            "NaN or infinite",
        ),
        (
            lambda results, labels: labels.write_text(labels.read_text().replace(": 5", ": 6")),
            "of class 6",
        ),
    ],
)
def test_accuracy_of_wrong_files(tmp_path, damage, words):
    results, labels = write_results(tmp_path)
    damage(results, labels)
    done = run("postprocess.py", "--result_path", results, "--label_path", labels, cwd=tmp_path)
    assert (
        done.returncode == 1 and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    )
    assert words in done.stderr and done.stdout == ""
