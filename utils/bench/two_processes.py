"""What averaging gradients over devices costs here beside the data parallel mode of MindSpore,
which is to leave MindSpore after 2.11: two CPU processes each, in turns.

    python utils/bench/two_processes.py WORK        # make bench-two-processes

Writes WORK/tables/two-processes.md. Exit code 1 where the weights after the same steps differ by
more than float32 rounds, or a step takes more than 1.03 times as long.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from measure import run, use_folder
from work import machine, make_work_folder, start, write_table

ROADS = {"own": "here, nn.DistributedGradReducer", "context": "set_auto_parallel_context"}
FOLDER, SIDE, BATCH, CLASSES = "mobilenetv1", 96, 8, 100
CHECKED, WARM, TIMED, TURNS = 3, 5, 20, 5  # steps; turns of both roads
LARGEST_DIFFERENCE, LARGEST_RATIO = 1e-5, 1.03


def rank(road: str) -> None:
    """Train in one of two processes; the first writes ROAD.npz: weights, seconds of a step."""
    use_folder(FOLDER)
    import mindspore as ms
    from mindspore import nn

    from src.mobilenet_v1_fpn import mobilenet_v1
    from src.vendored.device import set_up_device
    from src.vendored.training import average_gradients, set_seeds

    number, ranks = set_up_device("CPU", distributed=True)
    if road == "context":
        ms.set_auto_parallel_context(
            parallel_mode=ms.ParallelMode.DATA_PARALLEL, gradients_mean=True, device_num=ranks
        )
    set_seeds(1)
    network = mobilenet_v1(class_num=CLASSES)
    optimizer = nn.Momentum(network.trainable_params(), 0.05, 0.9)
    model = ms.Model(network, nn.CrossEntropyLoss(), optimizer)
    if road == "own":
        average_gradients(model, optimizer, ranks)
    step, generator = model.train_network.set_train(), np.random.default_rng(number)
    images = ms.Tensor(generator.standard_normal((BATCH, 3, SIDE, SIDE), np.float32))
    labels = ms.Tensor(generator.integers(CLASSES, size=BATCH).astype(np.int32))
    for _ in range(CHECKED):
        step(images, labels).asnumpy()
    weights = [parameter.asnumpy().copy() for parameter in network.trainable_params()]
    seconds = []
    for _ in range(WARM + TIMED):
        began = time.perf_counter()
        step(images, labels).asnumpy()
        seconds.append(time.perf_counter() - began)
    if number == 0:
        np.savez(f"{road}.npz", *weights, seconds=statistics.median(seconds[WARM:]))


def train(work: Path, road: str) -> tuple[float, list[np.ndarray]]:
    """(seconds of a step, weights after CHECKED steps) of two processes on `road`."""
    msrun = Path(sys.executable).with_name("msrun")
    port = 10000 + os.getpid() % 20000
    run(
        [msrun, "--worker_num=2", "--local_worker_num=2", "--join=True", f"--master_port={port}",
         f"--log_dir={work / road}", Path(__file__).resolve(), "--rank", road],
        work,
    )  # fmt: skip
    with np.load(work / f"{road}.npz", allow_pickle=False) as found:
        weights = [found[name] for name in found.files if name != "seconds"]
        return float(found["seconds"]), weights


def main(work: str, road: str = "") -> None:
    """Both roads in turns; the row of the table."""
    if work == "--rank":
        rank(road)
        return
    tables, work = work, make_work_folder(Path(work, "two_processes"))
    pairs, difference = [], 0.0
    for _ in range(TURNS):
        own, context = (train(work, road) for road in ROADS)
        pairs.append((own[0], context[0]))
        changes = (np.abs(a - b).max() for a, b in zip(own[1], context[1], strict=True))
        difference = max(difference, *map(float, changes))
    ratio = statistics.median(own / context for own, context in pairs)
    times = [f"{statistics.median(side) * 1000:.1f} ms" for side in zip(*pairs)]
    header = ["step of two processes", *ROADS.values(), "ratio", "largest difference of weights"]
    what = f"{FOLDER}, {SIDE} pixels, batch {BATCH} each"
    rows = [[what, *times, f"{ratio:.3f}", f"{difference:.0e}"], [machine(), "", "", "", ""]]
    write_table(tables, "two-processes", header, rows)
    if not (ratio <= LARGEST_RATIO and difference <= LARGEST_DIFFERENCE):
        sys.exit("error: the folders' own averaging is slower or another than MindSpore's mode")


if __name__ == "__main__":
    start(main)
