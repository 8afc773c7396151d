"""Python and the C++ programs count the same files as images, refuse the same ones, and call their
results the same.
"""

import contextlib
import os
import shutil

import numpy as np
import pytest

import cpp_infer_tools as cpp
from folders import import_from
from image_files import encoded, picture
from places import COLOURS, save_photo

FOLDER = "mobilenetv1"  # whose program is built; what is tested is shared


def tree_of_oddities(root):
    """Class folders with whatever people have in them; how many images there are."""
    ash, birch = root / "ash", root / "birch"
    photo = save_photo(ash / "a.JpEg", COLOURS["ash"])
    save_photo(ash / "b.png", COLOURS["ash"]).rename(ash / "b.JPEG")
    save_photo(ash / "big.png", COLOURS["ash"], (300, 200)).rename(ash / "big.jpg")
    save_photo(ash / "c.BMP", COLOURS["ash"])
    (ash / "bitmap.png").write_bytes(encoded(picture(), "BMP"))
    save_photo(ash / "d.e.f.jpg", COLOURS["ash"])
    (ash / "link.jpg").symlink_to(photo)
    shutil.copy(photo, bytes(ash) + b"/\xff\xfe.jpg")
    for name in ("100%.jpg", "%2F.jpg", "é $x'\".png", "100%.x.jpg", "a.png", "same.jpg"):
        shutil.copy(photo, ash / name)
    birch.mkdir()
    for name in ("a.JpEg", "ash%2Fa.png", "same.jpg", "same.JPG", "own_0.jpg", "own.jpg"):
        shutil.copy(photo, birch / name)
    (root / "cedar/images").mkdir(parents=True)
    shutil.copy(photo, root / "cedar/images/same.jpg")
    (root / "elm").symlink_to(root / "birch")
    os.mkdir(bytes(root) + b"/z\xff")
    shutil.copy(photo, bytes(root) + b"/z\xff/\xfe.jpg")
    number = 8 + 6 + 6 + 1 + 6 + 1
    # None of these counts.
    for name in ("ash/.hidden.jpg", "ash/._a.jpg", "stray.jpg", ".trash.jpg"):
        shutil.copy(photo, root / name)
    for name in ("ash/notes.txt", "ash/jpg", "ash/a.jpg.part", "birch/Thumbs.db"):
        (root / name).write_text("no image")
    for name in ("ash/folder.jpg", "@eaDir", "lost+found", ".git/ash", "ash/inner"):
        (root / name).mkdir(parents=True)
    shutil.copy(photo, root / "ash/inner/deep.jpg")
    (root / "loop").symlink_to("loop")
    return number


def python_names(root):
    """The result names of the images in Python."""
    results = import_from(FOLDER, "src.vendored.results")
    with contextlib.redirect_stdout(None):
        results.write_labels(str(root), str(root.parent / "labels.json"))
    return list(results.read_labels(root.parent / "labels.json"))


def cpp_run(root, **options):
    flags = (f"--mindir_path={cpp.mindir()}", f"--dataset_path={root}")
    return cpp.run(*flags, cwd=root.parent, **options)


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_same_files_count(tmp_path, slash):
    number = tree_of_oddities(tmp_path / "val")
    names = python_names(tmp_path / "val")
    out = cpp.run(
        f"--mindir_path={cpp.mindir()}", f"--dataset_path=val{slash}", cwd=tmp_path
    ).stdout
    assert out.count("Start predict input files:") == number
    assert "1 images lie beside the class folders and are left out, such as stray.jpg" in out
    found = [name[:-6] for name in os.listdir(tmp_path / "result_Files") if name.endswith("_0.bin")]
    assert sorted(found) == sorted(names) and len(set(names)) == number


def test_one_folder_without_classes(tmp_path):
    photo = save_photo(tmp_path / "val/1.jpg", COLOURS["ash"])
    for name in ("1.png", "2.jpg", "3.4.jpg"):
        shutil.copy(photo, tmp_path / "val" / name)
    (tmp_path / "val/#recycle").mkdir()
    shutil.copy(photo, tmp_path / "val/#recycle/old.jpg")
    cpp_run(tmp_path / "val")
    names = import_from(FOLDER, "src.vendored.result_names")
    wanted = names.result_names(["1.jpg", "1.png", "2.jpg", "3.4.jpg"])
    assert wanted == ["1.jpg", "1.png", "2", "3"]
    found = {name for name in os.listdir(tmp_path / "result_Files") if name.endswith("_0.bin")}
    assert found == {f"{name}_0.bin" for name in wanted}


def refused_in_python(root):
    """The line about the image of the tree that cannot be read."""
    images = import_from(FOLDER, "src.vendored.images")
    source = import_from(FOLDER, "src.vendored.image_source")
    with contextlib.redirect_stdout(None):
        files = source.ImageFiles(images.read_image_tree(str(root), list))
    with pytest.raises(ValueError) as error:
        for index in range(len(files)):
            files[index]
    return str(error.value)


def make_pipe(path):
    os.mkfifo(path)


KINDS = {
    "half": lambda path: path.write_bytes(encoded(picture())[:900]),
    "without its end": lambda path: path.write_bytes(encoded(picture())[:-2]),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("404 not found"),
    "GIF": lambda path: path.write_bytes(encoded(picture(), "GIF")),
    "PNG cut": lambda path: path.write_bytes(encoded(picture(), "PNG")[:-9]),
    "link to nothing": lambda path: path.symlink_to("nowhere"),
    "link to itself": lambda path: path.symlink_to(path),
    "pipe": make_pipe,
    "device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_files_are_refused_in_the_same_words(tmp_path, kind):
    for name in ("ash", "birch"):
        save_photo(tmp_path / f"val/{name}/{name}.jpg", COLOURS[name])
    KINDS[kind](tmp_path / "val/birch/odd.jpg")
    line = refused_in_python(tmp_path / "val")
    assert f"{tmp_path}/val/birch/odd.jpg: " in line
    assert cpp_run(tmp_path / "val", code=1).stderr == f"error: {line}\n"
    assert np.fromfile(tmp_path / "result_Files/ash_0.bin", np.float32).size == 5
