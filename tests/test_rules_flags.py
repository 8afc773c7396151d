"""Flags and the environment, in every script of every folder: what is wrong ends in one line."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from google import protobuf

from entry_points import assert_one_line, call
from folders import CLASSIFIERS, NAMES, REPOSITORY

BUILDS = ("train.py", "eval.py", "export.py")
SCRIPTS = (*BUILDS, "eval_onnx.py", "predict.py")
CPU = ("--device_target", "CPU")
PAIRS = [(folder, script) for folder in NAMES for script in SCRIPTS]
PAIRS += [(folder, "finetune.py") for folder in CLASSIFIERS]
CASES = [  # arguments, words of the line
    (("--device_tarfet", "CPU"), ["--device_tarfet", "nearest", "--device_target"]),
    (("--zzzzzz", "1"), ["--zzzzzz", "--help"]),
    (("photos", *CPU), ["'photos' has no flag in front of it", "--help"]),
    (("--device_target", "TPU"), ["device_target is one of Ascend, GPU, CPU", "TPU"]),
    ((*CPU, "--device_id", "one"), ["device_id", "whole number", "one"]),
    ((*CPU, "--device_id", "-1"), ["device_id", "-1"]),
    ((*CPU, "--device_id", "٣"), ["device_id", "whole number"]),
    ((*CPU, "--device_id", "1e3"), ["device_id", "whole number", "1e3"]),
    ((*CPU, "--device_id", "9" * 5000), ["device_id", "whole number"]),
]


@pytest.mark.parametrize("folder, script", PAIRS)
@pytest.mark.parametrize("arguments, words", CASES, ids=[" ".join(c[0])[-24:] for c in CASES])
def test_wrong_flag(tmp_path, folder, script, arguments, words):
    code, out, err = call(folder, script, *arguments, cwd=tmp_path)
    assert_one_line(code, err, *words)
    assert out == "" and not list(tmp_path.iterdir())


@pytest.mark.parametrize("folder, script", PAIRS)
def test_a_flag_that_is_far_from_all_others_has_no_nearest(tmp_path, folder, script):
    _, _, err = call(folder, script, "--horoscope", "int8", cwd=tmp_path)
    assert "--horoscope" in err and "nearest" not in err


@pytest.mark.parametrize("folder", NAMES)
@pytest.mark.parametrize("script", BUILDS)
@pytest.mark.parametrize("device", ["Ascend", "“GPU”"])
def test_a_device_that_is_not_there_is_the_first_line(tmp_path, folder, script, device):
    """It names the way out, and the quotes that the documentation prints are taken."""
    checkpoint = () if script == "train.py" else ("--checkpoint_path", "x.ckpt")
    code, out, err = call(folder, script, "--device_target", device, *checkpoint, cwd=tmp_path)
    name = device.strip("“”")
    assert_one_line(code, err, f"no {name}", "--device_target CPU", "DEVICE_TARGET=CPU")
    assert out == ""


@pytest.mark.parametrize("folder", NAMES)
@pytest.mark.parametrize("variable", ["DEVICE_ID", "RANK_SIZE", "RANK_ID"])
@pytest.mark.parametrize("text", ["abc", "0,1", "1e3", "-1", "9" * 20, "٣"])
def test_wrong_environment_variable(tmp_path, monkeypatch, folder, variable, text):
    monkeypatch.setenv(variable, text)
    for script in SCRIPTS:
        code, _, err = call(folder, script, *CPU, cwd=tmp_path)
        assert_one_line(code, err, f"{variable}={text}")


@pytest.mark.parametrize("folder, script", PAIRS)
def test_help_is_grouped_with_an_example_and_the_common_flags(tmp_path, folder, script):
    code, out, _ = call(folder, script, "--help", cwd=tmp_path)
    assert code == 0 and f"python {script}" in out
    groups = re.findall(r"^([a-z ]+):$", out, re.MULTILINE)
    assert len(groups) >= 3
    common = {"--device_target", "--device_id"}
    if script in ("eval.py", "export.py"):
        common |= {"--checkpoint_path"}
    if script == "export.py":
        common |= {"--file_format", "--file_name"}
    if script not in ("export.py", "predict.py") and folder in CLASSIFIERS:
        common |= {"--dataset_path"}
    assert common <= set(re.findall(r"--\w+", out))


def words_of(folder, script):
    """All names and strings in the code that `script` reaches, but for the tables of settings."""
    root, waiting, seen, words = REPOSITORY / folder, [script], set(), set()
    while waiting:
        path = root / waiting.pop()
        if path in seen or not path.exists():
            continue
        seen.add(path)
        tree = ast.parse(path.read_text())
        if path.name == "config.py":
            tree.body = [node for node in tree.body if not isinstance(node, ast.Assign)]
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                words.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
            elif isinstance(node, ast.ImportFrom) and node.module:
                base = node.module if not node.level else f"src.vendored.{node.module}"
                names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
                waiting += [f"{name.replace('.', '/')}.py" for name in names if name[:3] == "src"]
    return words


@pytest.mark.parametrize("folder, script", PAIRS)
def test_a_script_takes_the_keys_that_it_uses(tmp_path, folder, script):
    _, out, _ = call(folder, script, "--help", cwd=tmp_path)
    # Each key of one group of other spellings is used under the first.
    keys = re.findall(r"^  --(\w+)", out, re.MULTILINE)
    unused = set(keys) - words_of(folder, script)
    assert not unused, f"{folder}/{script} offers {sorted(unused)} and never reads them"


@pytest.mark.parametrize("folder", NAMES)
def test_without_packages_there_is_one_line(tmp_path, folder):
    """A Python that has none of them: isolated, without its site packages."""
    for script in sorted(path.name for path in (REPOSITORY / folder).glob("*.py")):
        program = [sys.executable, "-S", "-s", str(REPOSITORY / folder / script), *CPU]
        done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True)
        assert_one_line(done.returncode, done.stderr, "No module named", "requirements.txt")


@pytest.mark.parametrize("folder", NAMES)
def test_old_protobuf_is_named_in_one_line(tmp_path, folder):
    """The installed one, which says of itself that it is older than MindSpore's code wants."""
    installed = Path(protobuf.__file__).parent
    shutil.copytree(installed, tmp_path / "google/protobuf")
    versions = tmp_path / "google/protobuf/runtime_version.py"
    versions.write_text(versions.read_text() + "\nMAJOR = 5\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    for script in ("train.py", "eval.py", "export.py"):
        # MindSpore is asked for this device before anything else is looked at.
        arguments = ["--device_target", "Ascend"]
        arguments += [] if script == "train.py" else ["--checkpoint_path", "x.ckpt"]
        program = [sys.executable, str(REPOSITORY / folder / script), *arguments]
        done = subprocess.run(
            program, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert_one_line(done.returncode, done.stderr, "runtime 5.", "requirements.txt")


@pytest.mark.parametrize("folder", NAMES)
def test_control_characters_forge_no_line(tmp_path, folder):
    name = "no\nerror: forged\x1b[31m.ckpt"
    for script in ("eval.py", "export.py"):
        arguments = (*CPU, "--checkpoint_path", name)
        code, _, err = call(folder, script, *arguments, cwd=tmp_path)
        assert code == 1 and "\x1b" not in err and len(err.strip().splitlines()) == 1
