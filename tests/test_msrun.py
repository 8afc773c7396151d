"""MindSpore's own launcher starts the Python scripts in two processes, as the README has it."""

import os
import re
import socket
import subprocess

from folders import REPOSITORY
from places import Place
from script_calls import PROGRAMS


def test_training_by_msrun(tmp_path):
    place = Place(tmp_path, "mobilenetv1", training=4, evaluation=3)
    command = [
        PROGRAMS / "msrun",
        "--worker_num=2",
        "--local_worker_num=2",
        f"--master_port={free_port()}",
        "--join=True",
        f"--log_dir={tmp_path}/logs",
        REPOSITORY / "mobilenetv1/train.py",
        *place.use,
        *("--batch_size", "2", "--epoch_size", "1", "--save_checkpoint_epochs", "1"),
        *("--run_distribute", "True", "--run_eval", "True"),
    ]
    environment = {**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for worker in "01":
        log = (tmp_path / f"logs/worker_{worker}.log").read_text()
        # 9 held-out images are shared, none is counted twice.
        found = re.search(r"epoch: 1 evaluation: \{'top1': ([\d.]+)", log)
        assert abs(float(found.group(1)) * 9 - round(float(found.group(1)) * 9)) < 1e-6
    assert (tmp_path / "ckpt_0/mobilenetv1-1_3.ckpt").exists()
    assert not (tmp_path / "ckpt_1").exists()


def free_port():
    with socket.socket() as server:
        server.bind(("", 0))
        return server.getsockname()[1]
