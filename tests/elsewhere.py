"""A copy of a folder without the rest of the repository, and its commands."""

import csv
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import onnxruntime

from folders import REPOSITORY
from golden import contrast, distance, image
from script_calls import PROGRAMS, TABLE

LEFT_OUT = shutil.ignore_patterns(
    "out", "output*", "LOG*", "EVAL_LOG*", "__pycache__", "*.log", "ckpt*", "train*0", "train"
)


class Elsewhere:
    """The copy `model` in the folder `root`, where its commands run on the CPU."""

    device = "--device_target"  # the flag
    environment = {}  # what else its commands see

    def __init__(self, root, folder):
        self.root, self.model = root, root / "a $copy"
        shutil.copytree(REPOSITORY / folder, self.model, ignore=LEFT_OUT)
        (root / "table.json").write_text(json.dumps(TABLE))

    def run(self, *command):
        """The standard output of a command, with two devices for what is distributed."""
        inherited = {
            key: value for key, value in os.environ.items() if key not in ("GLOG_v", "PYTHONPATH")
        }
        own = {"WAIT": "1", "DEVICE_TARGET": "CPU", "DEVICE_NUM": "2"}
        own |= {"PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
        own |= {"CPP_INFER_HOME": str(REPOSITORY / "utils/cpp_infer")}
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.root,
            env={**inherited, **own, **self.environment},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def bash(self, script, *arguments):
        return self.run("bash", self.model / script, *arguments)

    def python(self, script, *arguments):
        return self.run(sys.executable, self.model / script, *arguments, self.device, "CPU")


def rows(folder):
    """The rows of its metrics.csv."""
    return list(csv.DictReader((folder / "metrics.csv").read_text().splitlines()))


def assert_golden(path, golden, size):
    """An exported network under golden weights is the documented function."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    logits = [
        session.run(None, {session.get_inputs()[0].name: one[None]})[0][0]
        for one in image((2, 3, size, size))
    ]
    with np.load(golden, allow_pickle=False) as expected:
        assert distance(np.array(logits), expected[f"logits_{size}"]) <= 1e-4
        assert contrast(np.array(logits), expected[f"logits_{size}"]) <= 1e-2
