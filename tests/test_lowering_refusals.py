"""What lower_mindir.py refuses, and in which words: models, files of other kinds, damaged ones."""

import os
import subprocess

import numpy as np
import pytest
from mindspore import nn, ops
from mindspore.train.mind_ir_pb2 import ModelProto

import fuzz_mindir
from lowering_small import small_model  # noqa: F401 - the fixture `model`
from lowering_tools import COMMAND, export, lower, lower_mindir

wire = lower_mindir.wire


class Branch(nn.Cell):
    """Control flow on a value."""

    def construct(self, x):
        if x.sum() > 0:
            return ops.relu(x)
        return x - 1.0


def refusal(*arguments):
    """The one line, without its beginning, with which the real command ends in exit code 1."""
    result = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60)
    assert result.returncode == 1 and result.stdout == "", result
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), lines
    return lines[0].removeprefix("error: ")


def test_every_refusal_is_listed(tmp_path):
    class Thrice(nn.Cell):
        def construct(self, x):
            return ops.swiglu(x), ops.fmod(x, 2.0), ops.swiglu(x * 2)

    model = export(Thrice(), tmp_path / "thrice", np.ones((3, 6), np.float32))
    (tmp_path / "out.mindir").write_text("precious")
    code, message = lower("--check", model)
    first, second, error = message.splitlines()
    assert code == 1 and error == f"error: {model}: cannot be lowered, for the 2 reasons listed"
    assert first.startswith("Swiglu (node ") and " and 1 more): MindSpore 2.0 has no such" in first
    assert second.startswith("DivMod (node ") and "use floor division" in second
    reason = refusal(model, tmp_path / "out.mindir")
    assert reason == f"{model}: cannot be lowered: {first}; --check lists 1 more reasons"
    assert (tmp_path / "out.mindir").read_text() == "precious"


def test_control_flow_is_refused(tmp_path):
    model = export(Branch(), tmp_path / "branch", np.ones((3, 6), np.float32))
    code, message = lower(model, tmp_path / "out.mindir")
    assert code == 1 and "loads no graph that calls others" in message


def renamed(model, path, operator):
    """The model at `path` with another operator in place of its ReLU."""
    changed = ModelProto()
    changed.ParseFromString(model.read_bytes())
    (relu,) = [primitive for primitive in changed.primitives if primitive.op_type == "ReLU"]
    relu.op_type = operator
    path.write_bytes(changed.SerializeToString())
    return path


def test_names_cannot_pass_for_lines(model, tmp_path):
    """Line ends, escapes and what else is not seen, in a name in the file and in its own name."""
    operator = "Re\nerror: forged\r\x1b[2J\x85\u2028\u202e\x00LU"
    shown = r"Re\nerror: forged\r\x1b[2J\x85\u2028\u202e\x00LU"
    bad = renamed(model, tmp_path / "a\nerror: b\x1b.mindir", operator)
    os.rename(bad, os.fsencode(tmp_path) + b"/c\xff\nd")
    bad = os.fsdecode(os.fsencode(tmp_path) + b"/c\xff\nd")
    assert shown in refusal(bad, tmp_path / "out")
    assert refusal(bad, tmp_path / "out").startswith(rf"{tmp_path}/c\xff\nd: cannot be lowered")
    code, message = lower("--check", bad)
    assert code == 1 and len(message.splitlines()) == 2
    result = subprocess.run(
        [*COMMAND, model, os.fsencode(tmp_path) + b"/out\nerror: \xff"],
        capture_output=True,
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    )
    assert result.returncode == 0 and result.stderr == b"", result
    assert result.stdout.count(b"\n") == 1 and rb"out\nerror: \xff: MindIR" in result.stdout


def test_long_names_are_cut(model, tmp_path):
    bad = renamed(model, tmp_path / "bad", "Long" * 5000)
    reason = refusal(bad, tmp_path / "out")
    assert len(reason) < 1700 and reason.startswith(f"{bad}: cannot be lowered: LongLong")
    assert "characters ...]" in reason and reason.endswith("write this part with others")


