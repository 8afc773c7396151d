"""The engines of a benchmark: processes that answer the questions of answering.py in turns."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np

from answering import MARK

# A turn that took this long is not repeated ROUNDS times.
ROUNDS, LONG, LONG_ROUNDS = 9, 6000, 5  # LONG: milliseconds of all engines' turns


class Failure(Exception):
    """An engine ended; the text says how."""


class Engine:
    """A process, started by `command` in the folder `work`, where its stderr becomes NAME.log.

    `isa` becomes ONEDNN_MAX_CPU_ISA, which holds MindSpore's oneDNN back from AVX-512; other
    engines are fast with it, and have none.
    """

    def __init__(self, name: str, command: list, work: Path, isa: str | None = None):
        self.name, self.work = name, work
        self.file = name.replace(" ", "_").replace(",", "")
        environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": isa or ""}
        if not isa:
            del environment["ONEDNN_MAX_CPU_ISA"]
        self.log = work / f"{self.file}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                cwd=work,
                env=environment,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def ask(self, *question: object) -> str:
        """The answer. Raises Failure where the process ends instead."""
        try:
            print(*question, file=self.process.stdin, flush=True)
            for line in self.process.stdout:
                if line.startswith(MARK):
                    return line[len(MARK) :].strip()
        except BrokenPipeError:
            pass
        end = self.log.read_text(errors="replace").strip().splitlines()[-1:]
        raise Failure(f"{self.name}: exit code {self.process.wait()}: {''.join(end)}; {self.log}")

    def stop(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def read_output(path: Path) -> np.ndarray:
    """What an engine wrote: .npy, or by C++ values alone."""
    return np.load(f"{path}.npy") if Path(f"{path}.npy").exists() else np.fromfile(path, "float32")


def load(engine: Engine) -> dict[str, dict]:
    """{call: {"outputs": arrays, "memory": MB}}, each made once."""
    found = {}
    for what in engine.ask("calls").split():
        file = f"{engine.file}.{what}"
        count = int(engine.ask("outputs", what, file))
        found[what] = {
            "outputs": [read_output(engine.work / f"{file}.{i}") for i in range(count)],
            "memory": float(engine.ask("memory")),
        }
    return found


def take_turns(
    engines: dict[str, Engine], what: str, quick: bool, rounds: int | None = None
) -> dict[str, list[float]]:
    """{name: milliseconds of the call `what` in each round}; in a round each has one turn.

    Few of the rounds fall together into the minutes in which a shared machine is slow.
    """
    shortest = (10,) if quick else ()
    found = {name: [] for name in engines}
    done, rounds = 0, 1 if quick else rounds or ROUNDS
    while done < rounds:
        for name, engine in engines.items():
            found[name].append(float(engine.ask("time", what, *shortest)))
        done += 1
        if sum(times[-1] for times in found.values()) > LONG:
            rounds = min(rounds, LONG_ROUNDS)
        print(f"{what}: round {done} of {rounds}", file=sys.stderr, flush=True)
    return found


def medians(found: dict[str, list[float]], base: str) -> dict[str, dict[str, float]]:
    """{name: {"ms": median, "ratio": median of the ratios to `base` in the same round}}; the ratio
    is None where `base` is not among them.
    """
    return {
        name: {
            "ms": statistics.median(times),
            # What else the machine does changes all of a round.
            "ratio": statistics.median(a / b for a, b in zip(times, found[base]))
            if base in found
            else None,
        }
        for name, times in found.items()
    }
