"""Help and what is wrong at first sight come at once: without MindSpore, which takes seconds to
import.
"""

import json
import resource
import shutil
import subprocess
import sys
from functools import cache

import mindspore as ms
import numpy as np
import pytest

from folders import NAMES, REPOSITORY, flags_of, import_from

CPU = ("--device_target", "CPU")
QUICK = 1.0  # seconds of the processor; 0.3 were measured, and 2.9 with MindSpore


def scripts_of(folder):
    """All that a user starts: the folder's own scripts, and modules that can be called too."""
    root = REPOSITORY / folder
    paths = [path for path in root.rglob("*.py") if path.parent.name != "vendored"]
    called = [path for path in paths if 'if __name__ == "__main__":' in path.read_text()]
    return sorted(str(path.relative_to(root)) for path in called)


PAIRS = [(folder, script) for folder in NAMES for script in scripts_of(folder)]


def missing(folder):
    """{script: calls that name what is not there, each after what is needed before it}."""
    flags = flags_of(folder)
    data = (*CPU, *flags.data, "--dataset_path", "nowhere")
    if flags.detector:
        data = (*CPU, "--coco_root", "nowhere", "--mindrecord_dir", "nowhere")
    weights, exported = ("--checkpoint_path", "some.ckpt"), ("--onnx_path", "some.onnx")
    no_weights = (*CPU, "--checkpoint_path", "nowhere.ckpt")
    training = ("--run_distribute", "False") if flags.detector else ()
    results = [word for flag in flags.result_flags for word in (flag, "nowhere")]
    if flags.detector:
        results = ["--result_path", "nowhere"]
    return {
        "train.py": [(*data, *training)],
        "eval.py": [no_weights, (*data, *weights)],
        "export.py": [no_weights],
        "eval_onnx.py": [(*CPU, "--onnx_path", "nowhere.onnx"), (*data, *exported)],
        "predict.py": [
            ("--model", "nowhere.ckpt", "--photos", "some.jpg"),
            ("--model", "nowhere.onnx", "--photos", "some.jpg"),
            ("--model", "some.ckpt", "--photos", "nowhere"),
        ],
        "finetune.py": [
            ("--dataset_path", "nowhere"),
            ("--dataset_path", ".", "--pre_trained", "nowhere.ckpt"),
        ],
        "create_data.py": [("--coco_root", "nowhere")],
        "create_imagenet2012_label.py": [("--img_path", "nowhere")],
        "preprocess.py": [("--data_path", "nowhere", "--dataset", "imagenet2012")],
        "postprocess.py": [tuple(results)],
        "postprogress.py": [tuple(results)],
        "src/dataset.py": [("--check", "nowhere"), ("--check", ".", "--against", "nowhere")],
    }


def calls_of(folder, script):
    """Lists of arguments, the first for help, the others wrong."""
    name = "src/dataset.py" if script.endswith("dataset.py") else script
    return [("--help",), ("--zzzzzz", "1"), *missing(folder).get(name, [])]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """One with a record, which scripts read before all else."""
    path = tmp_path_factory.mktemp("saved") / "some.ckpt"
    record = {"options": {}, "class_names": ["ash", "birch"]}
    save_checkpoint = import_from(NAMES[0], "src.vendored.checkpoints").save_checkpoint
    save_checkpoint(ms.nn.Dense(300, 400), path, record, {"epochs": 3})
    return path


@pytest.fixture(scope="module")
def answers(tmp_path_factory, checkpoint):
    """A function: the answers of all scripts of a folder, {script: [[code, text, traceback]]}."""

    @cache
    def of_folder(folder):
        root = tmp_path_factory.mktemp(folder)
        shutil.copy(checkpoint, root)
        for name in ("some.onnx", "some.jpg"):
            (root / name).write_bytes(b"content")
        pairs = [
            (script, call) for script in scripts_of(folder) for call in calls_of(folder, script)
        ]
        command = [sys.executable, REPOSITORY / "tests/quick_answers.py", REPOSITORY / folder]
        calls = json.dumps([[script, *call] for script, call in pairs])
        done = subprocess.run(
            command, cwd=root, input=calls, capture_output=True, text=True, check=True
        )
        found = {}
        for (script, _), result in zip(pairs, json.loads(done.stdout)):
            found.setdefault(script, []).append(result)
        return found

    return of_folder


@pytest.mark.parametrize("folder, script", PAIRS)
def test_what_is_wrong_at_first_sight_is_said_without_mindspore(answers, folder, script):
    calls = calls_of(folder, script)
    for call, (code, text, trace) in zip(calls, answers(folder)[script]):
        assert not trace, f"{script} {call}: {trace}"
        if call == ("--help",):
            assert code == 0 and "--help" in text, f"{script}: {code}, {text}"
        else:
            word = "nowhere" if "nowhere" in " ".join(call) else "--zzzzzz"
            *_, last = text.strip().splitlines()
            assert code == 1 and last.startswith("error: ") and word in last, f"{call}: {text}"


@pytest.mark.parametrize("folder", NAMES)
def test_a_wrong_flag_takes_no_second(tmp_path, folder):
    command = [sys.executable, REPOSITORY / folder / "train.py", "--zzzzzz", "1"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert done.returncode == 1 and seconds < QUICK


@pytest.mark.parametrize("folder", NAMES)
def test_a_record_is_read_as_mindspore_reads_it(folder, checkpoint):
    read_entry = import_from(folder, "src.vendored.checkpoint_entry").read_entry
    for name, value in ms.load_checkpoint(str(checkpoint)).items():
        assert read_entry(checkpoint, name) == value.asnumpy().tobytes()
    assert read_entry(checkpoint, "recor") == b""


def test_no_file_ends_the_search_for_a_record_otherwise(tmp_path, checkpoint):
    """Cut anywhere, with bytes changed, of noise, or a folder: a record or nothing."""
    read_entry = import_from(NAMES[0], "src.vendored.checkpoint_entry").read_entry
    whole, random = checkpoint.read_bytes(), np.random.default_rng(0)
    record = read_entry(checkpoint, "record")
    assert json.loads(record)["class_names"] == ["ash", "birch"]
    ends = [whole.index(record) + len(record) + shift for shift in (-1, 0)]
    for end, found in zip((0, 1, 7, *ends), (b"", b"", b"", b"", record)):
        (tmp_path / "cut.ckpt").write_bytes(whole[:end])
        assert read_entry(tmp_path / "cut.ckpt", "record") == found, end
    for _ in range(300):
        changed = bytearray(whole[:200] + whole[-500:])
        changed[random.integers(len(changed))] = random.integers(256)
        for content in (bytes(changed), b"\n" + random.bytes(60)):
            (tmp_path / "changed.ckpt").write_bytes(content)
            assert isinstance(read_entry(tmp_path / "changed.ckpt", "record"), bytes)
    assert read_entry(tmp_path, "record") == read_entry(tmp_path / "none", "record") == b""
