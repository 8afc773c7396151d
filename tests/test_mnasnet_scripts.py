"""MnasNet's shell scripts: what they start, where, with which arguments; the stand-ins are those
of test_scripts.py.
"""

import pytest

from script_calls import Place

SINGLE = {"DEVICE_NUM": "1", "RANK_SIZE": "1", "RANK_ID": "0", "DEVICE_ID": "0"}
TWO = {"DEVICE_NUM": "2", "RANK_SIZE": "2"}
DATA, GPU_DATA = (
    {"--dataset_path": "DATASET_PATH"},
    {
        "--dataset_path": "DATASET_PATH",
        "--device_target": "GPU",
    },
)
ASCEND = {**DATA, "--device_target": "Ascend"}
CASES = [  # command, program, its flags (None: left out), log, environment
    (
        "run_standalone_train.sh 3 DATASET_PATH",
        "train.py",
        {**ASCEND, "--device_id": "3"},
        "log.txt",
        {**SINGLE, "DEVICE_ID": "3"},
    ),
    (
        "run_standalone_train.sh 0 DATASET_PATH --epoch_size=5 --resume OTHER_FILE",
        "train.py",
        {**ASCEND, "--device_id": "0", "--epoch_size": "5", "--resume": "HERE/OTHER_FILE"},
        "log.txt",
        SINGLE,
    ),
    ("run_standalone_train_gpu.sh DATASET_PATH", "train.py", GPU_DATA, "train.log", SINGLE),
    (
        "run_standalone_train_gpu.sh DATASET_PATH PRETRAINED_CKPT_PATH --lr_max 0.1",
        "train.py",
        {**GPU_DATA, "--pre_trained": "PRETRAINED_CKPT_PATH", "--lr_max": "0.1"},
        "train.log",
        SINGLE,
    ),
    (
        "run_eval.sh 2 DATASET_PATH CHECKPOINT_PATH",
        "eval.py",
        {**ASCEND, "--device_id": "2", "--checkpoint_path": "CHECKPOINT_PATH"},
        "eval.log",
        {**SINGLE, "DEVICE_ID": "2"},
    ),
    (
        "run_eval_gpu.sh DATASET_PATH CHECKPOINT_PATH",
        "eval.py",
        {**GPU_DATA, "--checkpoint_path": "CHECKPOINT_PATH"},
        "eval.log",
        SINGLE,
    ),
    (
        "run_eval_onnx.sh DATASET_PATH OTHER_FILE",
        "eval_onnx.py",
        {**ASCEND, "--onnx_url": "OTHER_FILE"},
        "eval.log",
        {},
    ),
    (
        "run_eval_gpu_onnx.sh DATASET_PATH OTHER_FILE",
        "eval_onnx.py",
        {**DATA, "--onnx_url": "OTHER_FILE"},
        "eval.log",
        {},
    ),
    (
        "run_eval_gpu_onnx.sh DATASET_PATH OTHER_FILE",
        "eval_onnx.py",
        {**DATA, "--onnx_url": "OTHER_FILE", "--device_target": "CPU"},
        "eval.log",
        {"DEVICE_TARGET": "CPU"},
    ),
    (
        "run_distribute_train.sh RANK_TABLE_FILE DATASET_PATH",
        "train.py",
        {
            "--run_distribute": "True",
            "--dataset_path": "HERE/DATASET_PATH",
            "--device_target": "Ascend",
        },
        "train_parallel0/log.txt",
        {**TWO, "RANK_TABLE_FILE": "HERE/RANK_TABLE_FILE"},
    ),
    (
        "run_distribute_train_gpu.sh 2 0,1 DATASET_PATH PRETRAINED_CKPT_PATH",
        "train.py",
        {
            "--run_distribute": "True",
            "--dataset_path": "HERE/DATASET_PATH",
            "--device_target": "CPU",
            "--pre_trained": "HERE/PRETRAINED_CKPT_PATH",
        },
        "train/train.log",
        {**TWO, "CUDA_VISIBLE_DEVICES": "0,1", "DEVICE_TARGET": "CPU"},
    ),
]


@pytest.mark.parametrize(
    "command, program, flags, log, environment", CASES, ids=[case[0] for case in CASES]
)
def test_what_a_command_starts(tmp_path, command, program, flags, log, environment):
    place = Place(tmp_path)
    done = place.run("mnasnet", command, DEVICE_TARGET=environment.get("DEVICE_TARGET", ""))
    assert (done.returncode, done.stderr) == (0, "")
    workers = [
        call for call in place.recorded() if call["environment"].get("MS_ROLE") != "MS_SCHED"
    ]
    assert len(workers) == int(environment.get("DEVICE_NUM", 1))
    for call in workers:
        assert call["program"] == str(place.root / "it's $USER/mnasnet" / program)
        assert call["folder"] == str((place.here / log).parent)
        assert dict(zip(call["flags"][::2], call["flags"][1::2])) == {
            flag: value.replace("HERE", str(place.here)) for flag, value in flags.items()
        }
        for name, value in environment.items():
            assert call["environment"][name] == value.replace("HERE", str(place.here))
    assert (place.here / log).read_text() == "recorded\n"


@pytest.mark.parametrize(
    "command, message",
    [
        ("run_standalone_train.sh one DATASET_PATH", "DEVICE_ID=one is not a number"),
        ("run_standalone_train.sh 0 absent", "DATA_DIR=absent is not a directory"),
        ("run_standalone_train_gpu.sh absent", "DATASET_PATH=absent is not a directory"),
        (
            "run_standalone_train_gpu.sh DATASET_PATH absent",
            "PRETRAINED_CKPT_PATH=absent is not a file",
        ),
        ("run_distribute_train.sh absent DATASET_PATH", "RANK_TABLE_FILE=absent is not a file"),
        ("run_distribute_train.sh RANK_TABLE_FILE absent", "DATA_DIR=absent is not a directory"),
        (
            "run_distribute_train_gpu.sh 9 0 DATASET_PATH",
            "DEVICE_NUM=9 is not a number from 1 to 8",
        ),
        (
            "run_distribute_train_gpu.sh 2 0 DATASET_PATH",
            "VISIABLE_DEVICES=0 does not list DEVICE_NUM=2 devices",
        ),
        (
            "run_distribute_train_gpu.sh 2 0;1 DATASET_PATH",
            "VISIABLE_DEVICES=0;1 is not a list such as 0,1",
        ),
        (
            "run_distribute_train_gpu.sh 1 0 DATASET_PATH absent",
            "PRETRAINED_CKPT_PATH=absent is not a file",
        ),
        ("run_eval.sh 0 DATASET_PATH absent", "PATH_CHECKPOINT=absent is not a file"),
        ("run_eval_gpu.sh DATASET_PATH absent", "CHECKPOINT_PATH=absent is not a file"),
        ("run_eval_onnx.sh absent OTHER_FILE", "DATA_DIR=absent is not a directory"),
        ("run_eval_gpu_onnx.sh DATASET_PATH absent", "ONNX_PATH=absent is not a file"),
    ],
)
def test_wrong_arguments(tmp_path, command, message):
    place = Place(tmp_path)
    place.assert_refused(place.run("mnasnet", command), message)


def test_earlier_logs_are_kept(tmp_path):
    place = Place(tmp_path)
    for _ in range(2):
        place.run("mnasnet", "run_standalone_train.sh 0 DATASET_PATH")
    place.run("mnasnet", "run_standalone_train.sh 0 DATASET_PATH --resume auto")
    assert (place.here / "log.txt.1").read_text() == "recorded\n"
    assert (place.here / "log.txt").read_text() == "recorded\n" * 2
