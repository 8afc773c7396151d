"""A checkpoint with exactly the documented names, as the original wrote it, goes through the
documented commands.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from documented_checkpoint import write_documented_checkpoint
from entry_points import start
from golden import distance, image

DATA = Path(__file__).parent / "data"


def test_evaluate_and_export(tmp_path):
    checkpoint = tmp_path / "mobilenetv1-90_1251.ckpt"
    write_documented_checkpoint(checkpoint, "mobilenetv1", 223)
    for label in ("n01440764", "n01443537"):
        folder = tmp_path / "ImageNet_Original/validation_preprocess" / label
        folder.mkdir(parents=True)
        Image.new("RGB", (300, 250), "green").save(folder / f"{label}_1.JPEG")
    common = ["--device_target", "CPU", "--dataset", "imagenet2012"]
    done = start(
        "mobilenetv1",
        "eval.py",
        *common,
        "--dataset_path",
        tmp_path / "ImageNet_Original",
        "--checkpoint_path",
        checkpoint,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "result: {'top_5_accuracy': " in done.stdout and "evaluated 2 images" in done.stdout

    done = start(
        "mobilenetv1",
        "export.py",
        *common,
        "--ckpt_file",
        checkpoint,
        "--file_name",
        "mobilenetv1",
        "--file_format",
        "ONNX",
        "--batch_size",
        "2",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    import onnxruntime

    session = onnxruntime.InferenceSession(
        str(tmp_path / "mobilenetv1.onnx"), providers=["CPUExecutionProvider"]
    )
    logits = session.run(None, {session.get_inputs()[0].name: image((2, 3, 224, 224))})[0]
    with np.load(DATA / "mobilenetv1.npz", allow_pickle=False) as golden:
        assert distance(logits, golden["logits_224"]) <= 1e-4
