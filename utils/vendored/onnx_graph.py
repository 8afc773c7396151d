"""An ONNX graph in the forms that every importer reads alike, and the same function to the bit.

MindSpore writes what the standard allows and few importers read: padding by a rule in place of
numbers, sizes as constants of the whole shape, operators on constants.
"""

from collections.abc import Sequence

import numpy as np
import onnx.reference
from numpy.typing import ArrayLike, DTypeLike
from onnx import ModelProto, NodeProto, helper, numpy_helper

FOREVER = np.iinfo(np.int64).max
RULES = ("SAME_UPPER", "SAME_LOWER", "VALID")


def plain_graph(model: ModelProto, input_name: str, output_names: Sequence[str]) -> None:
    """Rewrite the ONNX `model`, of static shapes, in place, and call its input and outputs so.

    Constants become initializers, and so does what is computed of constants alone; padding is in
    numbers, resizing by factors; splits into one part go. Reshaping leaves the first axis open,
    slicing names the axes that it cuts, and what is joined with zeros is padded: so the size of a
    batch stands in the shapes of the input and of the outputs only, see `any_batch`.
    """
    graph = Graph(model)
    graph.fold_constants()
    graph.find_shapes()
    for node in graph.nodes:
        if node.op_type in REWRITES:
            REWRITES[node.op_type](node, graph)
    graph.bypass("Identity")
    graph.rename(input_name, output_names)
    graph.write()


def any_batch(model: ModelProto) -> None:
    """Let the plain `model`, exported for one image, take any number: the axis `batch`."""
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"


class Graph:
    """The parts of a graph by name: `constants` {name: array}, `shapes` {name: tuple}, `nodes`."""

    def __init__(self, model: ModelProto):
        self.model, self.nodes = model, list(model.graph.node)
        self.constants = {
            tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer
        }
        self.shapes = {}

    def fold_constants(self) -> None:
        """Compute the nodes that see constants only."""
        left = []
        opsets = {entry.domain: entry.version for entry in self.model.opset_import}
        for node in self.nodes:
            if all(name in self.constants or not name for name in node.input):
                compute = onnx.reference.ReferenceEvaluator(node, opsets=opsets).run
                values = compute(None, {name: self.constants[name] for name in node.input if name})
                self.constants.update(zip(node.output, values))
            else:
                left.append(node)
        self.nodes = left

    def find_shapes(self) -> None:
        """Fill `shapes`, of all values that are computed."""
        self.write()
        inferred = onnx.shape_inference.infer_shapes(self.model, strict_mode=True).graph
        for value in (*inferred.input, *inferred.value_info, *inferred.output):
            sizes = value.type.tensor_type.shape.dim
            self.shapes[value.name] = tuple(size.dim_value for size in sizes)

    def add_constant(self, node: NodeProto, what: str, value: ArrayLike, kind: DTypeLike) -> str:
        """The name of a new constant `value`, which `node` alone has."""
        name = f"{node.output[0]}.{what}"
        self.constants[name] = np.asarray(value, kind)
        return name

    def bypass(self, op_type: str) -> None:
        """Remove nodes that hand their input on: who reads them reads that."""
        source = {}
        for node in self.nodes:
            node.input[:] = [source.get(name, name) for name in node.input]
            if node.op_type == op_type and node.output[0] not in self.output_names():
                source[node.output[0]] = node.input[0]
        self.nodes = [node for node in self.nodes if node.output[0] not in source]

    def output_names(self) -> set[str]:
        return {value.name for value in self.model.graph.output}

    def rename(self, input_name: str, output_names: Sequence[str]) -> None:
        """Call the input and the outputs as given, wherever they are read and written."""
        graph = self.model.graph
        values = [*graph.input, *graph.output]
        names = dict(zip((value.name for value in values), (input_name, *output_names)))
        for node in self.nodes:
            node.input[:] = [names.get(name, name) for name in node.input]
            node.output[:] = [names.get(name, name) for name in node.output]
        for value in values:
            value.name = names[value.name]

    def write(self) -> None:
        """Put nodes and the constants that they read back into the model."""
        graph = self.model.graph
        used = {name for node in self.nodes for name in node.input}
        used |= self.output_names()
        constants = [
            numpy_helper.from_array(np.ascontiguousarray(value), name)
            for name, value in self.constants.items()
            if name in used
        ]
        del graph.node[:], graph.initializer[:], graph.value_info[:]
        graph.node.extend(self.nodes)
        graph.initializer.extend(constants)


def attributes_of(node: NodeProto) -> dict:
    """{name: value} of the attributes of `node`."""
    return {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}


def set_attributes(node: NodeProto, **values: object) -> None:
    """Set attributes of `node`, and remove those that are None."""
    kept = [entry for entry in node.attribute if entry.name not in values]
    new = [helper.make_attribute(name, v) for name, v in values.items() if v is not None]
    del node.attribute[:]
    node.attribute.extend([*kept, *new])


