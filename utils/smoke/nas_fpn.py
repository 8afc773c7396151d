"""NAS-FPN's chain on aerial photos in which every tree is boxed: from COCO files to a detector
and its mAP.
"""

import json
import sys
from pathlib import Path

from steps import Steps, find_number, losses
from work import ROOT

FOLDER = ROOT / "nas_fpn"
LEAST_ACCURACY, TOLERANCE, START = 0.001, 1e-3, 3  # by chance nothing is found
MAP = r"mAP: ([0-9.e-]+)"
# What is short trains from its start at the rate of the documented last warm-up phase; its moving
# statistics follow faster, and its images are not varied.
SHORT = {
    "device_target": "CPU",
    "distribute": False,
    "workers": 1,
    "image_size": 128,
    "num_classes": 2,
    "coco_classes": ["background", "tree"],
    "batch_size": 4,
    "bn_momentum": 0.9,
    "augment": False,
    "lr": 0.01,
    "warmup_epochs1": 0,
    "warmup_epochs2": 0,
    "warmup_epochs3": 0,
    "warmup_epochs4": 0,
    "warmup_epochs5": 1,
}
SHALLOW = {"nasfpn_stack_times": 1}  # one pyramid in place of seven takes two thirds of the time
TILE = 128  # pixels of the photos, in which a tree has 36
EPOCHS = 9


def chain(steps: Steps, cache: Path) -> tuple[tuple[float, float], dict[str, float]]:
    """Train, evaluate, export, evaluate the exports, infer in C++. Returns (losses, {way: mAP})."""
    data = Data(steps, cache, "--tiles", 16)
    settings = steps.work / "settings.yaml"
    settings.write_text(json.dumps({**SHORT, **SHALLOW, "epoch_size": EPOCHS, "warmup_epochs5": 2}))
    checkpoint = data.train(settings, "--save_checkpoint_epochs", EPOCHS)
    first, last = losses(steps.work / "LOG0/ckpt/metrics.csv")
    if not last <= first / 2:
        sys.exit(f"error: nas_fpn: the loss did not fall by half: {first:.3f} to {last:.3f}")
    return (first, last), {
        **data.evaluate(settings, checkpoint),
        **data.evaluate_exports(settings, checkpoint),
    }


class Data:
    """A COCO data set of tiles and its MindRecord files, and the documented commands on them."""

    def __init__(self, steps: Steps, cache: Path, *flags: object):
        self.steps, self.coco, self.records = steps, steps.work / "trees", steps.work / "records"
        self.annotations = self.coco / "annotations/instances_{}.json"
        steps.environment["DEVICE_TARGET"] = "CPU"
        steps.python(
            "data", ROOT / "utils/smoke/aerial_coco.py", cache, self.coco, "--size", TILE, *flags
        )
        settings = steps.work / "trees.yaml"
        settings.write_text(json.dumps(SHORT))
        for prefix, is_training in (
            ("retinanet.mindrecord", True),
            ("retinanet_eval.mindrecord", False),
        ):
            steps.python(
                "data",
                FOLDER / "create_data.py",
                "--create_dataset",
                "coco",
                "--prefix",
                prefix,
                "--is_training",
                is_training,
                "--coco_root",
                self.coco,
                "--mindrecord_dir",
                self.records,
                "--config_path",
                settings,
            )

    def train(self, settings: Path, *flags: object) -> Path:
        """Train in LOG0; returns the last checkpoint."""
        self.steps.run(
            "train",
            "bash",
            FOLDER / "scripts/run_single_train.sh",
            0,
            self.records,
            "--config_path",
            settings,
            "--instances_set",
            self.annotations,
            *flags,
        )
        return max(
            (self.steps.work / "LOG0/ckpt").glob("retinanet_nasfpn-[0-9]*.ckpt"),
            key=lambda path: path.stat().st_mtime,
        )

    def evaluate(self, settings: Path, checkpoint: Path) -> dict[str, float]:
        """{'checkpoint': mAP}; evalcoco gets the log, and the photos with what was found in
        evalcoco/pictures.
        """
        self.steps.run(
            "eval",
            "bash",
            FOLDER / "scripts/run_eval.sh",
            0,
            "coco",
            self.records,
            checkpoint,
            self.annotations,
            "--config_path",
            settings,
            "--visualize",
            "pictures",
        )
        log = (self.steps.work / "evalcoco/eval.log").read_text()
        if len(list((self.steps.work / "evalcoco/pictures").glob("*.jpg"))) != find_number(
            r"images num:  (\d+)", log
        ):
            sys.exit("error: nas_fpn: not every validation photo became a picture")
        return {"checkpoint": find_number(MAP, log)}

    def evaluate_exports(self, settings: Path, checkpoint: Path) -> dict[str, float]:
        """{'ONNX', 'MindIR' and 'C++': mAP}."""
        accuracy, files = (
            {},
            [self.steps.work / f"retinanet_nasfpn.{suffix}" for suffix in ("onnx", "mindir")],
        )
        for way, file in zip(("ONNX", "MindIR"), files):
            self.steps.python(
                "export",
                FOLDER / "export.py",
                "--config_path",
                settings,
                "--checkpoint_path",
                checkpoint,
                "--file_format",
                file.suffix[1:],
                "--file_name",
                file.with_suffix(""),
            )
            accuracy[way] = find_number(
                MAP,
                self.steps.python(
                    "eval exports",
                    FOLDER / "eval_onnx.py",
                    "--config_path",
                    settings,
                    "--onnx_path",
                    file,
                    "--mindrecord_dir",
                    self.records,
                    "--instances_set",
                    self.annotations,
                ),
            )
        self.steps.run(
            "c++",
            "bash",
            FOLDER / "scripts/run_infer_310.sh",
            files[1],
            self.coco / "val2017",
            str(self.annotations).format("val2017"),
            0,
            "--config_path",
            settings,
        )
        return {**accuracy, "C++": find_number(MAP, (self.steps.work / "acc.log").read_text())}
