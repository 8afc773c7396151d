"""Settings in yaml files, in every folder that has them: checked as flags are, whatever file they
stand in; each key in one group.
"""

import shutil
import subprocess
import sys
from collections import Counter

import pytest
import yaml

from entry_points import assert_one_line, call
from folders import NAMES, REPOSITORY, flags_of, import_from

FOLDERS = [name for name in NAMES if (REPOSITORY / name / "default_config.yaml").exists()]
CPU = ("--device_target", "CPU", "--checkpoint_path", "nowhere.ckpt")
REACHED = "nowhere.ckpt: no such checkpoint"  # The settings are right, and the script goes on.
WRONG = {  # a yaml text, in which CLASSES stands for the key of their number: words of the line
    "CLASSES: one": ["whole number", "one"],
    "CLASSES: 1": ["lies at 2 or above, got 1"],
    "CLASSES: 2.5": ["whole number", "2.5"],
    "CLASSES: [3]": ["wants one value", "[3]"],
    "CLASSES: {a: 3}": ["wants one value"],
    "CLASSES:": ["whole number", "''"],
    "momentum: 7": ["momentum lies between 0.0 and 1.0, got 7"],
    "momentum: .nan": ["momentum", "nan"],
    "momentum: 2020-10-10": ["momentum", "2020-10-10"],
    "run_eval: perhaps": ["run_eval wants True or False", "perhaps"],
    "device_target: TPU": ["device_target is one of Ascend, GPU, CPU", "TPU"],
    "epoch_sise: 3": ["unknown key 'epoch_sise'", "--epoch_size"],
    "7: 3": ["unknown key 7"],
    "momentum: 2020-13-45": ["not a yaml file"],
    "momentum: !!float ''": ["not a yaml file"],
    "momentum: !!bool ''": ["not a yaml file"],
    "momentum: !!timestamp x": ["not a yaml file"],
    "momentum: !!python/object:os.system {}": ["not a yaml file"],
    "a: " + "[" * 5000: ["not a yaml file"],
    "a: 1" + "0" * 5000: ["not a yaml file"],
    "[1, 2]": ["three documents"],
    "a: 1\n---\na: b\n---\na: {}\n---\na: 1": ["three documents"],
}


def groups_of(folder):
    return import_from(folder, flags_of(folder).config_module).GROUPS


def documents(folder):
    text = (REPOSITORY / folder / "default_config.yaml").read_text(encoding="utf-8")
    return list(yaml.safe_load_all(text))


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_key_is_in_one_group_and_has_a_meaning(folder):
    values, meanings, limits = documents(folder)
    counts = Counter(key for keys in groups_of(folder).values() for key in keys)
    assert counts == Counter(list(values))
    assert set(meanings) == set(values) and all(meanings.values())
    assert set(limits) <= set(values)


@pytest.mark.parametrize("folder", FOLDERS)
def test_limits_say_of_which_type_a_value_is(folder):
    """So a file in which `0` or `"False"` stands for `0.0` or `False` is read rightly."""
    values, _, limits = documents(folder)
    for key, value in values.items():
        if isinstance(value, bool):
            assert limits[key] == [True, False], key
        elif isinstance(value, float):
            assert {type(limit) for limit in limits[key].values()} == {float}, key


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("text", WRONG, ids=[text[:24] for text in WRONG])
def test_wrong_file(tmp_path, folder, text):
    (tmp_path / "my.yaml").write_text(text.replace("CLASSES", flags_of(folder).yaml_keys[0]))
    arguments = (*CPU, "--config_path", "my.yaml")
    code, out, err = call(folder, "export.py", *arguments, cwd=tmp_path)
    assert_one_line(code, err, "my.yaml: ", *WRONG[text])
    assert out == ""


@pytest.mark.parametrize("folder", FOLDERS)
def test_other_spellings_are_taken_and_contradictions_are_not(tmp_path, folder):
    other = flags_of(folder).yaml_keys[1]
    arguments = ("--device_target", "CPU", "--config_path", "my.yaml")
    for text, words in (
        (f"{other}: first.ckpt", "first.ckpt: no such"),
        (f"{other}: first.ckpt\ncheckpoint_path: first.ckpt", "first.ckpt: no such"),
        (
            f"{other}: first.ckpt\ncheckpoint_path: second.ckpt",
            "checkpoint_path stands in it twice",
        ),
    ):
        (tmp_path / "my.yaml").write_text(text)
        code, _, err = call(folder, "export.py", *arguments, cwd=tmp_path)
        assert_one_line(code, err, words)


@pytest.fixture(params=FOLDERS)
def copied(request, tmp_path):
    """The folder's own file, copied with what reads it: the documentation has people edit it."""
    folder = tmp_path / "copy"
    ignored = shutil.ignore_patterns("__pycache__", "*.log", "out", "ascend310_infer", "scripts")
    shutil.copytree(REPOSITORY / request.param, folder, ignore=ignored)
    return request.param, folder


def export(folder, path, *arguments):
    """What export.py of the copy at `path` says on stderr; at the latest the checkpoint is none."""
    program = [sys.executable, str(path / "export.py"), "--device_target", "CPU", *arguments]
    done = subprocess.run(program, cwd=path, capture_output=True, text=True)
    assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


def edit(path, key, line):
    """Replace the line of `key` in the first document."""
    file = path / "default_config.yaml"
    lines = file.read_text(encoding="utf-8").splitlines()
    (place, *_) = [n for n, text in enumerate(lines) if text.startswith(f"{key}:")]
    lines[place] = line
    file.write_text("\n".join(lines), encoding="utf-8")


def test_the_folders_own_file_is_checked_too(copied):
    folder, path = copied
    other = flags_of(folder).yaml_keys[1]
    edit(path, "checkpoint_path", f"{other}: mine.ckpt")
    assert "mine.ckpt: no such checkpoint" in export(folder, path)
    edit(path, "momentum", "momentum: 1")
    edit(path, "weight_decay", "weight_decay: 1e-4")
    edit(path, "run_eval", 'run_eval: "False"')
    assert "mine.ckpt: no such checkpoint" in export(folder, path)
    edit(path, "momentum", "momentum: 7")
    assert "default_config.yaml: momentum lies between" in export(folder, path)
    edit(path, "momentum", "")
    assert "default_config.yaml: no value for 'momentum'" in export(folder, path)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_text_that_says_false_is_false(tmp_path, monkeypatch, folder):
    (tmp_path / "my.yaml").write_text('run_eval: "False"\nsave_checkpoint: "true"\nmomentum: 0')
    module = import_from(folder, flags_of(folder).config_module)
    monkeypatch.setattr("sys.argv", ["train.py", "--config_path", str(tmp_path / "my.yaml")])
    config = module.load_config("training", "saving", "evaluation while training", "device")
    assert config.run_eval is False and config.save_checkpoint is True
    assert type(config.momentum) is float and config.momentum == 0


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_command_line_goes_before_the_file(tmp_path, folder):
    (tmp_path / "my.yaml").write_text("checkpoint_path: file.ckpt")
    arguments = (*CPU, "--config_path", "my.yaml")
    code, _, err = call(folder, "export.py", *arguments, cwd=tmp_path)
    assert_one_line(code, err, REACHED)
