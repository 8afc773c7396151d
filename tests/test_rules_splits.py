"""Which images are trained on and which are held out, in every classifier."""

import os
import shutil
from pathlib import Path

import pytest

from entry_points import assert_one_line, call
from folders import CLASSIFIERS, flags_of, import_from
from places import CLASSES, COLOURS, Place, class_folders, save_photo


@pytest.fixture(params=CLASSIFIERS)
def place(request, tmp_path):
    return Place(tmp_path, request.param)


def train(place, data, *flags):
    """(exit code, stdout, stderr) of train.py on `data`."""
    data = (*flags_of(place.folder).data, "--dataset_path", data)
    return call(place.folder, "train.py", *place.use, *data, *flags, cwd=place.root)


def test_splits_are_no_classes(place):
    """Images directly in train and val: the classes would be these two, and the accuracy 0.5."""
    for split in ("train", "Val"):
        for name in CLASSES:
            save_photo(place.root / f"flat/{split}/{name}.jpg", COLOURS[name])
    code, _, err = train(place, "flat", "--class_num", "2", "--batch_size", "2")
    assert_one_line(code, err, "'Val', 'train'", "called as splits are", "flat/<class>/<image>.jpg")


def test_what_systems_leave_behind_is_no_class(place):
    class_folders(place.root / "photos/train", 1, ("#recycle",))
    code, _, err = train(place, "photos", "--class_num", "4", "--batch_size", "2")
    assert_one_line(code, err, "'#recycle'", "1 images in it", "move it out")


def test_what_is_left_out_is_said(place):
    class_folders(place.root / "photos/train/ash", 1, ("inner", "@eaDir"))
    code, out, err = train(place, "photos", "--batch_size", "64")
    assert_one_line(code, err, "24 images")
    assert "1 folders in class folders are left out, such as ash/inner" in out


def test_training_images_are_not_held_out(place):
    """Told to train on val, run_eval would find it beside itself."""
    shutil.rmtree(place.root / "photos/train")
    flags = ("--run_eval", "True", "--batch_size", "2")
    code, _, err = train(place, "photos/val", *flags)
    assert_one_line(code, err, "images to evaluate on are wanted", "besides the training images")


def identical(folder):
    return import_from(folder, "src.vendored.identical").note_identical


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_held_out_images_that_are_trained_on_are_counted(tmp_path, monkeypatch, capsys, folder):
    monkeypatch.chdir(tmp_path)
    trained, held_out = Path("data/train"), Path("data/val")
    class_folders(trained, 3)
    shutil.copytree(trained, held_out)
    for path in held_out.rglob("*.JPEG"):  # Of the same size, but one bit is another.
        content = bytearray(path.read_bytes())
        content[-9] ^= 1
        path.write_bytes(content)
    os.symlink("nothing", "data/val/ash/link.jpg")
    os.mkfifo("data/val/ash/pipe.jpg")
    assert identical(folder)("data", "data/val") == 0
    assert capsys.readouterr().out == ""
    shutil.copy("data/train/ash/ash1.JPEG", "data/val/birch/copy.JPEG")
    os.makedirs("data/val/cedar/images")
    os.symlink("../../../train/ash/ash2.JPEG", "data/val/cedar/images/link.jpg")
    assert identical(folder)("data/train", "data") == 2
    out = capsys.readouterr().out
    assert out.startswith("note: 2 of 13 held-out images are training images too, such as data/val")
    assert out.count("\n") == 1
    assert identical(folder)("data", "data", most=8) == 0
    assert "was not looked at" in capsys.readouterr().out


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_slow_listing_is_told(tmp_path, monkeypatch, capsys, folder):
    listing = import_from(folder, "src.vendored.listing")
    monkeypatch.setattr(listing, "PATIENCE", 0.0)
    class_folders(tmp_path / "val", 1)
    import_from(folder, "src.vendored.images").read_image_tree(f"{tmp_path}/val", list)
    out = capsys.readouterr().out
    assert f"listing the images of {tmp_path}/val: 0 of 3 folders ..." in out


def test_the_run_says_so(place):
    """Before its first step: here it ends where its files would go. The photos of a class are drawn
    alike in both trees.
    """
    (place.root / "file").touch()
    flags = ("--run_eval", "True", "--batch_size", "8", flags_of(place.folder).save_flag, "file")
    code, out, err = train(place, "photos", *flags)
    assert_one_line(code, err, "file")
    assert "note: 9 of 9 held-out images are training images too, such as photos/val/ash" in out
