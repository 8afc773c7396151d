"""Exported detectors as functions: ONNX through onnxruntime, MINDIR through MindSpore."""

import os
from pathlib import Path

import mindspore as ms

from src.vendored.launch import UserError


def mindir_input_shape(path):
    """(N, 3, H, W), the input of the MindIR file `path`.

    Raises UserError if it is missing, damaged or another's.
    """
    from mindspore.train.mind_ir_pb2 import ModelProto

    if not os.path.isfile(path):
        raise UserError(f"{path or '--onnx_path'}: no such MindIR file")
    model = ModelProto()
    try:
        model.ParseFromString(Path(path).read_bytes())
        shape = tuple(model.graph.input[0].tensor[0].dims)
    except Exception as error:
        # protobuf's DecodeError moved between releases; a missing input is an IndexError.
        raise UserError(f"{path}: not a whole MindIR file ({type(error).__name__})") from None
    return _image_shape(path, shape)


def _image_shape(path, shape):
    if (
        len(shape) != 4
        or shape[1] != 3
        or not all(isinstance(size, int) and size > 0 for size in shape)
    ):
        raise UserError(f"{path}: its input {tuple(shape)} is not (N, 3, height, width) in numbers")
    return tuple(shape)


def open_model(path, device_target):
    """(predict, input shape) of a .onnx or .mindir file; `predict` maps float32 images of that
    shape to its outputs.

    GPU asks for onnxruntime's CUDA provider, CPU and Ascend for its CPU provider. Raises UserError
    if the file or the provider cannot be used.
    """
    if path.endswith(".mindir"):
        shape = mindir_input_shape(path)
        cell = ms.nn.GraphCell(ms.load(path))

        def predict(images):
            outputs = cell(ms.Tensor(images))
            return [
                output.asnumpy()
                for output in (outputs if isinstance(outputs, tuple) else (outputs,))
            ]

        return predict, shape
    import onnxruntime

    provider = "CUDAExecutionProvider" if device_target == "GPU" else "CPUExecutionProvider"
    if provider not in onnxruntime.get_available_providers():
        raise UserError(
            f"onnxruntime has no {provider} here; use --device_target CPU or install"
            " onnxruntime-gpu"
        )
    if not os.path.isfile(path):
        raise UserError(
            f"{path or '--onnx_path'}: no such ONNX file; export.py --file_format ONNX writes one"
        )
    try:
        session = onnxruntime.InferenceSession(path, providers=[provider])
    except Exception as error:  # onnxruntime's exceptions have no common class but this.
        raise UserError(f"{path}: onnxruntime cannot load it ({error})") from None
    node = session.get_inputs()[0]
    return lambda images: session.run(None, {node.name: images}), _image_shape(path, node.shape)
