"""FishNet99's chain on crops of aerial photos, with and without a tree."""

from pathlib import Path

from photo_crops import LEAST_TOP1
from steps import Steps, find_number, losses
from work import ROOT

FOLDER = ROOT / "fishnet99"
LEAST_ACCURACY, TOLERANCE, START = LEAST_TOP1, 0, 3
TOP1 = r"'top_1_accuracy': ([0-9.]+)"


def chain(
    steps: Steps, cache: Path, epochs: int = 3, size: int = 32
) -> tuple[tuple[float, float], dict[str, float]]:
    """Train, evaluate, export, evaluate the exports, infer in C++. Returns (losses, {way: top-1
    accuracy}).
    """
    photos = steps.work / "photos"
    network = {"num_classes": 2, "image_size": size}
    training = {"T_max": epochs, "batch_size": 16, "lr_init": 0.02, "warmup_epochs": 1}
    steps.environment["DEVICE_TARGET"] = "CPU"
    steps.python("data", ROOT / "utils/smoke/photo_crops.py", cache, photos)
    steps.run(
        "train",
        "bash",
        FOLDER / "scripts/run_standalone_train_ascend.sh",
        data_path=photos / "train",
        epoch_size=epochs,
        save_checkpoint_epochs=epochs,  # eval.py judges all that are there
        **training,
        **network,
    )
    script = FOLDER / "scripts/run_eval_gpu.sh"
    steps.run("eval", "bash", script, "ckpt_0", val_data_path=photos / "val", **network)
    checkpoint = steps.work / f"ckpt_0/train_fishnet99_imagenet-{epochs}_60.ckpt"
    exported = {}
    for file_format in ("ONNX", "MINDIR"):
        steps.python(
            "export",
            FOLDER / "export.py",
            ckpt_file=checkpoint,
            file_format=file_format,
            **network,
        )
        exported[file_format] = steps.python(
            "eval exports",
            FOLDER / "eval_onnx.py",
            device_target="CPU",
            val_data_path=photos / "val",
            onnx_path=steps.work / f"FishNet99.{file_format.lower()}",
        )
    steps.run(
        "c++", "bash", FOLDER / "scripts/run_infer_310.sh", "FishNet99.mindir", photos / "val"
    )
    return losses(steps.work / "ckpt_0/metrics.csv"), {
        "checkpoint": find_number(TOP1, (steps.work / "eval.log").read_text()),
        "ONNX": find_number(TOP1, exported["ONNX"]),
        "MindIR": find_number(TOP1, exported["MINDIR"]),
        "C++": find_number(r"top1 accuracy: ([0-9.]+),", (steps.work / "acc.log").read_text()),
    }
