"""The commands that the folders' READMEs print, and what each answers in a folder without data or
weights.

    python tests/readme_commands.py     # writes docs/commands.md

A command is right there if what it lacks is all that it names: data, weights, a device.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from entry_points import call
from folders import NAMES, REPOSITORY

PAGE = REPOSITORY / "docs/commands.md"
READMES = ("README.md", "README_CN.md")
ELSEWHERE = ("make", "pip", "cd", "git", "wget")  # what other tests run, or install
# A word in brackets to fill in, such as [MINDIR_PATH]; those of usage lines stand in text.
PLACEHOLDER = re.compile(r"\[[A-Z_]+\]|<[a-z_]+>")
STARTS = re.compile(r"^(?:[A-Z_]+=\S+ )*(?:python|bash|" + "|".join(ELSEWHERE) + r")\b")
HEAD = """# What the documented commands answer

Each command of the folders' READMEs, pasted into a folder on a machine with a CPU that has neither
data nor weights. It must end in one line that names the first thing that is missing there, and
nothing else: its script, flags and values are right. With data and weights, tests run the same
scripts on the CPU from end to end. `python tests/readme_commands.py` writes this page; a test
compares it.

| folder | command | answer |
| --- | --- | --- |
"""


def commands(folder, readme):
    """[(folder below the model's, command)] of the code blocks of a README, in order."""
    text = (REPOSITORY / folder / readme).read_text()
    found = []
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        place = ""
        if language not in ("bash", "shell"):
            continue
        for line in block.replace("\\\n", " ").splitlines():
            line = " ".join(line.split(" # ")[0].split())
            if line.startswith("cd "):
                place = line[3:]
            elif STARTS.match(line):
                found.append((place, line))
    return list(dict.fromkeys(found))


def answered(folder):
    """The commands of `folder` that are run here."""
    return [one for one in commands(folder, READMES[0]) if not one[1].startswith(ELSEWHERE)]


def shown(place, command):
    """The command as the page has it."""
    return f"cd {place}; {command}" if place else command


def copy_of(folder, root):
    """A copy of the model's folder below `root`, beside the tools, to paste commands into."""
    shutil.copytree(
        REPOSITORY / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__")
    )
    (root / "utils").symlink_to(REPOSITORY / "utils")
    return root / folder


def answer(folder, copy, place, command):
    """(exit code, last line that it prints) of a command in the `place` of a `copy`."""
    words = shlex.split(re.sub(r" > \S+ 2>&1 &$", "", command).replace("~", "home"))
    if words[0] == "python" and ".." not in words[1]:
        code, out, err = call(folder, words[1], *words[2:], cwd=copy / place)
        return code, _last(err or out, copy)
    done = subprocess.run(
        ["bash", "-c", shlex.join(words).replace("'DEVICE_TARGET=CPU'", "DEVICE_TARGET=CPU")],
        cwd=copy / place,
        env={
            **os.environ,
            "WAIT": "1",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, _last(done.stderr or done.stdout, copy)


def _last(printed, copy):
    lines = [line for line in printed.strip().splitlines() if line] or [""]
    line = re.sub(r" \(see .*\)$", "", lines[-1])  # Any of several workers may end first.
    return line.replace(f"{copy}/", "").replace(str(copy), ".").replace("|", "\\|")


def main():
    """Write the page."""
    rows = []
    for folder in NAMES:
        with tempfile.TemporaryDirectory() as root:
            copy = copy_of(folder, Path(root))
            for place, command in answered(folder):
                code, line = answer(folder, copy, place, command)
                rows.append(f"| {folder} | `{shown(place, command)}` | {line} |")
                print(code, rows[-1], flush=True)
    PAGE.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
