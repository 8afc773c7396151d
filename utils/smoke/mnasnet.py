"""MnasNet's chain on crops of aerial photos, with and without a tree."""

from pathlib import Path

from photo_crops import LEAST_TOP1
from steps import Steps, find_number, losses
from work import ROOT

FOLDER = ROOT / "mnasnet"
LEAST_ACCURACY, TOLERANCE, START = LEAST_TOP1, 0, 5
SHORT_RUN = {
    "opt": "sgd",
    "batch_size": 16,
    "warmup_epochs": 1,
    "lr_max": 0.01,
    "lr_decay_mode": "other",
    "label_smooth_factor": 0,
    # So short a run of so small batches ends anywhere, by rounding alone, with the documented rate
    # and augmentation; with these and averages it learns.
    "ema_decay": 0.98,
    "crop_scale": 0.6,
    "rand_augment": 1,
}


def chain(
    steps: Steps, cache: Path, epochs: int = 6, size: int = 64, width: float = 0.5
) -> tuple[tuple[float, float], dict[str, float]]:
    """Train, evaluate, export, evaluate the exports, infer in C++. Returns (losses, {way: top-1
    accuracy}).
    """
    photos = steps.work / "photos"
    network = {"class_num": 2, "image_size": size, "depth_multiplier": width}
    steps.environment["DEVICE_TARGET"] = "CPU"
    steps.python("data", ROOT / "utils/smoke/photo_crops.py", cache, photos)
    steps.run(
        "train",
        "bash",
        FOLDER / "scripts/run_standalone_train.sh",
        0,
        photos / "train",
        epoch_size=epochs,
        **SHORT_RUN,
        **network,
    )
    checkpoint = steps.work / f"checkpoint/model_0/Mnasnet-rank0-{epochs}_60.ckpt"
    script = FOLDER / "scripts/run_eval.sh"
    steps.run("eval", "bash", script, 0, photos / "val", checkpoint, **network)
    evaluation = (steps.work / "eval.log").read_text()
    exported = {}
    for file_format in ("onnx", "mindir"):
        steps.python(
            "export",
            FOLDER / "export.py",
            checkpoint_path=checkpoint,
            file_format=file_format,
            **network,
        )
        steps.run(
            "eval exports",
            "bash",
            FOLDER / "scripts/run_eval_onnx.sh",
            photos / "val",
            f"MNasNet.{file_format}",
        )
        exported[file_format] = find_number(
            r"Top1-Acc: ([0-9.]+)", (steps.work / "eval.log").read_text()
        )
    steps.run("c++", "bash", FOLDER / "scripts/run_infer_310.sh", "MNasNet.mindir", photos / "val")
    accuracy = {
        "checkpoint": find_number(r"'Top_1_Acc': ([0-9.]+)", evaluation),
        "ONNX": exported["onnx"],
        "MindIR": exported["mindir"],
        "C++": find_number(r"top1 accuracy: ([0-9.]+),", (steps.work / "acc.log").read_text()),
    }
    # eval_onnx.py prints four decimals, as documented.
    return losses(steps.work / "checkpoint/model_0/metrics.csv"), {
        way: round(a, 4) for way, a in accuracy.items()
    }
