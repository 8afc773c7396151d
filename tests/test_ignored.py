"""What the documented commands leave behind is ignored by git, and nothing else is."""

import subprocess

import pytest

from folders import NAMES, REPOSITORY

# As the commands write them when they run in a model folder or in its scripts/.
# fmt: off
LEFT = [
    "ckpt_0/metrics.csv", "ckpt/config.yaml", "checkpoint/model_0/curves.png",
    "output/ckpt_0/metrics.csv", "output/valid/2026-01-01_rank_0.txt",
    "pictures/000000000139.jpg", "finetuned/metrics.csv", "seen/sheet.png",
    "train.log", "train.log.1", "train_gpu.log", "eval_ascend.log",
    "log.txt", "log.txt.2", "acc.log", "infer.log", "nohup.out", "train/train.log",
    "train/ckpt_0/config.yaml", "train.1/ckpt_0/config.yaml", "eval/env.log", "eval.3/log",
    "train_parallel0/log", "train_parallel7.1/env.log", "train_parallel/log.txt",
    "log_output1/worker_0.log", "LOG/log.txt", "LOG0/ckpt/config.yaml", "LOG0.1/env.log",
    "EVAL_LOG/log.txt", "evalcoco/predictions.json", "result_Files/a_0.bin",
    "time_Result/test_perform_static.txt", "preprocess_Result/00_data/a.bin",
    "preprocess_Result/cifar10_label_ids.npy", "imagenet_label.json", "predictions.json",
    "lowered.mindir", "retinanet.mindrecord0", "retinanet.mindrecord0.db",
    "hccl_8p_01234567_10.0.0.1.json", "hccl_2s_16p.json", "kernel_meta/a.json",
    "rank_0/graph.ir", "a-1_2.ckpt", "a_graph.meta", "a.onnx", "a.air", "a.mindir",
]
# fmt: on


def ignored(paths):
    """Those of `paths`, relative to the repository, that git ignores."""
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin"],
        cwd=REPOSITORY,
        input="\n".join(paths),
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done
    return set(done.stdout.splitlines())


@pytest.mark.parametrize("folder", NAMES)
def test_what_commands_leave_is_ignored(folder):
    paths = {f"{place}/{path}" for place in (folder, f"{folder}/scripts") for path in LEFT}
    paths.add(f"{folder}/ascend310_infer/out/main")
    assert ignored(paths) == paths


def test_what_targets_make_is_ignored():
    paths = {
        f"{name}/x"
        for name in (
            ".venv",
            ".venv-bench",
            ".venv-matrix",
            ".venv-reader",
            ".venv-runtimes",
            ".cache",
            ".smoke",
            ".demo",
            ".bench",
        )
    }
    assert ignored(paths) == paths


def test_nothing_committed_is_ignored():
    files = subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert ignored(files.stdout.splitlines()) == set()


@pytest.mark.parametrize("folder", NAMES)
def test_new_code_and_data_are_not_ignored(folder):
    paths = ["src/train/loop.py", "src/checkpoint/a.py", "src/vendored/checkpoint.py", "predict.py"]
    assert ignored([f"{folder}/{path}" for path in paths] + ["tests/data/new.npz"]) == set()
