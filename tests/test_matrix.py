"""What stands in the table of versions: counted by pytest, or the reason why it is not there."""

import json
import os
import sys

import pytest

import matrix
from folders import REPOSITORY


def test_its_files_are_there():
    for files in matrix.KINDS.values():
        for name in files:
            assert (REPOSITORY / "tests" / name).is_file(), name


@pytest.mark.parametrize(
    "line, counts",
    [
        ("32 passed, 2 warnings in 3.21s", "32 passed"),
        ("1 failed, 31 passed, 1 skipped in 70.00s (0:01:10)", "31 passed, 1 failed, 1 skipped"),
        ("5 errors in 0.10s", "5 errors"),
        ("no tests ran in 0.01s", ""),
        ("", ""),
    ],
)
def test_counts(line, counts):
    assert matrix.count_of(f"...\n{line}\n") == counts


def test_python_that_does_not_start_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert matrix.find_python("3.10") == ""
    for version, code in (("3.10", 1), ("3.11", 0)):
        path = tmp_path / f"python{version}"
        path.write_text(f"#!/bin/sh\nexit {code}\n")
        path.chmod(0o755)
    assert matrix.find_python("3.10") == ""
    assert matrix.find_python("3.11") == str(tmp_path / "python3.11")


def test_what_cannot_be_installed_is_a_row_with_the_reason(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(matrix, "PYTHONS", ("3.11", "3.99"))
    monkeypatch.setattr(matrix, "find_python", {"3.11": sys.executable, "3.99": ""}.get)
    assert matrix.main(tmp_path / "venvs", tmp_path / "work", ["2.7"]) == 0
    assert not list((tmp_path / "venvs").glob("*")), "an environment that is no use stays"
    head, _, first, second, *devices = capsys.readouterr().out.strip().splitlines()
    assert head.startswith("| device | MindSpore | Python | layout |")
    assert first.startswith("| CPU | 2.7 | 3.11 | not tried: No matching distribution found for ")
    assert second.startswith("| CPU | 2.7 | 3.99 | not tried: no such Python here |")
    assert {line.count("|") for line in (head, first, second, *devices)} == {head.count("|")}
    assert [line.split(" | ")[:4] for line in devices] == [
        ["| Ascend", "any", "any", "not run"],
        ["| GPU", "any", "any", "not run"],
    ]
    kept = json.loads((tmp_path / "work/matrix.json").read_text())
    assert list(kept) == ["2.7 3.11", "2.7 3.99"]
