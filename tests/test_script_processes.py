"""How the jobs of the shell scripts of all folders end: with one line, and with all processes.

The stand-in `python` of script_calls takes the place of training, but for the last tests, in which
MobileNetV1, the smallest network, trains in two processes.
"""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from documented_commands import over, samples
from folders import REPOSITORY
from script_calls import PROGRAMS, TABLE, ScriptPlace, is_running, seconds_until_gone

INTERRUPTED = "error: interrupted (SIG{}); the log is {}"
TWO_CORES = ["taskset", "--cpu-list", "0,1"] if (os.cpu_count() or 1) > 1 else []
RESUME = "; --resume auto goes on from what was saved\n"


def last_log(place, command):
    """Of the last worker: where the log of the first has no place of its own, in log_output."""
    if command.processes == 1 or "{}" in command.log:
        return place.at(command.log.format(command.processes - 1))
    first = place.at(command.log)
    return first.with_name("log_output") / f"worker_{command.processes - 1}.log"


def wait_for_line(log):
    """The error line that a job in the background writes to its log at the end."""
    deadline = time.monotonic() + 20
    while "\nerror: " not in f"\n{log.read_text()}" and time.monotonic() < deadline:
        time.sleep(0.05)
    return log.read_text().splitlines()[-1]


@over(samples())
def test_failing_program(tmp_path, folder, command):
    """The last worker fails, then is killed. One line says so, and the others end, too."""
    place = ScriptPlace(tmp_path, folder)
    line = place.prepare(command.line)
    rank = str(command.processes - 1)
    result = place.run(line, CODE="5", RANK=rank, SECONDS_TO_STAY="30")
    log = last_log(place, command)
    assert (result.returncode, result.stderr) == (5, f"error: sample (see {log})\n")
    assert seconds_until_gone(place.recorded()) < 10
    # What an earlier run said is not what this one says.
    name = "train.py" if command.processes == 1 else f"worker {rank}"
    result = place.run(f"{line} --resume auto", CODE="7", WORDS="Last\x1b words\n\n", RANK=rank)
    assert (result.returncode, result.stderr) == (
        7,
        f"error: {name} ended with exit code 7; its log is {log}, which ends with: Last\\E words\n",
    )
    result = place.run(line, SIGNAL="9", RANK=rank, SECONDS_TO_STAY="30")
    assert (result.returncode, result.stderr) == (
        137,
        f"error: {name} was ended by signal 9 (KILL), as the system does when memory runs out; its"
        f" log is {log}, which ends with: recorded\n",
    )
    assert seconds_until_gone(place.recorded()) < 10


@over([(*case, name) for case in samples() for name in ("INT", "TERM", "KILL")])
def test_script_that_is_ended(tmp_path, folder, command, message):
    """With its job, and what its processes started, at once; in one line."""
    place = ScriptPlace(tmp_path, folder)
    number = getattr(signal, f"SIG{message}")
    process = place.start(place.prepare(command.line), SECONDS_TO_STAY="30")
    calls = place.wait_for(command.processes)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    log = place.at(command.log.format(0))
    if message == "KILL":
        assert (process.returncode, err) == (-9, "")
    else:
        assert process.returncode == 128 + number
        assert err == INTERRUPTED.format(message, log) + RESUME
    assert seconds_until_gone(calls) < 10


@over([(*case, name) for case in samples() for name in ("TERM", "KILL")])
def test_background_job_that_is_ended(tmp_path, folder, command, message):
    place = ScriptPlace(tmp_path, folder)
    line = place.prepare(command.line)
    result = place.run(line, WAIT=None, SECONDS_TO_STAY="30")
    assert (result.returncode, result.stderr) == (0, "")
    started = re.search(
        r"^started process (\d+); follow it with: tail -f (.*)\n", result.stdout, re.M
    )
    shown = ["bash", "-c", f"printf %s {started[2]}"]
    log = Path(subprocess.run(shown, capture_output=True, text=True, check=True).stdout)
    assert log == place.at(command.log.format(0))
    calls = place.wait_for(command.processes)
    os.kill(int(started[1]), signal.SIGHUP)  # The terminal may be closed.
    time.sleep(0.2)
    assert all(is_running(call["processes"][0]) for call in calls)
    os.kill(int(started[1]), getattr(signal, f"SIG{message}"))
    assert seconds_until_gone(calls) < 10
    text = "recorded\n"
    if message == "TERM":
        text += INTERRUPTED.format("TERM", log) + RESUME
        wait_for_line(log)
    assert log.read_text() == text


@over([case for case in samples() if case[1].processes == 2])
def test_background_job_that_fails(tmp_path, folder, command):
    """Its log ends with the line."""
    place = ScriptPlace(tmp_path, folder)
    rank = str(command.processes - 1)
    place.run(place.prepare(command.line), WAIT="0", SIGNAL="9", RANK=rank)
    line = wait_for_line(place.at(command.log.format(0)))
    assert "was ended by signal 9 (KILL)" in line


