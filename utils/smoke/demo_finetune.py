"""From photos in class folders to a classifier of one's own, in Python and in C++: what it costs,
and what trained weights are worth.

    python utils/smoke/demo_finetune.py CACHE WORK

MobileNetV1 (0.5) on the 64-pixel crops of aerial photos with and without a tree. First all crops of
one photo, from weights by chance. Then 50 of each class from another photo, from chance and from
the first network; the rest of that photo is held out. Exit code 1 where C++ gives another accuracy,
or trained weights are worth nothing.
"""

import shutil
import sys
from pathlib import Path

from steps import Steps, find_number
from work import ROOT, machine, start, write_table

FOLDER = ROOT / "mobilenetv1"
NETWORK = ("--image_size", 64, "--width_multiplier", 0.5)
FEW = 50  # photos of a class


def split_few(crops: Path, few: Path) -> None:
    """FEW of each class in `crops`/val to `few`/train, evenly chosen, and the rest to its val."""
    for folder in sorted((crops / "val").iterdir()):
        photos = sorted(folder.iterdir())
        step = len(photos) / FEW
        chosen = {photos[int(number * step)] for number in range(FEW)}
        for photo in photos:
            target = few / ("train" if photo in chosen else "val") / folder.name
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(photo, target)


def main(cache: str, work: str) -> None:
    """Run, check, and write the table for the README."""
    steps = Steps(work)
    work, crops, few = steps.work, steps.work / "crops", steps.work / "few"
    steps.python("data", ROOT / "utils/smoke/photo_crops.py", Path(cache).resolve(), crops)
    split_few(crops, few)
    rows, accuracy = [], {}

    def finetune(name, told, photos, *flags):
        told_command = "finetune.py " + " ".join(map(str, flags))
        out = steps.python(
            name, FOLDER / "finetune.py", "--dataset_path", photos, "--output", name, *flags
        )
        accuracy[name] = find_number(r"top1 ([0-9.]+) on held-out", out)
        rows.append([told, f"`{told_command}`", f"{steps.seconds[name]:.0f}", accuracy[name]])

    first = "all/finetuned-best.ckpt"
    finetune("all", "972 crops, weights by chance", crops, "--epochs", 5, *NETWORK)
    finetune("chance", "100 other crops, weights by chance", few, *NETWORK)
    finetune("trained", "the same, from the first network", few, "--pre_trained", first)
    finetune("frozen", "and its features kept", few, "--pre_trained", first, "--freeze_features")

    best = ("--checkpoint_path", "trained/finetuned-best.ckpt")
    export = ("--device_target", "CPU", "--batch_size", 1, "--file_name", "own")
    steps.python("export", FOLDER / "export.py", *best, *export)
    rows.append(["MindIR of the third", "`export.py`", f"{steps.seconds['export']:.0f}", ""])
    script = FOLDER / "scripts/run_infer_cpp.sh"
    steps.run("c++", "bash", script, "own.mindir", few / "val", "CPU")
    top1 = find_number(r"'top1 acc': ([0-9.]+)", (work / "acc.log").read_text())
    rows.append(
        [
            "it in C++, built first",
            "`run_infer_cpp.sh`",
            f"{steps.seconds['c++']:.0f}",
            f"{top1:.4f}",
        ]
    )
    model, photos = ("--model", "trained/mobilenetv1.onnx"), ("--photos", few / "val")
    steps.python("predict", FOLDER / "predict.py", *model, *photos, "--pictures", "seen")
    seconds = f"{steps.seconds['predict']:.0f}"
    rows.append(["pictures of 260 photos", "`predict.py --pictures seen`", seconds, ""])
    rows.append([f"machine: {machine()}", "", "", ""])
    write_table(work.parent, "finetune", ["what", "command", "seconds", "top-1, held out"], rows)
    print(work / "seen/sheet.png")
    if f"{top1:.4f}" != f"{accuracy['trained']:.4f}" or accuracy["trained"] <= accuracy["chance"]:
        sys.exit(f"error: expected more than from chance, and the same in C++: {accuracy}, {top1}")


if __name__ == "__main__":
    start(main)
