# Copied from utils/vendored/onnx_precision.py by `make vendor`: change it there.
"""An ONNX model in float16: half the size, and what accelerators compute in.

Images go in and outputs come out as float32, so that nothing around the model changes.
"""

from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from .launch import UserError

LARGEST = float(np.finfo(np.float16).max)


def to_float16(model: ModelProto, path: Path) -> None:
    """Compute the plain ONNX `model` in float16, in place.

    Raises UserError, naming the file `path` and the weight, where one is beyond float16's 65504.
    """
    graph = model.graph
    _normalise_batch_norms(graph)
    factors = {name for node in graph.node if node.op_type == "Resize" for name in node.input[1:]}
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and tensor.name not in factors:
            values = numpy_helper.to_array(tensor)
            if values.size and np.abs(values).max() > LARGEST:
                raise UserError(
                    f"{path}: not written: '{tensor.name}' has values beyond {LARGEST:.0f}, which"
                    " float16 has not; export with --precision float32"
                )
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), tensor.name))
    inside = {value.name: f"{value.name}.float16" for value in (*graph.input, *graph.output)}
    for node in graph.node:
        node.input[:] = [inside.get(name, name) for name in node.input]
        node.output[:] = [inside.get(name, name) for name in node.output]
    first = [_cast(value.name, inside[value.name], TensorProto.FLOAT16) for value in graph.input]
    last = [_cast(inside[value.name], value.name, TensorProto.FLOAT) for value in graph.output]
    nodes = [*first, *graph.node, *last]
    del graph.node[:]
    graph.node.extend(nodes)


def _cast(before, after, kind):
    return helper.make_node("Cast", [before], [after], name=f"{after}.cast", to=kind)


def _normalise_batch_norms(graph):
    """Statistics into scale and shift: a variance may be beyond float16, or vanish in it."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type != "BatchNormalization":
            continue
        epsilon = {entry.name: entry.f for entry in node.attribute}.get("epsilon", 1e-5)
        named = [tensors[name] for name in node.input[1:5]]
        scale, shift, mean, variance = (
            numpy_helper.to_array(tensor).astype(np.float64) for tensor in named
        )
        deviation = np.sqrt(variance + epsilon)
        shift = shift - mean * scale / deviation
        scale = scale * np.sqrt(1 + epsilon) / deviation
        for what, values in zip(
            ("scale", "shift", "mean", "variance"),
            (scale, shift, np.zeros_like(mean), np.ones_like(variance)),
        ):
            # Statistics and scales may be shared between nodes.
            name = f"{node.output[0]}.{what}"
            graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
        node.input[1:5] = [tensor.name for tensor in graph.initializer[-4:]]
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
