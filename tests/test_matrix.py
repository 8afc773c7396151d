"""What stands in the table of versions: counted by pytest, or the reason why it is not there."""

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


EARLIER = [
    ["CPU", "2.7.2", "3.99", *[f"{count} passed" for count in range(len(matrix.KINDS))]],
    ["CPU", "2.10.0", "3.11", *[f"{count} passed" for count in range(len(matrix.KINDS))]],
]


def write_rows(path, before="", after=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["| " + " | ".join(row) + " |" for row in [matrix.HEADER, *EARLIER, *matrix.NEVER]]
    path.write_text("\n".join([before, *lines, after]))
    return path


def test_rows_of_the_readme_are_taken_where_there_is_no_table(tmp_path):
    readme = write_rows(
        tmp_path / "README.md", "| CPU | all | yes |\n<!-- matrix -->", "<!-- /matrix -->\n| CPU |"
    )
    wanted = {("2.7", "3.99"): EARLIER[0], ("2.10", "3.11"): EARLIER[1]}
    assert matrix.earlier_rows(tmp_path / "matrix.md", readme) == wanted
    readme.write_text("another")
    table = write_rows(tmp_path / "matrix.md")
    assert matrix.earlier_rows(table, readme) == wanted


def test_what_cannot_be_installed_is_a_row_with_the_reason(tmp_path, monkeypatch, capsys):
    write_rows(tmp_path / "work/tables/matrix.md")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(matrix, "PYTHONS", ("3.11", "3.99"))
    monkeypatch.setattr(matrix, "find_python", {"3.11": sys.executable, "3.99": "", "3.9": ""}.get)
    assert matrix.main(tmp_path / "venvs", tmp_path / "work", ["2.7"]) == 0
    assert not list((tmp_path / "venvs").glob("*")), "an environment that is no use stays"
    head, _, first, earlier, last, *devices = capsys.readouterr().out.strip().splitlines()
    assert head.startswith("| device | MindSpore | Python | layout |")
    assert first.startswith("| CPU | 2.7 | 3.11 | not tried: No matching distribution found for ")
    assert earlier.startswith("| CPU | 2.7.2 | 3.99 | 0 passed |"), "it was tried on some machine"
    assert last.startswith("| CPU | 2.10.0 | 3.11 | 0 passed |")
    lines = (head, first, earlier, last, *devices)
    assert {line.count("|") for line in lines} == {head.count("|")}
    assert [line.split(" | ")[:4] for line in devices] == [
        ["| Ascend", "any", "any", "not run"],
        ["| GPU", "any", "any", "not run"],
    ]
    monkeypatch.setattr(matrix, "PYTHONS", ("3.9",))
    matrix.main(tmp_path / "venvs", tmp_path / "work", ["2.7"])
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[2].startswith("| CPU | 2.7 | 3.9 | not tried: no such Python here |")
    assert lines[3:6] == [first, earlier, last]
