"""The short form of `make faults`: one folder, one kill while a checkpoint is being written, whose
last whole one is damaged besides, and a full disk.
"""

import random

import pytest

from faulty_training import Faults, power_loss, run_disk

pytestmark = pytest.mark.slow

FOLDER = "mobilenetv1"


@pytest.fixture(scope="module")
def faults(tmp_path_factory):
    return Faults(tmp_path_factory.mktemp("faults"), FOLDER)


def test_a_kill_while_writing_and_a_power_loss(faults):
    draw = random.Random(1)
    assert faults.kill("run", draw, in_writing=True) in ("writing", "killed")
    faults.check("run")
    power_loss(faults, "run", draw)
    faults.finish("run")


def test_a_full_disk(faults):
    outcome = run_disk(faults, "full")
    if outcome.startswith("skipped"):
        pytest.skip(outcome)
    assert outcome == "one line"
