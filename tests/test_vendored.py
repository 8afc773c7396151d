"""The vendored copies equal their sources, and the folders stand alone."""

import ast
import subprocess
import sys

import pytest

from folders import FOLDERS, REPOSITORY


def test_copies_equal_their_sources():
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "utils/vendored/vendor.py"), "--check"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("folder", FOLDERS)
def test_python_imports_nothing_from_outside_the_folder(folder):
    root = REPOSITORY / folder
    siblings = {path.name for path in REPOSITORY.iterdir() if path.is_dir()}
    for path in root.rglob("*.py"):
        text = path.read_text()
        assert "sys.path" not in text, path
        for node in ast.walk(ast.parse(text)):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else (
                    [node.module or ""]
                    if isinstance(node, ast.ImportFrom) and not node.level
                    else []
                )
            )
            for name in names:
                assert name.split(".")[0] not in siblings, f"{path}: {name}"
