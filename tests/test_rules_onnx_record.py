"""What an exported ONNX file knows of itself, in every folder: whose it is, what an image becomes
before it, and that this is enough to use it.
"""

import hashlib
import json
import re
import runpy
import sys
from unittest import mock

import numpy as np
import onnx
import pytest
from matplotlib.cbook import get_sample_data

from entry_points import assert_one_line, call
from folders import (
    BUILDING,
    CLASSIFIERS,
    NAMES,
    REPOSITORY,
    build_network,
    flags_of,
    import_from,
    load_config,
    slow_where_heavy,
)
from places import CLASSES, Place, save_photo, write_onnx
from test_rules_onnx import run

# The operations of evaluation, from a file's bytes on, where they are not called so.
OPERATIONS = {
    "mobilenetv1": ("src.dataset", lambda module, how: module.imagenet_operations(False, how, 0)),
    "resnest": (
        "src.datasets.dataset",
        lambda module, how: [module.vision.Decode(), *module.evaluation_transform(how)],
    ),
}


def save_best(place):
    """best-best.ckpt, as training saves it: with its record and its accuracy."""
    folder, flags = place.folder, place.building()
    groups = (*BUILDING, *(("aspect ratio",) if place.detector else ()))
    config = load_config(folder, groups, (*flags_of(folder).network, *flags))
    recorded = import_from(folder, flags_of(folder).config_module).RECORDED
    keys = [key for key in recorded if hasattr(config, key)]
    record = import_from(folder, "src.vendored.record").make_record(config, keys, place.names)
    saving = import_from(folder, "src.vendored.saving")
    save = saving.SaveCheckpoint(place.root, "best", 1, 0, 1, record, run={}, losses=None)
    save.save_best(build_network(folder, *flags), 1, {"top1": np.float32(0.5)})


@pytest.mark.parametrize("folder", slow_where_heavy(NAMES))
def test_through_the_scripts(tmp_path, folder, capsys):
    """What export.py writes with all its flags is read by eval_onnx.py; its record says where it
    comes from, and is enough to classify a photo.
    """
    place = Place(tmp_path, folder)
    place.names = ["background"] * place.detector + list(CLASSES)
    save_best(place)
    arguments = (*place.cpu, "--checkpoint_path", "best-best.ckpt", "--file_name", "x")
    code, _, err = call(folder, "export.py", *arguments, "--opset", "13", cwd=tmp_path)
    assert_one_line(code, err, "--opset 13 is for ONNX, not for MINDIR")
    flags = ("--dynamic_batch", "True", "--precision", "float16", "--opset", "13")
    onnx_flags = ("--file_format", "ONNX", *flags)
    code, out, err = call(folder, "export.py", *arguments, *onnx_flags, cwd=tmp_path)
    assert code == 0 and "differs from the network by" in out, err
    properties = onnx.load(tmp_path / "x.onnx").metadata_props
    record = json.loads({entry.key: entry.value for entry in properties}["record"])
    digest = hashlib.sha256((tmp_path / "best-best.ckpt").read_bytes()).hexdigest()
    assert record["folder"] == folder and record["checkpoint_sha256"] == digest
    size = place.flags.image_size
    assert record["preprocessing"]["size"] == [size, size]
    assert record["accuracy"] == {"top1": 0.5} and record["class_names"] == place.names
    read = (*(place.use if place.detector else place.data), "--onnx_path", "x.onnx")
    code, out, err = call(folder, "eval_onnx.py", *read, cwd=tmp_path)
    assert code == 0 and "from x.onnx: preprocessing" in out, err
    assert "mAP" in out or "evaluated 9 images" in out or "tot=9" in out
    if not place.detector:
        check_the_example(tmp_path / "x.onnx", folder, capsys)


