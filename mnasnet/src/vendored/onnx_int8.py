# Copied from utils/vendored/onnx_int8.py by `make vendor`: change it there.
"""A float32 ONNX network in the form whose 8-bit integers onnxruntime computes fastest; but for
rounding, the same function.
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto

from .onnx_graph import Graph, attributes_of, set_attributes

ACTIVATIONS = ("Clip", "Relu")
# Channels of depthwise convolutions come so many at a time in onnxruntime's fast 8-bit kernels for
# x86; others take twice as long.
CHANNELS = 16


def prepare(model: ModelProto) -> list[str]:
    """Rewrite the ONNX `model` in place; the names of convolutions to be left in float32.

    A batch norm that is part of no convolution becomes a depthwise one of a pixel, as there is no
    8-bit batch norm; depthwise convolutions between two others get channels of zeros up to a
    multiple of CHANNELS. The convolution of the image, of three channels, and a depthwise one after
    it, on the largest planes, are faster in float32.
    """
    graph = Graph(model)
    graph.find_shapes()
    for node in graph.nodes:
        if node.op_type == "BatchNormalization" and len(graph.shapes[node.input[0]]) == 4:
            _as_convolution(node, graph)
    neighbours = _Neighbours(graph)
    for node in graph.nodes:
        if _is_depthwise(node, graph):
            _widen(node, graph, neighbours)
    graph.write()
    return _first_convolutions(graph, neighbours)


class _Neighbours:
    """The convolutions around a convolution, with nothing but activations between."""

    def __init__(self, graph):
        self.writer = {name: node for node in graph.nodes for name in node.output}
        self.readers = {}
        for node in graph.nodes:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)
        self.outputs = graph.output_names()

    def before(self, node):
        """The one whose result `node` alone reads, or None."""
        name = node.input[0]
        if not self.is_read_once(name) or name not in self.writer:
            return None
        found = self.writer[name]
        return self.before(found) if found.op_type in ACTIVATIONS else _if_convolution(found)

    def after(self, node):
        """The only one that reads the result of `node`, or None."""
        if not self.is_read_once(node.output[0]):
            return None
        (found,) = self.readers[node.output[0]]
        return self.after(found) if found.op_type in ACTIVATIONS else _if_convolution(found)

    def is_read_once(self, name):
        return len(self.readers.get(name, [])) == 1 and name not in self.outputs


def _if_convolution(node):
    return node if node.op_type == "Conv" else None


def _is_depthwise(node, graph):
    if node.op_type != "Conv" or node.input[1] not in graph.constants:
        return False
    after, before = graph.constants[node.input[1]].shape[:2]
    return before == 1 < after == attributes_of(node).get("group", 1)


def _as_convolution(node: NodeProto, graph: Graph) -> None:
    if not all(name in graph.constants for name in node.input[1:]):
        return
    scale, shift, mean, variance = (
        graph.constants[name].astype(np.float64) for name in node.input[1:]
    )
    scale = scale / np.sqrt(variance + attributes_of(node).get("epsilon", 1e-5))
    weight, bias = scale.reshape(-1, 1, 1, 1), shift - mean * scale
    node.input[1:] = [
        graph.add_constant(node, "weight", weight, np.float32),
        graph.add_constant(node, "bias", bias, np.float32),
    ]
    node.op_type = "Conv"
    del node.attribute[:]
    set_attributes(node, group=len(scale), kernel_shape=[1, 1])


def _widen(node, graph, neighbours):
    before, after = neighbours.before(node), neighbours.after(node)
    group = attributes_of(node)["group"]
    more = -group % CHANNELS
    whole = [
        found is not None
        and attributes_of(found).get("group", 1) == 1
        and found.input[1] in graph.constants
        for found in (before, after)
    ]
    if not more or not all(whole):
        return
    for wider in (before, node):
        for place, what in enumerate(("weight", "bias")[: len(wider.input) - 1], 1):
            _append_zeros(wider, place, what, 0, more, graph)
    _append_zeros(after, 1, "weight", 1, more, graph)
    set_attributes(node, group=group + more)


def _append_zeros(node, place, what, axis, count, graph):
    value = graph.constants[node.input[place]]
    widths = [(0, count if other == axis else 0) for other in range(value.ndim)]
    wider = np.pad(value, widths)
    # Others may read the constant that was: this one is new.
    node.input[place] = graph.add_constant(node, f"wider_{what}", wider, value.dtype)


def _first_convolutions(graph, neighbours):
    first = next((node for node in graph.nodes if node.op_type == "Conv"), None)
    if first is None:
        return []
    second = neighbours.after(first)
    takes_second = second is not None and _is_depthwise(second, graph)
    return [first.name, second.name] if takes_second else [first.name]
