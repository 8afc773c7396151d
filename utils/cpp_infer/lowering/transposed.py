"""Rules for transposed convolutions."""

from __future__ import annotations

from .node import Node, Replacement
from .pooling import pair


def _with_zeros(node, operator, inputs, attributes):
    """Where strides are larger than kernels, MindSpore Lite 2.0 leaves out the zeros at the end."""
    shape = node.shape()
    kernel, strides = pair(attributes["kernel_size"]), pair(attributes["stride"][2:])
    dilation = pair(attributes["dilation"][2:])
    ends = [
        max(step - (width * (size - 1) + 1), 0)
        for step, width, size in zip(strides, dilation, kernel)
    ]
    if attributes["pad_mode"].upper() == "PAD" or not any(ends):
        return operator, inputs, attributes
    small = (*shape[:2], *(size - end for size, end in zip(shape[2:], ends)))
    x = node.make(operator, [*inputs[:2], small], {**attributes, "pad_mode": "VALID"}, shape=small)
    return "Pad", [x], {"paddings": ((0, 0), (0, 0), *((0, end) for end in ends))}


def transposed_convolution(node: Node) -> Replacement:
    """MindSpore Lite 2.0 has none in groups, but for one channel in each."""
    given, shape = node.attributes(), node.sizes()
    (_, channels, *image), groups = node.sizes(0), given["group"]
    if groups == 1 or groups == channels == shape[1]:
        return _with_zeros(node, "Conv2DTranspose", node.inputs[:3], given)
    weight, parts, batch = node.shape(1), [], node.shape(0)[0]
    given = {**given, "group": 1, "groups": 1, "out_channel": channels // groups}
    result = (*shape[:1], shape[1] // groups, *shape[2:])
    for at in range(groups):
        begin, size = at * channels // groups, channels // groups
        window, kernels = (batch, size, *image), (size, *weight[1:])
        x = node.make("Slice", [node.inputs[0], (0, begin, 0, 0), window], shape=window)
        w = node.make("Slice", [node.inputs[1], (begin, 0, 0, 0), kernels], shape=kernels)
        parts.append(node.make("Conv2DTranspose", [x, w, result], given, shape=result))
    together = node.make("MakeTuple", parts, types=[(node.data_type(), result)] * groups)
    return "Concat", [together], {"axis": 1, "N": groups, "inputNums": groups}


RULES = dict.fromkeys(("Conv2DTranspose", "Conv2DBackpropInput"), transposed_convolution)
