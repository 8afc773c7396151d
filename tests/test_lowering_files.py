"""lower_mindir.py as a command: what it reads and refuses, what it leaves untouched, and how
little memory it takes.
"""

import os
import resource
import stat
import subprocess
import sys

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn, ops
from mindspore.train import serialization
from mindspore.train.mind_ir_pb2 import ModelProto

from lowering_tools import CPP_INFER, distance, export, lower, lower_mindir, run

wire = lower_mindir.wire
COMMAND = [sys.executable, CPP_INFER / "lower_mindir.py"]


class Small(nn.Cell):
    """Two inputs, two outputs, parameters, constants of several kinds."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3, has_bias=True), nn.BatchNorm2d(4)
        self.dense = nn.Dense(4, 5)

    def construct(self, x, y):
        x = ops.relu(self.norm(self.conv(x))).mean((2, 3)) + y * 0.5
        return self.dense(x), ops.concat((x, y), 1)


class Branch(nn.Cell):
    """Control flow on a value."""

    def construct(self, x):
        if x.sum() > 0:
            return ops.relu(x)
        return x - 1.0


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    generator = np.random.default_rng(0)
    inputs = [generator.normal(size=shape).astype(np.float32) for shape in ((2, 3, 8, 8), (2, 4))]
    return export(Small(), tmp_path_factory.mktemp("small"), *inputs)


def refusal(*arguments):
    """The one line, without its beginning, with which the real command ends in exit code 1."""
    result = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60)
    assert result.returncode == 1 and result.stdout == "", result
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), lines
    return lines[0].removeprefix("error: ")


def test_command_needs_no_mindspore_and_no_protobuf(model, tmp_path):
    """-I -S leaves nothing but the standard library; only the folder of the command itself is
    added.
    """
    start = (
        f"import sys; sys.path.insert(0, {str(CPP_INFER)!r}); import lower_mindir;"
        " sys.exit(lower_mindir.main())"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", start, model, tmp_path / "out.mindir"],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(f"{tmp_path}/out.mindir: MindIR version 3 to 1, ")
    assert " 1 BatchNorm, " in result.stdout


def test_weights_inputs_and_outputs_stay(model, tmp_path):
    before, after = ModelProto(), ModelProto()
    assert lower(model, tmp_path / "out.mindir")[0] == 0
    before.ParseFromString(model.read_bytes())
    after.ParseFromString((tmp_path / "out.mindir").read_bytes())
    assert (before.mind_ir_version, after.mind_ir_version) == (3, 1)
    assert len(before.graph.parameter) == 8
    for part in ("parameter", "input", "output", "name"):
        assert getattr(before.graph, part) == getattr(after.graph, part)
    known = {node.name for node in after.graph.node} | {
        item.name for item in (*after.graph.parameter, *after.graph.input)
    }
    assert {name for node in after.graph.node for name in node.input} <= known
    assert {node.op_type[5:] for node in after.graph.node if node.op_type != "Constant"} == {
        primitive.name for primitive in after.primitives
    }


def test_check_writes_nothing(model, tmp_path):
    code, message = lower("--check", model)
    assert code == 0 and "version 3 to 1" in message
    assert os.listdir(tmp_path) == []
    lower(model, tmp_path / "out.mindir")
    assert lower("--check", tmp_path / "out.mindir") == (
        0,
        f"{tmp_path}/out.mindir: version 1 already\n",
    )


def test_version_1_is_copied(model, tmp_path):
    lower(model, tmp_path / "once.mindir")
    code, message = lower(tmp_path / "once.mindir", tmp_path / "twice.mindir")
    assert code == 0 and message == f"{tmp_path}/twice.mindir: version 1 already, copied\n"
    assert (tmp_path / "once.mindir").read_bytes() == (tmp_path / "twice.mindir").read_bytes()


def test_version_2_is_lowered_alike(model, tmp_path):
    """MindSpore 2.3 to 2.6 wrote version 2, whose schema is that of version 3 without one kind of
    value. None can be made here: this one is of version 3 but for its number.
    """
    older = ModelProto()
    older.ParseFromString(model.read_bytes())
    older.mind_ir_version = 2
    (tmp_path / "2.mindir").write_bytes(older.SerializeToString())
    code, message = lower(tmp_path / "2.mindir", tmp_path / "from_2.mindir")
    assert code == 0 and "MindIR version 2 to 1" in message
    lower(model, tmp_path / "from_3.mindir")
    results = [ModelProto(), ModelProto()]
    for result, name in zip(results, ("from_2.mindir", "from_3.mindir")):
        result.ParseFromString((tmp_path / name).read_bytes())
    assert results[0] == results[1]


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_output_appears_whole_readable_and_in_place_of_a_read_only_file(model, tmp_path, umask):
    path = tmp_path / "model.mindir"
    path.write_bytes(model.read_bytes())
    path.chmod(0o400)
    before = os.umask(umask)
    try:
        assert lower(path, path)[0] == 0
        assert os.umask(umask) == umask, "the umask is what it was"
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    assert os.listdir(tmp_path) == ["model.mindir"]
    assert b"BatchNorm:v1:" in path.read_bytes()


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


def test_disk_full(model, tmp_path):
    """A limit on the size of files stands for a full disk: writing fails half-way."""
    (tmp_path / "out").write_text("precious")
    result = subprocess.run(
        [*COMMAND, model, tmp_path / "out"],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )
    assert result.returncode == 1
    reason = "cannot be written: File too large; give another place"
    assert result.stderr == f"error: {tmp_path}/out: {reason}\n"
    assert (tmp_path / "out").read_text() == "precious" and os.listdir(tmp_path) == ["out"]
    with open("/dev/full", "w") as full:
        command = [*COMMAND, model, tmp_path / "out"]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 1
    assert result.stderr == "error: stdout: cannot be written: No space left on device\n"


def write_slowly(out, text):
    """A process that has begun to write `out` when this returns, and waits for a line of input."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from lowering.output import whole_file\n"
        "with whole_file(sys.argv[2]) as file:\n"
        "    file.write(sys.argv[3].encode()); file.flush()\n"
        "    print('begun', flush=True); sys.stdin.readline()"
    )
    command = [sys.executable, "-c", code, CPP_INFER, out, text]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begun\n"
    return process


