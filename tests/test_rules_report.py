"""What an evaluation tells beyond its accuracy, in every classifier; and the data doctor."""

import csv
import re

import numpy as np
import pytest
from PIL import Image

from entry_points import assert_one_line, start
from folders import CLASSIFIERS, REPOSITORY, file_of, flags_of
from places import CLASSES, COLOURS, class_folders, save_photo
from test_rules_trees import Judge


@pytest.fixture(params=CLASSIFIERS)
def judge(request, tmp_path):
    return Judge(request.param, tmp_path)


def table(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_report(judge):
    """One birch is red, so it is taken for an ash."""
    class_folders(judge.root / "val", 3)
    save_photo(judge.root / "val/birch/odd.png", COLOURS["ash"])
    assert judge.score("val", "--report", "report") == (0.9, 10)
    rows = {row["class"]: row for row in table(judge.root / "report/classes.csv")}
    assert rows["birch"]["images"] == "4" and rows["birch"]["accuracy"] == "0.7500"
    assert rows["birch"]["most often taken for"] == "ash"
    assert rows["ash"]["accuracy"] == "1.0000"
    (worst,) = table(judge.root / "report/worst.csv")
    assert worst["image"].endswith("val/birch/odd.png") and worst["answer"] == "ash"
    with Image.open(judge.root / "report/confusion.png") as picture:
        assert min(picture.size) > 200
    # Wilson's interval of 9 of 10, from a table.
    low, high = map(float, re.search(r"interval: ([\d.]+) to ([\d.]+)", judge.out).groups())
    np.testing.assert_allclose((low, high), (0.5958, 0.9821), atol=2e-4)


@pytest.mark.filterwarnings("error:Glyph")
def test_report_on_names_that_a_font_or_its_mathematics_do_not_know(judge):
    """Each class has a word of its own in the picture, the name in the tables."""
    names = ["ash", "猫 与 狗", "$_{$"]
    for name in names:
        save_photo(judge.root / "val" / name / "1.jpg", COLOURS["ash"])
    score = judge.score("val", "--report", "report", names=names)
    assert score == pytest.approx((1 / 3, 3), abs=1e-4)  # Some print four digits.
    assert [row["class"] for row in table(judge.root / "report/classes.csv")] == names
    assert (judge.root / "report/confusion.png").stat().st_size > 1000


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_the_doctor(tmp_path, folder):
    name = file_of(flags_of(folder).dataset_module)
    assert (REPOSITORY / folder / name).exists(), f"write {folder}/{name}, or name it in TABLE"
    class_folders(tmp_path / "data/train", 2)
    class_folders(tmp_path / "data/val", 2, CLASSES[1:])
    (tmp_path / "data/val/birch/notes.txt").write_text("other")
    done = start(folder, name, "--check", "data", "--against", "data", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "4 images in 3 classes: data/val" in done.stdout
    assert "no images of 1 of 3 classes, 'ash'" in done.stdout
    assert "1 other files, not read" in done.stdout and "60 x 50" in done.stdout
    assert re.search(r"[\d.]+ ms an image in the pipeline", done.stdout)
    assert "note: 4 of 4 held-out images are training images too" in done.stdout
    whole = (tmp_path / "data/val/birch/birch0.JPEG").read_bytes()
    (tmp_path / "data/val/birch/bad.jpg").write_bytes(whole[:200])
    done = start(folder, name, "--check", "data", "--against", "data", cwd=tmp_path)
    assert_one_line(done.returncode, done.stderr, "data/val", "1 images cannot be decoded")
    assert "data/val/birch/bad.jpg" in done.stdout
    class_folders(tmp_path / "data/val", 1, ("willow",))
    done = start(folder, name, "--check", "data", "--against", "data", cwd=tmp_path)
    assert_one_line(done.returncode, done.stderr, "'willow'", "it knows 3 classes")