def test_many_reasons_are_cut(model, tmp_path):
    """A file in which every one of 500 nodes has an unknown operator of its own."""
    changed = ModelProto()
    changed.ParseFromString(model.read_bytes())
    (relu,) = [node for node in changed.graph.node if "ReLU" in node.op_type]
    (kind,) = [item for item in changed.primitives if item.op_type == "ReLU"]
    for index in range(500):
        added, primitive = changed.graph.node.add(), changed.primitives.add()
        added.CopyFrom(relu)
        primitive.CopyFrom(kind)
        primitive.name = primitive.op_type = f"Unknown{index}"
        added.name, added.op_type, added.output[0] = (
            f"node{index}",
            f"REF::{primitive.name}",
            f"{index}",
        )
    (tmp_path / "bad").write_bytes(changed.SerializeToString())
    code, message = lower("--check", tmp_path / "bad")
    lines = message.splitlines()
    assert code == 1 and len(lines) == 102 and lines[100] == "... and 400 more lines"
    assert lines[101].endswith("cannot be lowered, for the 500 reasons listed")


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "the file is empty"),
        (b"\x00" * 100, "is not a MindIR file"),
        (os.urandom(5000), ""),
        (b"PK\x03\x04 an archive, or text", "is not a MindIR file"),
        (b"\x08\x08\x12\x07pytorch", "is an ONNX file"),
        (b"\x0a\x05model\x10\x01", "is an AIR file"),
        (b"\x0a\x031.1\x12\x09MindSpore", "is not a MindIR file (it holds no graph)"),
        (b"\x0a\x031.1\x3a\x00\x68\x04", "is of MindIR version 4"),
    ],
    ids=["empty", "zeros", "random", "archive", "onnx", "air", "no graph", "too new"],
)
def test_files_of_other_kinds(tmp_path, content, reason):
    (tmp_path / "bad").write_bytes(content)
    assert reason in refusal(tmp_path / "bad", tmp_path / "out.mindir")
    assert os.listdir(tmp_path) == ["bad"]


def test_places_that_cannot_be(model, tmp_path):
    missing = tmp_path / "missing"
    assert refusal(missing, tmp_path / "out") == f"{missing}: No such file or directory"
    assert f"{tmp_path}: is a folder" in refusal(tmp_path, tmp_path / "out")
    assert "/dev/zero: is not a regular file" in refusal("/dev/zero", tmp_path / "out")
    assert f"{tmp_path}: is a folder" in refusal(model, tmp_path)
    assert f"{missing}/out: cannot be written: No such file" in refusal(model, missing / "out")
    assert "/proc/out: cannot be written: " in refusal(model, "/proc/out")
    for arguments in ((), ("a",), ("--check", "a", "b"), ("--no\nerror: x", "a", "b")):
        assert refusal(*arguments).endswith("; see --help")


def test_truncated_anywhere(model, tmp_path):
    content, bad, out = model.read_bytes(), tmp_path / "bad", tmp_path / "out"
    # Between two entries too, where what is left is a message of its own.
    fields = wire.parse(content)
    between = [wire.serialize(fields[:count])[0] for count in range(1, len(fields))]
    for length in [*range(1, 300, 7), *range(300, len(content), 97), *between]:
        bad.write_bytes(content[:length])
        code, message = lower(bad, out)
        assert code == 1 and len(message.splitlines()) >= 1 and not out.exists(), length
        assert message.startswith(f"error: {bad}: ") and len(message.splitlines()) == 1


def test_damaged_anywhere(model, tmp_path):
    """Flipped bytes are noticed or make another valid model, but never end in a traceback or a
    half-written file.
    """
    content, bad, out = model.read_bytes(), tmp_path / "bad", tmp_path / "out"
    generator = np.random.default_rng(0)
    codes = set()
    for _ in range(1500):
        damaged = bytearray(content)
        for at in generator.integers(0, len(content), generator.integers(1, 4)):
            damaged[at] = generator.integers(0, 256)
        bad.write_bytes(damaged)
        code, message = lower(bad, out)
        assert code in (0, 1) and message.startswith((f"error: {bad}: ", f"{out}: ")), message
        codes.add(code)
        if code == 0:
            out.unlink()
        assert os.listdir(tmp_path) == ["bad"]
    assert codes == {0, 1}


def test_damaged_files_end_in_lines(capsys):
    fuzz_mindir.main(60)
    assert capsys.readouterr().out.startswith("60 damaged MindIR files: ")
