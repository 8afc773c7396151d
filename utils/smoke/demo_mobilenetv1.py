"""The longer run on the digits: train to the documented accuracy, check all four ways, draw what
was predicted.

    python utils/smoke/demo_mobilenetv1.py CACHE WORK

Exit code 1 below 97 % top-1 on the 1,000 test digits, or where the four accuracies differ.
"""

import io
import shutil
import sys
from pathlib import Path

import numpy as np

import mobilenetv1
from steps import Steps, losses
from work import ROOT, machine, start, write_table

SETTINGS = {
    "epoch_size": 15,
    "warmup_epochs": 1,
    "lr_init": 0.01,
    "lr_max": 0.05,
    "image_size": 64,
    "width_multiplier": 0.5,
    "flip_probability": 0,
    "use_label_smooth": True,
}
WANTED = 0.97


def draw_sheet(data: Path, results: Path, path: Path, columns: int = 20, rows: int = 10) -> None:
    """PNG of the first test digits, the predicted one above each; a wrong one in red, with the
    right one.
    """
    from matplotlib.figure import Figure

    records = np.fromfile(next(Path(data).glob("*.bin")), np.uint8).reshape(-1, 3073)
    chosen = np.linspace(0, len(records) - 1, columns * rows).astype(int)
    figure = Figure(figsize=(columns * 0.5, rows * 0.62))
    for axes, index in zip(figure.subplots(rows, columns).ravel(), chosen):
        logits = np.fromfile(Path(results, f"mobilenetv1_data_bs1_{index}_0.bin"), np.float32)
        label, predicted = int(records[index, 0]), int(logits.argmax())
        axes.imshow(records[index, 1:1025].reshape(32, 32), cmap="gray_r")
        axes.set_title(
            str(predicted) if predicted == label else f"{predicted} not {label}",
            fontsize=7,
            pad=2,
            color="black" if predicted == label else "red",
        )
        axes.axis("off")
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.96, hspace=0.6)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=110)
    Path(path).write_bytes(image.getvalue())


def main(cache: str, work: str) -> None:
    """Run, check, draw, and write the table for the READMEs."""
    steps = Steps(work)
    work, digits = steps.work, steps.work / "digits"
    steps.python("data", ROOT / "utils/smoke/digits.py", Path(cache).resolve(), digits)
    script = mobilenetv1.FOLDER / "scripts/run_train_cpu.sh"
    steps.run("train", "bash", script, "cifar10", digits / "train", **SETTINGS)
    checkpoint = work / f"train/ckpt_0/mobilenetv1-{SETTINGS['epoch_size']}_125.ckpt"
    network = {key: SETTINGS[key] for key in ("image_size", "width_multiplier")}
    accuracy = mobilenetv1.cifar_accuracies(steps, digits / "val", checkpoint, network)
    shutil.copy(work / "train/ckpt_0/curves.png", work / "curves.png")
    draw_sheet(digits / "val", work / "result_Files", work / "digits.png")
    first, last = losses(work / "train/ckpt_0/metrics.csv")
    minutes = sum(steps.seconds.values()) / 60
    rows = [
        ["training loss, first and last epoch", f"{first:.3f}, {last:.3f}"],
        *([f"top-1 accuracy, {way}", value] for way, value in accuracy.items()),
        ["minutes for everything", f"{minutes:.1f}"],
        ["machine", machine()],
    ]
    write_table(work, "demo", ["", "measured"], rows)
    print(f"{work / 'curves.png'}\n{work / 'digits.png'}")
    if min(accuracy.values()) < WANTED or len(set(accuracy.values())) > 1:
        sys.exit(f"error: expected at least {WANTED} and four equal accuracies, got {accuracy}")


if __name__ == "__main__":
    start(main)
