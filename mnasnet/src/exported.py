"""Exported models as functions: ONNX through onnxruntime, MINDIR through MindSpore."""

import os
from pathlib import Path

import mindspore as ms
import numpy as np

from src.vendored.launch import UserError


def mindir_input_shape(path):
    """(N, 3, H, W), the input of the MindIR file `path`.

    Raises UserError if it is missing, damaged or another's.
    """
    from mindspore.train.mind_ir_pb2 import ModelProto

    if not os.path.isfile(path):
        raise UserError(f"{path or '--onnx_url'}: no such MindIR file")
    model = ModelProto()
    try:
        model.ParseFromString(Path(path).read_bytes())
        shape = tuple(model.graph.input[0].tensor[0].dims)
    except Exception as error:
        # protobuf's DecodeError moved between releases; a missing input is an IndexError.
        raise UserError(f"{path}: not a whole MindIR file ({type(error).__name__})") from None
    return _image_shape(path, shape)


def _image_shape(path, shape):
    if len(shape) != 4 or shape[1] != 3:
        raise UserError(f"{path}: its input {tuple(shape)} is not (N, 3, height, width)")
    return tuple(shape)


def open_model(path, device_target):
    """(predict, input shape) of a .onnx or .mindir file; `predict` maps float32 images of that
    shape to logits.

    GPU asks for onnxruntime's CUDA provider, CPU and Ascend for its CPU provider. Raises UserError
    if the file or the provider cannot be used.
    """
    if path.endswith(".mindir"):
        shape = mindir_input_shape(path)
        cell = ms.nn.GraphCell(ms.load(path))
        return lambda images: cell(ms.Tensor(images)).asnumpy(), shape
    import onnxruntime

    provider = "CUDAExecutionProvider" if device_target == "GPU" else "CPUExecutionProvider"
    if provider not in onnxruntime.get_available_providers():
        raise UserError(
            f"onnxruntime has no {provider} here; use --device_target CPU or install"
            " onnxruntime-gpu"
        )
    if not os.path.isfile(path):
        raise UserError(
            f"{path}: no such ONNX file (--onnx_url); export.py --file_format ONNX writes one"
        )
    try:
        session = onnxruntime.InferenceSession(path, providers=[provider])
    except Exception as error:  # onnxruntime's exceptions have no common class but this.
        raise UserError(f"{path}: onnxruntime cannot load it ({error})") from None
    node = session.get_inputs()[0]
    return lambda images: session.run(None, {node.name: images})[0], _image_shape(path, node.shape)


def predict_padded(predict, images, batch_size):
    """Logits of up to `batch_size` images: a smaller batch is filled up with zeros, whose logits
    are dropped.
    """
    filled = np.zeros((batch_size, *images.shape[1:]), np.float32)
    filled[: len(images)] = images
    return predict(filled)[: len(images)]