def test_what_a_killed_run_left_is_removed(model, tmp_path):
    """By the next run; the file of a live run, and what only looks like one, stay."""
    place = tmp_path / "place"
    place.mkdir()
    killed, live = write_slowly(place / "killed", "half"), write_slowly(place / "live", "whole")
    killed.kill()
    killed.communicate()
    assert len(os.listdir(place)) == 2
    precious = tmp_path / "precious"
    precious.write_text("")
    (place / ".lower_mindir_link").symlink_to(precious)
    (place / ".lower_mindir_folder").mkdir()
    assert lower(model, place / "out")[0] == 0
    assert precious.exists() and len(os.listdir(place)) == 4
    live.communicate("\n")
    names = [".lower_mindir_folder", ".lower_mindir_link", "live", "out"]
    assert live.returncode == 0 and sorted(os.listdir(place)) == names
    assert (place / "live").read_text() == "whole"


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


def test_large_models_need_little_memory(model, tmp_path):
    """500 MB of weights in one parameter and 100 MB in many, of which hardly any memory is
    filled.
    """
    fields = wire.parse(model.read_bytes())
    graph = next(field for field in fields if field[0] == 7)
    sizes = [500_000_000] + [1_000_000] * 100
    zeros = memoryview(np.zeros(max(sizes), np.uint8))
    weights = [
        [3, 2, [[1, 0, size], [2, 0, 3], [7, 2, f"extra{index}".encode()], [9, 2, zeros[:size]]]]
        for index, size in enumerate(sizes)
    ]
    graph[2] = [*wire.parse(graph[2]), *weights]
    big, out = tmp_path / "big.mindir", tmp_path / "out.mindir"
    with open(big, "wb") as file:
        file.writelines(wire.serialize(fields)[1])
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import lower_mindir; code ="
        " lower_mindir.main(sys.argv[2:]); print(*(line for line in open('/proc/self/status') if"
        " 'VmHWM' in line)); sys.exit(code)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, CPP_INFER, big, out], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert out.stat().st_size > sum(sizes)
    assert int(result.stdout.split()[-2]) < 60_000, "kB at the most"
    big.unlink()
    out.unlink()


def test_weights_in_a_folder_beside(tmp_path, monkeypatch):
    """ms.export splits large models into NAME_graph.mindir and NAME_variables."""
    monkeypatch.setattr(serialization, "TOTAL_SAVE", 1)
    monkeypatch.chdir(tmp_path)
    network = nn.SequentialCell(nn.Dense(6, 600), nn.ReLU(), nn.Dense(600, 5)).set_train(False)
    value = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)
    ms.export(network, ms.Tensor(value), file_name="model", file_format="MINDIR")
    assert "in the same folder" in lower("model_graph.mindir", tmp_path.parent / "out.mindir")[1]
    assert lower("model_graph.mindir", "model.mindir")[0] == 0
    value.tofile("input_0.bin")
    (outputs,) = run([tmp_path])
    assert distance(outputs[0], network(ms.Tensor(value)).asnumpy()) < 1e-5


def test_operators():
    code, text = lower("--operators")
    assert (
        code == 0
        and "Muls" in text
        and "StridedSlice" in text
        and "Attributes moved back (" in text
    )


@pytest.mark.parametrize("value", [0, 1, 127, 128, 2**31, 2**63 - 1, -1, -(2**63)])
def test_numbers_survive_the_wire(value):
    ((number, kind, read),) = wire.parse(wire.to_bytes([[5, wire.VARINT, value]]))
    assert (number, kind, wire.signed(read)) == (5, wire.VARINT, value)


def test_bytes_survive_the_wire(model):
    content = model.read_bytes()
    fields = wire.parse(content)
    graph = next(field for field in fields if field[0] == 7)
    graph[2] = [
        [number, kind, wire.parse(value) if number == 1 else value]
        for number, kind, value in wire.parse(graph[2])
    ]
    assert wire.to_bytes(fields) == content
