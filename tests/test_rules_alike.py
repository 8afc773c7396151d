"""One input, every folder, the same words: fourteen probes whose answers must not differ."""

import re
import shutil

import numpy as np
import onnx
import pytest

from entry_points import call, start
from folders import CLASSIFIERS, NAMES, REPOSITORY
from places import Place, save_photo, save_wrong_checkpoints, write_onnx

ALL, TREES = NAMES, CLASSIFIERS


def at(script, *arguments, **environment):
    """A probe by the Python script: place to (script, arguments, environment)."""
    return lambda place: (script, arguments, environment)


def judged(*arguments, data=None):
    """eval_onnx.py of a network of three classes."""

    def probe(place):
        write_onnx(place.root / "any.onnx", [1, 3, 32, 32], [1, 3])
        flags = (*place.data, *(("--dataset_path", data) if data else ()))
        return "eval_onnx.py", (*flags, "--onnx_path", "any.onnx", *arguments), {}

    return probe


def damaged_photo(place):
    (place.root / "bad/ash").mkdir(parents=True)
    shutil.copytree(place.root / "photos/val/birch", place.root / "bad/birch")
    shutil.copytree(place.root / "photos/val/cedar", place.root / "bad/cedar")
    path = save_photo(place.root / "bad/ash/cut.jpg", (9, 9, 9))
    path.write_bytes(path.read_bytes()[:-300])
    return judged(data="bad")(place)


def unknown_class(place):
    shutil.copytree(place.root / "photos/val", place.root / "more/val")
    (place.root / "more/val/cedar").rename(place.root / "more/val/dogwood")
    (place.root / "names.txt").write_text("ash\nbirch\ncedar\n")
    return judged("--class_names", "names.txt", data="more")(place)


def infinite_outputs(place):
    write_onnx(place.root / "infinite.onnx", [1, 3, 32, 32], [1, 3])
    model = onnx.load(place.root / "infinite.onnx")
    zeros = onnx.numpy_helper.from_array(np.full((1, 3), np.inf, np.float32), "zeros")
    model.graph.initializer[0].CopyFrom(zeros)
    onnx.save(model, place.root / "infinite.onnx")
    return "eval_onnx.py", (*place.data, "--onnx_path", "infinite.onnx"), {}


def checkpoint(name, script="export.py"):
    def probe(place):
        save_wrong_checkpoints(place.root, place.save_network())
        return script, (*place.network, *place.cpu, "--checkpoint_path", name), {}

    return probe


CPU = ("--device_target", "CPU")
PROBES = {  # name: (folders, probe)
    "a misspelt flag": (ALL, at("eval.py", "--device_tarfet", "CPU")),
    "an unknown flag": (ALL, at("train.py", "--zzzzzzzz", "1")),
    "a flag of the wrong type": (ALL, at("export.py", *CPU, "--device_id", "one")),
    "a device that is not there": (ALL, at("train.py", "--device_target", "GPU")),
    "a device number out of range": (ALL, checkpoint("good.ckpt --device_id 7")),
    "DEVICE_ID is no number": (ALL, at("eval.py", *CPU, DEVICE_ID="0,1")),
    "a checkpoint that is not there": (ALL, checkpoint("nowhere.ckpt")),
    "a checkpoint cut short": (ALL, checkpoint("truncated.ckpt")),
    "a checkpoint of PyTorch": (ALL, checkpoint("torch.ckpt")),
    "a checkpoint that is a folder": (ALL, checkpoint("folder.ckpt")),
    "images that are not there": (TREES, judged(data="nowhere")),
    "a damaged photo": (TREES, damaged_photo),
    "a class that is not the network's": (TREES, unknown_class),
    "outputs that are infinite": (TREES, infinite_outputs),
}


def answer(folder, probe, root):
    """(exit code, stderr) of the probe, without what a folder's name and place say."""
    place = Place(root, folder, training=2, evaluation=2)
    script, arguments, environment = probe(place)
    words = " ".join(map(str, arguments)).split(" ")
    if environment:
        done = start(folder, script, *words, cwd=root, **environment)
        code, said = done.returncode, done.stderr
    else:
        code, _, said = call(folder, script, *words, cwd=root)
    return code, said.replace(str(root), "HERE").replace(str(REPOSITORY / folder), "FOLDER")


@pytest.mark.parametrize("name", PROBES)
def test_every_folder_answers_alike(tmp_path, name):
    folders, probe = PROBES[name]
    answers = {}
    for folder in folders:
        (tmp_path / folder).mkdir()
        code, said = answer(folder, probe, tmp_path / folder)
        assert code == 1 and re.fullmatch(r"error: [^\n]+\n", said), f"{folder}: {code}, {said}"
        answers.setdefault(said, []).append(folder)
    assert len(answers) == 1, answers
