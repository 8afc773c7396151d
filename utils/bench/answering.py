"""The loop of an engine: a process that has loaded a network and waits for questions, one a line,
while others are timed.

    calls                   the names of what it can be asked for
    outputs NAME FILE       makes the call NAME once; its outputs go to FILE.0.npy and so on, and
                            the answer is their number
    time NAME [SHORTEST]    mean milliseconds of the call, over a turn of SHORTEST milliseconds
    memory                  the most memory that the process has held, in MB

Answers begin with `> `: what libraries print stands between them.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

MARK = "> "
SHORTEST = 300  # milliseconds of a turn
MOST = 200  # calls in a turn


def mean_milliseconds(call: Callable[[], object], calls: int) -> float:
    """Mean time of `calls` calls."""
    started = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - started) * 1000 / calls


def turn(call: Callable[[], object], shortest: float = SHORTEST) -> float:
    """Mean time of a call, after one to warm up; of a long one, its own time."""
    first = mean_milliseconds(call, 1)
    if first >= shortest:
        return first
    return mean_milliseconds(call, min(math.ceil(shortest / first), MOST))


def memory() -> float:
    """The most memory that this process has held, in MB.

    Not getrusage's figure, which begins with what the parent held when it made the process.
    """
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def serve(calls: dict[str, Callable[[], Iterable[np.ndarray]]]) -> None:
    """Answer questions about `calls`, each of which returns its outputs, until stdin ends."""

    def outputs(name, file):
        arrays = list(calls[name]())
        for number, array in enumerate(arrays):
            np.save(f"{file}.{number}.npy", array)
        return len(arrays)

    answers = {
        "calls": lambda: " ".join(calls),
        "outputs": outputs,
        "time": lambda name, shortest=SHORTEST: turn(calls[name], float(shortest)),
        "memory": memory,
    }
    for line in sys.stdin:
        question, *arguments = line.split()
        print(f"{MARK}{answers[question](*arguments)}", flush=True)
