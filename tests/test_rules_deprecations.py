"""No script calls what Python, NumPy or MindSpore warn to take away: training, evaluation, export
and prediction, in every folder, with such warnings as errors where they are about our own code.
"""

import os
import re
import subprocess
import sys

import pytest

from folders import NAMES, REPOSITORY
from places import Place

# MindSpore says so in its log, which the folders switch off, the others by Python's warnings.
STRICT = """
import runpy, sys, warnings
for kind in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
    warnings.filterwarnings("error", category=kind, module=r"(__main__|src)\\b")
sys.path.insert(0, sys.argv[1].rpartition("/")[0])
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
RETIRED = re.compile(r"^.*(?:deprecated|will be removed|no longer supported).*$", re.MULTILINE)


def run_strictly(folder, script, *arguments, cwd):
    """What a script says that it calls and should not; it must come to its end."""
    path = REPOSITORY / folder / script
    done = subprocess.run(
        [sys.executable, "-c", STRICT, path, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "GLOG_v": "2"},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return RETIRED.findall(done.stdout + done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize("folder", NAMES)
def test_nothing_retired_is_called(tmp_path, folder):
    place = Place(tmp_path, folder, training=4, evaluation=2)
    place.prepare_training()
    flags = place.flags
    # Few images at the documented rates: unclipped, some networks go astray at once.
    small = ("--batch_size", "4", "--epoch_size", "1", "--clip_norm", "1", *flags.save_flags)
    said = run_strictly(
        folder, "train.py", *place.use, *small, flags.save_flag, "out", cwd=tmp_path
    )
    checkpoint = max((tmp_path / "out" / flags.saved).glob("*.ckpt"))
    weights = ("--checkpoint_path", checkpoint)
    said += run_strictly(folder, "eval.py", *place.use, *weights, cwd=tmp_path)
    network = place.network if place.detector else ()
    for kind in ("ONNX", "MINDIR"):
        wanted = ("--file_format", kind, "--file_name", "x")
        said += run_strictly(
            folder, "export.py", *place.cpu, *network, *weights, *wanted, cwd=tmp_path
        )
        model = ("--onnx_path", f"x.{kind.lower()}")
        said += run_strictly(folder, "eval_onnx.py", *network, *place.data, *model, cwd=tmp_path)
    photo = next(tmp_path.rglob("val*/**/*.[jJ]*"))
    said += run_strictly(folder, "predict.py", "--model", "x.onnx", "--photos", photo, cwd=tmp_path)
    assert not said
