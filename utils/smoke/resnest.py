"""ResNeSt's chain: crops of aerial photos, with and without a tree, through ImageNet folders."""

from pathlib import Path

from photo_crops import LEAST_TOP1
from steps import Steps, find_number, losses
from work import ROOT

FOLDER = ROOT / "resnest"
LEAST_ACCURACY, TOLERANCE, START = LEAST_TOP1, 0, 4
TOP1 = r"top1_correct=([0-9]+)"
TOTAL = r"top1_correct=[0-9]+, tot=([0-9]+)"


def chain(
    steps: Steps, cache: Path, epochs: int = 3, size: int = 32
) -> tuple[tuple[float, float], dict[str, float]]:
    """Train, evaluate, export, evaluate the exports, infer in C++. Returns (losses, {way: top-1
    accuracy}).
    """
    crops, outdir = steps.work / "crops", steps.work / "output"
    common = {"device_target": "CPU", "root": crops, "outdir": outdir}
    network = {"num_classes": 2, "eval_crop_size": size, "test_batch_size": 60}
    training = {"crop_size": size, "batch_size": 64, "warmup_epochs": 0, "lr": 0.005}
    steps.python("data", ROOT / "utils/smoke/photo_crops.py", cache, crops)
    steps.python(
        "train",
        FOLDER / "train.py",
        epochs=epochs,
        run_eval=False,
        **training,
        **network,
        **common,
    )
    checkpoint = next((outdir / "ckpt_0").glob(f"resnest50-{epochs}_*.ckpt"))
    evaluation = steps.python(
        "eval", FOLDER / "eval.py", pretrained_ckpt_path=checkpoint, **network, **common
    )
    exported = []
    for file_format in ("ONNX", "MINDIR"):
        file = steps.work / f"resnest50.{file_format.lower()}"
        steps.python(
            "export",
            FOLDER / "export.py",
            device_target="CPU",
            ckpt_file=checkpoint,
            file_format=file_format,
            batch_size=20,
            file_name=file.with_suffix(""),
        )
        exported.append(
            steps.python("eval exports", FOLDER / "eval_onnx.py", onnx_path=file, **common)
        )
    steps.environment["DEVICE_TARGET"] = "CPU"
    steps.run("c++", "bash", FOLDER / "scripts/run_infer_310.sh", file, crops / "val")
    # Four digits, as postprocess.py prints, so that equal counts compare equal.
    accuracy = {
        way: round(find_number(TOP1, text) / find_number(TOTAL, text), 4)
        for way, text in zip(("checkpoint", "ONNX", "MindIR"), (evaluation, *exported))
    }
    accuracy["C++"] = find_number(r"acc=([0-9.]+)\(TOP1\)", (steps.work / "acc.log").read_text())
    return losses(outdir / "ckpt_0/metrics.csv"), accuracy
