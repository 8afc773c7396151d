"""CONTRIBUTING.md speaks of files and targets that are there."""

import re
import subprocess

import pytest

from folders import NAMES, REPOSITORY

TEXT = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
PATHS = sorted(
    word
    for word in set(re.findall(r"[\w./*-]*\w", TEXT))
    if re.match(rf"(tests|utils|{'|'.join(NAMES)})/", word) and "NAME" not in word
)
TARGETS = sorted(
    target
    for target in set(re.findall(r"(?:^|`)make ([\w-]+)", TEXT, re.MULTILINE))
    if "NAME" not in target
)


@pytest.mark.parametrize("path", PATHS)
def test_file_is_there(path):
    assert list(REPOSITORY.glob(path))


@pytest.mark.parametrize("target", TARGETS)
def test_target_is_there(target):
    command = ["make", "--dry-run", target]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "name",
    sorted(
        name
        for row in re.findall(r"^\| (`.*`) \|", TEXT, re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", row)
    ),
)
def test_odd_name_is_there(name):
    """In a file's name or in the text of one."""
    files = [
        path
        for folder in (*NAMES, "utils/hccl_tools")
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in (".py", ".sh", ".yaml")
    ]
    word = name.split()[0].lstrip("-")
    wanted = name if "file was" in name or "than" in name else word
    assert any(
        str(path).endswith(wanted) or wanted in path.read_text(encoding="utf-8") for path in files
    )
