"""The shell scripts: what they start, where, with which arguments, and what they say when an input
does not fit.

A stand-in `python`, first on PATH, writes down how it was called: the scripts' own work, without
training. Everything else is real: bash, msrun, and, in the last test, a training in two processes.
"""

import json
import os
import socket
import subprocess
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from folders import REPOSITORY
from script_calls import PROGRAMS, TABLE, Place

SCRIPTS = sorted(REPOSITORY.glob("*/scripts/*.sh"))
STARTED = [path for path in SCRIPTS if path.name != "common.sh"]
WITHOUT_ARGUMENTS = {
    "fishnet99/run_standalone_train_ascend.sh",
    "fishnet99/run_standalone_train_gpu.sh",
    "resnest/run_train_gpu.sh",
}
# Documented commands. In capitals: stand-ins for paths. After the script and its arguments: the
# device the command is for, the program's flags besides --dataset, --dataset_path and
# --device_target, run folder and log, environment.
SINGLE = {"DEVICE_NUM": "1", "RANK_SIZE": "1", "RANK_ID": "0"}
TWO = {"DEVICE_NUM": "2", "RANK_SIZE": "2"}
PARALLEL = {"--run_distribute": "True", "--device_num": "2"}
COMMANDS = {
    "mobilenetv1": [
        ("run_train_cpu.sh cifar10 DATASET_PATH", "CPU", {}, "train/log.txt", SINGLE),
        (
            (
                "run_train_cpu.sh imagenet2012 DATASET_PATH PRETRAINED_CKPT_PATH --epoch_size=5"
                " --resume OTHER_FILE"
            ),
            "CPU",
            {
                "--pre_trained": "PRETRAINED_CKPT_PATH",
                "--epoch_size": "5",
                "--resume": "OTHER_FILE",
            },
            "train/log.txt",
            SINGLE,
        ),
        (
            "run_standalone_train.sh cifar10 DATASET_PATH 3",
            "Ascend",
            {"--device_id": "3"},
            "train/log.txt",
            {**SINGLE, "DEVICE_ID": "3"},
        ),
        (
            "run_standalone_train.sh cifar10 DATASET_PATH 0 PRETRAINED_CKPT_PATH --lr_max 0.2",
            "Ascend",
            {"--device_id": "0", "--pre_trained": "PRETRAINED_CKPT_PATH", "--lr_max": "0.2"},
            "train/log.txt",
            SINGLE,
        ),
        (
            "run_standalone_train_gpu.sh imagenet2012 DATASET_PATH",
            "GPU",
            {},
            "train/log.txt",
            SINGLE,
        ),
        (
            "run_standalone_train_gpu.sh cifar10 DATASET_PATH PRETRAINED_CKPT_PATH",
            "GPU",
            {"--pre_trained": "PRETRAINED_CKPT_PATH"},
            "train/log.txt",
            SINGLE,
        ),
        (
            "run_standalone_train_gpu.sh cifar10 DATASET_PATH 3",
            "GPU",
            {},
            "train/log.txt",
            {"CUDA_VISIBLE_DEVICES": "3"},
        ),
        (
            "run_standalone_train_gpu.sh cifar10 DATASET_PATH 3 PRETRAINED_CKPT_PATH",
            "GPU",
            {"--pre_trained": "PRETRAINED_CKPT_PATH"},
            "train/log.txt",
            {"CUDA_VISIBLE_DEVICES": "3", "DEVICE_ID": "0"},
        ),
        (
            "run_distribute_train.sh cifar10 RANK_TABLE_FILE DATASET_PATH",
            "Ascend",
            PARALLEL,
            "train_parallel0/log",
            {**TWO, "SERVER_ID": "0", "RANK_TABLE_FILE": "RANK_TABLE_FILE"},
        ),
        (
            "run_distribute_train.sh cifar10 RANK_TABLE_FILE DATASET_PATH PRETRAINED_CKPT_PATH",
            "Ascend",
            {**PARALLEL, "--pre_trained": "PRETRAINED_CKPT_PATH"},
            "train_parallel0/log",
            TWO,
        ),
        (
            "run_distribute_train_gpu.sh cifar10 CONFIG_PATH DATASET_PATH PRETRAINED_CKPT_PATH",
            "CPU",
            {**PARALLEL, "--config_path": "CONFIG_PATH", "--pre_trained": "PRETRAINED_CKPT_PATH"},
            "train_parallel/log.txt",
            {**TWO, "DEVICE_TARGET": "CPU"},
        ),
        (
            "run_eval.sh imagenet2012 DATASET_PATH CHECKPOINT_PATH 2",
            "Ascend",
            {"--checkpoint_path": "CHECKPOINT_PATH", "--device_id": "2"},
            "eval/log",
            {**SINGLE, "DEVICE_ID": "2"},
        ),
        (
            "run_eval_cpu.sh cifar10 DATASET_PATH CHECKPOINT_PATH",
            "CPU",
            {"--checkpoint_path": "CHECKPOINT_PATH"},
            "eval/log",
            SINGLE,
        ),
        (
            "run_eval_gpu.sh cifar10 DATASET_PATH CHECKPOINT_PATH 1",
            "GPU",
            {"--checkpoint_path": "CHECKPOINT_PATH"},
            "eval/log",
            {"CUDA_VISIBLE_DEVICES": "1"},
        ),
    ]
}
CASES = [
    pytest.param(folder, *case, id=f"{folder} {case[0]}")
    for folder in COMMANDS
    for case in COMMANDS[folder]
]


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_shellcheck():
    command = [PROGRAMS / "shellcheck", *SCRIPTS]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("script", STARTED, ids=lambda path: f"{path.parts[-3]}/{path.name}")
