"""What is checked before a commit, by `make lint` and by CI is the same."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from folders import NAMES, REPOSITORY

BINARIES = Path(sys.executable).parent
(HOOKS,) = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"]
HOOKS = {hook["id"]: hook for hook in HOOKS["hooks"]}
# hook: a file that it takes, and one that it refuses.
FILES = {
    "ruff-check": ("good.py", "print(1)\n", "bad.py", "import os\n"),
    "ruff-format": ("good.py", "print(1)\n", "bad.py", "print( 1 )\n"),
    "shellcheck": ("good.sh", "#!/bin/bash\necho a\n", "bad.sh", "#!/bin/bash\necho $1\n"),
    "clang-format": ("good.cc", "int a = 1;\n", "bad.cc", "int  a=1 ;\n"),
}


def run_hook(name, *files):
    entry = [word.replace(".venv/bin", str(BINARIES)) for word in HOOKS[name]["entry"].split()]
    return subprocess.run([*entry, *files], cwd=REPOSITORY, capture_output=True, timeout=60)


@pytest.mark.parametrize("name", FILES)
def test_hook_refuses_what_lint_refuses(name, tmp_path):
    good, good_text, bad, bad_text = FILES[name]
    for file, text in ((good, good_text), (bad, bad_text)):
        (tmp_path / file).write_text(text)
    (tmp_path / ".clang-format").symlink_to(REPOSITORY / ".clang-format")
    assert run_hook(name, tmp_path / good).returncode == 0
    assert run_hook(name, tmp_path / bad).returncode == 1


def test_copies_are_checked_with_every_commit():
    assert run_hook("vendored").returncode == 0
    assert HOOKS["vendored"]["always_run"]
    assert set(HOOKS) == {*FILES, "vendored"}


def test_hooks_are_the_commands_of_make_lint():
    done = subprocess.run(
        ["make", "--dry-run", "lint"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    for hook in HOOKS.values():
        assert hook["entry"] in done.stdout
        assert hook["language"] == "system"  # Nothing is fetched.


@pytest.mark.parametrize("failing", ["", "lint", "smoke-mobilenetv1"])
def test_ci_lints_first(failing, tmp_path):
    make = tmp_path / "make"
    make.write_text(f'#!/bin/bash\necho "$1"\n[[ $1 != "{failing}" ]]\n')
    make.chmod(0o755)
    done = subprocess.run(
        [REPOSITORY / ".ci/run"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    order = ["lint", "smoke-mobilenetv1", "test", "test-slow"]
    assert done.stdout.split() == (order[: order.index(failing) + 1] if failing else order)
    assert done.returncode == bool(failing)


def public_functions(body, is_class=False):
    """(function, whether it is a method) of those that others call: none inside a function."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body, is_class=True)
        elif isinstance(node, ast.FunctionDef):
            is_public = not node.name.startswith("_") or node.name in ("__init__", "__call__")
            if is_public and node.name != "construct":  # That one is for MindSpore's compiler.
                yield node, is_class


def unannotated(function, is_method):
    """Arguments without a type, or whose type does not allow their default None; and the result."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    defaults = [*[...] * (len(positional) - len(given.defaults)), *given.defaults]
    starred = [argument for argument in (given.vararg, given.kwarg) if argument]
    arguments = [*zip(positional, defaults), *zip(given.kwonlyargs, given.kw_defaults)]
    arguments += [(argument, ...) for argument in starred]
    is_static = any(getattr(each, "id", "") == "staticmethod" for each in function.decorator_list)
    for argument, default in arguments[is_method and not is_static :]:
        is_none = isinstance(default, ast.Constant) and default.value is None
        if argument.annotation is None:
            yield argument.arg
        elif is_none and "None" not in ast.unparse(argument.annotation):
            yield f"{argument.arg} = None"
    if function.returns is None and function.name != "__init__":
        yield "its result"


@pytest.mark.parametrize("folder", [*NAMES, "utils"])
def test_public_functions_say_their_types(folder):
    wrong = []
    for path in sorted((REPOSITORY / folder).rglob("*.py")):
        name = str(path.relative_to(REPOSITORY))
        for function, is_method in public_functions(ast.parse(path.read_text()).body):
            missing = ", ".join(unannotated(function, is_method))
            wrong += [f"{name}:{function.lineno}: {function.name}: {missing}"] * bool(missing)
    assert not wrong, "\n".join(wrong)
