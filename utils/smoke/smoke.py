"""Run every folder through its whole chain on the CPU, on small real data, and end in a table.

    python utils/smoke/smoke.py CACHE WORK [folder ...]

Exit code 1 where a step fails, a loss does not fall, the accuracies of a folder's four ways disagree, or they are
hardly over chance.
"""
import importlib
import shutil
import sys
from pathlib import Path

from steps import Steps

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("fishnet99", "resnest", "nas_fpn", "mnasnet", "mobilenetv1")
WAYS = ("checkpoint", "ONNX", "MindIR", "C++")
# Half of the crops hold a tree: this is 5 points over chance, and over a linear classifier on colour histograms.
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
    cells = [folder, f"{first:.3f}", f"{last:.3f}", *(f"{accuracy[way]:.4f}" for way in WAYS),
             f"{sum(steps.seconds.values()):.0f} ({seconds})"]
    return cells, wrong


def main(cache, work, *folders):
    """Run `folders`, or all that are there; print the table."""
    Path(work).mkdir(parents=True, exist_ok=True)
    rows, wrong = [], []
    for folder in folders or [name for name in FOLDERS if (ROOT / "utils/smoke" / f"{name}.py").exists()]:
        row, found = smoke(folder, Path(cache).resolve(), Path(work).resolve())
        rows.append(row)
        wrong += found
    header = ["folder", "first loss", "last loss", *WAYS, "seconds"]
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    print()
    for row in [header, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    if wrong:
        sys.exit("\n".join(f"error: {line}" for line in wrong))


if __name__ == "__main__":
    main(*sys.argv[1:])
