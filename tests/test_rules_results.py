"""Labels and results of the C++ programs, in every classifier: right by name, or one line."""

import json
import re

import numpy as np
import pytest

from entry_points import assert_one_line, call
from folders import CLASSIFIERS, NAMES, flags_of
from places import CLASSES, COLOURS, class_folders, save_photo

LABELS = {"a.jpg": 0, "b.jpg": 2, "c.d.png": 1, "e.jpg": 1}
LOGITS = {"a": [3, 0, 0], "b": [0, 3, 1], "c": [0, 3, 0], "e": [0, 3, 0]}  # b is wrong


def arguments(folder):
    flags = flags_of(folder)
    results, labels = flags.result_flags
    return (*flags.data, results, "results", labels, "labels.json")


@pytest.fixture(params=CLASSIFIERS)
def place(request, tmp_path):
    (tmp_path / "results").mkdir()
    for name, logits in LOGITS.items():
        np.float32(logits).tofile(tmp_path / f"results/{name}_0.bin")
    (tmp_path / "labels.json").write_text(json.dumps(LABELS))
    return request.param, tmp_path


def test_accuracy(place):
    folder, root = place
    code, out, err = call(folder, "postprocess.py", *arguments(folder), cwd=root)
    assert code == 0, err
    assert re.findall(r"0\.75\d*", out) and re.findall(r"\b1\.0\d*", out)


WRONG_LABELS = {
    "negative": '{"a.jpg": -1, "b.jpg": 2, "c.d.png": 1, "e.jpg": 1}',
    "fraction": '{"a.jpg": 0.7, "b.jpg": 2, "c.d.png": 1, "e.jpg": 1}',
    "text": '{"a.jpg": "1", "b.jpg": 2, "c.d.png": 1, "e.jpg": 1}',
    "NaN": '{"a.jpg": NaN, "b.jpg": 2, "c.d.png": 1, "e.jpg": 1}',
    "true": '{"a.jpg": true, "b.jpg": 2, "c.d.png": 1, "e.jpg": 1}',
    "too large": '{"a.jpg": 3, "b.jpg": 2, "c.d.png": 1, "e.jpg": 1}',
    "deep": "[" * 100_000,
    "empty": "",
    "no object": "[1, 2]",
    "no entries": "{}",
    "one stem": '{"a.jpg": 0, "a.png": 2, "b.jpg": 2, "c.d.png": 1, "e.jpg": 1}',
    "missing": '{"a.jpg": 0, "b.jpg": 2, "c.d.png": 1}',
    "extra": '{"a.jpg": 0, "b.jpg": 2, "c.d.png": 1, "e.jpg": 1, "f.jpg": 0}',
}


@pytest.mark.parametrize("kind", WRONG_LABELS)
def test_wrong_labels(place, kind):
    folder, root = place
    (root / "labels.json").write_text(WRONG_LABELS[kind])
    code, out, err = call(folder, "postprocess.py", *arguments(folder), cwd=root)
    of_results = kind in ("missing", "extra", "one stem")
    assert_one_line(code, err, "results" if of_results else "labels.json")
    assert "0.75" not in out


WRONG_RESULTS = {
    "NaN": np.float32([0, np.nan, 1]).tobytes(),
    "infinite": np.float32([0, np.inf, 1]).tobytes(),
    "empty": b"",
    "cut": bytes(11),
    "longer": bytes(16),
    "gone": None,
}


@pytest.mark.parametrize("kind", WRONG_RESULTS)
def test_wrong_results(place, kind):
    folder, root = place
    if WRONG_RESULTS[kind] is None:
        (root / "results/b_0.bin").unlink()
    else:
        (root / "results/b_0.bin").write_bytes(WRONG_RESULTS[kind])
    code, _, err = call(folder, "postprocess.py", *arguments(folder), cwd=root)
    assert_one_line(code, err, "results: 1 images" if kind == "gone" else "results/b_0.bin")


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_labels_follow_the_names_of_the_network(tmp_path, folder):
    class_folders(tmp_path / "data/val", 1, ("birch", "cedar"))
    (tmp_path / "x.mindir").touch()
    record = {"options": {}, "class_names": list(CLASSES)}
    (tmp_path / "x.mindir.json").write_text(json.dumps(record))
    flags = ("--img_path", "data", "--mindir_path", "x.mindir")
    code, out, err = call(folder, "create_imagenet2012_label.py", *flags, cwd=tmp_path)
    assert code == 0, err
    assert "[WARNING] Create imagenet label. Currently only use for Imagenet2012!\n" in out
    assert out.endswith("[INFO] Completed! Total 2 data.\n")
    labels = json.loads((tmp_path / "imagenet_label.json").read_text())
    assert labels == {"birch0.JPEG": 1, "cedar0.JPEG": 2}


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_images_of_one_name_have_results_of_their_own(tmp_path, folder):
    """Files called alike up to the first dot are told apart by the path below the folder."""
    save_photo(tmp_path / "val/ash/1.jpg", COLOURS["ash"])
    save_photo(tmp_path / "val/birch/1.jpg", COLOURS["birch"])
    save_photo(tmp_path / "val/birch/2.x.jpg", COLOURS["birch"])
    code, _, err = call(folder, "create_imagenet2012_label.py", "--img_path", "val", cwd=tmp_path)
    assert code == 0, err
    labels = json.loads((tmp_path / "imagenet_label.json").read_text())
    assert labels == {"ash/1.jpg": 0, "birch/1.jpg": 1, "2.x.jpg": 1}
    (tmp_path / "results").mkdir()
    for name, logits in {"ash%2F1.jpg": [1, 0], "birch%2F1.jpg": [0, 1], "2": [1, 0]}.items():
        np.float32(logits).tofile(tmp_path / f"results/{name}_0.bin")
    (tmp_path / "imagenet_label.json").rename(tmp_path / "labels.json")
    code, out, err = call(folder, "postprocess.py", *arguments(folder), cwd=tmp_path)
    assert code == 0, err
    assert re.search(r"0\.66", out)


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_a_label_file_is_kept_where_the_tree_is_wrong(tmp_path, folder):
    (tmp_path / "imagenet_label.json").write_text("mine")
    code, _, err = call(
        folder, "create_imagenet2012_label.py", "--img_path", "nowhere", cwd=tmp_path
    )
    assert_one_line(code, err, "nowhere: no such folder")
    assert (tmp_path / "imagenet_label.json").read_text() == "mine"


@pytest.mark.parametrize("folder", NAMES)
def test_results_and_labels_must_be_named(tmp_path, folder):
    code, _, err = call(folder, "postprocess.py", "--result_path", "nowhere", cwd=tmp_path)
    assert code == 1 and len(err.strip().splitlines()) == 1 and err.startswith("error: ")
