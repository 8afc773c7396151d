"""Trees of images, in every classifier: read by name, or refused with what was expected and found.

The numbers are checked against a classifier that knows the colours, an ONNX file made here.
"""

import re
import shutil

import numpy as np
import onnx
import pytest

from entry_points import assert_one_line, call
from folders import CLASSIFIERS, flags_of, import_from
from places import CLASSES, COLOURS, Place, class_folders, save_photo

SIZE = 32


def write_colour_classifier(path, names, record=True):
    """An ONNX classifier of the photos' colours: logits are the mean of each channel, by name."""
    channel = {"ash": 0, "birch": 1, "cedar": 2}
    weights = np.zeros((3, len(names)), np.float32)
    for index, name in enumerate(names):
        if name in channel:
            weights[channel[name], index] = 1
    bias = np.float32([0 if name in channel else -100 for name in names])
    nodes = [
        onnx.helper.make_node("ReduceMean", ["x"], ["mean"], axes=[2, 3], keepdims=0),
        onnx.helper.make_node("Gemm", ["mean", "weights", "bias"], ["y"]),
    ]
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes,
        "colours",
        [value("x", onnx.TensorProto.FLOAT, ["N", 3, SIZE, SIZE])],
        [value("y", onnx.TensorProto.FLOAT, ["N", len(names)])],
        [
            onnx.numpy_helper.from_array(weights, "weights"),
            onnx.numpy_helper.from_array(bias, "bias"),
        ],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)])
    model.ir_version = 8
    if record:
        text = '{"options": {}, "class_names": ["' + '", "'.join(names) + '"]}'
        onnx.helper.set_model_props(model, {"record": text})
    onnx.save(model, path)


class Judge:
    """Calls eval_onnx.py of a folder with the colour classifier, or eval.py with what must fail."""

    def __init__(self, folder, root):
        self.folder, self.root = folder, root
        self.data = ("--device_target", "CPU", *flags_of(folder).data, "--dataset_path")

    def score(self, data, *flags, names=CLASSES, record=True):
        """(top-1 accuracy, images) as printed."""
        write_colour_classifier(self.root / "colours.onnx", names, record)
        self.code, self.out, self.err = call(
            self.folder, "eval_onnx.py", *self.data, data, "--onnx_path", "colours.onnx", *flags,
            cwd=self.root,
        )  # fmt: skip
        assert self.code == 0, self.err
        return top1_of(self.out)

    def refused(self, data, *words, flags=(), names=CLASSES, record=True):
        write_colour_classifier(self.root / "colours.onnx", names, record)
        code, self.out, err = call(
            self.folder, "eval_onnx.py", *self.data, data, "--onnx_path", "colours.onnx", *flags,
            cwd=self.root,
        )  # fmt: skip
        assert_one_line(code, err, *words)


def top1_of(out):
    """(top-1 accuracy, images) in any folder's documented lines."""
    exact = re.search(r"'top_1_accuracy': ([\d.]+)", out) or re.search(r"Top1-Acc: ([\d.]+)", out)
    if exact:
        return float(exact.group(1)), int(re.search(r"evaluated (\d+) images", out).group(1))
    found = re.search(r"top1_correct=(\d+), tot=(\d+)", out)
    return int(found.group(1)) / int(found.group(2)), int(found.group(2))


@pytest.fixture(params=CLASSIFIERS)
def judge(request, tmp_path):
    return Judge(request.param, tmp_path)


def test_a_class_that_lacks_keeps_the_others_labels(judge):
    class_folders(judge.root / "val", 3, ("birch", "cedar"))
    assert judge.score("val") == (1.0, 6)
    assert "no images of 1 of 3 classes, 'ash'" in judge.out


def test_an_empty_class_and_stray_folders(judge):
    class_folders(judge.root / "data/val", 2, ("ash", "cedar"))
    for name in ("birch", "#recycle", "lost+found", "__MACOSX", "@eaDir", ".git"):
        (judge.root / "data/val" / name).mkdir()
    assert judge.score("data/val") == (1.0, 4)
    for name in ("#recycle", "lost+found", "__MACOSX", "@eaDir"):
        assert f"the empty folder '{name}' is no class" in judge.out


def test_an_unknown_folder_is_refused_with_both_sides(judge):
    class_folders(judge.root / "val", 1, ("ash", "willow"))
    judge.refused("val", "'willow'", "'ash', 'birch', 'cedar'")


def test_names_that_are_not_known(judge):
    """Positions in a listing are no labels: as many folders as outputs, or a file of names."""
    class_folders(judge.root / "val", 2, ("birch", "cedar"))
    judge.refused("val", "--class_names", "3 outputs", record=False)
    (judge.root / "names.txt").write_text("ash\nbirch\ncedar\n")
    assert judge.score("val", "--class_names", "names.txt", record=False) == (1.0, 4)
    class_folders(judge.root / "val", 2, ("ash",))
    assert judge.score("val", record=False) == (1.0, 6)


@pytest.mark.parametrize("outputs", [1000, 1001])
def test_synset_folders_are_scored_by_their_place_in_imagenet(judge, outputs):
    names = list(import_from(judge.folder, "src.vendored.classes").imagenet_classes())
    for name, synset in zip(CLASSES, (names[3], names[500], names[999])):
        for number in range(2):
            save_photo(judge.root / f"val/{synset}/{number}.jpg", COLOURS[name], seed=number)
    known = dict(zip((3, 500, 999), CLASSES))
    order = [known.get(index, "-") for index in range(outputs)]
    assert judge.score("val", names=order, record=False) == (1.0, 6)
    assert "ImageNet's 1000 synset ids" in judge.out