def test_usage_on_wrong_number_of_arguments(tmp_path, script):
    for arguments in ([], ["1"] * 9):
        if not arguments and f"{script.parts[-3]}/{script.name}" in WITHOUT_ARGUMENTS:
            continue
        result = subprocess.run(
            ["bash", script, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert result.returncode == 1
        assert result.stderr.startswith("Usage: bash ") and script.name in result.stderr
        assert result.stderr.count("\n") == 1
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("folder", "command", "device", "flags", "log", "environment"), CASES)
def test_what_a_command_starts(place, folder, command, device, flags, log, environment):
    target = environment.get("DEVICE_TARGET", "")
    result = place.run(folder, command, DEVICE_TARGET=target, KEEP_TO_YOURSELF="unspoken")
    assert result.returncode == 0 and result.stderr == ""
    workers = [
        call for call in place.recorded() if call["environment"].get("MS_ROLE") != "MS_SCHED"
    ]
    assert len(workers) == int(environment.get("DEVICE_NUM", 1))
    dataset = command.split(" ")[1]
    flags = {
        "--dataset": dataset,
        "--dataset_path": "DATASET_PATH",
        "--device_target": device,
        **flags,
    }
    run_folder = (place.here / log).parent
    for call in workers:
        program = "eval.py" if "eval" in command else "train.py"
        assert call["program"] == str(place.root / "it's $USER" / folder / program)
        assert dict(zip(call["flags"][::2], call["flags"][1::2])) == {
            flag: place.path_or_text(value) for flag, value in flags.items()
        }
        assert call["folder"] == str(run_folder)
        for name, value in environment.items():
            assert call["environment"][name] == place.path_or_text(value)
    assert (place.here / log).read_text() == "recorded\n"
    variables = (run_folder / "env.log").read_text()
    assert (
        f"DEVICE_NUM={environment.get('DEVICE_NUM', 1)}\n" in variables
        and "mindspore=" in variables
    )
    assert "unspoken" not in variables


@pytest.mark.parametrize(("folder", "command", "device", "flags", "log", "environment"), CASES)
def test_missing_input(place, folder, command, device, flags, log, environment):
    words = command.split(" ")
    for position, word in enumerate(words):
        if word.endswith(("_PATH", "RANK_TABLE_FILE")):
            result = place.run(
                folder, " ".join([*words[:position], "absent", *words[position + 1 :]])
            )
            kind = "directory" if word == "DATASET_PATH" else "file"
            place.assert_refused(result, f"{word}=absent is not a {kind}")


def test_each_worker_has_a_log_of_its_own(place):
    place.run("mobilenetv1", "run_distribute_train.sh cifar10 RANK_TABLE_FILE DATASET_PATH")
    # None: scheduler
    assert {call["environment"].get("DEVICE_ID") for call in place.recorded()} == {"0", "1", None}
    for worker in "01":
        assert (place.here / f"train_parallel{worker}/log").read_text() == "recorded\n"
        assert f"RANK_ID={worker}\n" in (place.here / f"train_parallel{worker}/env.log").read_text()
    result = place.run(
        "mobilenetv1", "run_distribute_train.sh cifar10 RANK_TABLE_FILE DATASET_PATH", CODE="1"
    )
    assert (result.returncode, result.stderr) == (1, "error: sample\n")
    assert (place.here / "train_parallel0.1/log_output/worker_1.log").read_text() == "recorded\n"


def test_failing_job(place):
    result = place.run("mobilenetv1", "run_train_cpu.sh cifar10 DATASET_PATH", CODE="5")
    assert (result.returncode, result.stderr) == (5, "error: sample\n")


def test_mpirun_where_it_is_installed(place):
    place.add_program("mpirun", '#!/bin/sh\nprintf "%s\\n" "$@"\n')
    result = place.run(
        "mobilenetv1", "run_distribute_train_gpu.sh cifar10 CONFIG_PATH DATASET_PATH"
    )
    assert result.returncode == 0
    words = (place.here / "train_parallel/log.txt").read_text().splitlines()
    documented = (
        "--allow-run-as-root -n 2 --output-filename log_output --merge-stderr-to-stdout python"
    )
    assert " ".join(words[:7]) == documented
    assert words[words.index("--device_target") + 1] == "GPU"


def test_checkpoint_with_a_number_for_a_name(place):
    (place.here / "5").touch()
    assert (
        place.run("mobilenetv1", "run_standalone_train_gpu.sh cifar10 DATASET_PATH 5").returncode
        == 0
    )
    assert place.recorded()[0]["flags"][-2:] == ["--pre_trained", str(place.here / "5")]


def test_background(place):
    result = place.run("mobilenetv1", "run_train_cpu.sh cifar10 DATASET_PATH", WAIT="0")
    assert result.returncode == 0 and result.stdout.startswith("started process ")
    follow = result.stdout.split("follow it with: tail -f ")[1].strip()
    log = subprocess.run(
        ["bash", "-c", f"printf %s {follow}"], capture_output=True, text=True, check=True
    ).stdout
    assert log == str(place.here / "train/log.txt")
    deadline = time.monotonic() + 30
    while Path(log).read_text() != "recorded\n" and time.monotonic() < deadline:
        time.sleep(0.1)
    assert Path(log).read_text() == "recorded\n"


def test_earlier_runs_are_kept_and_resumed(place):
    for code in "34":
        place.run("mobilenetv1", "run_train_cpu.sh cifar10 DATASET_PATH", CODE=code)
    (place.here / "train/mine").touch()
    place.run("mobilenetv1", "run_train_cpu.sh cifar10 DATASET_PATH")
    assert (place.here / "train.1/log.txt").exists() and (place.here / "train.2/mine").exists()
    assert not (place.here / "train/mine").exists()
    place.run("mobilenetv1", "run_train_cpu.sh cifar10 DATASET_PATH --resume auto")
    assert (place.here / "train/log.txt").read_text() == "recorded\n" * 2
    assert sorted(call["flags"][-2:] == ["--resume", "auto"] for call in place.recorded()) == [
        False
    ] * 3 + [True]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"server_list": 5}', '{"server_list": [{}]}', "\0", "[" * 100000]
)
def test_damaged_rank_table(place, text):
    (place.here / "RANK_TABLE_FILE").write_text(text)
    result = place.run(
        "mobilenetv1", "run_distribute_train.sh cifar10 RANK_TABLE_FILE DATASET_PATH"
    )
    assert "RANK_TABLE_FILE=RANK_TABLE_FILE is not a whole rank table" in result.stderr
    place.assert_refused(result, result.stderr[len("error: ") : -1])


