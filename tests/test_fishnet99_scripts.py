"""FishNet-99's shell scripts: what they start, where, with which arguments; stand-ins are those
of test_scripts.py.
"""

import pytest

from script_calls import Place

SINGLE = {"DEVICE_NUM": "1", "RANK_SIZE": "1", "RANK_ID": "0"}
TWO = {"DEVICE_NUM": "2", "RANK_SIZE": "2"}
CASES = [  # command, program, its flags besides --device_type, device, log, environment
    (
        "run_standalone_train_ascend.sh",
        "train.py",
        {"--device_id": "0"},
        "Ascend",
        "train.log",
        SINGLE,
    ),
    (
        (
            "run_standalone_train_ascend.sh --data_path DATASET_PATH --epoch_size=5 --resume"
            " OTHER_FILE"
        ),
        "train.py",
        {
            "--device_id": "0",
            "--data_path": "HERE/DATASET_PATH",
            "--epoch_size": "5",
            "--resume": "HERE/OTHER_FILE",
        },
        "Ascend",
        "train.log",
        SINGLE,
    ),
    (
        "run_standalone_train_gpu.sh --pre_trained True --checkpoint_path CHECKPOINT_PATH",
        "train.py",
        {"--device_id": "0", "--pre_trained": "True", "--checkpoint_path": "HERE/CHECKPOINT_PATH"},
        "GPU",
        "train_gpu.log",
        SINGLE,
    ),
    (
        "run_standalone_train_gpu.sh --pre_trained CHECKPOINT_PATH",
        "train.py",
        {"--device_id": "0", "--pre_trained": "HERE/CHECKPOINT_PATH"},
        "CPU",
        "train_gpu.log",
        {**SINGLE, "DEVICE_TARGET": "CPU"},
    ),
    (
        "run_train_ascend.sh RANK_TABLE_FILE",
        "train.py",
        {},
        "Ascend",
        "train_parallel0/log",
        {**TWO, "RANK_TABLE_FILE": "HERE/RANK_TABLE_FILE"},
    ),
    (
        "run_train_ascend.sh RANK_TABLE_FILE --val_data_path=DATASET_PATH --run_eval",
        "train.py",
        {"--val_data_path": "HERE/DATASET_PATH", "--run_eval": None},
        "CPU",
        "train_parallel0/log",
        {**TWO, "DEVICE_TARGET": "CPU"},
    ),
    (
        "run_train_gpu.sh 2 0,1",
        "train.py",
        {},
        "CPU",
        "train/train_gpu.log",
        {**TWO, "DEVICE_TARGET": "CPU", "CUDA_VISIBLE_DEVICES": "0,1"},
    ),
    (
        "run_train_gpu.sh 1 3 --lr_init 0.1",
        "train.py",
        {"--lr_init": "0.1"},
        "GPU",
        "train/train_gpu.log",
        {"DEVICE_NUM": "1", "RANK_SIZE": "1", "CUDA_VISIBLE_DEVICES": "3"},
    ),
    (
        "run_eval_gpu.sh DATASET_PATH",
        "eval.py",
        {"--checkpoint_path": "DATASET_PATH"},
        "GPU",
        "eval.log",
        SINGLE,
    ),
    (
        "run_eval_gpu.sh CHECKPOINT_PATH --num_classes 2",
        "eval.py",
        {"--checkpoint_path": "CHECKPOINT_PATH", "--num_classes": "2"},
        "CPU",
        "eval.log",
        {**SINGLE, "DEVICE_TARGET": "CPU"},
    ),
    (
        "run_eval_ascend.sh CHECKPOINT_PATH",
        "eval.py",
        {"--checkpoint_path": "CHECKPOINT_PATH"},
        "Ascend",
        "eval_ascend.log",
        SINGLE,
    ),
    (
        "run_eval.sh CHECKPOINT_PATH",
        "eval.py",
        {"--checkpoint_path": "CHECKPOINT_PATH"},
        "GPU",
        "eval.log",
        SINGLE,
    ),
]


def as_dictionary(words):
    """{flag: value}, None for a switch without one."""
    return {
        word: value if value and not value.startswith("--") else None
        for word, value in zip(words, [*words[1:], ""])
        if word.startswith("--")
    }


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


