# Copied from utils/vendored/exporting.py by `make vendor`: change it there.
"""Exporting: a network written as MINDIR, ONNX or AIR, run once, and kept if it agrees."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import mindspore as ms
import numpy as np

from .exported import open_model
from .files import atomic_write, make_folder, replacing
from .launch import UserError, printable
from .record import ENTRY

FORMATS = ["AIR", "MINDIR", "ONNX"]
LARGEST_DIFFERENCE = 1e-3


def export_model(network, images, file_name, file_format, record):
    """Write `network` for `images`, a Tensor, to `file_name` with the suffix of `file_format`.

    The file is run and compared: the largest difference, relative to the network's largest absolute
    output, is printed; AIR runs on Ascend only. `record` goes into an ONNX file's metadata and into
    FILE.json beside a MindIR. Raises UserError, and nothing is kept, beyond 1e-3.
    """
    if file_format == "AIR" and ms.get_context("device_target") != "Ascend":
        raise UserError("AIR is written on Ascend only; choose --file_format MINDIR or ONNX here")
    path = Path(f"{file_name}.{file_format.lower()}").absolute()
    make_folder(path.parent)
    network.set_train(False)
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder, f"model{path.suffix}")
        # MindSpore exports to no path with blanks or quotes in it: the folder by its number.
        number = os.open(folder, os.O_RDONLY)
        try:
            file_name = f"/proc/self/fd/{number}/model"
            ms.export(network, images, file_name=file_name, file_format=file_format)
        finally:
            os.close(number)
        exported.chmod(0o600)  # MindSpore makes it read-only.
        if file_format == "ONNX":
            _add_metadata(exported, record)
        checked = "not run here"
        if file_format != "AIR":
            difference = _difference(network, images, exported)
            if not difference <= LARGEST_DIFFERENCE:
                raise UserError(
                    f"{path}: not written: what was exported differs from the network by"
                    f" {difference:.1e}"
                )
            checked = f"differs from the network by {difference:.1e}"
        with replacing(path) as beside:
            shutil.copyfile(exported, beside)
        if file_format == "MINDIR":
            atomic_write(f"{path}.json", json.dumps(record))
    print(f"{printable(str(path))}: input {images.shape} float32; {checked}")
    return path


def _add_metadata(path, record):
    import onnx

    model = onnx.load(path)
    onnx.helper.set_model_props(model, {ENTRY: json.dumps(record)})
    onnx.save(model, path)


def _difference(network, images, path):
    images = np.random.RandomState(1).randn(*images.shape).astype(np.float32)
    outputs = network(ms.Tensor(images))
    wanted = [
        output.asnumpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))
    ]
    got = open_model(str(path)).predict(images)
    return max(float(np.abs(a - b).max() / (np.abs(b).max() + 1e-12)) for a, b in zip(got, wanted))
