"""Run every folder through its whole chain on the CPU, on small real data, and end in a table.

    python utils/smoke/smoke.py CACHE WORK [folder ...]

Exit code 1 where a step fails, a loss does not fall, the accuracies of a folder's four ways
disagree, or they are hardly over chance.
"""

import importlib
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from steps import Steps

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("mnasnet", "fishnet99", "nas_fpn", "resnest", "mobilenetv1")  # the longest first
WAYS = ("checkpoint", "ONNX", "MindIR", "C++")
# Half of the crops hold a tree: this is 5 points over chance, and over a linear classifier on
# colour histograms.
LEAST_ACCURACY = {"fishnet99": 0.553, "resnest": 0.553, "mnasnet": 0.553}


def smoke(folder, cache, work):
    """One row of the table, and what is wrong with it ('' if nothing)."""
    shutil.rmtree(work / folder, ignore_errors=True)
    steps = Steps(work / folder)
    tolerance = 1e-3 if folder == "nas_fpn" else 0.0
    (first, last), accuracy = importlib.import_module(folder).chain(steps, cache)
    wrong = []
    if not last < first:
        wrong.append(f"{folder}: the loss did not fall ({first:.3f} to {last:.3f})")
    if min(accuracy.values()) < LEAST_ACCURACY.get(folder, 0):
        wrong.append(f"{folder}: the accuracy is under {LEAST_ACCURACY[folder]}: {accuracy}")
    if max(accuracy.values()) - min(accuracy.values()) > tolerance:
        wrong.append(f"{folder}: the accuracies disagree: {accuracy}")
    seconds = ", ".join(f"{step} {value:.0f}" for step, value in steps.seconds.items())
    cells = [
        folder,
        f"{first:.3f}",
        f"{last:.3f}",
        *(f"{accuracy[way]:.4f}" for way in WAYS),
        f"{sum(steps.seconds.values()):.0f} ({seconds})",
    ]
    return cells, wrong


def main(cache, work, *folders):
    """Run `folders`, or all that are there, at once as far as there are cores; print the table."""
    cache, work = Path(cache).resolve(), Path(work).resolve()
    work.mkdir(parents=True, exist_ok=True)
    folders = folders or [
        name for name in FOLDERS if (ROOT / "utils/smoke" / f"{name}.py").exists()
    ]
    # Much of a chain uses one core. Each folder gets cores of its own: on shared ones threads wait
    # for each other.
    cores = sorted(os.sched_getaffinity(0))
    at_once, shares = min(len(folders), len(cores)), SimpleQueue()
    for first in range(at_once):
        shares.put(cores[first::at_once])
    with ThreadPoolExecutor(
        at_once, initializer=lambda: os.sched_setaffinity(0, shares.get())
    ) as pool:
        results = list(pool.map(lambda folder: smoke(folder, cache, work), folders))
    rows, wrong = [row for row, _ in results], [line for _, found in results for line in found]
    header = ["folder", "first loss", "last loss", *WAYS, "seconds"]
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    print()
    for row in [header, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    if wrong:
        sys.exit("\n".join(f"error: {line}" for line in wrong))


if __name__ == "__main__":
    main(*sys.argv[1:])
