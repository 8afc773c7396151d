"""What averages, mixup and smooth labels bring where images are few: MobileNetV1 on 1,000 digits.

    python utils/smoke/few_digits.py CACHE WORK

The documented recipe, and the same with --ema_decay, --mixup and --use_label_smooth, three seeds
each, for as many epochs; top-1 accuracy on 1,000 other digits. Exit code 1 where the second's mean
is not the higher one. Takes about a quarter of an hour.
"""

import statistics
import sys
from pathlib import Path

import numpy as np

from digits import read_digits, split_digits, to_records
from mobilenetv1 import FOLDER
from steps import Steps, find_number
from work import machine, start, write_table

EPOCHS, SEEDS, EACH = 150, (1, 2, 3), 100  # images of a class that train
SAME = {
    "epoch_size": EPOCHS,
    "image_size": 32,
    "width_multiplier": 0.5,
    "flip_probability": 0,
    "run_eval": True,
    "eval_interval": EPOCHS,
    "save_checkpoint": False,
}
RECIPES = {
    "documented": {},
    "with averages, mixup, smooth labels": {
        "ema_decay": 0.995,
        "mixup": 0.2,
        "use_label_smooth": True,
    },
}


def write_digits(cache: Path, folder: Path) -> None:
    """CIFAR-10 files: the first of each class train, those that demonstrations hold out judge."""
    images, labels = read_digits(cache)
    trains = split_digits(labels)
    few = np.concatenate([np.flatnonzero(trains & (labels == d))[:EACH] for d in range(10)])
    few.sort()
    for name, chosen in (("train/data_batch_1.bin", few), ("val/test_batch.bin", ~trains)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(to_records(images[chosen], labels[chosen]).tobytes())


def main(cache: str, work: str) -> None:
    """Train six times, write the table."""
    steps = Steps(Path(work, "few_digits"))
    digits = steps.work / "digits"
    write_digits(Path(cache).resolve(), digits)
    data = {"dataset_path": digits / "train", "eval_dataset_path": digits / "val"}
    found, rows = {}, []
    for name, recipe in RECIPES.items():
        for seed in SEEDS:
            settings = {**data, **SAME, **recipe, "seed": seed}
            printed = steps.python("train", FOLDER / "train.py", device_target="CPU", **settings)
            accuracy = find_number(r"evaluation: \{'top1': ([0-9.]+)", printed)
            print(f"{name}, seed {seed}: {accuracy}", flush=True)
            found.setdefault(name, []).append(accuracy)
        mean, spread = statistics.mean(found[name]), statistics.stdev(found[name])
        rows.append([name, *map(str, found[name]), f"{mean:.4f}", f"{spread:.4f}"])
    header = [f"1,000 digits, {EPOCHS} epochs", *(f"seed {seed}" for seed in SEEDS)]
    rows.append([machine(), *[""] * (len(header) + 1)])
    write_table(work, "few_digits", [*header, "mean", "standard deviation"], rows)
    first, second = map(statistics.mean, found.values())
    if second <= first:
        sys.exit(f"error: {second:.4f} with the additions, {first:.4f} without")


if __name__ == "__main__":
    start(main)