def _explicit_padding(node, graph):
    given = attributes_of(node)
    rule = given.get("auto_pad", b"NOTSET").decode()
    if rule not in RULES:
        return
    sizes = graph.shapes[node.input[0]][2:]
    kernel = given.get("kernel_shape") or graph.constants[node.input[1]].shape[2:]
    strides = given.get("strides") or [1] * len(sizes)
    dilations = given.get("dilations") or [1] * len(sizes)
    begins, ends = [], []
    for size, side, stride, dilation in zip(sizes, kernel, strides, dilations):
        covered = (-(-size // stride) - 1) * stride + (side - 1) * dilation + 1
        total = max(covered - size, 0) if rule != "VALID" else 0
        smaller, larger = total // 2, total - total // 2
        begins.append(smaller if rule == "SAME_UPPER" else larger)
        ends.append(total - begins[-1])
    set_attributes(node, auto_pad=None, pads=[*begins, *ends])


def _convolution(node, graph):
    """OpenCV 5.0 computes 3x3 depthwise convolutions of a single pixel wrongly: of such a kernel
    one weight meets the pixel, the others padding.
    """
    _explicit_padding(node, graph)
    given = attributes_of(node)
    pads, weight = given.get("pads", []), graph.constants.get(node.input[1])
    rank = len(pads) // 2
    pixel = (1,) * rank
    depthwise = weight is not None and weight.shape[1] == 1 < weight.shape[0] == given.get("group")
    if not depthwise or not any(pads) or set(given.get("dilations", pixel)) != {1}:
        return
    if graph.shapes[node.input[0]][2:] == graph.shapes[node.output[0]][2:] == pixel:
        met = (slice(None), slice(None), *(slice(begin, begin + 1) for begin in pads[:rank]))
        node.input[1] = graph.add_constant(node, "weight", weight[met], weight.dtype)
        set_attributes(node, kernel_shape=pixel, pads=[0] * 2 * rank, strides=pixel)


def _reshape(node, graph):
    # The batch comes first in memory, so the first axis follows from the others.
    shape = (-1, *graph.shapes[node.output[0]][1:])
    node.input[1] = graph.add_constant(node, "shape", shape, np.int64)


def _resize(node, graph):
    before, after = graph.shapes[node.input[0]], graph.shapes[node.output[0]]
    factors = [new / old for new, old in zip(after, before)]
    scales = graph.add_constant(node, "scales", factors, np.float32)
    roi = graph.add_constant(node, "roi", [], np.float32)
    node.input[:] = [node.input[0], roi, scales]
    set_attributes(node, mode=attributes_of(node).get("mode", b"nearest"))


def _slice(node, graph):
    """Slice(data, starts, ends[, axes[, steps]]) without the axes of which all is taken."""
    data, *given = node.input
    starts, ends, axes, steps = (
        [graph.constants[name] if name else None for name in given] + [None] * 4
    )[:4]
    axes = range(len(starts)) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    sizes = graph.shapes[data]
    rows = [
        row
        for row in zip(starts, ends, axes, steps)
        if len(range(*slice(*map(int, (row[0], row[1], row[3]))).indices(sizes[row[2]])))
        != sizes[row[2]]
        or row[3] < 0
    ]
    if not rows:
        node.op_type = "Identity"
        del node.input[1:]
        return
    columns = zip(("starts", "ends", "axes", "steps"), zip(*rows))
    node.input[1:] = [graph.add_constant(node, *column, np.int64) for column in columns]


def _split(node, graph):
    if len(node.output) == 1:
        set_attributes(node, axis=None, split=None)
        node.op_type = "Identity"
        del node.input[1:]


def _concat(node, graph):
    """Joining with a constant of one value, which has the size of a batch, is padding."""
    constants = [name in graph.constants for name in node.input]
    axis = attributes_of(node)["axis"]
    if len(node.input) != 2 or sum(constants) != 1 or axis == 0:
        return
    value = graph.constants[node.input[constants.index(True)]]
    if value.size == 0 or (value != value.flat[0]).any():
        return
    rank = value.ndim
    pads = [0] * (2 * rank)
    pads[axis % rank + (0 if constants[0] else rank)] = value.shape[axis]
    node.op_type = "Pad"
    node.input[:] = [
        node.input[constants.index(False)],
        graph.add_constant(node, "pads", pads, np.int64),
        graph.add_constant(node, "value", value.flat[0], value.dtype),
    ]
    set_attributes(node, axis=None, mode="constant")


REWRITES = {
    "AveragePool": _explicit_padding,
    "Concat": _concat,
    "Conv": _convolution,
    "MaxPool": _explicit_padding,
    "Reshape": _reshape,
    "Resize": _resize,
    "Slice": _slice,
    "Split": _split,
}
