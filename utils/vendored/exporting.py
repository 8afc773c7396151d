"""Exporting: a network written as MINDIR, ONNX or AIR, run once, and kept if it agrees."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import mindspore as ms
import mindspore.dataset as ds
import numpy as np

from .exported import open_model
from .files import atomic_write, make_folder, replacing
from .images import ImageTree
from .launch import UserError, printable
from .using import EXPORTING

# Relative to the network's largest absolute output.
LARGEST_DIFFERENCE = {"float32": 1e-3, "float16": 1e-2, "int8": 1e-3}  # int8: before it is
SEVERAL = 3  # images, to try a file that takes any number


def export_model(
    network: ms.nn.Cell,
    images: ms.Tensor,
    config: SimpleNamespace,
    record: dict,
    outputs: Sequence[str] = ("logits",),
    evaluation: tuple[ds.Dataset, ImageTree] | None = None,
) -> Path:
    """Write `network` for `images`, a Tensor, to config.file_name with the suffix of its format.

    Of `config` it reads file_name, file_format and the keys of using.EXPORTING. The file is run and
    compared: the largest difference, relative to the network's largest absolute output, is printed;
    AIR runs on Ascend only. `record` goes into an ONNX file's metadata, whose outputs are called
    `outputs`, and into FILE.json beside a MindIR. What is to be int8 is compared before; then
    `evaluation`, the (dataset, ImageTree) of config.calibration, says what it costs. Raises
    UserError, and nothing is kept, beyond 1e-3, or 1e-2 in float16.
    """
    _check_settings(config)
    path = Path(f"{config.file_name}.{config.file_format.lower()}").absolute()
    make_folder(path.parent)
    network.set_train(False)
    if config.dynamic_batch:
        images = ms.Tensor(images.asnumpy()[:1])
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder, f"model{path.suffix}")
        # MindSpore exports to no path with blanks or quotes in it: the folder by its number.
        number = os.open(folder, os.O_RDONLY)
        try:
            file_name = f"/proc/self/fd/{number}/model"
            ms.export(network, images, file_name=file_name, file_format=config.file_format)
        finally:
            os.close(number)
        exported.chmod(0o600)  # MindSpore makes it read-only.
        if config.file_format == "ONNX":
            from .onnx_file import finish_onnx

            finish_onnx(exported, path, config, record, outputs)
        checked = "not run here"
        if config.file_format != "AIR":
            checked = _checked(network, images, exported, path, config)
        if config.precision == "int8":
            from .quantising import quantise

            quantise(exported, record, *evaluation, None if config.dynamic_batch else len(images))
            checked = f"as float32 it {checked}"
        with replacing(path) as beside:
            shutil.copyfile(exported, beside)
        if config.file_format == "MINDIR":
            atomic_write(f"{path}.json", json.dumps(record))
    shape = ("any number", *images.shape[1:]) if config.dynamic_batch else images.shape
    print(f"{printable(str(path))}: input {shape} float32; {checked}")
    return path


def _check_settings(config):
    if config.file_format == "AIR" and ms.get_context("device_target") != "Ascend":
        raise UserError("AIR is written on Ascend only; choose --file_format MINDIR or ONNX here")
    for key, row in EXPORTING.items():
        value = getattr(config, key)
        if config.file_format != "ONNX" and value != row[0]:
            raise UserError(
                f"--{key} {value} is for ONNX, not for {config.file_format}; leave it out or choose"
                " --file_format ONNX"
            )


def _checked(network, images, exported, path, config):
    """What is printed of the `exported` file, which is to become `path`."""
    images = np.random.RandomState(1).randn(*images.shape).astype(np.float32)
    outputs = network(ms.Tensor(images))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    model, limit = open_model(str(exported)), LARGEST_DIFFERENCE[config.precision]
    difference = _difference(model.predict(images), [output.asnumpy() for output in outputs])
    if not difference <= limit:
        raise UserError(
            f"{path}: not written: what was exported differs from the network by {difference:.1e}"
        )
    if config.dynamic_batch:
        several = np.random.RandomState(2).randn(SEVERAL, *images.shape[1:]).astype(np.float32)
        one_by_one = [model.predict(image[None]) for image in several]
        together = _difference(model.predict(several), map(np.concatenate, zip(*one_by_one)))
        if not together <= limit:
            raise UserError(
                f"{path}: not written: {SEVERAL} images at a time differ from one at a time by"
                f" {together:.1e}; export without --dynamic_batch"
            )
    return f"differs from the network by {difference:.1e}"


def _difference(got, wanted):
    return max(float(np.abs(a - b).max() / (np.abs(b).max() + 1e-12)) for a, b in zip(got, wanted))
