"""What averaged weights and mixed images are worth where images are few: three seeds, equal epochs.

    python utils/smoke/digits_recipes.py CACHE WORK [EPOCHS]

Trains MobileNetV1 of half width on 1,000 real digits by the documented recipe, at rates for small
data, and by the same with RECIPES' settings. Writes digits_recipes.md into WORK/tables: top-1 on
4,000 other digits after the last epoch, by seed, mean and standard deviation. Exit code 1 where the
documented recipe is not beaten.
"""

import csv
import os
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import digits
import mobilenetv1
from steps import Steps
from work import machine, make_work_folder, start, write_table

SETTINGS = {
    "dataset": "cifar10",
    "device_target": "CPU",
    "image_size": 32,
    "width_multiplier": 0.5,
    "flip_probability": 0,
    "warmup_epochs": 1,
    "lr_init": 0.01,
    "lr_max": 0.05,
    "run_eval": True,
}
OF_EACH = 100  # digits that train, of 500
RECIPES = {"documented": {}, "averages and mixup": {"ema_decay": 0.99, "mixup": 0.2}}
SEEDS = (1, 2, 3)


def train(place: Path, data: Path, epochs: int, recipe: str, seed: int) -> float:
    """Top-1, 0 to 1, after the last epoch of a run in the folder `place`."""
    steps = Steps(place)
    folders = {"dataset_path": data / "train", "eval_dataset_path": data / "val"}
    flags = {**folders, **SETTINGS, **RECIPES[recipe], "seed": seed}
    flags |= {"epoch_size": epochs, "eval_interval": epochs}
    steps.python("train", mobilenetv1.FOLDER / "train.py", **flags)
    with next(steps.work.rglob("metrics.csv")).open(newline="") as file:
        rows = list(csv.DictReader(file))
    print(f"{recipe}, seed {seed}: top-1 {rows[-1]['top1']}", flush=True)
    return float(rows[-1]["top1"])


def main(cache: str, work: str, epochs: str = "80") -> None:
    """All runs, one a core at a time; the table."""
    place = make_work_folder(Path(work, "digits_recipes"))
    digits.write(Path(cache).resolve(), place / "data", OF_EACH)
    cores = SimpleQueue()
    for core in sorted(os.sched_getaffinity(0)):
        cores.put([core])
    jobs = [(recipe, seed) for seed in SEEDS for recipe in RECIPES]
    with ThreadPoolExecutor(
        cores.qsize(), initializer=lambda: os.sched_setaffinity(0, cores.get())
    ) as pool:
        found = pool.map(
            lambda job: train(place / "_".join(map(str, job)), place / "data", int(epochs), *job),
            jobs,
        )
        top1 = dict(zip(jobs, found))
    header = [f"after {epochs} epochs", *(f"seed {seed}" for seed in SEEDS), "mean", "deviation"]
    rows, means = [], []
    for recipe in RECIPES:
        values = [top1[recipe, seed] for seed in SEEDS]
        means.append(statistics.mean(values))
        numbers = [*values, means[-1], statistics.stdev(values)]
        rows.append([recipe, *(f"{number:.4f}" for number in numbers)])
    write_table(Path(work), "digits_recipes", header, [*rows, [machine(), *[""] * 5]])
    if not means[1] > means[0]:
        sys.exit("error: the documented recipe is not beaten")


if __name__ == "__main__":
    start(main)
