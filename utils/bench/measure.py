"""How the benchmarks measure: the two sides of a comparison in turns, in one run, as medians and
a ratio.
"""

import importlib
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

# `work` is shared with the smoke runs and lies beside them.
sys.path.append(str(Path(__file__).resolve().parents[1] / "smoke"))
from work import ROOT  # noqa: E402

ROUNDS = 9  # Few of them fall together into the minutes in which a shared machine is slow.


def use_folder(folder: str) -> None:
    """Make `src` mean the package of `folder`, and choose the CPU: before MindSpore is imported,
    as `src` sets its environment.
    """
    sys.path.insert(0, str(ROOT / folder))
    importlib.import_module("src.vendored.launch")
    import mindspore as ms

    ms.set_device("CPU")
    ms.set_context(mode=ms.GRAPH_MODE)


def run(command: list, cwd: Path, **environment: str) -> str:
    """Run a command quietly; exit with its output where it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        sys.exit(f"error: {' '.join(map(str, command))} failed:\n{done.stdout[-3000:]}")
    return done.stdout


def network_size(folder: str) -> tuple[int, int]:
    """Trainable parameters and multiply-adds of the documented network of `folder`."""
    script = Path(__file__).with_name("network_size.py")
    return tuple(map(int, run([sys.executable, script, folder], ROOT).splitlines()[-1].split()))


def cpp_milliseconds(program: Path, work: Path, data: Path, threads: int, *flags: str) -> float:
    """Mean time of a prediction, as the C++ `program` reports it for `work`/lowered.mindir over
    `data`.
    """
    for name in ("result_Files", "time_Result"):
        (work / name).mkdir(exist_ok=True)
    run(
        [
            program,
            "--device_type=CPU",
            "--mindir_path=lowered.mindir",
            f"--dataset_path={data}",
            f"--threads={threads}",
            *flags,
        ],
        work,
    )
    return float(
        re.search(
            r"time: ([0-9.]+) ms", (work / "time_Result/test_perform_static.txt").read_text()
        )[1]
    )


def onnx_milliseconds(
    path: Path, shape: tuple[int, ...], threads: int, predictions: int = 100
) -> float:
    """Mean time of a prediction through onnxruntime, after one to warm up."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name, image = (
        session.get_inputs()[0].name,
        np.random.RandomState(0).randn(*shape).astype(np.float32),
    )
    session.run(None, {name: image})
    started = time.perf_counter()
    for _ in range(predictions):
        session.run(None, {name: image})
    return (time.perf_counter() - started) * 1000 / predictions


def compare(name: str, first: Callable[[], float], second: Callable[[], float]) -> list[str]:
    """A table row: medians of `first()`, of `second()`, taken in turns, and of the ratios of the
    turns.
    """
    pairs = [(first(), second()) for _ in range(ROUNDS)]
    ours, other = (statistics.median(side) for side in zip(*pairs))
    # What else the machine does changes both sides of a turn.
    ratio = statistics.median(a / b for a, b in pairs)
    return [name, f"{ours:.2f} ms", f"{other:.2f} ms", f"{ratio:.2f}"]


def mean_milliseconds(call: Callable[[], object], times: int) -> float:
    """Mean time of `times` calls, after one to warm up."""
    call()
    started = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - started) * 1000 / times


class Torch:
    """The PyTorch `script` under its own interpreter in `work`, on weights.npz and image.npy there;
    see torch_side.py.

    `ask` sends a line and returns the answer. What holds MindSpore's oneDNN back from AVX-512 is
    not in its environment: PyTorch's is fast with it.
    """

    def __init__(self, python: str, script: Path, work: Path, threads: int):
        environment = {**os.environ}
        environment.pop("ONEDNN_MAX_CPU_ISA", None)
        self.process = subprocess.Popen(
            [python, script, "weights.npz", "image.npy", str(threads)],
            cwd=work,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, question: str) -> str:
        self.process.stdin.write(f"{question}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer:
            sys.exit(f"error: the PyTorch process ended with exit code {self.process.wait()}")
        return answer