def test_rank_table_of_another_size(place):
    command = "run_distribute_train.sh cifar10 RANK_TABLE_FILE DATASET_PATH"
    expected = (
        "RANK_TABLE_FILE=RANK_TABLE_FILE lists 2 devices on {} server(s), this run is for "
        "DEVICE_NUM={} on one; write a table that fits with hccl_tools.py, or set DEVICE_NUM"
    )
    place.assert_refused(place.run("mobilenetv1", command, DEVICE_NUM=""), expected.format(1, 8))
    halves = [{"device": [{"device_id": "0"}]}] * 2
    (place.here / "RANK_TABLE_FILE").write_text(json.dumps({"server_list": halves}))
    place.assert_refused(place.run("mobilenetv1", command), expected.format(2, 2))


def test_wrong_words(place):
    place.assert_refused(
        place.run("mobilenetv1", "run_eval_cpu.sh cifar100 DATASET_PATH CHECKPOINT_PATH"),
        "the selected dataset is neither cifar10 nor imagenet2012",
    )
    place.assert_refused(
        place.run("mobilenetv1", "run_standalone_train.sh cifar10 DATASET_PATH one"),
        "DEVICE_ID=one is not a number",
    )
    command = "run_distribute_train_gpu.sh cifar10 CONFIG_PATH DATASET_PATH"
    place.assert_refused(
        place.run("mobilenetv1", command, DEVICE_NUM="0"), "DEVICE_NUM=0 is not a number from 1 on"
    )
    with socket.socket() as taken:
        taken.bind(("", 0))
        port = str(taken.getsockname()[1])
        place.assert_refused(
            place.run("mobilenetv1", command, MASTER_PORT=port),
            f"MASTER_PORT={port} is in use, or no port; give another, or leave it unset",
        )


