"""The core tests on each MindSpore, with each Python that this machine has: `make test-matrix`.

    python tests/matrix.py VENVS WORK [2.7 ...]

Each pair gets an environment of its own in VENVS, which stays, and a row in WORK/tables/matrix.md,
which `make tables` puts into the READMEs: how many tests passed, by what they are about. What
cannot be had is a row with the reason, and so are the devices that nothing runs on. Rows of earlier
runs, those of README.md where WORK has none, stay until their pair is run again. Exit code 1 where
a test failed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
VERSIONS = ("2.7", "2.8", "2.9", "2.10")
PYTHONS = ("3.10", "3.11", "3.12")
KINDS = {  # of tests, with the files that are run for them
    "layout": ["test_rules_layout.py"],
    "networks": ["test_golden.py", "test_initialisation.py"],
    "learning rates": ["test_schedules.py"],
    "checkpoints": ["test_rules_checkpoints.py"],
    "exports": ["test_rules_onnx.py", "test_lowering_networks.py"],
    "no retired calls": ["test_rules_deprecations.py"],  # with warnings as errors
}
HEADER = ["device", "MindSpore", "Python", *KINDS]
NEVER = [[device, "any", "any", *["not run"] * len(KINDS)] for device in ("Ascend", "GPU")]


def find_python(version: str) -> str:
    """Path of python`version`, or '' where there is none that starts."""
    path = shutil.which(f"python{version}")
    if not path or subprocess.run([path, "-V"], capture_output=True).returncode:
        return ""
    return path


def make_environment(folder: Path, python: str, mindspore: str) -> str:
    """Install MindSpore and what the tests need in `folder`, once; '' or why it cannot be."""
    if (folder / ".ready").exists():
        return ""
    shutil.rmtree(folder, ignore_errors=True)
    pip = [folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in (
        [python, "-m", "venv", folder],
        [*pip, "-r", REPOSITORY / "requirements-dev.txt", f"mindspore=={mindspore}.*"],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
            shutil.rmtree(folder, ignore_errors=True)
            return (lines or ["not installed"])[-1].removeprefix("ERROR: ").replace("|", "/")
    (folder / ".ready").touch()
    return ""


def installed_version(folder: Path) -> str:
    """MindSpore's whole version in the environment `folder`."""
    code = "import importlib.metadata as found; print(found.version('mindspore'))"
    done = subprocess.run([folder / "bin/python", "-c", code], capture_output=True, text=True)
    return done.stdout.strip()


def run_tests(folder: Path, files: list[str]) -> str:
    """What pytest counted in the environment `folder`, such as '30 passed, 1 failed'."""
    command = [folder / "bin/python", "-m", "pytest", "-p", "no:cacheprovider", "--tb=short"]
    done = subprocess.run(
        [*command, *(f"tests/{name}" for name in files)],
        cwd=REPOSITORY,
        env={**os.environ, "PATH": f"{folder.absolute() / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        print(done.stdout[-6000:], done.stderr[-2000:], flush=True)
    return count_of(done.stdout) or "did not run"


def count_of(printed: str) -> str:
    """The counts in pytest's last line, without warnings and time; '' where there are none."""
    last = (printed.strip().splitlines() or [""])[-1]
    counts = re.findall(r"\d+ (?:passed|failed|errors?|skipped|xfailed)\b", last)
    return ", ".join(sorted(counts, key=lambda count: count.split()[1] != "passed"))


def try_pair(venvs: Path, mindspore: str, version: str) -> list[str]:
    """The row of a MindSpore with a Python."""
    python = find_python(version)
    folder = venvs / f"mindspore{mindspore}-python{version}"
    reason = make_environment(folder, python, mindspore) if python else "no such Python here"
    if reason:
        return ["CPU", mindspore, version, f"not tried: {reason}", *[""] * (len(KINDS) - 1)]
    row = ["CPU", installed_version(folder), version]
    for kind, files in KINDS.items():
        row.append(run_tests(folder, files))
        print(f"MindSpore {row[1]}, Python {version}, {kind}: {row[-1]}", flush=True)
    return row


def earlier_rows(*files: Path) -> dict[tuple[str, str], list[str]]:
    """{(MindSpore, Python): row} of the matrix in the first of the `files` that is there."""
    path = next(path for path in files if path.exists())
    text = path.read_text(encoding="utf-8")
    marked = re.search("<!-- matrix -->(.*)<!-- /matrix -->", text, re.DOTALL)
    lines = re.findall(r"^\| (CPU \| .*) \|$", marked[1] if marked else text, re.MULTILINE)
    rows = [line.split(" | ") for line in lines]
    return {(".".join(row[1].split(".")[:2]), row[2]): row for row in rows}


def main(venvs: Path, work: Path, versions: list[str]) -> int:
    """Run the pairs of `versions`, or of all; 1 where a test failed."""
    table = work / "tables/matrix.md"
    table.parent.mkdir(parents=True, exist_ok=True)
    done, bad = earlier_rows(table, REPOSITORY / "README.md"), False
    for mindspore in versions or VERSIONS:
        for version in PYTHONS:
            row = try_pair(venvs, mindspore, version)
            bad |= any(re.search("failed|error|did not", cell) for cell in row[3:])
            if not row[3].startswith("not tried") or (mindspore, version) not in done:
                done[mindspore, version] = row
            order = sorted(done, key=lambda pair: [list(map(int, one.split("."))) for one in pair])
            rows = [HEADER, ["---"] * len(HEADER), *(done[pair] for pair in order)]
            lines = ["| " + " | ".join(row) + " |" for row in [*rows, *NEVER]]
            table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(table.read_text(encoding="utf-8"))
    return int(bad)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
