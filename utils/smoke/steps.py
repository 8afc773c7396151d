"""Steps of a smoke run: commands as documented, each timed and logged, and what their output
says.
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from work import make_work_folder


class Steps:
    """Runs commands in the work folder `work`, which it makes; their output goes to
    `work`/<step>.log, their seconds to `seconds`.
    """

    def __init__(self, work: str | Path):
        self.work = make_work_folder(work)
        self.seconds = {}
        binaries = str(Path(sys.executable).parent)
        self.environment = {
            **os.environ,
            "WAIT": "1",
            "PYTHON": sys.executable,
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        }

    def run(self, step: str, *command: object, **flags: object) -> str:
        """Run `command` with `flags`, --KEY VALUE each, and return its output.

        Exits with the end of the log where the command fails.
        """
        command = (
            *command,
            *(part for key, value in flags.items() for part in (f"--{key}", value)),
        )
        started = time.perf_counter()
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self.work,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self.seconds[step] = self.seconds.get(step, 0) + time.perf_counter() - started
        log = self.work / f"{step}.log"
        with log.open("a", encoding="utf-8") as file:
            file.write(done.stdout)
        if done.returncode:
            sys.exit(
                f"error: the step '{step}' failed with exit code {done.returncode}; its log is"
                f" {log}:\n" + "\n".join(done.stdout.splitlines()[-20:])
            )
        print(f"{self.work.name}: {step}, {self.seconds[step]:.0f} s", flush=True)
        return done.stdout

    def python(self, step: str, script: Path, *arguments: object, **flags: object) -> str:
        """Run a Python script with this interpreter."""
        return self.run(step, sys.executable, script, *arguments, **flags)


def losses(metrics: Path) -> tuple[float, float]:
    """(first, last) training loss of a metrics.csv."""
    rows = list(csv.DictReader(Path(metrics).read_text().splitlines()))
    return float(rows[0]["loss"]), float(rows[-1]["loss"])


def find_number(pattern: str, text: str) -> float:
    """The number that `pattern`'s group matches last in `text`. Exits where it does not match."""
    found = re.findall(pattern, text)
    if not found:
        sys.exit(
            f"error: the output has no line like '{pattern}':\n"
            + "\n".join(text.splitlines()[-10:])
        )
    return float(found[-1])
