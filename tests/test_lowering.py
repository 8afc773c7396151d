"""lower_mindir.py on one small network for each way of using an operator, run by the real
MindSpore Lite 2.0.0.
"""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mindspore import nn, ops

from lowering_cases import BATCH, NO_KERNEL, Network
from lowering_every import CASES
from lowering_reference import STRUCTURE, primitives
from lowering_tools import distance, export, in_mindspore, lower, lower_mindir, run

REFERENCE = json.loads((Path(__file__).parent / "data" / "lowering_reference.json").read_text())
# Why the runtime does not run a case, where that lies in no operator.
WHOLE_NETWORK = {
    "the runtime does not build float16 on this processor",
}
# Where a layer or an expression has become another use of the same operator since MindSpore 2.0.
OTHERWISE = {
    ("slices", "StridedSlice"),
    ("zero_pad", "Pad"),
    # Axes are counted from the front, whichever end they were given from.
    ("layer_norm", "LayerNorm"),
    ("softmax", "Softmax"),
    ("log_softmax", "LogSoftmax"),
    ("softmin", "Softmax"),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """{case: exit code, message and folder of lowering it; outputs, or why there are none, of
    running it}.
    """
    place, found = tmp_path_factory.mktemp("operators"), {}
    for name, case in CASES.items():
        folder = place / name
        model = export(Network(case.operation, case.constants), folder, *case.inputs)
        code, message = lower("--ascend", model, folder / "model.mindir")
        found[name] = SimpleNamespace(folder=folder, code=code, message=message, outputs=None)
    lowered = [result for result in found.values() if result.code == 0]
    for result, outputs in zip(lowered, run([result.folder for result in lowered])):
        result.outputs = outputs
    return found


@pytest.mark.parametrize("name", CASES)
def test_operator(results, name):
    case, result = CASES[name], results[name]
    if case.refused:
        assert result.code == 1 and case.refused in result.message
        assert not (result.folder / "model.mindir").exists()
        return
    assert result.code == 0, result.message
    if case.cpu:
        # A runtime that has learned the operator should be noticed.
        assert isinstance(result.outputs, str), f"runs, although {case.cpu}"
    else:
        assert not isinstance(result.outputs, str), result.outputs
        expected = in_mindspore(case.like or case.operation, *case.inputs, *case.constants)
        assert len(result.outputs) == len(expected)
        for got, value in zip(result.outputs, expected):
            assert distance(got, value) <= 1e-3
    noted = "note: " in result.message
    assert noted == bool(case.cpu and case.cpu not in WHOLE_NETWORK), result.message


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name].cpu == NO_KERNEL])
def test_what_the_runtime_lacks_is_never_lowered_for_it_in_silence(results, name):
    """MindSpore Lite leaves out most operators that it lacks, and computes on without them."""
    code, message = lower("--check", results[name].folder / "model.3.mindir")
    assert code == 1 or "note: " in message
    assert "on CPU MindSpore Lite 2.0.0 " in message


def test_skipped_operators_are_refused(tmp_path):
    class Gate(nn.Cell):
        def construct(self, x):
            return ops.atan(x) * 2

    model = export(Gate(), tmp_path, BATCH)
    code, message = lower(model, tmp_path / "model.mindir")
    assert code == 1 and "Atan (node " in message and "skips it or is wrong" in message
    assert lower("--ascend", model, tmp_path / "model.mindir")[0] == 0
    (outputs,) = run([tmp_path])  # A runtime that no longer skips it should be noticed.
    assert isinstance(outputs, str) or distance(outputs[0], 2 * np.arctan(BATCH)) > 1e-3


def test_operators_that_were_never_seen_to_run_are_refused(tmp_path):
    """Diagonal has options, so that it is not among those tried in all data types."""
    model = export(Network(ops.diagonal, (0, 0, 1)), tmp_path, BATCH)
    code, message = lower(model, tmp_path / "model.mindir")
    assert code == 1 and "Diagonal (node " in message and "was never seen to run it" in message
    code, message = lower("--ascend", model, tmp_path / "model.mindir")
    assert code == 0 and "note: Diagonal (node " in message


def test_data_types_that_were_never_tried_are_noted(tmp_path):
    model = export(Network(ops.neg, ()), tmp_path, BATCH.astype(np.float64))
    code, message = lower(model, tmp_path / "model.mindir")
    assert code == 0 and "note: Neg (node " in message and "not known to run it (float64" in message


def test_documented_counts(capsys):
    lower_mindir.main(["--operators"])
    listed = dict(re.findall(r"^(\w.*) \((\d+)\):$", capsys.readouterr().out, re.M))
    table = (Path(lower_mindir.__file__).parent / "README.md").read_text()
    assert list(listed.values())[:3] == re.findall(r"^\| (\d+) \|", table, re.M)


def test_every_rule_has_a_case(results):
    used = {
        operator
        for result in results.values()
        for operator in primitives(result.folder / "model.3.mindir")
    }
    for path in (Path(__file__).parent / "data").glob("mindspore_*.mindir"):
        used.update(primitives(path))
    # MindSpore has no kernel of it on CPU; its rule is that of Mish.
    assert set(lower_mindir.RULES) - used == {"MishExt"}


@pytest.mark.parametrize(
    "name", [name for name in CASES if name in REFERENCE and not CASES[name].refused]
)
def test_same_primitives_as_mindspore_2_writes(results, name):
    """Where both use an operator, each has the attributes that MindSpore 2.0 gives it, with the
    same values.
    """
    found = primitives(results[name].folder / "model.mindir")
    for operator, expected in REFERENCE[name].items():
        if operator in STRUCTURE or operator not in found or (name, operator) in OTHERWISE:
            continue
        known = set().union(*expected)
        got = [
            {key: value for key, value in attributes.items() if key in known}
            for attributes in found[operator]
        ]
        assert all(attributes in expected for attributes in got), (operator, got, expected)
