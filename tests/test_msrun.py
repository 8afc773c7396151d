"""MindSpore's own launcher starts the Python scripts in two processes, as the README has it."""

import os
import re
import socket
import subprocess

import pytest

from folders import REPOSITORY
from places import Place
from script_calls import PROGRAMS

# More than float32 has whole numbers.
COUNTS = """
import os, sys
sys.path.insert(0, sys.argv[1])
from src.vendored import launch
from src.vendored.accuracy import Counts, sum_over_ranks
from src.vendored.device import set_up_device
rank, ranks = set_up_device("CPU", distributed=True)
counts = Counts(4095 + rank, 4096 * 1000 + rank, 16777217, 0.5 + rank, 100.0)
print("sums", *sum_over_ranks(counts, ranks), flush=True)
"""


def test_counts_are_summed_over_processes(tmp_path):
    (tmp_path / "counts.py").write_text(COUNTS)
    run_two(tmp_path, tmp_path / "counts.py", REPOSITORY / "mobilenetv1")
    for worker in "01":
        log = (tmp_path / f"logs/worker_{worker}.log").read_text()
        assert "sums 8191 8192001 33554434 2.0 200.0\n" in log


def test_training_by_msrun(tmp_path):
    place = Place(tmp_path, "mobilenetv1", training=4, evaluation=3)
    run_two(
        tmp_path,
        REPOSITORY / "mobilenetv1/train.py",
        *place.use,
        *("--batch_size", "2", "--epoch_size", "1", "--save_checkpoint_epochs", "1"),
        *("--run_distribute", "True", "--run_eval", "True"),
    )
    for worker in "01":
        log = (tmp_path / f"logs/worker_{worker}.log").read_text()
        # 9 held-out images are shared, none is counted twice.
        found = re.search(r"epoch: 1 evaluation: \{'top1': ([\d.]+)", log)
        assert abs(float(found.group(1)) * 9 - round(float(found.group(1)) * 9)) < 1e-6
    assert (tmp_path / "ckpt_0/mobilenetv1-1_3.ckpt").exists()
    assert not (tmp_path / "ckpt_1").exists()


def run_two(folder, *program):
    """The program in two processes, by msrun in `folder`; their logs are in its folder logs."""
    command = [
        PROGRAMS / "msrun",
        "--worker_num=2",
        "--local_worker_num=2",
        f"--master_port={free_port()}",
        "--join=True",
        f"--log_dir={folder}/logs",
        *program,
    ]
    environment = {**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def free_port():
    with socket.socket() as server:
        server.bind(("", 0))
        return server.getsockname()[1]


@pytest.mark.parametrize("scale", ["fixed", "dynamic"])
def test_gradients_are_averaged_over_the_ranks(scale, tmp_path):
    """As if one process had the whole batch; where one rank's gradients overflow, none is used."""
    run_two(tmp_path, REPOSITORY / "tests/two_ranks.py", "mobilenetv1", scale)
    for worker in "01":
        assert "of 2: difference" in (tmp_path / f"logs/worker_{worker}.log").read_text()