@pytest.mark.parametrize("name", ["val", "validation_preprocess", "ILSVRC2012_val"])
def test_the_folder_above_is_taken_too(judge, name):
    class_folders(judge.root / "data" / name, 2)
    class_folders(judge.root / "data/train", 3)
    assert judge.score("data") == (1.0, 6)
    assert f"images: data/{name}" in judge.out


def test_a_class_called_as_a_split_is_a_class(judge):
    for number in range(2):
        save_photo(judge.root / f"data/tram/{number}.jpg", COLOURS["ash"], seed=number)
        save_photo(judge.root / f"data/train/{number}.jpg", COLOURS["cedar"], seed=number)
    assert judge.score("data", names=("train", "tram"))[1] == 4
    shutil.rmtree(judge.root / "data/tram")
    assert judge.score("data", names=("train", "tram"))[1] == 2


def test_other_trees_are_refused(judge):
    (judge.root / "empty").mkdir()
    judge.refused("empty", "expected empty/<class>/<image>.jpg", "no folders in it")
    judge.refused("nowhere", "nowhere: no such folder")
    (judge.root / "nothing/ash").mkdir(parents=True)
    judge.refused("nothing", "class folders without images")
    class_folders(judge.root / "deep/inner/tree", 1)
    judge.refused("deep", "folders in folders", "deep/inner")
    judge.refused("deep/inner/tree/ash", "images directly in it")


def test_one_idea_of_an_image(judge):
    """Suffixes in any letter case, links, several dots, names that are no text; content decides."""
    ash = judge.root / "val/ash"
    save_photo(ash / "a.JpEg", COLOURS["ash"])
    save_photo(ash / "b.png", COLOURS["ash"]).rename(ash / "b.JPEG")  # A small PNG.
    save_photo(ash / "big.png", COLOURS["ash"], (300, 200)).rename(ash / "big.jpg")
    save_photo(ash / "c.BMP", COLOURS["ash"])
    save_photo(ash / "d.e.f.jpg", COLOURS["ash"])
    save_photo(judge.root / "elsewhere.jpg", COLOURS["ash"])
    (ash / "link.jpg").symlink_to(judge.root / "elsewhere.jpg")
    shutil.copy(ash / "a.JpEg", bytes(ash) + b"/\xff\xfe.jpg")
    shutil.copy(ash / "a.JpEg", ash / ".hidden.jpg")
    (ash / "notes.txt").write_text("no image")
    (ash / "folder.jpg").mkdir()
    class_folders(judge.root / "val", 1, ("birch", "cedar"))
    assert judge.score("val") == (1.0, 9)
    # Whether only its end is missing shows by decoding alone: cut short is cut short.
    (ash / "without end.jpg").write_bytes((ash / "a.JpEg").read_bytes()[:-2])
    judge.refused("val", "val/ash/without end.jpg", "cannot be decoded")


def test_a_class_folder_whose_name_is_no_text(judge):
    class_folders(judge.root / "val", 1)
    (judge.root / "val").joinpath("ash").rename(judge.root / "val/x")
    shutil.move(judge.root / "val/x", bytes(judge.root / "val") + b"/\xff")
    judge.refused("val", "\\udcff")


def damaged(whole):
    return {
        "empty": b"",
        "text": b"this is no photo",
        "no scan": whole[: whole.index(b"\xff\xda")],
        "half": whole[: len(whole) // 2],
    }


@pytest.mark.parametrize("kind", ["empty", "text", "no scan", "half"])
def test_a_damaged_image_is_named(judge, kind):
    class_folders(judge.root / "val", 2)
    whole = save_photo(judge.root / "whole.jpg", COLOURS["ash"], (160, 160)).read_bytes()
    (judge.root / "val/birch/an. odd name.JPEG").write_bytes(damaged(whole)[kind])
    judge.refused("val", "val/birch/an. odd name.JPEG", "cannot be decoded")


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_training_finds_its_split_and_refuses_what_does_not_fit(tmp_path, folder):
    place = Place(tmp_path, folder)
    few = call(folder, "train.py", *place.use, "--batch_size", "64", cwd=tmp_path)
    assert_one_line(few[0], few[2], "24 images", "batch of 64", "--batch_size")
    assert "images: photos/train" in few[1]
    many = (*place.use, "--class_num", "2", "--batch_size", "2")
    code, _, err = call(folder, "train.py", *many, cwd=tmp_path)
    assert_one_line(code, err, "3 class folders", "2 classes")
    for name in ("birch", "cedar"):
        shutil.rmtree(tmp_path / "photos/train" / name)
    code, _, err = call(folder, "train.py", *place.use, "--batch_size", "2", cwd=tmp_path)
    assert_one_line(code, err, "one class folder only")


def test_photos_of_other_formats_are_counted(judge):
    class_folders(judge.root / "val", 2)
    for name in ("ash/a.webp", "birch/b.HEIC", "birch/c.tiff"):
        (judge.root / "val" / name).write_bytes(b"a photo")
    assert judge.score("val") == (1.0, 6)
    assert "val: 3 photos that are neither JPEG, PNG nor BMP" in judge.out
    assert "such as ash/a.webp" in judge.out
    (judge.root / "other/ash").mkdir(parents=True)
    (judge.root / "other/ash/a.webp").write_bytes(b"a photo")
    judge.refused("other", "no JPEG, PNG or BMP in them, but ash/a.webp; convert the photos")


def test_a_level_too_deep_with_what_a_server_leaves(judge):
    class_folders(judge.root / "val", 2)
    save_photo(judge.root / "val/ash/@eaDir/thumb.jpg", COLOURS["ash"])
    judge.refused("val/ash", "images directly in it, which have no class")
