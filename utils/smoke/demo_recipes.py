"""What averaged weights and augmentation are worth: MobileNetV1 on the digits by the documented
recipe and by a changed one, at equal epochs, from three seeds each.

    python utils/smoke/demo_recipes.py CACHE WORK

Exit code 1 where the changed recipe's mean top-1 on the 1,000 test digits is not the higher one.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from mobilenetv1 import FOLDER, TOP1
from steps import Steps, find_number
from work import ROOT, machine, start, write_table

SEEDS = (1, 2, 3)
# Of both: rates and flips that suit digits, a small network.
COMMON = {
    "epoch_size": 8,
    "warmup_epochs": 1,
    "lr_init": 0.01,
    "lr_max": 0.05,
    "flip_probability": 0,
    "image_size": 32,
    "width_multiplier": 0.5,
}
RECIPES = {
    "documented": {},
    "averaged weights, random erasing": {"ema_decay": 0.98, "erasing": 0.25},
}


def top1(steps: Steps, data: Path, name: str, **settings: object) -> float:
    """Top-1 on the test digits after training with `settings`; `name` tells the run's log."""
    script = FOLDER / "scripts/run_train_cpu.sh"
    steps.run(name, "bash", script, "cifar10", data / "train", **COMMON, **settings)
    checkpoint = steps.work / f"train/ckpt_0/mobilenetv1-{COMMON['epoch_size']}_125.ckpt"
    script = FOLDER / "scripts/run_eval_cpu.sh"
    network = {key: COMMON[key] for key in ("image_size", "width_multiplier")}
    steps.run("eval", "bash", script, "cifar10", data / "val", checkpoint, **network)
    return find_number(TOP1, (steps.work / "eval/log").read_text())


def main(cache: str, work: str) -> None:
    """Train, evaluate, write the table, check."""
    steps = Steps(work)
    data = steps.work / "digits"
    steps.python("data", ROOT / "utils/smoke/digits.py", Path(cache).resolve(), data)
    found = {name: [] for name in RECIPES}
    for seed in SEEDS:
        for name, settings in RECIPES.items():
            found[name].append(top1(steps, data, f"{name}, seed {seed}", seed=seed, **settings))
    rows = []
    for name, accuracies in found.items():
        flags = " ".join(f"--{key} {value}" for key, value in RECIPES[name].items())
        each = ", ".join(f"{accuracy:.3f}" for accuracy in accuracies)
        spread = f"{statistics.mean(accuracies):.4f} ({statistics.stdev(accuracies):.4f})"
        rows.append([name, f"`{flags}`" if flags else "", each, spread])
    rows.append([machine(), "", "", ""])
    header = ["recipe", "flags", f"top-1, seeds {SEEDS[0]} to {SEEDS[-1]}", "mean (deviation)"]
    write_table(steps.work.parent / "mobilenetv1", "recipes", header, rows)
    plain, changed = (statistics.mean(accuracies) for accuracies in found.values())
    if changed <= plain:
        sys.exit(f"error: the changed recipe's mean is {changed}, the documented one's {plain}")


if __name__ == "__main__":
    start(main)
