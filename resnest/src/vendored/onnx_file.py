# Copied from utils/vendored/onnx_file.py by `make vendor`: change it there.
"""The finished ONNX file: plain, of the precision and opset asked for, with the model's record."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import onnx
import onnx.version_converter
from onnx import helper

from .onnx_graph import any_batch, plain_graph
from .onnx_precision import to_float16
from .record import ENTRY

PRODUCER = "mindspore-model-folders"
INPUT = "images"


def finish_onnx(
    path: Path, target: Path, config: SimpleNamespace, record: dict, outputs: Sequence[str]
) -> None:
    """Rewrite the file `path` that MindSpore exported, which is to become `target`.

    The input is called images, the outputs as in `outputs`. Of `config` it reads opset,
    dynamic_batch and precision. `record` goes into the metadata.
    """
    model = onnx.load(path)
    plain_graph(model, INPUT, outputs)
    if config.dynamic_batch:
        any_batch(model)
    if config.precision == "float16":
        to_float16(model, target)
    # Scales for each channel came with opset 13.
    opset = max(config.opset, 13) if config.precision == "int8" else config.opset
    if model.opset_import[0].version != opset:
        model = onnx.version_converter.convert_version(model, opset)
    model.ir_version = helper.find_min_ir_version_for(model.opset_import)
    model.producer_name, model.producer_version = PRODUCER, str(record["format"])
    model.graph.name = record["folder"]
    helper.set_model_props(model, {ENTRY: json.dumps(record)})
    onnx.save(model, path)
    onnx.checker.check_model(str(path), full_check=True)
