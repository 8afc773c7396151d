# Copied from utils/vendored/exported.py by `make vendor`: change it there.
"""Exported models as functions: ONNX through onnxruntime, MINDIR through MindSpore."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .inputs import require_exported, require_mindir
from .launch import UserError


class ExportedModel(NamedTuple):
    """`predict` maps float32 images (N, 3, H, W) to the list of its outputs, float32 arrays.

    `shape` is (N, 3, H, W), in which N is None where any number of images will do.
    """

    predict: Callable
    shape: tuple


def open_model(path: str, device_target: str = "CPU", device_id: int = 0) -> ExportedModel:
    """The ExportedModel in the .onnx or .mindir file `path`.

    GPU asks for onnxruntime's CUDA provider on device `device_id`, CPU and Ascend for its CPU
    provider. Raises UserError if the file or the provider cannot be used.
    """
    require_exported(path)
    if str(path).endswith(".mindir"):
        return _open_mindir(path)
    provider = ("CPUExecutionProvider", {})
    if device_target == "GPU":
        provider = ("CUDAExecutionProvider", {"device_id": device_id})
    return _open_onnx(path, provider)


def _open_mindir(path):
    import mindspore as ms

    shape = mindir_input_shape(path)
    cell = ms.nn.GraphCell(ms.load(str(path)))

    def predict(images):
        outputs = cell(ms.Tensor(images))
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return [output.asnumpy() for output in outputs]

    return ExportedModel(predict, shape)


def mindir_input_shape(path: str) -> tuple[int, int, int, int]:
    """(N, 3, H, W), the input of the MindIR file `path`.

    Raises UserError if it is missing, damaged or another's, or a weight is NaN or infinite.
    """
    from mindspore.train.mind_ir_pb2 import ModelProto

    require_mindir(path)
    model = ModelProto()
    try:
        model.ParseFromString(Path(path).read_bytes())
        shape = tuple(model.graph.input[0].tensor[0].dims)
    except Exception as error:
        # protobuf's DecodeError moved between releases; a missing input is an IndexError.
        raise UserError(f"{path}: not a whole MindIR file ({type(error).__name__})") from None
    for weight in model.graph.parameter:
        kind = {1: np.float32, 10: np.float16}.get(weight.data_type)
        if kind and len(weight.raw_data) % kind().itemsize == 0:
            name = weight.name.rsplit(":", 1)[-1]  # after the graph's
            _check_weight(path, name, np.frombuffer(weight.raw_data, kind))
    return _image_shape(path, shape)


def _check_weight(path, name, values):
    # Outputs need not show it: ReLU may make zeros of NaN.
    if not np.isfinite(values).all():
        raise UserError(
            f"{path}: the weight '{name}' holds NaN or infinite numbers; train and export again"
        )


def _open_onnx(path, provider):
    import onnxruntime

    if provider[0] not in onnxruntime.get_available_providers():
        raise UserError(
            f"onnxruntime has no {provider[0]} here; use --device_target CPU or install"
            " onnxruntime-gpu"
        )
    try:
        session = onnxruntime.InferenceSession(str(path), providers=[provider])
    except Exception as error:  # onnxruntime's exceptions have no common class but this.
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"{path}: onnxruntime cannot load it ({reason}); export it again") from None
    _check_onnx_weights(path)
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type not in ("tensor(float)", "tensor(float16)"):
        found = ", ".join(f"{node.name} {node.type}" for node in inputs)
        raise UserError(f"{path}: its inputs are {found}, not one of float images")
    name, kind = inputs[0].name, {"tensor(float)": np.float32}.get(inputs[0].type, np.float16)

    def predict(images):
        outputs = session.run(None, {name: images.astype(kind, copy=False)})
        return [output.astype(np.float32, copy=False) for output in outputs]

    shape = [size if isinstance(size, int) and size > 0 else None for size in inputs[0].shape]
    return ExportedModel(predict, _image_shape(path, tuple(shape)))


def _check_onnx_weights(path):
    import onnx

    for weight in onnx.load(path).graph.initializer:
        if weight.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16):
            _check_weight(path, weight.name, onnx.numpy_helper.to_array(weight))


def _image_shape(path, shape):
    if len(shape) != 4 or shape[1] != 3 or not all(shape[2:]):
        raise UserError(f"{path}: its input {tuple(shape)} is not (N, 3, height, width) in numbers")
    return shape


def first_output(model: ExportedModel) -> Callable[[np.ndarray], np.ndarray]:
    """`predict` for accuracy.count_correct: the logits alone."""
    return lambda images: model.predict(images)[0]


def classifier_outputs(path: str, model: ExportedModel) -> int:
    """The number of classes of the exported classifier `model`. Raises UserError if it is none."""
    try:
        outputs = model.predict(np.zeros((model.shape[0] or 1, *model.shape[1:]), np.float32))
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"{path}: cannot be run ({reason})") from None
    if len(outputs) != 1 or outputs[0].ndim != 2:
        shapes = ", ".join(str(output.shape) for output in outputs)
        raise UserError(f"{path}: its outputs are {shapes}, not logits (N, classes)")
    return outputs[0].shape[1]
