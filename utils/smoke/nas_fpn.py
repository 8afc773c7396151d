"""NAS-FPN's chain on handwritten digits placed on photos: from COCO files to a detector and its
average precision.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from steps import Steps, find_number, losses
from work import ROOT

FOLDER = ROOT / "nas_fpn"
DIGITS, TREES = ROOT / "utils/smoke/digits_coco.py", ROOT / "utils/smoke/aerial_coco.py"
NAMER = ROOT / "utils/smoke/digit_backbone.py"
LEAST_ACCURACY, TOLERANCE, START = 0.25, 1e-3, 2  # AP50; by chance nothing is found
FIGURES = {
    "mAP": r"mAP: ([0-9.e-]+)",
    "AP50": r"IoU=0\.50      \| area=   all \| maxDets=100 \] = ([0-9.]+)",
}
# What is short trains from its start at the rate of the documented last warm-up phase; its moving
# statistics follow faster, and its images are not varied.
SHORT = {
    "device_target": "CPU",
    "distribute": False,
    "workers": 1,
    "image_size": 128,
    "bn_momentum": 0.9,
    "augment": False,
    "warmup_epochs1": 0,
    "warmup_epochs2": 0,
    "warmup_epochs3": 0,
    "warmup_epochs4": 0,
    "warmup_epochs5": 1,
}
# A narrow and shallow network with first weights that suit it, and anchors of the digits' sizes.
SMALL = {
    **SHORT,
    "num_classes": 11,
    "coco_classes": ["background", *"0123456789"],
    "backbone_blocks": [2, 2, 2, 2],
    "backbone_width": 16,
    "nasfpn_stack_times": 1,
    "nasfpn_out_channel": 64,
    "initial_weights": "he",
    "anchor_size": [16, 32, 64, 128, 256],
    "optimizer": "adamw",
    # Small batches: here many steps bring more than good gradients.
    "batch_size": 2,
    "lr": 0.001,
    "warmup_epochs5": 0,  # which would start at 0.01
}
DIGITS_SMOKE = 4  # 0 to 3: the fewer there are, the sooner one is told from another
SMOKE = {
    **SMALL,
    "num_classes": DIGITS_SMOKE + 1,
    "coco_classes": ["background", *"0123456789"[:DIGITS_SMOKE]],
    "nasfpn_out_channel": 48,
    "epoch_size": 4,
}
BACKBONE = {"steps": 200, "batch_size": 8, "lr": 0.003, "seed": 1}  # of digit_backbone.py
# Large digits on dark photos: what is small or hard to see takes longer to learn.
EASY = {
    "digits": DIGITS_SMOKE,
    "size": 256,
    "smallest": 0.4,
    "light": 0.3,
    "training": 600,
    "validation": 100,
}


def chain(steps: Steps, cache: Path) -> tuple[tuple[float, float], dict[str, float]]:
    """Train, evaluate, export, evaluate the exports, infer in C++: (losses, {way: AP50})."""
    detector = Detector(steps, SMOKE, DIGITS, cache, **EASY)
    backbone, _ = detector.train_backbone(BACKBONE)
    checkpoint = detector.train(pre_trained=backbone)
    found = {**detector.evaluate(checkpoint), **detector.evaluate_exports(checkpoint)}
    require_agreement(found)
    return detector.losses(), {way: figures["AP50"] for way, figures in found.items()}


class Detector:
    """A COCO data set, made in `steps.work` by the script `maker` with `flags`, its MindRecord
    files, and the documented commands on them, with `settings` by name.
    """

    def __init__(self, steps: Steps, settings: dict, maker: Path, cache: Path, **flags: object):
        self.steps, self.coco, self.records = steps, steps.work / "coco", steps.work / "records"
        self.annotations = self.coco / "annotations/instances_{}.json"
        self.values = settings
        steps.environment["DEVICE_TARGET"] = "CPU"
        (steps.work / "settings.yaml").write_text(json.dumps(settings))
        self.settings = {"config_path": steps.work / "settings.yaml"}
        steps.python("data", maker, cache, self.coco, **flags)
        for prefix, is_training in (
            ("retinanet.mindrecord", True),
            ("retinanet_eval.mindrecord", False),
        ):
            steps.python(
                "data",
                FOLDER / "create_data.py",
                create_dataset="coco",
                prefix=prefix,
                is_training=is_training,
                coco_root=self.coco,
                mindrecord_dir=self.records,
                **self.settings,
            )

    def train_backbone(self, training: dict) -> tuple[Path, str]:
        """(Checkpoint of a backbone that names digits, the shares of held-out ones that its levels
        name).
        """
        path = self.steps.work / "backbone.ckpt"
        settings = json.dumps({**self.values, **training})
        log = self.steps.python("backbone", NAMER, self.coco, path, settings)
        return path, log.split("at the three levels:")[-1].strip()

    def train(self, **flags: object) -> Path:
        """Train in LOG0; returns the last checkpoint."""
        self.steps.run(
            "train",
            "bash",
            FOLDER / "scripts/run_single_train.sh",
            0,
            self.records,
            instances_set=self.annotations,
            save_checkpoint_epochs=self.values["epoch_size"],
            **self.settings,
            **flags,
        )
        return max(
            (self.steps.work / "LOG0/ckpt").glob("retinanet_nasfpn-[0-9]*.ckpt"),
            key=lambda path: path.stat().st_mtime,
        )

    def losses(self) -> tuple[float, float]:
        """Training loss of the first and of the last epoch."""
        return losses(self.steps.work / "LOG0/ckpt/metrics.csv")

    def evaluate(self, checkpoint: Path, **flags: object) -> dict[str, dict[str, float]]:
        """{'checkpoint': {'mAP', 'AP50'}}; evalcoco gets the log and predictions.json, and
        evalcoco/pictures the photos with what was found in them.
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
            visualize="pictures",
            **self.settings,
            **flags,
        )
        log = (self.steps.work / "evalcoco/eval.log").read_text()
        if len(list((self.steps.work / "evalcoco/pictures").glob("*.jpg"))) != find_number(
            r"images num:  (\d+)", log
        ):
            sys.exit("error: nas_fpn: not every validation photo became a picture")
        return {"checkpoint": figures_of(log)}

    def evaluate_exports(self, checkpoint: Path) -> dict[str, dict[str, float]]:
        """{'ONNX', 'MindIR' and 'C++': {'mAP', 'AP50'}}."""
        found = {}
        for way, suffix in (("ONNX", "onnx"), ("MindIR", "mindir")):
            file = self.steps.work / f"retinanet_nasfpn.{suffix}"
            self.steps.python(
                "export",
                FOLDER / "export.py",
                checkpoint_path=checkpoint,
                file_format=suffix,
                file_name=file.with_suffix(""),
                **self.settings,
            )
            found[way] = figures_of(
                self.steps.python(
                    "eval exports",
                    FOLDER / "eval_onnx.py",
                    onnx_path=file,
                    mindrecord_dir=self.records,
                    instances_set=self.annotations,
                    **self.settings,
                ),
            )
        self.steps.run(
            "c++",
            "bash",
            FOLDER / "scripts/run_infer_310.sh",
            file,
            self.coco / "val2017",
            str(self.annotations).format("val2017"),
            0,
            **self.settings,
        )
        return {**found, "C++": figures_of((self.steps.work / "acc.log").read_text())}


def require_agreement(found: dict[str, dict[str, float]]) -> None:
    """Exit with one line where {way: {figure: value}} differ by more than TOLERANCE in a figure."""
    for name in FIGURES:
        values = [figures[name] for figures in found.values()]
        if max(values) - min(values) > TOLERANCE:
            sys.exit(f"error: nas_fpn: the ways to evaluate disagree in {name}: {found}")


def figures_of(log: str) -> dict[str, float]:
    """{'mAP', 'AP50'} as the evaluation's output `log` says."""
    return {name: find_number(pattern, log) for name, pattern in FIGURES.items()}
