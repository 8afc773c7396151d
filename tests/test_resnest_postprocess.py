"""ResNeSt's label file, accuracy from result files by their command lines, and the count of
hits.
"""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from folders import REPOSITORY, import_from


def run(script, *arguments, cwd):
    command = [sys.executable, REPOSITORY / "resnest" / script, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


@pytest.fixture
def results(tmp_path):
    """val/ with 4 images in 2 classes, their label file, and result files: top-1 2 of 4, top-5 3
    of 4.
    """
    for name in ("n02/c.JPEG", "n02/d.e.JPEG", "n01/b.JPEG", "n01/a.JPEG"):
        path = tmp_path / "val of 2012" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\xff\xda")  # the start of a scan, without which no JPEG is whole
    (tmp_path / "result_Files").mkdir()
    # how many classes come out above the right one
    for name, rank in (("a", 0), ("b", 4), ("c", 0), ("d", 5)):
        logits = np.zeros(10, np.float32)
        logits[10 - rank :] = 1
        logits[1 if name in "cd" else 0] = 0.5
        logits.tofile(tmp_path / "result_Files" / f"{name}_0.bin")
    return tmp_path


def label(results):
    return run("create_imagenet2012_label.py", "--img_path", "val of 2012", cwd=results)


def test_labels_and_accuracy(results):
    done = label(results)
    assert (done.returncode, done.stderr) == (0, "")
    assert (
        done.stdout == "[WARNING] Create imagenet label. Currently only use for Imagenet2012!\n"
        "class names: the folders' names, as many as the network has outputs\n"
        "[INFO] Completed! Total 4 data.\n"
    )
    labels = json.loads((results / "imagenet_label.json").read_text())
    assert labels == {"a.JPEG": 0, "b.JPEG": 0, "c.JPEG": 1, "d.e.JPEG": 1}
    done = run(
        "postprocess.py",
        "--result_path",
        "result_Files",
        "--label_path",
        "imagenet_label.json",
        cwd=results,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\nacc=0.5000(TOP1)\nacc=0.7500(TOP5)\n")


def failure(done):
    lines = done.stderr.splitlines()
    assert done.returncode == 1 and len(lines) == 1 and lines[0].startswith("error: ")
    return lines[0]


@pytest.mark.parametrize(
    "spoil, named",
    [
        (lambda folder: folder.rename(folder.with_name("gone")), "no such folder"),
        (
            lambda folder: (
                [path.rename(folder / path.name) for path in [*folder.glob("*/*")]]
                and [path.rmdir() for path in folder.iterdir() if path.is_dir()]
            ),
            "images directly in it",
        ),
        (
            lambda folder: [path.unlink() for path in folder.glob("*/*")],
            "class folders without images",
        ),
    ],
)
def test_label_file_is_kept_when_the_tree_is_wrong(results, spoil, named):
    (results / "imagenet_label.json").write_text("as it was")
    spoil(results / "val of 2012")
    assert named in failure(label(results))
    assert (results / "imagenet_label.json").read_text() == "as it was"


@pytest.mark.parametrize(
    "spoil, named",
    [
        (lambda folder: (folder / "result_Files" / "b_0.bin").unlink(), "no result, such as b"),
        (lambda folder: (folder / "result_Files" / "z_0.bin").touch(), "no label, such as z"),
        (lambda folder: (folder / "result_Files" / "b_0.bin").write_bytes(b""), "b_0.bin"),
        (lambda folder: (folder / "result_Files" / "b_0.bin").write_bytes(b"\0" * 36), "36 bytes"),
        (
            lambda folder: np.full(10, np.nan, np.float32).tofile(
                folder / "result_Files" / "c_0.bin"
            ),
            "c_0.bin",
        ),
        (lambda folder: (folder / "imagenet_label.json").unlink(), "imagenet_label.json"),
        (
            lambda folder: (folder / "imagenet_label.json").write_text('{"a.JPEG": '),
            "imagenet_label.json",
        ),
        (
            lambda folder: (folder / "imagenet_label.json").write_text('["a.JPEG"]'),
            "imagenet_label.json",
        ),
        (lambda folder: (folder / "imagenet_label.json").write_text("{}"), "imagenet_label.json"),
        (
            lambda folder: (folder / "imagenet_label.json").write_text(
                '{"a.JPEG": 0, "b.JPEG": 0, "c.JPEG": 1, "d.JPEG": 10}'
            ),
            "has 10 logits",
        ),
    ],
)
def test_wrong_results_are_named(results, spoil, named):
    label(results)
    spoil(results)
    done = run(
        "postprocess.py",
        "--result_path",
        "result_Files",
        "--label_path",
        "imagenet_label.json",
        cwd=results,
    )
    assert named in failure(done)


@pytest.mark.parametrize(
    "script, flags",
    [
        ("postprocess.py", ["--result_path", "."]),
        ("postprocess.py", ["--result_path", ".", "--label_path", ".", "--lbl", "1"]),
        ("create_imagenet2012_label.py", []),
    ],
)
def test_wrong_flags(tmp_path, script, flags):
    assert "--" in failure(run(script, *flags, cwd=tmp_path))


class Batches:
    """Three images in batches of two; the label of the image filled with k is k."""

    def create_tuple_iterator(self, num_epochs, output_numpy):
        for images in ([0, 1], [2]):
            yield (
                np.float32(images).reshape(-1, 1, 1, 1) * np.ones((1, 3, 2, 2), np.float32),
                np.array(images),
            )


def test_hits_are_counted_among_the_first_and_the_first_five():
    """Labels 0, 1 and 2 are given ranks 0, 4 and 5 of 8; the last batch is filled up with zeros
    that do not count.
    """
    ranks = {0: [0, 1, 2, 3, 4, 5, 6, 7], 1: [0, 2, 3, 4, 1, 5, 6, 7], 2: [0, 1, 3, 4, 5, 2, 6, 7]}

    def predict(images):
        assert images.shape == (2, 3, 2, 2)
        logits = np.zeros((2, 8), np.float32)
        for row, image in zip(logits, images):
            row[ranks[int(image.max())]] = np.arange(8, 0, -1)
        return logits

    counts = import_from("resnest", "src.vendored.accuracy").count_correct(predict, Batches(), 2)
    assert counts[:3] == (1, 2, 3) and counts.per_second > 0


@pytest.mark.parametrize("sizes, least, most", [((3,), 10, 30), ((1, 2), 50, 200)])
def test_speed_leaves_out_the_first_batch_unless_there_is_no_other(sizes, least, most):
    """The first batch takes 0.1 s, the second 0.01."""
    seconds = iter([0.1, 0.01])

    class Dataset:
        def create_tuple_iterator(self, num_epochs, output_numpy):
            for size in sizes:
                yield np.zeros((size, 3, 2, 2), np.float32), np.zeros(size, np.int64)

    def predict(images):
        time.sleep(next(seconds))
        return np.zeros((len(images), 8), np.float32)

    counts = import_from("resnest", "src.vendored.accuracy").count_correct(predict, Dataset())
    assert least < counts.per_second < most
