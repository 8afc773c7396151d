"""Run every folder through its whole chain on the CPU, on small real data, and end in a table.

    python utils/smoke/smoke.py CACHE WORK [folder ...]

Exit code 1 where a step fails, a loss does not fall, the accuracies of a folder's four ways
disagree, or they are hardly over chance.

What is particular to a folder is in utils/smoke/FOLDER.py: `chain`, which runs the steps, and how
its result is judged: LEAST_ACCURACY and the TOLERANCE between the ways. Chains start in the order
of START: a quick one first, whose result comes soon, then such that two cores end together.
"""

import importlib
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from types import ModuleType

from steps import Steps
from work import ROOT, find_folders, machine, start, write_table

WAYS = ("checkpoint", "ONNX", "MindIR", "C++")


def find_chains(folders: Iterable[str]) -> dict[str, ModuleType]:
    """{folder: its module}, in the order to start in. Exits with one line if one has none."""
    chains = {}
    for folder in folders:
        path = Path(__file__).with_name(f"{folder}.py")
        if folder not in find_folders():
            sys.exit(f"error: {folder}: no such folder; there are {', '.join(find_folders())}")
        if not path.is_file():
            sys.exit(f"error: {path.relative_to(ROOT)} is missing; write the chain of {folder}")
        chains[folder] = importlib.import_module(folder)
    return dict(sorted(chains.items(), key=lambda item: item[1].START))


def smoke(folder: str, chain: ModuleType, cache: Path, work: Path) -> tuple[list[str], list[str]]:
    """One row of the table, and lines about what is wrong with it."""
    steps = Steps(work / folder)
    (first, last), accuracy = chain.chain(steps, cache)
    wrong = []
    if not last < first:
        wrong.append(f"{folder}: the loss did not fall ({first:.3f} to {last:.3f})")
    if not min(accuracy.values()) >= chain.LEAST_ACCURACY:
        wrong.append(f"{folder}: an accuracy is under {chain.LEAST_ACCURACY}: {accuracy}")
    if not max(accuracy.values()) - min(accuracy.values()) <= chain.TOLERANCE:
        wrong.append(f"{folder}: the accuracies disagree: {accuracy}")
    ways = ", ".join(f"{way} {accuracy[way]:.4f}" for way in WAYS)
    print(f"{folder}: done: loss {first:.3f} to {last:.3f}, accuracy {ways}", flush=True)
    seconds = ", ".join(f"{step} {value:.0f}" for step, value in steps.seconds.items())
    cells = [
        folder,
        f"{first:.3f}",
        f"{last:.3f}",
        *(f"{accuracy[way]:.4f}" for way in WAYS),
        f"{sum(steps.seconds.values()):.0f} ({seconds})",
    ]
    return cells, wrong


def print_columns(rows: list[list[str]]) -> None:
    """Print a table with its columns one below the other."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def main(cache: str, work: str, *folders: str) -> None:
    """Run `folders`, or all that are there, at once as far as there are cores; print the table.

    That of all folders, if nothing is wrong with it, is also written, for `make tables`.
    """
    began = time.monotonic()
    cache, work = Path(cache).resolve(), Path(work).resolve()
    chains = find_chains(folders or find_folders())
    # Much of a chain uses one core. Each folder gets cores of its own: on shared ones threads wait
    # for each other.
    cores = sorted(os.sched_getaffinity(0))
    at_once, shares = min(len(chains), len(cores)), SimpleQueue()
    for first in range(at_once):
        shares.put(cores[first::at_once])
    with ThreadPoolExecutor(
        at_once, initializer=lambda: os.sched_setaffinity(0, shares.get())
    ) as pool:
        results = list(pool.map(lambda item: smoke(*item, cache, work), chains.items()))
    rows, wrong = [row for row, _ in results], [line for _, found in results for line in found]
    header = ["folder", "first loss", "last loss", *WAYS, "seconds"]
    print()
    if folders or wrong:
        print_columns([header, *rows])
    else:
        minutes = f"{(time.monotonic() - began) / 60:.1f} minutes on {machine()}"
        write_table(work, "smoke", header, [*rows, [f"all: {minutes}", *[""] * (len(header) - 1)]])
    if wrong:
        sys.exit("\n".join(f"error: {line}" for line in wrong))


if __name__ == "__main__":
    start(main)