@over([case for case in samples() if case[1].processes == 2])
def test_workers_and_scheduler(tmp_path, folder, command):
    """Each worker has a log, a device, a rank and cores of its own; the scheduler has a log."""
    place = ScriptPlace(tmp_path, folder)
    result = place.run(place.prepare(command.line), prefix=TWO_CORES, SECONDS_TO_STAY="1")
    assert (result.returncode, result.stderr) == (0, "")
    calls = [json.loads(path.read_text()) for path in place.records.glob("*[0-9]")]
    roles = [call["environment"]["MS_ROLE"] for call in calls]
    assert sorted(roles) == ["MS_SCHED", "MS_WORKER", "MS_WORKER"]
    variables = ("MS_ROLE", "MS_NODE_ID", "RANK_ID", "DEVICE_ID", "MS_WORKER_NUM")
    found = {tuple(call["environment"].get(name) for name in variables) for call in calls}
    assert found == {
        ("MS_SCHED", None, "0", None, "2"),
        ("MS_WORKER", "0", "0", "0", "2"),
        ("MS_WORKER", "1", "1", "1", "2"),
    }
    assert len({call["environment"]["MS_SCHED_PORT"] for call in calls}) == 1
    cores = [set(call["cores"]) for call in calls if call["environment"]["MS_ROLE"] == "MS_WORKER"]
    if TWO_CORES:
        assert cores in ([{0}, {1}], [{1}, {0}])
    folder_of_first = place.at(command.log.format(0)).parent
    assert (folder_of_first / "log_output/scheduler.log").read_text() == "recorded\n"
    for worker in (0, 1) if "{}" in command.log else (0,):  # one for each run folder
        environment = place.at(command.log.format(worker)).with_name("env.log").read_text()
        assert f"RANK_ID={worker}\n" in environment


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A folder with a rank table and eight JPEG files in each of two classes."""
    root = tmp_path_factory.mktemp("it's a 'real' run")
    generator = np.random.default_rng(0)
    for path in [Path("images/train", name, f"{i}.JPEG") for name in "ab" for i in range(8)]:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / path), generator.integers(0, 256, (40, 40, 3), np.uint8))
    (root / "table.json").write_text(json.dumps(TABLE))
    return root


def start_training(root, *arguments):
    """MobileNetV1 in two processes on the CPU, epochs of two steps."""
    script = REPOSITORY / "mobilenetv1/scripts/run_distribute_train.sh"
    data = ["imagenet2012", "table.json", "images"]
    small = ["--image_size", "32", "--width_multiplier", "0.25", "--batch_size", "4"]
    saving = ["--num_workers", "1", "--save_checkpoint_epochs", "1"]
    path = f"{PROGRAMS}:{os.environ['PATH']}"
    here = {"PATH": path, "WAIT": "1", "DEVICE_TARGET": "CPU", "DEVICE_NUM": "2"}
    return subprocess.Popen(
        ["bash", script, *data, *arguments, *small, *saving],
        cwd=root,
        env={**os.environ, **here},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def workers(root):
    """{rank: number of its process} of the training in `root`."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if not (path / "cwd").samefile(root / "train_parallel0"):
                continue
            words = (path / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        found.update({int(w[11:]): int(path.name) for w in words if w.startswith(b"MS_NODE_ID=")})
    return found


@pytest.mark.slow
def test_training_in_two_processes(images):
    process = start_training(images, "--epoch_size", "1")
    out, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (0, "")
    assert f"{images}/train_parallelN/log\n" in out
    for worker in "01":
        lines = (images / f"train_parallel{worker}/log").read_text().splitlines()
        if worker == "0":
            assert lines.pop().startswith("results are in ")
        assert lines[-2].startswith("epoch: 1 step: 2, loss is ")
        assert lines[-1].startswith("Epoch time: ")
    checkpoints = [path.name for path in images.glob("train_parallel0/ckpt_0/*.ckpt")]
    assert checkpoints == ["mobilenetv1-1_2.ckpt"]


@pytest.mark.slow
def test_a_worker_is_killed(images):
    """In a training that starts from a checkpoint of the run that it puts aside."""
    checkpoint = "train_parallel0/ckpt_0/mobilenetv1-1_2.ckpt"
    process = start_training(images, checkpoint, "--epoch_size", "1000")
    logs = [images / f"train_parallel{worker}/log" for worker in (0, 1)]
    deadline = time.monotonic() + 200
    while not (images / "train_parallel1.1").exists() or not all(
        log.exists() and "epoch: 1 step: 2" in log.read_text() for log in logs
    ):
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.2)
    found = workers(images)
    start = time.monotonic()
    os.kill(found[1], signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - start < 30 and process.returncode == 137
    assert seconds_until_gone([{"processes": found.values()}]) < 10
    last = [line for line in logs[1].read_text().splitlines() if line][-1]
    assert err == (
        "error: worker 1 was ended by signal 9 (KILL), as the system does when memory runs out; its"
        f" log is {logs[1]}, which ends with: {last}\n"
    )
    assert "mobilenetv1-1_2.ckpt" in logs[0].read_text()
