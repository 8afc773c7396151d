"""lower_mindir.py on files of an older MindSpore, and of MindIR version 2, which it also writes."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn
from mindspore.train.mind_ir_pb2 import AttributeProto, ModelProto

from folders import REPOSITORY
from lowering_small import small_model  # noqa: F401 - the fixture `model`
from lowering_tools import distance, lower, run

FILES = sorted((REPOSITORY / "tests/data").glob("mindspore_*.mindir"))
NAMES = [path.stem for path in FILES]


def test_older_files_are_there():
    assert NAMES == ["mindspore_2.5", "mindspore_2.6"]


def read(path):
    model = ModelProto()
    model.ParseFromString(path.read_bytes())
    return model


@pytest.mark.parametrize("version", [3, 2])
@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_older_files_are_lowered(path, version, tmp_path):
    """Those releases wrote version 3; version 2 is what it was before it got one more kind of
    value.
    """
    if version == 2:
        assert lower("--target", 2, path, tmp_path / "older")[0] == 0
        path, expected = tmp_path / "older", path.with_suffix(".npz")
    else:
        expected = path.with_suffix(".npz")
    code, message = lower(path, tmp_path / "model.mindir")
    assert code == 0 and f"MindIR version {version} to 1, " in message and "note: " not in message
    with np.load(expected, allow_pickle=False) as wanted:
        wanted["image"].tofile(tmp_path / "input_0.bin")
        (outputs,) = run([tmp_path])
        assert not isinstance(outputs, str), outputs
        for index, got in enumerate(outputs):
            assert distance(got, wanted[f"output_{index}"]) <= 1e-3


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_version_2_differs_in_its_number_alone(path, tmp_path):
    target = tmp_path / "model.mindir"
    code, message = lower("--target", 2, path, target)
    told = "MindIR version 3 to 2, operators as they are"
    assert (code, message) == (0, f"{target}: {told}\n")
    old, new = read(path), read(target)
    assert (old.mind_ir_version, new.mind_ir_version) == (3, 2)
    old.mind_ir_version = 2
    assert old == new


def test_mindspore_reads_version_2(model, tmp_path):
    two = tmp_path / "two.mindir"
    assert lower("--target", 2, model, two)[0] == 0
    sizes = {"input_0.bin": (2, 3, 8, 8), "input_1.bin": (2, 4)}
    inputs = [
        ms.Tensor(np.fromfile(model.parent / name, np.float32).reshape(size))
        for name, size in sizes.items()
    ]
    pairs = zip(*(nn.GraphCell(ms.load(str(path)))(*inputs) for path in (model, two)))
    assert all(np.array_equal(one.asnumpy(), other.asnumpy()) for one, other in pairs)


def test_versions_that_are_low_enough_are_copied(model, tmp_path):
    one, two, copy = tmp_path / "one", tmp_path / "two", tmp_path / "copy"
    assert lower(model, one)[0] == 0 and lower("--target", 2, model, two)[0] == 0
    for path, version in ((one, 1), (two, 2)):
        code, message = lower("--target", 2, path, copy)
        assert (code, message) == (0, f"{copy}: version {version} already, copied\n")
        assert copy.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("place", ["constant", "tuple", "node", "primitive", "graph", "input"])
def test_what_version_2_does_not_have_is_refused(model, tmp_path, place):
    """One kind of value; lowered to version 1, it is refused only where a rule needs it."""
    changed = read(model)
    holder = {
        "constant": changed.graph.node[0],
        "node": changed.graph.node[-1],
        "primitive": changed.primitives[0],
        "graph": changed.graph,
        "input": changed.graph.input[0],
    }.get(place)
    if place == "input":
        value = holder.attr_info
    elif place == "tuple":
        outer = changed.graph.node[0].attribute.add(name="given", type=AttributeProto.TUPLE)
        value = outer.values.add()
    else:
        value = holder.attribute.add(name="given")
    value.type = AttributeProto.SCALAR_GRAPH_HOLDER
    bad, out = tmp_path / "bad", tmp_path / "out"
    bad.write_bytes(changed.SerializeToString())
    for arguments in (("--target", 2, bad, out), ("--target", 2, "--check", bad)):
        code, message = lower(*arguments)
        assert code == 1 and message.startswith(f"error: {bad}: cannot be written as version 2: ")
        assert "of a kind that version 2 does not have" in message and not out.exists()
