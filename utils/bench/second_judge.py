"""COCO's twelve figures of the digits' demonstration, by a second judge: faster-coco-eval.

    python utils/bench/second_judge.py .demo/nas_fpn

Under the interpreter of an environment that has it. The demonstration evaluates while it trains:
the figures of its last epoch are in LOG0/log.txt, the detections behind them in
LOG0/ckpt/predictions.json. Exit code 1 where a figure differs by more than 1e-6.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import sys
from importlib.metadata import version
from pathlib import Path

LARGEST_DIFFERENCE = 1e-6


def own_figures(log: Path) -> dict[str, float]:
    """{metric: value} of the last evaluation in the training's `log`, in COCO's order."""
    found = re.findall(r"^epoch: \d+ evaluation: (\{.*\})$", log.read_text(), re.MULTILINE)
    if not found:
        sys.exit(f"error: {log}: no evaluation in it; run the demonstration to its end")
    return ast.literal_eval(found[-1])


def judge(annotations: Path, predictions: Path) -> list[float]:
    """The twelve figures of COCO, by faster-coco-eval."""
    from faster_coco_eval import COCO, COCOeval_faster

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(annotations))
        evaluation = COCOeval_faster(truth, truth.loadRes(str(predictions)), iouType="bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(value) for value in evaluation.stats[:12]]


def main(demo: str) -> None:
    """Print both columns, and check."""
    files = [
        Path(demo, name)
        for name in (
            "LOG0/log.txt",
            "coco/annotations/instances_val2017.json",
            "LOG0/ckpt/predictions.json",
        )
    ]
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        sys.exit(f"error: {missing[0]} is missing; `make demo-nas_fpn` writes it")
    own, others = own_figures(files[0]), judge(*files[1:])
    print(f"{'':10} {'ours':>10} faster-coco-eval {version('faster-coco-eval')}")
    for (name, value), other in zip(own.items(), others, strict=True):
        print(f"{name:10} {value:10.6f} {other:10.6f}")
    differences = [abs(value - other) for value, other in zip(own.values(), others)]
    print(f"largest difference: {max(differences):.1e}")
    if not max(differences) <= LARGEST_DIFFERENCE:
        sys.exit(f"error: the judges differ by more than {LARGEST_DIFFERENCE:.0e}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"error: expected: {sys.argv[0]} DEMO")
    main(sys.argv[1])
