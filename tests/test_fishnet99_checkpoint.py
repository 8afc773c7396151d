"""Checkpoints with the documented names in a copy of FishNet-99: evaluation, exports and C++."""

import ast
import re
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from documented_checkpoint import write_documented_checkpoint
from elsewhere import assert_golden
from fishnet99_elsewhere import (
    SIZE,
    SMALL,
    fishnet99,  # noqa: F401 - the fixture `elsewhere`
)
from folders import import_from

pytestmark = pytest.mark.slow
DATA = Path(__file__).parent / "data"


def accuracies(output):
    """[(path of the model, scores)] from the documented lines."""
    return [
        (path, ast.literal_eval(scores))
        for path, scores in re.findall(r"^model (.*)'s accuracy is (\{.*\})$", output, re.M)
    ]


def test_evaluation_counts_every_image(elsewhere):
    # A network that has hardly trained overflows in evaluation, which is refused.
    folder = elsewhere.root / "judged"
    folder.mkdir()
    for end in ("1_2", "2_2"):
        path = folder / f"train_fishnet99_imagenet-{end}.ckpt"
        write_documented_checkpoint(path, "fishnet99", 805, classes=2)
    flags = ("--val_data_path", "images/val", *SMALL, "--batch_size", "4")
    out = elsewhere.python("eval.py", "--checkpoint_path", folder, *flags)
    found = accuracies(out)
    assert [Path(path).stem.rsplit("-", 1)[1] for path, _ in found] == ["1_2", "2_2"]
    for path, scores in found:
        assert (
            list(scores) == ["top_1_accuracy", "top_5_accuracy"] and scores["top_5_accuracy"] == 1.0
        )
        assert scores["top_1_accuracy"] * 7 == pytest.approx(round(scores["top_1_accuracy"] * 7)), (
            path
        )
    assert out.endswith("evaluated 7 images\n")
    flags += ("--drop_remainder", "True")
    dropped = elsewhere.python("eval.py", "--checkpoint_path", found[0][0], *flags)
    assert dropped.endswith("evaluated 4 images\n") and len(accuracies(dropped)) == 1


def test_exports_and_cpp_agree_with_the_checkpoint(elsewhere):
    """Accuracies are equal, and logits from C++ are those of onnxruntime on the preprocessing of
    eval.py.
    """
    checkpoint, found = elsewhere.root / "two classes.ckpt", []
    # A network that has hardly trained overflows in evaluation.
    write_documented_checkpoint(checkpoint, "fishnet99", 805, classes=2)
    for file_format in ("ONNX", "mindir"):
        out = elsewhere.python(
            "export.py", "--ckpt_file", checkpoint, *SMALL, "--file_format", file_format
        )
        assert re.search(
            r"input \(1, 3, 32, 32\) float32; differs from the network by \d\.\de[+-]\d\d\n$", out
        )
        flags = ("--onnx_path", f"FishNet99.{file_format.lower()}", "--val_data_path", "images/val")
        out = elsewhere.python("eval_onnx.py", *flags)
        assert out.endswith("evaluated 7 images\n")
        found.append(accuracies(out)[0][1])
    elsewhere.bash("run_infer_310.sh", "FishNet99.mindir", "images/val", "0")
    line = (elsewhere.root / "acc.log").read_text().splitlines()[-1]
    top1, top5 = map(
        float,
        re.fullmatch(r"Total data: 7, top1 accuracy: (.*), top5 accuracy: (.*)\.", line).groups(),
    )
    expected = accuracies(
        elsewhere.python(
            "eval.py", "--checkpoint_path", checkpoint, "--val_data_path", "images/val", *SMALL
        )
    )[0][1]
    assert found == [expected] * 2 and [top1, top5] == pytest.approx(list(expected.values()))

    operators = [
        node.op_type for node in onnx.load(str(elsewhere.root / "FishNet99.onnx")).graph.node
    ]
    # the runtimes' own operator, not what is fast in MindSpore on CPU
    assert operators.count("Resize") == 3
    session = onnxruntime.InferenceSession(
        str(elsewhere.root / "FishNet99.onnx"), providers=["CPUExecutionProvider"]
    )
    data = import_from("fishnet99", "src.dataset")
    preprocess = data.evaluation_operations(data.evaluation_preprocessing(SIZE, SIZE))
    for path in (elsewhere.root / "images/val").glob("*/*"):
        pixels = np.fromfile(path, np.uint8)
        for operation in preprocess:
            pixels = operation(pixels)
        want = session.run(None, {session.get_inputs()[0].name: pixels[None]})[0][0]
        got = np.fromfile(elsewhere.root / f"result_Files/{path.stem}_0.bin", np.float32)
        assert (
            np.abs(got - want).max()
            <= (1e-3 if path.suffix == ".png" else 1e-2) * np.abs(want).max()
        ), path


def test_a_checkpoint_with_the_documented_names_through_the_documented_commands(elsewhere):
    """On images of 224 and 1000 classes, without a flag that the documentation does not have but
    for the data.
    """
    (elsewhere.root / "ckpt_0").mkdir()
    checkpoint = elsewhere.root / "ckpt_0/train_fishnet99_imagenet-146_10009.ckpt"
    names = elsewhere.root / "names.txt"
    names.write_text("\n".join(["a", "b", *map(str, range(998))]))
    data = ("--val_data_path", "images/val", "--class_names", names)
    write_documented_checkpoint(checkpoint, "fishnet99", 805)
    out = elsewhere.python("eval.py", "--checkpoint_path", "./ckpt_0", *data)
    ((path, scores),) = accuracies(out)
    assert path == "./ckpt_0/train_fishnet99_imagenet-146_10009.ckpt" and out.endswith(
        "evaluated 7 images\n"
    )
    flags = ("--ckpt_file", checkpoint, "--file_format", "ONNX", "--file_name", "documented")
    elsewhere.run(sys.executable, elsewhere.model / "export.py", *flags)
    assert_golden(elsewhere.root / "documented.onnx", DATA / "fishnet99.npz", 224)
    out = elsewhere.python("eval_onnx.py", "--onnx_path", "documented.onnx", *data)
    assert accuracies(out)[0][1] == scores
