"""Two nodes of one process each, on this machine, train as one node of two; what is missing of the
others is said in one line.
"""

import json
import os
import shutil
import socket
import subprocess

import mindspore as ms
import numpy as np
import pytest

from entry_points import assert_one_line
from folders import REPOSITORY
from places import class_folders
from script_calls import PROGRAMS

pytestmark = pytest.mark.slow

SCRIPT = REPOSITORY / "mobilenetv1/scripts/run_distribute_train.sh"
FLAGS = (
    *("--image_size", "32", "--width_multiplier", "0.25", "--class_num", "3"),
    *("--batch_size", "4", "--num_workers", "1", "--lr_max", "0.001"),
    *("--save_checkpoint_epochs", "1"),
)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("nodes")
    class_folders(root / "images", 4)
    server = {"device": [{"device_id": "0"}]}
    for name, servers in (
        ("one", [{"device": [{"device_id": i} for i in "01"]}]),
        ("two", [server] * 2),
    ):
        (root / name).mkdir()
        (root / name / "table.json").write_text(json.dumps({"server_list": servers}))
    return root


def start(folder, *flags, **environment):
    """The script in `folder`, on one core: how sums are rounded hangs on how many there are."""
    here = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "WAIT": "1", "DEVICE_TARGET": "CPU"}
    command = ["taskset", "-c", "0", "bash", SCRIPT, "imagenet2012", "table.json", "../images"]
    return subprocess.Popen(
        [*command, *FLAGS, *flags], cwd=folder, env={**os.environ, **here, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(process):
    err = process.communicate(timeout=300)[1]
    return process.returncode, err


def start_nodes(root, ranks, *flags, **environment):
    """One process on each of these of two nodes."""
    with socket.socket() as free:
        free.bind(("", 0))
        port = str(free.getsockname()[1])
    nodes = {"DEVICE_NUM": "1", "NNODES": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    nodes |= environment
    return [ended(p) for p in [start(root / "two", *flags, NODE_RANK=r, **nodes) for r in ranks]]


def test_two_nodes_train_as_one(root):
    assert ended(start(root / "one", "--epoch_size", "1", DEVICE_NUM="2")) == (0, "")
    assert start_nodes(root, "01", "--epoch_size", "1") == [(0, "")] * 2
    name = "ckpt_{0}/mobilenetv1-1_1.ckpt"
    one, first, second = (
        ms.load_checkpoint(str(root / place / f"train_parallel{rank}" / name.format(rank)))
        for place, rank in (("one", 0), ("two", 0), ("two", 1))
    )
    for key, value in one.items():
        np.testing.assert_array_equal(value.asnumpy(), first[key].asnumpy(), err_msg=key)
        if ".moving_" not in key:  # each process has its own statistics
            np.testing.assert_array_equal(value.asnumpy(), second[key].asnumpy(), err_msg=key)


def test_nodes_that_would_go_on_from_different_steps(root):
    shutil.rmtree(root / "two/train_parallel1/ckpt_1")
    results = start_nodes(root, "01", "--epoch_size", "2", "--resume", "auto")
    for code, err in results:
        assert_one_line(code, err, "goes on after step", "--resume FILE")


@pytest.mark.parametrize("rank", "01")
def test_a_node_that_does_not_come(root, rank):
    ((code, err),) = start_nodes(root, rank, "--epoch_size", "1", MS_TOPO_TIMEOUT="5")
    assert_one_line(code, err, "the 2 processes of this run did not all come to 127.0.0.1:")
