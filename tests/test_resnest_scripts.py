"""ResNeSt's shell scripts: what they start, where, with which arguments; the stand-ins are those
of test_scripts.py.
"""

import pytest

from script_calls import Place

SINGLE = {"DEVICE_NUM": "1", "RANK_SIZE": "1", "RANK_ID": "0", "DEVICE_ID": "0"}
TWO = {"DEVICE_NUM": "2", "RANK_SIZE": "2"}
CASES = [  # command, program, its flags, device, log (from the folder's root), environment
    (
        "run_train.sh out --root DATASET_PATH",
        "train.py",
        {"--outdir": "HERE/out", "--root": "DATASET_PATH"},
        "Ascend",
        "scripts/LOG/log.txt",
        SINGLE,
    ),
    (
        "run_train.sh out --resume OTHER_FILE --epochs=3",
        "train.py",
        {"--outdir": "HERE/out", "--resume": "OTHER_FILE", "--epochs": "3"},
        "Ascend",
        "scripts/LOG/log.txt",
        SINGLE,
    ),
    (
        "run_train.sh out --resume True",
        "train.py",
        {"--outdir": "HERE/out", "--resume": "True"},
        "Ascend",
        "scripts/LOG/log.txt",
        SINGLE,
    ),
    (
        "run_eval.sh out CHECKPOINT_PATH",
        "eval.py",
        {"--outdir": "HERE/out", "--pretrained_ckpt_path": "CHECKPOINT_PATH"},
        "Ascend",
        "scripts/EVAL_LOG/log.txt",
        SINGLE,
    ),
    (
        "run_train_gpu.sh --root DATASET_PATH",
        "train.py",
        {"--device_num": "1", "--root": "DATASET_PATH"},
        "GPU",
        "train.log",
        SINGLE,
    ),
    (
        "run_eval_gpu.sh out CHECKPOINT_PATH",
        "eval.py",
        {"--outdir": "HERE/out", "--pretrained_ckpt_path": "CHECKPOINT_PATH"},
        "GPU",
        "eval.log",
        SINGLE,
    ),
    (
        "run_distribute_train.sh RANK_TABLE_FILE --root DATASET_PATH",
        "train.py",
        {"--run_distribute": "True", "--device_num": "2", "--root": "DATASET_PATH"},
        "Ascend",
        "scripts/LOG1/train_log.txt",
        {
            **TWO,
            "RANK_TABLE_FILE": "RANK_TABLE_FILE",
            "HCCL_CONNECT_TIMEOUT": "1200",
            "GE_USE_STATIC_MEMORY": "1",
        },
    ),
    (
        "run_distribute_eval.sh RANK_TABLE_FILE out CHECKPOINT_PATH",
        "eval.py",
        {
            "--run_distribute": "True",
            "--outdir": "HERE/out",
            "--pretrained_ckpt_path": "CHECKPOINT_PATH",
        },
        "Ascend",
        "scripts/LOG1/eval_log.txt",
        {**TWO, "MINDSPORE_HCCL_CONFIG_PATH": "RANK_TABLE_FILE"},
    ),
    (
        "run_distribute_train_gpu.sh 2 --root DATASET_PATH",
        "train.py",
        {"--run_distribute": "True", "--device_num": "2", "--root": "DATASET_PATH"},
        "CPU",
        "log_output1/worker_1.log",
        {**TWO, "DEVICE_TARGET": "CPU"},
    ),
]


@pytest.mark.parametrize(
    "command, program, flags, device, log, environment", CASES, ids=[case[0] for case in CASES]
)
def test_what_a_command_starts(tmp_path, command, program, flags, device, log, environment):
    place = Place(tmp_path)
    done = place.run("resnest", command, DEVICE_TARGET=environment.get("DEVICE_TARGET", ""))
    assert (done.returncode, done.stderr) == (0, "")
    model = place.root / "it's $USER/resnest"
    workers = [
        call for call in place.recorded() if call["environment"].get("MS_ROLE") != "MS_SCHED"
    ]
    assert len(workers) == int(environment["DEVICE_NUM"])
    for call in workers:
        assert call["program"] == str(model / program)
        words = [word for flag in call["flags"] for word in flag.split("=")]
        expected = {
            flag: (
                str(place.here / value[5:])
                if value.startswith("HERE/")
                else place.path_or_text(value)
            )
            for flag, value in {"--device_target": device, **flags}.items()
        }
        assert dict(zip(words[::2], words[1::2])) == expected
        for name, value in environment.items():
            assert call["environment"][name] == place.path_or_text(value)
    assert (model / log).read_text() == "recorded\n"


@pytest.mark.parametrize(
    "command, message",
    [
        ("run_eval.sh out absent", "PRETRAINED_CKPT_PATH=absent is not a file"),
        ("run_eval_gpu.sh out absent", "PRETRAINED_CKPT_PATH=absent is not a file"),
        ("run_distribute_train.sh absent", "RANK_TABLE_FILE=absent is not a file"),
        (
            "run_distribute_eval.sh RANK_TABLE_FILE out absent",
            "PRETRAINED_CKPT_PATH=absent is not a file",
        ),
        ("run_distribute_train_gpu.sh zero", "DEVICE_NUM=zero is not a number from 1 on"),
    ],
)
def test_missing_input(tmp_path, command, message):
    place = Place(tmp_path)
    place.assert_refused(place.run("resnest", command), message)


def test_earlier_logs_are_kept(tmp_path):
    place = Place(tmp_path)
    for _ in range(2):
        place.run("resnest", "run_train_gpu.sh")
        place.run("resnest", "run_train.sh out")
    model = place.root / "it's $USER/resnest"
    for log in ("train.log", "train.log.1", "scripts/LOG/log.txt", "scripts/LOG.1/log.txt"):
        assert (model / log).read_text() == "recorded\n"
