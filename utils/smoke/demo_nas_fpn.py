"""The longer run on aerial photos: learn eight tiles by heart, then train on all tiles and judge on
another photo.

    python utils/smoke/demo_nas_fpn.py CACHE WORK

Exit code 1 where the detector finds less than 80 % of the eight tiles' trees (AP at IoU 0.50). What
it finds in the photo it has not seen goes into the table of the READMEs, with pictures and the
curve in WORK, and beside it what it finds in the tiles it was trained on: if that is little too, it
was trained too short; if it is much, on too few photos.
"""

import csv
import json
import os
import sys
from pathlib import Path

import nas_fpn
from steps import Steps, find_number, losses
from work import machine, make_work_folder, start, write_table

AP50 = r"IoU=0\.50      \| area=   all \| maxDets=100 \] = ([0-9.]+)"
BY_HEART = {**nas_fpn.SHORT, "epoch_size": 200, "warmup_epochs5": 10}
# From what it knows of the eight tiles: from random weights the loss overflowed in the second
# epoch.
ALL_TILES = {**nas_fpn.SHORT, "epoch_size": 20, "run_eval": True, "eval_interval": 2}
WANTED = 0.8
EXPORTED = "mAP by ONNX, MindIR, C++"


def run(work: Path, cache: Path, values: dict, *flags: object) -> tuple[nas_fpn.Data, Path, dict]:
    """Train with `values` and evaluate in the folder `work`; returns its Data, the checkpoint
    and {figure: value}.
    """
    steps = Steps(work)
    data = nas_fpn.Data(steps, cache, *flags)
    settings = work / "settings.yaml"
    settings.write_text(json.dumps(values))
    checkpoint = data.train(settings, "--save_checkpoint_epochs", values["epoch_size"])
    accuracy = data.evaluate(settings, checkpoint)
    first, last = losses(work / "LOG0/ckpt/metrics.csv")
    figures = {
        "loss": f"{first:.2f} to {last:.2f}",
        "mAP": accuracy["checkpoint"],
        "AP50": ap50(work),
        EXPORTED: data.evaluate_exports(settings, checkpoint).values(),
    }
    if any(abs(mean - figures["mAP"]) > 1e-3 for mean in figures[EXPORTED]):
        sys.exit(f"error: the ways to evaluate disagree: {figures}")
    return data, checkpoint, figures


def ap50(work: Path) -> float:
    """AP at IoU 0.50 of the last evaluation in `work`."""
    return find_number(AP50, (work / "evalcoco/eval.log").read_text())


def evaluate_seen(work: Path, cache: Path, unknown: nas_fpn.Data, checkpoint: Path) -> float:
    """AP at IoU 0.50 of `checkpoint` on the tiles that `unknown` has for training."""
    tiles = json.loads(Path(str(unknown.annotations).format("train2017")).read_text())["images"]
    nas_fpn.Data(Steps(work), cache, "--only", len(tiles)).evaluate(
        unknown.steps.work / "settings.yaml", checkpoint
    )
    return ap50(work)


def main(cache: str, work: str) -> None:
    """Run both, check the first, and write the table for the READMEs."""
    work, cache = make_work_folder(work), Path(cache).resolve()
    known, checkpoint, by_heart = run(work / "eight_tiles", cache, BY_HEART, "--only", 8)
    if by_heart["AP50"] < WANTED:
        sys.exit(
            f"error: on the eight tiles it was trained on, AP at IoU 0.50 is {by_heart['AP50']},"
            f" under {WANTED}"
        )
    unknown, checkpoint, held_out = run(
        work / "all_tiles", cache, {**ALL_TILES, "pre_trained": str(checkpoint)}
    )
    seen = evaluate_seen(work / "seen_tiles", cache, unknown, checkpoint)
    with (work / "all_tiles/LOG0/ckpt/metrics.csv").open() as file:
        curve = ", ".join(
            f"{row['epoch']}: {float(row['mAP']):.3f}" for row in csv.DictReader(file) if row["mAP"]
        )
    rows = [["loss", by_heart["loss"], held_out["loss"]]]
    rows += [[name, f"{by_heart[name]:.4f}", f"{held_out[name]:.4f}"] for name in ("AP50", "mAP")]
    rows += [
        [
            EXPORTED,
            *(
                ", ".join(f"{mean:.4f}" for mean in figures[EXPORTED])
                for figures in (by_heart, held_out)
            ),
        ]
    ]
    minutes = [f"{sum(data.steps.seconds.values()) / 60:.0f}" for data in (known, unknown)]
    cores = len(os.sched_getaffinity(0))
    write_table(
        work,
        "demo",
        ["", "eight tiles, trained and judged on", "all tiles, judged on another photo"],
        [
            *rows,
            ["AP50 on the tiles it was trained on", f"{by_heart['AP50']:.4f}", f"{seen:.4f}"],
            ["mAP by epoch", "", curve],
            [f"minutes (cores: {cores})", *minutes],
            ["machine", machine(), ""],
        ],
    )
    print(f"{work / 'all_tiles/LOG0/ckpt/curves.png'}\n{work / 'all_tiles/evalcoco/pictures'}")


if __name__ == "__main__":
    start(main)
