"""lower_mindir.py as a command: what it reads and writes, what it leaves untouched, and how little
memory it takes.
"""

import os
import resource
import stat
import subprocess
import sys

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn
from mindspore.train import serialization
from mindspore.train.mind_ir_pb2 import ModelProto

from lowering_small import small_model  # noqa: F401 - the fixture `model`
from lowering_tools import COMMAND, CPP_INFER, distance, lower, lower_mindir, run

wire = lower_mindir.wire


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
