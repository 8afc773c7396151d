"""What the benchmarks share: a folder's own modules, commands, and two forms of the same in
turns.
"""

import importlib
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

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


def compare(name: str, first: Callable[[], float], second: Callable[[], float]) -> list[str]:
    """A table row: medians of `first()`, of `second()`, taken in turns, and of the ratios of the
    turns.
    """
    pairs = [(first(), second()) for _ in range(ROUNDS)]
    ours, other = (statistics.median(side) for side in zip(*pairs))
    # What else the machine does changes both sides of a turn.
    ratio = statistics.median(a / b for a, b in pairs)
    return [name, f"{ours:.2f} ms", f"{other:.2f} ms", f"{ratio:.2f}"]