def test_missing_program_and_folder_that_cannot_be_written(place):
    command = "run_distribute_train_gpu.sh cifar10 CONFIG_PATH DATASET_PATH"
    place.assert_refused(
        place.run("mobilenetv1", command, path="/usr/bin:/bin"),
        "msrun is not on PATH; install requirements.txt, or activate its environment",
    )
    # /proc takes no new folders from anyone, root included.
    result = place.run("mobilenetv1", f"run_train_cpu.sh cifar10 {place.root.parent}", cwd="/proc")
    place.assert_refused(
        result, "cannot make the run folder /proc/train; change to a folder you can write to"
    )


def test_training_in_two_processes(tmp_path):
    """A real run: two CPU workers, an epoch of two steps each, on JPEG files."""
    generator = np.random.default_rng(0)
    for split in ("train", "validation_preprocess"):
        for name in "ab":
            folder = tmp_path / "images" / split / name
            folder.mkdir(parents=True)
            for i in range(8):
                cv2.imwrite(
                    str(folder / f"{i}.JPEG"), generator.integers(0, 256, (40, 40, 3), np.uint8)
                )
    (tmp_path / "table.json").write_text(json.dumps(TABLE))
    environment = {
        **os.environ,
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "WAIT": "1",
        "DEVICE_TARGET": "CPU",
        "DEVICE_NUM": "2",
    }
    script = REPOSITORY / "mobilenetv1/scripts/run_distribute_train.sh"
    command = [
        "bash",
        script,
        "imagenet2012",
        "table.json",
        "images",
        "--epoch_size",
        "1",
        "--image_size",
        "32",
        "--batch_size",
        "4",
        "--num_workers",
        "1",
        "--save_checkpoint_epochs",
        "1",
    ]
    result = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    for worker in "01":
        assert (
            "epoch: 1 step: 2, loss is " in (tmp_path / f"train_parallel{worker}/log").read_text()
        )
    assert [path.name for path in tmp_path.glob("train_parallel0/ckpt_0/*.ckpt")] == [
        "mobilenetv1-1_2.ckpt"
    ]