@pytest.mark.parametrize(
    "command, program, flags, device, log, environment", CASES, ids=[case[0] for case in CASES]
)
def test_what_a_command_starts(place, command, program, flags, device, log, environment):
    done = place.run("fishnet99", command, DEVICE_TARGET=environment.get("DEVICE_TARGET", ""))
    assert (done.returncode, done.stderr) == (0, "")
    workers = [
        call for call in place.recorded() if call["environment"].get("MS_ROLE") != "MS_SCHED"
    ]
    assert len(workers) == int(environment["DEVICE_NUM"])
    for call in workers:
        assert call["program"] == str(place.root / "it's $USER/fishnet99" / program)
        assert call["folder"] == str((place.here / log).parent)
        assert as_dictionary(call["flags"]) == {
            "--device_type": device,
            **{
                flag: value and value.replace("HERE", str(place.here))
                for flag, value in flags.items()
            },
        }
        for name, value in environment.items():
            assert call["environment"][name] == value.replace("HERE", str(place.here))
    assert (place.here / log).read_text() == "recorded\n"


def test_evaluation_of_what_was_trained_here(place):
    (place.here / "ckpt_0").mkdir()
    assert place.run("fishnet99", "run_eval.sh").returncode == 0
    assert place.recorded()[0]["flags"] == ["--checkpoint_path", "./ckpt_0", "--device_type", "GPU"]


def test_mpirun_where_it_is_installed(place):
    place.add_program("mpirun", '#!/bin/sh\nprintf "%s\\n" "$@"\n')
    assert place.run("fishnet99", "run_train_gpu.sh 8 0,1,2,3,4,5,6,7").returncode == 0
    words = (place.here / "train/train_gpu.log").read_text().splitlines()
    documented = (
        "-n 8 --allow-run-as-root --output-filename log_output --merge-stderr-to-stdout python"
    )
    assert " ".join(words[:7]) == documented and words[8:] == ["--device_type", "GPU"]


@pytest.mark.parametrize(
    "command, message",
    [
        ("run_train_ascend.sh absent", "RANK_TABLE_FILE=absent is not a file"),
        ("run_train_ascend.sh OTHER_FILE", "is not a whole rank table"),
        ("run_train_gpu.sh 9 0", "DEVICE_NUM=9 is not a number from 1 to 8"),
        ("run_train_gpu.sh 2 0", "VISIBLE_DEVICES=0 does not list DEVICE_NUM=2 devices"),
        ("run_train_gpu.sh 2 0;1", "VISIBLE_DEVICES=0;1 is not a list such as 0,1"),
        ("run_eval_gpu.sh absent", "CKPT_LOCATION=absent is neither a folder nor a file"),
        ("run_eval_ascend.sh absent", "CKPT_LOCATION=absent is neither a folder nor a file"),
        ("run_eval.sh absent", "CKPT_LOCATION=absent is neither a folder nor a file"),
    ],
)
def test_wrong_arguments(place, command, message):
    result = place.run("fishnet99", command)
    assert message in result.stderr
    place.assert_refused(result, result.stderr[len("error: ") : -1])


def test_rank_table_of_another_size(place):
    message = (
        "RANK_TABLE_FILE=RANK_TABLE_FILE lists 2 devices on 1 server(s), this run is for"
        " DEVICE_NUM=8 on one; write a table that fits with hccl_tools.py, or set DEVICE_NUM"
    )
    place.assert_refused(
        place.run("fishnet99", "run_train_ascend.sh RANK_TABLE_FILE", DEVICE_NUM=""), message
    )


def test_earlier_logs_are_kept(place):
    for _ in range(2):
        place.run("fishnet99", "run_standalone_train_ascend.sh")
        place.run("fishnet99", "run_eval_gpu.sh CHECKPOINT_PATH")
    place.run("fishnet99", "run_standalone_train_ascend.sh --resume auto")
    assert (
        (place.here / "train.log.1").read_text()
        == (place.here / "eval.log.1").read_text()
        == "recorded\n"
    )
    assert (place.here / "train.log").read_text() == "recorded\n" * 2
