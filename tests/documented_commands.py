"""The documented commands of the scripts and what they start: documented_commands/FOLDER.yaml.

A folder brings a file with a row for each of its scripts. Capitals with an underscore stand for
paths, and are named as the documentation names the argument. Under

- commands: `line`, the script and its arguments; what the program gets as `flags` and in its
  `environment`, besides what the number of `processes` says; its `log`, below the current folder or
  the model's (MODEL/...), {} standing for a worker's number; `target`, DEVICE_TARGET in the call;
- inference: commands of the C++ program;
- refused: a `command` with a wrong value, and the `message` about it;
- miscounted: commands with a number of arguments that is between two right ones.
"""

from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from folders import NAMES, REPOSITORY


class Command(NamedTuple):
    """A row under `commands`."""

    line: str
    log: str
    flags: str
    processes: int = 1
    environment: str = ""
    target: str = ""

    @property
    def script(self):
        return self.line.split(" ")[0]

    @property
    def program(self):
        kinds = {"onnx": "eval_onnx.py", "eval": "eval.py", "train": "train.py"}
        return next(program for kind, program in kinds.items() if kind in self.script)


def table(folder):
    """What documented_commands/`folder`.yaml holds, every part of it there, though it be empty."""
    path = Path(__file__).with_suffix("") / f"{folder}.yaml"
    parts = {"commands": [], "inference": [], "refused": [], "miscounted": []}
    return {**parts, **(yaml.safe_load(path.read_text()) if path.exists() else {})}


TABLES = {folder: table(folder) for folder in NAMES}
COMMANDS = [(name, Command(**row)) for name in NAMES for row in TABLES[name]["commands"]]
INFERENCE = [(name, line) for name in NAMES for line in TABLES[name]["inference"]]
SCRIPTS = [  # (folder, name) of those that are run, not sourced
    (name, path.name)
    for name in NAMES
    for path in sorted((REPOSITORY / name / "scripts").glob("run_*.sh"))
]


def samples():
    """(folder, command): of each folder its first command of one process and of several."""
    first = {}
    for folder, command in COMMANDS:
        first.setdefault((folder, command.processes), (folder, command))
    return list(first.values())


def over(cases):
    """Parametrise a test over (folder, command or line, ...)."""
    names = [f"{case[0]} {getattr(case[1], 'line', case[1])} {case[2:] or ''}" for case in cases]
    return pytest.mark.parametrize(
        ["folder", "command", "message"][: len(cases[0])], cases, ids=names
    )
