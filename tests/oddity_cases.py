"""What people bring: trees, files and models, each with the classes of its images, or with words of
the line that refuses it.
"""

import os
import shutil
from typing import NamedTuple

from oddity_network import SYNSETS
from places import CLASSES, COLOURS, save_photo

EVERY = ("eval.py", "eval_onnx.py", "C++")


class Case(NamedTuple):
    """`truth` is {path: class} of the images that count; where there are `words`, of the line that
    refuses the data, it says nothing. `models` are {engine: file} other than the usual ones;
    `preprocessing`, that of oddity_network.pixels, is another than the folder's.
    """

    truth: dict
    words: str = ""
    data: str = "val"
    models: dict = {}
    flags: tuple = ()
    engines: tuple = EVERY
    preprocessing: tuple | None = None


def photos(root, count=2, classes=CLASSES, suffix="jpg"):
    """{path: class} of `count` photos in each of the class folders in `root`."""
    truth = {}
    for name in classes:
        for number in range(count):
            colour = COLOURS.get(name, (90, 90, 90))
            path = root / name / f"{name}{number}.{suffix}"
            truth[save_photo(path, colour, (60, 50), seed=number)] = name
    return truth


def moved(truth, place):
    """The images moved to `place(path, class)`."""
    new = {}
    for path, name in truth.items():
        target = place(path, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(path, target)
        new[target] = name
    for folder in {path.parent for path in truth}:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return new


TREES = {
    "plain": lambda root: Case(photos(root / "val")),
    "first class missing": lambda root: Case(photos(root / "val", 2, CLASSES[1:])),
    "middle class missing": lambda root: Case(photos(root / "val", 2, ("ash", "cedar"))),
    "one class alone": lambda root: Case(photos(root / "val", 3, ("birch",))),
    "unknown class": lambda root: Case(photos(root / "val", 1, ("ash", "elm")), "'elm'"),
    "folder above": lambda root: Case(photos(root / "all/val"), data="all"),
    "ILSVRC2012_val": lambda root: Case(photos(root / "all/ILSVRC2012_val"), data="all"),
    "validation_preprocess": lambda root: Case(
        photos(root / "all/validation_preprocess"), data="all"
    ),
    "two levels above": lambda root: Case(
        photos(root / "up/all/val"), "folders in folders", data="up"
    ),
    "one level too deep": lambda root: Case(
        photos(root / "val"), "images directly in it", data="val/ash"
    ),
    "nowhere": lambda root: Case({}, "no such folder", data="nowhere"),
    "path with blanks, $ and '": lambda root: Case(photos(root / "a 'b' $c/val"), data="a 'b' $c"),
}


def tree(function):
    """Add what `function` makes, under its name."""
    TREES[function.__name__.replace("_", " ")] = function
    return function


@tree
def train_beside_val(root):
    photos(root / "all/train", 3)
    return Case(photos(root / "all/val"), data="all")


@tree
def empty_and_stray_folders(root):
    truth = photos(root / "val", 2, ("ash", "cedar"))
    for name in ("birch", "#recycle", "lost+found", "__MACOSX", "@eaDir", ".git"):
        (root / "val" / name).mkdir()
    return Case(truth)


@tree
def recycle_bin_with_images(root):
    photos(root / "val")
    photos(root / "val", 1, ("#recycle",))
    return Case({}, "leave behind")


@tree
def splits_without_classes(root):
    for split in ("Train", "Val"):
        moved(photos(root / "all/x"), lambda path, name, to=split: root / "all" / to / path.name)
    return Case({}, "called as splits are", data="all")


@tree
def folders_in_class_folders(root):
    photos(root / "val/ash", 1, ("birch", "@eaDir"))
    return Case(photos(root / "val"))


@tree
def class_in_other_letters(root):
    photos(root / "val", 2, ("Ash",))
    photos(root / "val", 2, ("birch",))
    return Case({}, "'Ash'")


@tree
def empty_folder(root):
    (root / "val").mkdir()
    return Case({}, "no folders in it")


@tree
def class_folders_without_images(root):
    (root / "val/ash").mkdir(parents=True)
    return Case({}, "class folders without images")


@tree
def images_without_classes(root):
    moved(photos(root / "val"), lambda path, name: root / "val" / path.name)
    return Case({}, "images directly in it")


@tree
def images_beside_class_folders(root):
    save_photo(root / "val/stray.jpg", COLOURS["ash"])
    return Case(photos(root / "val"))


@tree
def stems_that_clash_across_classes(root):
    truth = photos(root / "val", 3)
    return Case(moved(truth, lambda path, name: path.with_name(path.name[-5:])))


@tree
def stems_that_clash_in_a_class(root):
    truth = photos(root / "val", 2, suffix="jpg") | photos(root / "val", 2, suffix="png")
    return Case(truth | photos(root / "val", 2, suffix="x.bmp"))


def names(new_name):
    """A tree in which the first image of each class is called otherwise."""

    def build(root):
        truth = photos(root / "val")
        for name in CLASSES:
            path = root / "val" / name / f"{name}0.jpg"
            other = os.path.join(os.fsencode(path.parent), new_name.replace(b"@", name.encode()))
            os.rename(path, other)
            del truth[path]
            truth[os.fsdecode(other)] = name
        return Case(truth)

    return build


for name in (b"@.x.y.jpg", b"@.JPG", b"@ \xff\xfe.JpEg", b"100%@.jpeg", b"same.jpg",
             b"@\nerror: x.jpg", "é $'\"@.jpg".encode(), b"%2F@.jpg", b"@_0.jpg"):  # fmt: skip
    TREES[f"an image called {name!r}"] = names(name)


@tree
def files_that_are_no_images(root):
    truth = photos(root / "val")
    for name in (".hidden.jpg", "._a.jpg", "notes.txt", "Thumbs.db", "ash0.jpg.part"):
        shutil.copy(root / "val/ash/ash0.jpg", root / "val/ash" / name)
    (root / "val/ash/folder.jpg").mkdir()
    return Case(truth)


def synsets(root, names):
    """50 class folders of ImageNet's, three of which are the network's."""
    known = dict(zip((names[place] for place in SYNSETS), CLASSES))
    truth = {}
    for synset in [*known, *names[40:87]]:
        name = known.get(synset, "ash")
        path = save_photo(root / "val" / synset / f"{synset}.JPEG", COLOURS[name])
        truth[path] = known.get(synset, "another")
    return truth
