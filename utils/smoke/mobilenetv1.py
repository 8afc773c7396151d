"""MobileNetV1's chain: real digits through CIFAR-10 files, real photos through ImageNet folders."""

import sys
from pathlib import Path

from steps import Steps, find_number, losses
from work import ROOT

FOLDER = ROOT / "mobilenetv1"
LEAST_ACCURACY, TOLERANCE, START = 0.5, 0, 1  # a guess at a digit is right one time in ten
TOP1 = r"'top_1_accuracy': ([0-9.]+)"


def chain(
    steps: Steps, cache: Path, epochs: int = 2, size: int = 32, width: float = 0.5
) -> tuple[tuple[float, float], dict[str, float]]:
    """Train, evaluate, export, evaluate the exports, infer in C++. Returns (losses, {way: top-1
    accuracy}).
    """
    network = {"image_size": size, "width_multiplier": width}
    training = {"warmup_epochs": 1, "lr_init": 0.01, "lr_max": 0.05, "flip_probability": 0}
    digits, photos = steps.work / "digits", steps.work / "photos"
    script = FOLDER / "scripts/run_train_cpu.sh"
    steps.python("data", ROOT / "utils/smoke/digits.py", cache, digits)
    steps.run(
        "train",
        "bash",
        script,
        "cifar10",
        digits / "train",
        epoch_size=epochs,
        **training,
        **network,
    )
    checkpoint = steps.work / f"train/ckpt_0/mobilenetv1-{epochs}_125.ckpt"
    accuracy = cifar_accuracies(steps, digits / "val", checkpoint, network)

    # The ImageNet path on 20 photos is there to run, not to learn.
    short = {"epoch_size": 1, "batch_size": 10, "save_checkpoint_epochs": 1, "image_size": 64}
    steps.python("data", ROOT / "utils/smoke/photos.py", cache, photos)
    steps.run("photos", "bash", script, "imagenet2012", photos, **short)
    check_photos(steps, photos, steps.work / "train/ckpt_0/mobilenetv1-1_2.ckpt")
    return losses(steps.work / "train.1/ckpt_0/metrics.csv"), accuracy


def cifar_accuracies(steps: Steps, data: Path, checkpoint: Path, network: dict) -> dict[str, float]:
    """Top-1 accuracy of a CIFAR-10 checkpoint and of what is exported from it."""
    script = FOLDER / "scripts/run_eval_cpu.sh"
    steps.run("eval", "bash", script, "cifar10", data, checkpoint, **network)
    evaluation = (steps.work / "eval/log").read_text()
    files = [export(steps, checkpoint, file_format, network) for file_format in ("ONNX", "MINDIR")]
    exported = [
        steps.python(
            "eval exports",
            FOLDER / "eval_onnx.py",
            device_target="CPU",
            dataset="cifar10",
            dataset_path=data,
            onnx_url=file,
        )
        for file in files
    ]
    steps.run("c++", "bash", FOLDER / "scripts/run_infer_cpp.sh", files[1], data, "CPU")
    return {
        "checkpoint": find_number(TOP1, evaluation),
        "ONNX": find_number(TOP1, exported[0]),
        "MindIR": find_number(TOP1, exported[1]),
        "C++": find_number(r"acc:\s+([0-9.]+)", (steps.work / "acc.log").read_text()),
    }


def check_photos(steps: Steps, photos: Path, checkpoint: Path) -> None:
    """Exit unless checkpoint and C++ agree on a tree of class folders, whose JPEG files C++
    decodes itself.
    """
    script = FOLDER / "scripts/run_eval_cpu.sh"
    steps.run("photos", "bash", script, "imagenet2012", photos, checkpoint, image_size=64)
    mindir = export(steps, checkpoint, "MINDIR", {"dataset": "imagenet2012", "image_size": 64})
    steps.run("photos", "bash", FOLDER / "scripts/run_infer_cpp.sh", mindir, photos / "val", "CPU")
    expected = find_number(TOP1, (steps.work / "eval/log").read_text())
    if find_number(r"'top1 acc': ([0-9.]+)", (steps.work / "acc.log").read_text()) != expected:
        sys.exit(
            "error: mobilenetv1: checkpoint and C++ disagree on the photos; see"
            f" {steps.work / 'acc.log'}"
        )


def export(steps: Steps, checkpoint: Path, file_format: str, network: dict) -> Path:
    """Export for batch size 1; returns the file's path."""
    steps.python(
        "export",
        FOLDER / "export.py",
        device_target="CPU",
        ckpt_file=checkpoint,
        batch_size=1,
        file_format=file_format,
        file_name=steps.work / "mobilenetv1",
        **network,
    )
    return steps.work / f"mobilenetv1.{file_format.lower()}"
