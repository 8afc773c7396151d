"""The C++ programs preprocess as the record beside a MindIR says, or refuse it as Python does."""

import contextlib
import json
import shutil

import numpy as np
import pytest
from mindspore.dataset import vision

import cpp_infer_tools as cpp
from folders import import_from

SIZE = (cpp.SIZE, cpp.SIZE)
GOOD = {
    "size": list(SIZE),
    "mean": [100.0, 110.5, 90],
    "std": [70.0, 60.0, 1e2],
    "crop_fraction": 0.7,
    "keep_aspect_ratio": False,
    "interpolation": "bilinear",
    "colour_order": "RGB",
}


@pytest.fixture
def place(tmp_path):
    """A MindIR and two images."""
    shutil.copy(cpp.mindir(), tmp_path / "net.mindir")
    for number in range(2):
        cpp.save_picture(tmp_path / f"images/{number}.png", 90, 70, seed=number)
    return tmp_path


def write(place, content):
    """The record beside the MindIR: text, or a dict of preprocessing."""
    if isinstance(content, dict):
        # What stands in a name is no key.
        names = ["preprocessing", 'pre"preprocessing": {', '"preprocessing":{"size":[1,1]}', "é"]
        options = {"preprocessing": "documented"}
        content = {"format": 1, "options": options, "class_names": names, "preprocessing": content}
        content = json.dumps(content)
    (place / "net.mindir.json").write_text(content)


def run(place, code=0):
    flags = ("--mindir_path=net.mindir", "--dataset_path=images", "--device_type=CPU")
    return cpp.run(*flags, cwd=place, code=code)


def wanted(place, side, mean, deviation):
    """The test network's scores for the two images."""
    images = []
    for number in range(2):
        image = vision.Decode()(np.fromfile(place / f"images/{number}.png", np.uint8))
        image = vision.CenterCrop(SIZE)(vision.Resize(side)(image))
        image = (image - np.float32(mean)) / np.float32(deviation)
        images.append(image.transpose(2, 0, 1).astype(np.float32))
    import mindspore as ms

    return cpp.network()(ms.Tensor(np.stack(images)))[0].asnumpy()


def scores(place):
    found = cpp.results(place / "result_Files")
    return np.stack([found["0_0.bin"], found["1_0.bin"]])


def test_the_record_is_followed(place):
    write(place, GOOD)
    out = run(place).stdout
    assert out.startswith('from net.mindir.json: preprocessing {"size": [56, 56]')
    whole = wanted(place, (80, 80), GOOD["mean"], GOOD["std"])
    assert cpp.distance(scores(place), whole) < 1e-3
    write(place, json.dumps({"preprocessing": {**GOOD, "keep_aspect_ratio": True}}, indent=2))
    run(place)
    shorter = wanted(place, 80, GOOD["mean"], GOOD["std"])
    assert cpp.distance(scores(place), shorter) < 1e-3
    assert cpp.distance(whole, shorter) > 0.01


@pytest.mark.parametrize("ratio", [True, False])
@pytest.mark.parametrize("fraction", [0.7, 0.875, 0.93])
@pytest.mark.parametrize("interpolation", ["pillow_bilinear", "pillow_bicubic"])
def test_pillows_resizing_and_the_order_of_colours(
    place, monkeypatch, interpolation, fraction, ratio
):
    """As in Python, whose resizing is Pillow's own: shrinking and growing. Newer Pillows make a
    high image lower before they make it narrower, and round between.
    """
    shutil.rmtree(place / "images")
    for number, size in enumerate(((190, 301), (40, 47), (90, 1), (301, 190))):
        cpp.save_picture(place / f"images/{number}.png", *size, seed=number)
    described = {**GOOD, "interpolation": interpolation, "colour_order": "BGR"}
    described |= {"crop_fraction": fraction, "keep_aspect_ratio": ratio}
    write(place, described)
    run(place)
    module = import_from("mobilenetv1", "src.vendored.preprocessing")
    monkeypatch.chdir(place)
    with contextlib.redirect_stdout(None):
        how = module.recorded_preprocessing("net.mindir", SIZE)
    import mindspore as ms

    found = cpp.results(place / "result_Files")
    for number in range(4):
        image = vision.Decode()(np.fromfile(place / f"images/{number}.png", np.uint8))
        for operation in how.operations():
            image = operation(image)
        scores = cpp.network()(ms.Tensor(image[None]))[0].asnumpy()
        limit = 1e-2 if number == 3 else 1e-5
        assert cpp.distance(found[f"{number}_0.bin"], scores[0]) < limit


@pytest.mark.parametrize("content", [None, "{}", '{"preprocessing" : null}'])
def test_without_one_it_is_the_folders_own(place, content):
    if content:
        write(place, content)
    out = run(place).stdout
    assert out.startswith("Start predict input files:")
    mean, deviation = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    assert cpp.distance(scores(place), wanted(place, 64, mean, deviation)) < 1e-3


CHANGES = (
    {"size": [32, 32]}, {"size": [56]}, {"size": [0, 56]}, {"size": 56}, {"mean": [0, 0]},
    {"mean": ["1", 2, 3]}, {"mean": [float("nan"), 2, 3]}, {"std": [0, 1, 1]}, {"std": None},
    {"crop_fraction": 0}, {"crop_fraction": 1.5}, {"crop_fraction": 1e-9}, {"crop_fraction": "a"},
    {"keep_aspect_ratio": "yes"}, {"interpolation": "bicubic"}, {"colour_order": "GRB"},
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_what_python_refuses_is_refused_in_its_words(place, monkeypatch, change):
    monkeypatch.chdir(place)
    write(place, {**GOOD, **change})
    module = import_from("mobilenetv1", "src.vendored.preprocessing")
    with pytest.raises(ValueError) as error, contextlib.redirect_stdout(None):
        module.recorded_preprocessing("net.mindir", SIZE)
    assert run(place, code=1).stderr == f"error: {error.value}\n"
    assert not (place / "result_Files").exists()


@pytest.mark.parametrize(
    "content",
    [
        "", "404 not found", json.dumps({"preprocessing": GOOD})[:-20], '{"preprocessing":}',
        '{"preprocessing": 3}', '{"preprocessing": {"size": {}}}',
        '{"preprocessing": {"size":' + "[" * 100_000 + "]" * 100_000 + "}}",
    ],
    ids=lambda content: content[:30],
)  # fmt: skip
def test_a_damaged_record_is_refused(place, content):
    write(place, content)
    assert "net.mindir.json" in cpp.error(
        "--mindir_path=net.mindir", "--dataset_path=images", "--device_type=CPU", cwd=place
    )


def test_lowering_hands_the_record_on(place):
    path = cpp.export(cpp.network(), (1, 3, *SIZE))
    path.with_name("model.mindir.json").write_text('{"the": "record"}')
    lowered = cpp.lower(path)
    assert lowered.with_name("lowered.mindir.json").read_text() == '{"the": "record"}'
    path.with_name("model.mindir.json").unlink()
    cpp.lower(path)
    assert not lowered.with_name("lowered.mindir.json").exists()
