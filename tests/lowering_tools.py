"""What the tests of lower_mindir.py share: exporting, lowering, and running on MindSpore Lite
2.0.0.
"""

import contextlib
import functools
import io
import math
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import mindspore as ms
import numpy as np

from folders import REPOSITORY
from test_golden import enter_pynative_mode

CPP_INFER = REPOSITORY / "utils" / "cpp_infer"
sys.path.insert(0, str(CPP_INFER))

import lower_mindir  # noqa: E402  its folder comes first

COMMAND = [sys.executable, CPP_INFER / "lower_mindir.py"]
# MindSpore Lite's type codes (its DataType).
DTYPES = {
    30: np.bool_,
    32: np.int8,
    33: np.int16,
    34: np.int32,
    35: np.int64,
    37: np.uint8,
    38: np.uint16,
    39: np.uint32,
    40: np.uint64,
    42: np.float16,
    43: np.float32,
    44: np.float64,
}
# What MindSpore Lite 2.0.0 takes inputs of these types as.
TAKEN_AS = {"int64": np.int32, "float64": np.float32, "float16": np.float32}


@functools.cache
def runner():
    """(program, environment) that runs lowered models."""
    lite = subprocess.run(
        ["bash", CPP_INFER / "fetch_runtime.sh"], check=True, capture_output=True, text=True
    )
    lite = lite.stdout.strip()
    program = Path(tempfile.mkdtemp(prefix="lowering_runner_")) / "runner"
    subprocess.run(
        [
            "g++",
            "-std=c++17",
            "-O1",
            Path(__file__).with_name("lowering_runner.cc"),
            f"-I{lite}",
            f"-L{lite}/lib",
            "-lmindspore-extendrt_python",
            "-Wl,--allow-shlib-undefined",
            "-o",
            program,
        ],
        check=True,
    )
    return program, {**os.environ, "LD_LIBRARY_PATH": f"{lite}/lib", "GLOG_v": "4"}


def export(network, folder, *inputs, like=None):
    """`network` as model.3.mindir (version 3) in `folder`, with its inputs beside it; `like` has
    open sizes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ms.set_context(mode=ms.GRAPH_MODE)
    plain = Path(tempfile.mkdtemp())  # ms.export takes plain names only
    given = [like] if like is not None else map(ms.Tensor, inputs)
    ms.export(
        network.set_train(False), *given, file_name=str(plain / "model"), file_format="MINDIR"
    )
    (exported,) = plain.glob("*.mindir")  # Above 1 GiB model_graph.mindir, its weights apart.
    exported.replace(folder / "model.3.mindir")
    for weights in plain.glob("model_variables"):
        shutil.move(weights, folder)
    for index, value in enumerate(inputs):
        kind = TAKEN_AS.get(value.dtype.name, value.dtype)
        value.astype(kind).tofile(folder / f"input_{index}.bin")
    return folder / "model.3.mindir"


def lower(*arguments):
    """(exit code, what was printed) of lower_mindir.py, in this process."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = lower_mindir.main([str(argument) for argument in arguments])
    return code, output.getvalue()


def run(folders):
    """Run model.mindir in each folder.

    Returns what each came to: the list of outputs, or a text that says why not.
    """
    program, environment = runner()
    subprocess.run(
        [program],
        input="".join(f"{folder}\n" for folder in folders),
        text=True,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    results = []
    for folder in folders:
        status, *types = (folder / "status.txt").read_text().split(" ")
        results.append(
            [
                np.fromfile(folder / f"output_{index}.bin", DTYPES[int(kind)])
                for index, kind in enumerate(types)
            ]
            if status == "ok"
            else " ".join([status, *types])
        )
    return results


def distance(got, wanted):
    """Largest difference relative to the spread (max - min) of the wanted values that are finite;
    infinite where others than these are not the same, or integers or truth values differ at all.
    """
    got, wanted = np.asarray(got).ravel(), np.asarray(wanted).ravel()
    assert got.shape == wanted.shape
    if wanted.dtype.kind != "f":
        return 0.0 if np.array_equal(got, wanted) else math.inf
    got, wanted = got.astype(np.float64), wanted.astype(np.float64)
    finite = np.isfinite(wanted)
    if not np.array_equal(got[~finite], wanted[~finite], equal_nan=True):
        return math.inf
    error = np.abs(got[finite] - wanted[finite]).max(initial=0.0)
    if error == 0.0:
        return 0.0
    spread = np.ptp(wanted[finite]) or np.abs(wanted[finite]).max()
    return float(error / spread) if spread else math.inf


def in_mindspore(operation, *inputs):
    """What the operation gives in MindSpore's PyNative mode, as a list of arrays."""
    enter_pynative_mode()
    try:
        result = operation(
            *(ms.Tensor(value) if isinstance(value, np.ndarray) else value for value in inputs)
        )
    finally:
        ms.set_context(mode=ms.GRAPH_MODE)
    return [item.asnumpy() for item in (result if isinstance(result, (tuple, list)) else [result])]


def prepare(network, folder, inputs):
    """Export and lower a network."""
    model = export(network, folder, *inputs)
    code, message = lower(model, folder / "model.mindir")
    assert code == 0, message


def check(outputs, right, seen):
    """Outputs of the runtime are NumPy's and MindSpore's."""
    assert not isinstance(outputs, str), outputs
    assert len(outputs) == len(right) == len(seen)
    for got, value, other in zip(outputs, right, seen):
        assert distance(got, value) <= 1e-3 and distance(got, other) <= 1e-3
