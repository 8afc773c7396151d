"""NAS-FPN's shell scripts: what they start, where, with which arguments; the stand-ins are those
of test_scripts.py.
"""

import os

import pytest

from script_calls import Place

SINGLE = {"DEVICE_NUM": "1", "RANK_SIZE": "1", "RANK_ID": "0"}
TWO = {"DEVICE_NUM": "2", "RANK_SIZE": "2", "RANK_TABLE_FILE": "RANK_TABLE_FILE"}
PRE_TRAINED = {"--pre_trained": "PRETRAINED_CKPT_PATH", "--pre_trained_epoch_size": "12"}
PARALLEL = {"--distribute": "True", "--workers": str(max(1, (os.cpu_count() or 1) // 2))}
CASES = [  # command, its flags, device, log, environment
    (
        "run_single_train.sh 3 DATASET_PATH",
        {"--device_id": "3", "--distribute": "False"},
        "Ascend",
        "LOG3/log.txt",
        {**SINGLE, "DEVICE_ID": "3"},
    ),
    (
        (
            "run_single_train.sh 0 DATASET_PATH PRETRAINED_CKPT_PATH 12 --epoch_size=2 --resume"
            " OTHER_FILE"
        ),
        {
            "--device_id": "0",
            "--distribute": "False",
            **PRE_TRAINED,
            "--epoch_size": "2",
            "--resume": "OTHER_FILE",
        },
        "CPU",
        "LOG0/log.txt",
        {**SINGLE, "DEVICE_TARGET": "CPU"},
    ),
    (
        "run_distribute_train.sh 2 RANK_TABLE_FILE DATASET_PATH",
        PARALLEL,
        "Ascend",
        "LOG1/log.txt",
        TWO,
    ),
    (
        "run_distribute_train.sh 2 RANK_TABLE_FILE DATASET_PATH PRETRAINED_CKPT_PATH 12",
        {**PARALLEL, **PRE_TRAINED},
        "CPU",
        "LOG0/log.txt",
        {**TWO, "DEVICE_TARGET": "CPU"},
    ),
    (
        "run_eval.sh 2 coco DATASET_PATH CHECKPOINT_PATH DATASET_PATH/instances_{}.json",
        {
            "--device_id": "2",
            "--dataset": "coco",
            "--checkpoint_path": "CHECKPOINT_PATH",
            "--instances_set": "HERE/DATASET_PATH/instances_{}.json",
        },
        "Ascend",
        "evalcoco/eval.log",
        {**SINGLE, "DEVICE_ID": "2"},
    ),
]


@pytest.mark.parametrize(
    "command, flags, device, log, environment", CASES, ids=[case[0] for case in CASES]
)
def test_what_a_command_starts(tmp_path, command, flags, device, log, environment):
    place = Place(tmp_path)
    done = place.run("nas_fpn", command, DEVICE_TARGET=environment.get("DEVICE_TARGET", ""))
    assert (done.returncode, done.stderr) == (0, "")
    workers = [
        call for call in place.recorded() if call["environment"].get("MS_ROLE") != "MS_SCHED"
    ]
    assert len(workers) == int(environment["DEVICE_NUM"])
    expected = {
        flag: (
            str(place.here / value[5:]) if value.startswith("HERE/") else place.path_or_text(value)
        )
        for flag, value in {
            "--device_target": device,
            "--mindrecord_dir": "DATASET_PATH",
            **flags,
        }.items()
    }
    for call in workers:
        program = "eval.py" if "eval" in command else "train.py"
        assert call["program"] == str(place.root / "it's $USER/nas_fpn" / program)
        assert dict(zip(call["flags"][::2], call["flags"][1::2])) == expected
        assert call["folder"] == str((place.here / log).parent).replace("LOG1", "LOG0")
        for name, value in environment.items():
            assert call["environment"][name] == place.path_or_text(value)
    assert (place.here / log).read_text() == "recorded\n"


@pytest.mark.parametrize(
    "command, message",
    [
        ("run_single_train.sh 0 absent", "MINDRECORD_DIR=absent is not a directory"),
        ("run_single_train.sh one DATASET_PATH", "DEVICE_ID=one is not a number"),
        ("run_single_train.sh 0 DATASET_PATH absent 3", "PRE_TRAINED=absent is not a file"),
        (
            "run_distribute_train.sh two RANK_TABLE_FILE DATASET_PATH",
            "DEVICE_NUM=two is not a number from 1 on",
        ),
        ("run_distribute_train.sh 2 absent DATASET_PATH", "RANK_TABLE_FILE=absent is not a file"),
        (
            "run_distribute_train.sh 2 RANK_TABLE_FILE absent",
            "MINDRECORD_DIR=absent is not a directory",
        ),
        (
            "run_distribute_train.sh 2 RANK_TABLE_FILE DATASET_PATH absent 3",
            "PRE_TRAINED=absent is not a file",
        ),
        (
            "run_eval.sh 0 voc DATASET_PATH CHECKPOINT_PATH DATASET_PATH/x.json",
            "DATASET=voc is not coco",
        ),
        (
            "run_eval.sh 0 coco absent CHECKPOINT_PATH DATASET_PATH/x.json",
            "MINDRECORD_DIR=absent is not a directory",
        ),
        (
            "run_eval.sh 0 coco DATASET_PATH absent DATASET_PATH/x.json",
            "CHECKPOINT_PATH=absent is not a file",
        ),
        (
            "run_eval.sh 0 coco DATASET_PATH CHECKPOINT_PATH absent/x.json",
            "ANN_FILE=absent/x.json is in no folder that is there",
        ),
    ],
)
def test_missing_input(tmp_path, command, message):
    place = Place(tmp_path)
    place.assert_refused(place.run("nas_fpn", command), message)


@pytest.mark.parametrize(
    "command",
    [
        "run_single_train.sh 0",
        "run_single_train.sh 0 DATASET_PATH PRETRAINED_CKPT_PATH",
        "run_distribute_train.sh 2 RANK_TABLE_FILE DATASET_PATH PRETRAINED_CKPT_PATH",
        "run_eval.sh 0 coco DATASET_PATH",
    ],
)
def test_usage(tmp_path, command):
    place = Place(tmp_path)
    done = place.run("nas_fpn", command)
    assert done.returncode == 1 and done.stderr.startswith("Usage: bash ") and not place.recorded()