def check_the_example(path, folder, capsys):
    """The lines in docs/onnx_files.md see the photo as the folder's evaluation does."""
    text = (REPOSITORY / "docs/onnx_files.md").read_text()
    (code,) = re.findall("```python\n(.*?)```", text, re.S)
    assert len([line for line in code.splitlines() if line]) <= 15
    (path.parent / "classify.py").write_text(code)
    photo = str(get_sample_data("grace_hopper.jpg", asfileobj=False))
    capsys.readouterr()
    with mock.patch.object(sys, "argv", ["classify.py", str(path), photo]):
        seen = runpy.run_path(str(path.parent / "classify.py"))
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    wanted = evaluated(folder, path, photo)
    std = np.reshape(seen["how"]["std"], (3, 1, 1))
    assert np.abs((seen["images"][0] - wanted) * std).max() < 1.001
    logits = run(path, wanted[None].astype(np.float32))[0][0]
    assert names == [CLASSES[label] for label in np.argsort(-logits)]


def evaluated(folder, path, photo):
    """`photo` as the folder's evaluation gives it to the file `path`."""
    name, operations = OPERATIONS.get(
        folder, ("src.dataset", lambda m, how: m.evaluation_operations(how))
    )
    module = import_from(folder, "src.vendored.preprocessing")
    preprocessing = module.recorded_preprocessing(path, (flags_of(folder).image_size,) * 2)
    pixels = np.fromfile(photo, np.uint8)
    for operation in operations(import_from(folder, name), preprocessing):
        pixels = operation(pixels)
    return pixels


def write_with_record(path, side, **changes):
    """The last class wins where the mean of the normalised image is above 0, else the first."""
    write_onnx(path, (1, 3, side, side), (1, 3))
    model = onnx.load(path)
    values = onnx.numpy_helper.from_array(np.float32([[0, -1e9, 0]]), "zeros")
    model.graph.initializer[0].CopyFrom(values)
    sign = onnx.numpy_helper.from_array(np.float32([[-1, 0, 1]]), "sign")
    model.graph.initializer.append(sign)
    model.graph.node[1].input[0] = "signed"
    model.graph.node.insert(1, onnx.helper.make_node("Mul", ["mean", "sign"], ["signed"]))
    described = {
        **{"size": [side, side], "crop_fraction": 0.875, "keep_aspect_ratio": True},
        **{"mean": [255.0] * 3, "std": [1.0] * 3, "interpolation": "bilinear"},
        **changes,
    }
    record = {"options": {}, "class_names": list(CLASSES), "preprocessing": described}
    onnx.helper.set_model_props(model, {"record": json.dumps(record)})
    onnx.save(model, path)


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_preprocessing_is_the_files(tmp_path, folder):
    """By the mean of its record every image is dark, or none."""
    place = Place(tmp_path, folder)
    save_photo(tmp_path / "photos/val/cedar/more.png", (90, 90, 90))
    arguments = (*place.data, "--onnx_path", "x.onnx")
    for mean, accuracy in ((255.0, "0.3"), (0.0, "0.4")):
        write_with_record(tmp_path / "x.onnx", 32, mean=[mean] * 3)
        code, out, err = call(folder, "eval_onnx.py", *arguments, cwd=tmp_path)
        assert code == 0, err
        assert accuracy in out or f"top1_correct={accuracy[2]}, tot=10" in out
    for changes, words in (
        ({"mean": [1, 2]}, "preprocessing is damaged"),
        ({"std": [0, 1, 1]}, "preprocessing is damaged"),
        ({"crop_fraction": None}, "preprocessing is damaged"),
        ({"crop_fraction": 1.5}, "preprocessing is damaged"),
        ({"size": [64, 64]}, "of images (64, 64), its input of (32, 32)"),
        ({"interpolation": "bicubic"}, "wants interpolation 'bicubic'"),
    ):
        write_with_record(tmp_path / "x.onnx", 32, **changes)
        code, _, err = call(folder, "eval_onnx.py", *arguments, cwd=tmp_path)
        assert_one_line(code, err, "x.onnx", words)
