"""How a folder is built, in every folder: its files, its names, that it stands alone."""

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from entry_points import assert_one_line
from folders import CLASSIFIERS, NAMES, REPOSITORY, TABLE, file_of, flags_of

TREE = json.loads((Path(__file__).parent / "data/tree.json").read_text())
COMMON = {  # What every folder has, documented or not.
    "README.md", "README_CN.md", "requirements.txt", "train.py", "eval.py", "export.py",
    "eval_onnx.py", "postprocess.py", "predict.py", "ascend310_infer/CMakeLists.txt",
    "ascend310_infer/build.sh", "ascend310_infer/src/main.cc", "scripts/run_infer_310.sh",
    "run_infer_310.sh",
}  # fmt: skip
ELSEWHERE = [
    "tests/data/NAME.params.json", "tests/data/NAME.npz", "tests/test_NAME.py",
    "tests/test_NAME_data.py", "tests/documented_commands/NAME.yaml", "utils/smoke/NAME.py",
    "utils/bench/NAME.py", "utils/bench/NAME_torch.py",
]  # fmt: skip
STEPS = ["create_optimizer", "create_model", "create_evaluation", "train"]  # of train.py, in order


@pytest.mark.parametrize("folder", NAMES)
def test_documented_files_are_there(folder):
    wanted = (
        COMMON | set(TREE.get(folder, [])) | ({"finetune.py"} if folder in CLASSIFIERS else set())
    )
    missing = [name for name in sorted(wanted) if not (REPOSITORY / folder / name).is_file()]
    assert not missing, f"{folder} lacks {', '.join(missing)}"


@pytest.mark.parametrize("folder", NAMES)
def test_what_a_folder_has_elsewhere_is_there(folder):
    """The files of "Adding a model" in CONTRIBUTING.md: without them, some tests have no cases."""
    wanted = [name.replace("NAME", folder) for name in ELSEWHERE]
    missing = [name for name in wanted if not (REPOSITORY / name).is_file()]
    assert not missing, f"{folder} lacks {', '.join(missing)}"


def test_the_table_holds_no_folder_that_is_gone():
    assert set(TABLE) <= set(NAMES)


@pytest.mark.parametrize("folder", NAMES)
def test_copies_equal_their_sources(folder):
    program = [sys.executable, str(REPOSITORY / "utils/vendored/vendor.py"), "--check"]
    done = subprocess.run(program, capture_output=True, text=True)
    stale = [line for line in done.stdout.splitlines() if line.startswith(f"{folder}/")]
    assert not stale and done.stderr == "", f"run make vendor: {stale} {done.stderr}"


def python_files(folder):
    return sorted((REPOSITORY / folder).rglob("*.py"))


@pytest.mark.parametrize("folder", NAMES)
def test_python_imports_nothing_from_outside_the_folder(folder):
    siblings = {path.name for path in REPOSITORY.iterdir() if path.is_dir()}
    for path in python_files(folder):
        text = path.read_text()
        # dataset.py run as a file finds its own folder, which is one up or two.
        own = r"sys\.path\[0\] = (os\.path\.dirname\(){2,3}os\.path\.abspath\(__file__\)+"
        assert "sys.path" not in re.sub(own, "", text), path
        for node in ast.walk(ast.parse(text)):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                assert name.split(".")[0] not in siblings, f"{path}: {name}"


@pytest.mark.parametrize("folder", NAMES)
def test_files_functions_and_names(folder):
    """Files under 250 lines, functions under 60; two folders' train.py differ in their models."""
    for path in python_files(folder):
        text = path.read_text()
        assert len(text.splitlines()) < 250, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                assert ast.get_docstring(node) or _is_method(text, node), f"{path}: {node.name}"
            if isinstance(node, ast.FunctionDef):
                first = node.body[1 if ast.get_docstring(node) and len(node.body) > 1 else 0]
                length = node.end_lineno - first.lineno + 1  # without signature and docstring
                assert length < 60, f"{path}: {node.name} has {length} lines"
    functions = functions_of(REPOSITORY / folder / "train.py")
    steps = [name for name in functions if name in STEPS]
    assert steps == STEPS, f"{folder}/train.py has {steps} of {STEPS}, in this order"
    network = REPOSITORY / folder / file_of(flags_of(folder).network_module)
    assert network.is_file(), f"write {network}, or name it in TABLE of tests/folders.py"
    assert {"build_network", "prepare_for_export"} <= set(functions_of(network)), network


def functions_of(path):
    return [
        node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)
    ]


def _is_method(text, node):
    """Methods of Cells and callbacks are MindSpore's; nested functions are seen where they are."""
    return node.col_offset > 0


@pytest.mark.parametrize("folder", NAMES)
def test_scripts_read_the_launch_module_first(folder):
    """It sets what NumPy and MindSpore read when they are imported."""
    for path in sorted((REPOSITORY / folder).glob("*.py")):
        imports = [
            node
            for node in ast.parse(path.read_text()).body
            if isinstance(node, (ast.Import, ast.ImportFrom))
            and getattr(node, "module", "") != "__future__"  # Python's own, it sets nothing.
        ]
        first = getattr(imports[0], "module", "") if imports else ""
        assert first in ("src.vendored.launch", "postprocess"), f"{path}: launch comes first"


@pytest.mark.parametrize("folder", NAMES)
def test_a_copy_of_the_folder_alone_runs(tmp_path, folder):
    """Nothing of the repository is near; the error is the folder's own line."""
    copy = tmp_path / "a copy's $name"
    ignored = shutil.ignore_patterns("out", "__pycache__", "*.log")
    shutil.copytree(REPOSITORY / folder, copy, ignore=ignored)
    for script in ("train.py", "eval.py", "export.py", "eval_onnx.py", "predict.py"):
        flags = ("--device_target", "CPU", "--device_id", "99")
        program = [sys.executable, str(copy / script), *flags]
        done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True)
        assert_one_line(done.returncode, done.stderr)
