"""What people bring: trees, files and models, each with the classes of its images, or with words of
the line that refuses it.
"""

import os
import shutil
from typing import NamedTuple

from damaged_images import damaged_jpeg_files, damaged_other_files
from image_files import foreign_files, jpeg_files, other_files
from oddity_network import SYNSETS
from places import CLASSES, COLOURS, save_photo

EVERY = ("eval.py", "eval_onnx.py", "C++")


class Case(NamedTuple):
    """`truth` is {path: class} of the images that count; where there are `words`, of the line that
    refuses the data, it says nothing. `models` are {engine: file} other than the usual ones.
    """

    truth: dict
    words: str = ""
    data: str = "val"
    models: dict = {}
    flags: tuple = ()
    engines: tuple = EVERY


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
def folder_images_in_each_class(root):
    truth = photos(root / "val")
    return Case(moved(truth, lambda path, name: root / "val" / name / "images" / path.name))


@tree
def tiny_imagenet(root):
    truth = photos(root / "tiny/val")
    truth = moved(truth, lambda path, name: root / "tiny/val/images" / path.name)
    lines = [f"{path.name}\t{name}\t0\t0\t62\t62" for path, name in truth.items()]
    (root / "tiny/val/val_annotations.txt").write_text("\n".join(lines))
    return Case(truth, data="tiny")


@tree
def tiny_imagenet_without_one_line(root):
    case = tiny_imagenet(root)
    lines = (root / "tiny/val/val_annotations.txt").read_text().splitlines()
    (root / "tiny/val/val_annotations.txt").write_text("\n".join(lines[1:]))
    return case._replace(words="no class for")


@tree
def flat_with_a_list(root):
    truth = moved(photos(root / "val"), lambda path, name: root / "val" / path.name)
    lines = [f"{path.name} {name}" for path, name in truth.items()]
    (root / "val.txt").write_text("\n".join(lines))
    return Case(truth)


@tree
def flat_with_the_challenges_table(root):
    truth = moved(photos(root / "all/val"), lambda path, name: root / "all/val" / path.name)
    lines = [f"{path.stem},{name} 1 2 3 4" for path, name in truth.items()]
    table = "\n".join(["ImageId,PredictionString", *lines])
    (root / "all/LOC_val_solution.csv").write_text(table)
    return Case(truth, data="all")


@tree
def flat_with_numbers_alone(root):
    moved(photos(root / "val"), lambda path, name: root / "val" / path.name)
    (root / "ILSVRC2012_validation_ground_truth.txt").write_text("1\n2\n3\n1\n2\n3\n")
    return Case({}, "meta.mat")


@tree
def linked_class_folder(root):
    truth = photos(root / "val", 2, ("ash", "birch"))
    for path in photos(root / "elsewhere", 2, ("cedar",)):
        truth[root / "val/cedar" / path.name] = "cedar"
    (root / "val/cedar").symlink_to(root / "elsewhere/cedar")
    return Case(truth)


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


def with_file(content):
    """A tree with one file more, which counts where it is no damaged one."""

    def build(root):
        truth = photos(root / "val", 1)
        path = root / "val/birch/odd.JPEG"
        good, words = content if isinstance(content, tuple) else (content, "")
        path.write_bytes(good) if isinstance(good, bytes) else good(path)
        return Case({**truth, path: "birch"}, "val/birch/odd.JPEG" if words else "")

    return build


FILES = {}
for name in ("gray", "cmyk", "progressive", "restart", "pixel", "separate_scans", "thumbnail",
             "trailing", "fill_bytes", "422", "quality_5"):  # fmt: skip
    FILES[f"JPEG: {name}"] = with_file(jpeg_files()[name])
for name in ("L.png", "P.png", "1.png", "RGBA.png", "interlaced.png", "L.bmp", "top_down.bmp"):
    FILES[f"other: {name}"] = with_file(other_files()[name])
for name in ("half", "no_end", "header_cut", "thumbnail_only", "arithmetic", "two_frames",
             "progressive_no_end", "no_huffman"):  # fmt: skip
    FILES[f"damaged JPEG: {name}"] = with_file(damaged_jpeg_files()[name])
for name in ("png_half", "png_byte", "png_animated", "bmp_half", "bmp_depth"):
    FILES[f"damaged: {name}"] = with_file(damaged_other_files()[name])
for name, content in foreign_files().items():
    FILES[f"under a wrong name: {name}"] = with_file((content, name))
FILES["a link to an image"] = with_file(
    lambda path: path.symlink_to(save_photo(path.parents[2] / "x.jpg", COLOURS["birch"]))
)
FILES["a link to nothing"] = with_file((lambda path: path.symlink_to("nothing"), "link"))
FILES["a pipe"] = with_file((os.mkfifo, "pipe"))


def synsets(root, names):
    """50 class folders of ImageNet's, three of which are the network's."""
    known = dict(zip((names[place] for place in SYNSETS), CLASSES))
    truth = {}
    for synset in [*known, *names[40:87]]:
        name = known.get(synset, "ash")
        path = save_photo(root / "val" / synset / f"{synset}.JPEG", COLOURS[name])
        truth[path] = known.get(synset, "another")
    return truth
