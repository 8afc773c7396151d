"""FishNet-99's label file and the accuracies from result files, against NumPy."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from entry_points import call


def run_script(script, *arguments, cwd):
    code, out, err = call("fishnet99", script, *arguments, cwd=cwd)
    return SimpleNamespace(returncode=code, stdout=out, stderr=err)


def assert_one_line(result, expected):
    assert result.returncode == 1, result
    assert re.fullmatch(r"error: [^\n]+\n", result.stderr) and expected in result.stderr


def test_labels(tmp_path):
    """Twenty classes made out of order, each with an image and a file that is none."""
    for index in np.random.RandomState(0).permutation(20):
        folder = tmp_path / "val" / f"class {index:02d}"
        folder.mkdir(parents=True)
        (folder / f"ILSVRC2012_val_{97 * index % 20:08d}.JPEG").write_bytes(b"\xff\xda")
        (folder / "notes.txt").touch()
    (tmp_path / "val" / "README.txt").touch()
    result = run_script("create_imagenet2012_label.py", "--img_path=val", cwd=tmp_path)
    assert (
        result.stdout
        == "[WARNING] Create imagenet label. Currently only use for Imagenet2012!\n"
        "class names: the folders' names, as many as the network has outputs\n"
        "[INFO] Completed! Total 20 data.\n"
        and not result.stderr
    )
    labels = json.loads((tmp_path / "imagenet_label.json").read_text())
    assert labels == {f"ILSVRC2012_val_{97 * index % 20:08d}.JPEG": index for index in range(20)}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["imagenet_label.json", "val"]


@pytest.mark.parametrize(
    "files, expected",
    [
        (None, "no such folder"),
        ([], "no folders in it"),
        (["a.JPEG"], "images directly in it"),
        (["n0/x/a.JPEG"], "folders in folders"),
        (["n0/a.txt"], "folders without images"),
    ],
)
def test_other_trees_are_refused(tmp_path, files, expected):
    root, result = tmp_path / "val", tmp_path / "imagenet_label.json"
    result.write_text("earlier")
    if files is not None:
        root.mkdir()
    for name in files or []:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"\xff\xda")
    assert_one_line(
        run_script("create_imagenet2012_label.py", "--img_path", root, cwd=tmp_path), expected
    )
    assert result.read_text() == "earlier"


@pytest.fixture
def results(tmp_path):
    """Result files of 40 images and 12 classes, their label file, and the logits (40, 12) and
    labels (40,).
    """
    random = np.random.RandomState(0)
    logits, labels = random.randn(40, 12).astype(np.float32), random.randint(0, 12, 40)
    names = [f"ILSVRC2012_val_{index:08d}" for index in range(40)]
    (tmp_path / "result_Files").mkdir()
    for name, row in zip(names, logits):
        row.tofile(tmp_path / "result_Files" / f"{name}_0.bin")
    text = json.dumps({f"{name}.JPEG": int(label) for name, label in zip(names, labels)})
    (tmp_path / "imagenet_label.json").write_text(text)
    return tmp_path, logits, labels


def accuracy(folder):
    return run_script(
        "postprocess.py",
        "--result_path=result_Files",
        "--label_path=imagenet_label.json",
        cwd=folder,
    )


def test_accuracy(results):
    folder, logits, labels = results
    rank = (logits > logits[np.arange(40), labels][:, None]).sum(1)
    top1, top5 = (rank < 1).sum() / 40, (rank < 5).sum() / 40
    assert 0 < top1 < top5 < 1
    result = accuracy(folder)
    assert result.stdout.endswith(
        f"Total data: 40, top1 accuracy: {top1}, top5 accuracy: {top5}.\n"
    ), result


FIRST = "result_Files/ILSVRC2012_val_00000000_0.bin"


@pytest.mark.parametrize(
    "break_it, expected",
    [
        (lambda folder: (folder / FIRST).unlink(), "1 images have no result"),
        (lambda folder: (folder / FIRST).write_bytes(b""), f"{FIRST}: 0 bytes"),
        (
            lambda folder: (folder / FIRST.replace("00_0", "07_0")).write_bytes(bytes(44)),
            "_00000007_0.bin: 44 bytes",
        ),
        (
            lambda folder: (folder / FIRST.replace("00_0", "07_0")).write_bytes(bytes(49)),
            "_00000007_0.bin: 49 bytes",
        ),
        (
            lambda folder: np.full(12, np.nan, np.float32).tofile(folder / FIRST),
            "NaN or infinite",
        ),
        (
            lambda folder: (folder / "result_Files/stray_0.bin").write_bytes(bytes(48)),
            "1 images have no label, such as stray",
        ),
        (
            lambda folder: (folder / "imagenet_label.json").unlink(),
            "imagenet_label.json: No such file",
        ),
        (
            lambda folder: (folder / "imagenet_label.json").write_text('{"a'),
            "imagenet_label.json: not a label file",
        ),
        (
            lambda folder: (folder / "imagenet_label.json").write_text("[1]"),
            "not {image: class index}",
        ),
        (
            lambda folder: (folder / "imagenet_label.json").write_text("{}"),
            "not {image: class index}",
        ),
        (
            lambda folder: (folder / "imagenet_label.json").write_text('{"a.JPEG": "0"}'),
            "has the class '0', no index",
        ),
        (
            lambda folder: (folder / "imagenet_label.json").write_text(
                (folder / "imagenet_label.json").read_text().replace(": 11", ": 12")
            ),
            "is of class 12, but",
        ),
        (
            lambda folder: (folder / "result_Files").rename(folder / "elsewhere"),
            "result_Files: no such folder",
        ),
    ],
)
def test_wrong_results_are_refused(results, break_it, expected):
    folder, _, _ = results
    break_it(folder)
    assert_one_line(accuracy(folder), expected)


@pytest.mark.parametrize("script", ["postprocess.py", "create_imagenet2012_label.py"])
def test_wrong_flags_are_refused(script, tmp_path):
    assert_one_line(run_script(script, "--lable_path=c", cwd=tmp_path), "--lable_path")


@pytest.mark.parametrize(
    "script, arguments, expected",
    [
        ("postprocess.py", ["--result_path=."], "--label_path"),
        ("postprocess.py", ["--label_path=l"], "--result_path"),
        ("create_imagenet2012_label.py", [], "--img_path"),
    ],
)
def test_required_flags(script, arguments, expected, tmp_path):
    assert_one_line(run_script(script, *arguments, cwd=tmp_path), f"{expected} F")
