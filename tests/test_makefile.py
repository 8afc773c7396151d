"""The Makefile in a folder whose path holds whatever a path may hold."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from folders import REPOSITORY

# The tests are run by make themselves, whose make would say "Entering directory".
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
KERNELS = "python -m src.vendored.cpu_kernels"
NAME = 'it\'s a "$HOME" #1 100% 中文'
# In place of a Python: writes down its arguments, and makes what `python -m venv` makes.
STUB = """#!/bin/bash
printf '%s|' "$(basename "$0")" "$@" "${PYTHON-}" >> "$CALLS"
printf '%s\\n' "${PATH%%:*}" >> "$CALLS"
[[ "${2-}" == venv ]] || exit 0
mkdir -p "$3/bin"
for name in python ruff shellcheck clang-format; do cp "$0" "$3/bin/$name"; done
"""


class Place:
    """A checkout of two folders, `alpha` and `beta`, of which only the Makefile is real."""

    def __init__(self, root: Path) -> None:
        self.root, self.calls = root / NAME / "zoo", root / "calls"
        self.python = root / "my $PYTHON isn't here" / "python3"
        for name in (
            "alpha/train.py",
            "beta/train.py",
            "utils/smoke/demo_beta.py",
            "utils/smoke/demo_mobilenetv1.py",
            "utils/cpp_infer/install_packages.sh",
        ):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).touch()
        for path in (REPOSITORY / "Makefile", *REPOSITORY.glob("requirements*.txt")):
            shutil.copy(path, self.root)
        self.python.parent.mkdir()
        self.python.write_text(STUB)
        self.python.chmod(0o755)
        (self.root / "beta/main.cc").touch()
        for command in (["init", "--quiet"], ["add", "."]):
            subprocess.run(["git", *command], cwd=self.root, check=True)

    def make(self, *arguments, **environment):
        """Run make; it must succeed, and say nothing on stderr. Returns its output."""
        environment = {"PYTHON": str(self.python), "CALLS": str(self.calls), **environment}
        done = subprocess.run(
            ["make", *arguments],
            cwd=self.root,
            env={**ENVIRONMENT, **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def ran(self) -> list:
        """What was called since the last time, each as its arguments joined by blanks."""
        lines = [line.split("|") for line in self.calls.read_text().splitlines()]
        self.calls.unlink()
        # Whatever runs finds the environment's programs first, and no interpreter to use instead.
        assert {tuple(line[-2:]) for line in lines} == {("", str(self.root / ".venv/bin"))}
        return [" ".join(line[:-2]) for line in lines]


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_help_names_every_target(place):
    shown = place.make("help").splitlines()
    targets = {line.split()[0] for line in shown[:-1]}
    declared = re.findall(r"^\.PHONY: ([a-z -]+)$", (REPOSITORY / "Makefile").read_text(), re.M)
    named = " ".join(declared).split()
    assert targets == {*named, "smoke-FOLDER", "demo-FOLDER", "bench-FOLDER", "profile-FOLDER"}
    assert shown[-1] == "folders: alpha beta"
    assert not (place.root / ".venv").exists()


def test_help_of_the_repository_finds_every_folder():
    shown = subprocess.run(
        ["make", "help"], cwd=REPOSITORY, env=ENVIRONMENT, capture_output=True, text=True
    )
    found = sorted(path.parent.name for path in REPOSITORY.glob("*/train.py"))
    assert shown.stdout.splitlines()[-1] == f"folders: {' '.join(found)}"


def test_dry_run_does_nothing(place):
    shown = place.make("-n", "smoke", "test", "lint")
    assert "utils/smoke/smoke.py" in shown and "-m pytest" in shown and "shellcheck" in shown
    assert not (place.root / ".venv").exists() and not place.calls.exists()


def test_targets_make_what_they_need_once(place):
    place.make("smoke", "test")
    assert place.ran() == [
        "python3 -m venv .venv",
        "python -m pip install --quiet --disable-pip-version-check -r requirements-tested.txt",
        "python utils/smoke/smoke.py .cache .smoke",
        "python -m pytest -m not slow",
    ]
    assert (place.root / ".venv/.ready").exists()
    place.make("test", "REQUIREMENTS=requirements-dev.txt")
    assert place.ran() == ["python -m pytest -m not slow"]
    place.make("smoke-beta", CACHE="/no $CACHE, isn't it")
    assert place.ran() == ["python utils/smoke/smoke.py /no $CACHE, isn't it .smoke beta"]
    place.make("demo-beta", "demo", "CACHE=/a  b")
    assert place.ran() == [
        "python utils/smoke/demo_beta.py /a  b .demo/beta",
        "python utils/smoke/demo_mobilenetv1.py /a  b .demo/mobilenetv1",
    ]
    # No stray files where a name was cut at a blank.
    assert [path.name for path in place.root.parent.iterdir()] == ["zoo"]
    assert sorted(path.name for path in place.root.parent.parent.iterdir()) == [
        NAME,
        "my $PYTHON isn't here",
    ]


def test_benchmarks_get_the_environments_of_other_engines(place):
    place.make("smoke", "bench-alpha")
    command = (
        "python utils/bench/bench.py .cache .bench .venv-bench/bin/python .venv-runtimes/bin/python"
    )
    assert place.ran()[-6:] == [
        "python3 -m venv .venv-bench",
        "python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt",
        "python3 -m venv .venv-runtimes",
        "python -m pip install --quiet --disable-pip-version-check --no-deps"
        " -r requirements-runtimes.txt",
        KERNELS,
        f"{command} alpha",
    ]
    place.make("bench", "bench-beta", "QUICK=--quick")
    assert place.ran() == [KERNELS, f"{command} --quick", f"{command} --quick beta"]
    place.make("profile-beta")
    assert place.ran() == [KERNELS, "python utils/bench/operator_times.py .cache .bench beta"]


def test_tables_are_made_before_they_are_put_in(place):
    place.make("smoke", "tables")
    assert place.ran()[-3:] == [
        "python utils/bench/report.py",
        "python utils/smoke/front_picture.py",
        "python utils/smoke/tables.py",
    ]


def test_runtimes_get_an_environment_of_their_own(place):
    place.make("smoke", "runtimes")
    assert place.ran()[-3:] == [
        "python3 -m venv .venv-runtimes",
        "python -m pip install --quiet --disable-pip-version-check --no-deps"
        " -r requirements-runtimes.txt",
        "python utils/bench/runtimes.py .bench .venv-runtimes/bin/python",
    ]


def test_lint_calls_every_tool(place):
    place.make("lint")
    assert place.ran()[2:] == [
        "ruff check .",
        "ruff format --check .",
        "shellcheck utils/cpp_infer/install_packages.sh",
        "python .venv/bin/clang-format --dry-run --Werror beta/main.cc",
        "python utils/vendored/vendor.py --check",
    ]
    place.make("vendor")
    assert place.ran() == ["python3 utils/vendored/vendor.py"]


def test_lint_fails_with_its_tools(place):
    place.make("lint")
    (place.root / ".venv/bin/shellcheck").write_text("#!/bin/bash\nexit 1\n")
    with pytest.raises(AssertionError):
        place.make("lint")


def test_no_tool_lists_the_folders():
    """They are found: a new one must need no change here."""
    tools = [REPOSITORY / name for name in ("Makefile", "pyproject.toml", ".ci/run")]
    for kind in ("*.py", "*.sh"):
        tools += (REPOSITORY / "utils").rglob(kind)
    folders = {path.parent.name for path in REPOSITORY.glob("*/train.py")}
    assert len(folders) > 1
    for path in tools:
        named = {name for name in folders if re.search(rf"\b{name}\b", path.read_text())}
        assert len(named) < len(folders) - 1, f"{path}: {named}"
