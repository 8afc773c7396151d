"""Rules for the operators of layers: convolution, normalisation, products, activations."""

import math

from . import padding, pooling, products, resizing, transposed
from .mindir import Refused
from .node import Node, Replacement
from .pooling import pair


def convolution(node: Node) -> Replacement:
    """The convolution of mindspore.mint: weights (out, in / groups, height, width), bias
    optional.
    """
    stride, padding, dilation = (
        node.constant(index, name)
        for index, name in ((3, "stride"), (4, "padding"), (5, "dilation"))
    )
    groups, weight = node.constant(6, "groups"), node.shape(1)
    (top, left), (dilation_y, dilation_x), (stride_y, stride_x) = (
        pair(padding),
        pair(dilation),
        pair(stride),
    )
    pads = (top, top, left, left)
    attributes = {
        "kernel_size": weight[2:],
        "mode": 1,
        "out_channel": weight[0],
        "pad_mode": "pad",
        "pad": pads,
        "pad_list": pads,
        "stride": (1, 1, stride_y, stride_x),
        "dilation": (1, 1, dilation_y, dilation_x),
        "group": groups,
        "groups": groups,
        "format": "NCHW",
    }
    if not node.has(2):
        return "Conv2D", node.inputs[:2], attributes
    return (
        "BiasAdd",
        [node.make("Conv2D", node.inputs[:2], attributes), node.inputs[2]],
        {"format": "NCHW"},
    )


def convolution_of_constant(node: Node) -> Replacement:
    """MindSpore Lite 2.0 cannot convolve what does not depend on an input, such as positions:
    1x1 convolutions of it become products.
    """
    given = node.attributes()
    ones = ("kernel_size", "stride", "dilation")
    plain = all(set(pair(given[name])) == {1} for name in ones) and given["group"] == 1
    if not node.is_fixed(0) or not plain or any(pair(given["pad_list"])):
        return node.operator, node.inputs, {}
    (batch, channels, height, width), out = node.shape(0), node.shape(1)[0]
    if batch != 1:
        return node.operator, node.inputs, {}
    columns = (channels, height * width)
    x = node.make("Reshape", [node.inputs[0], columns], shape=columns)
    weight = node.make("Reshape", [node.inputs[1], (out, channels)], shape=(out, channels))
    product = node.make(
        "MatMul",
        [weight, x],
        {"transpose_a": False, "transpose_b": False},
        shape=(out, columns[1]),
    )
    return "Reshape", [product, node.shape()], {}


def batch_norm_ext(node: Node) -> Replacement:
    """The batch normalisation of mindspore.mint, in inference."""
    if node.constant(5, "training") or not all(node.has(index) for index in range(1, 5)):
        raise Refused(
            "export it in inference mode (set_train(False)), affine and with running statistics"
        )
    return (
        "BatchNorm",
        node.inputs[:5],
        {
            "is_training": False,
            "epsilon": node.constant(7, "epsilon"),
            "momentum": node.constant(6, "momentum"),
            "format": "NCHW",
        },
    )


def layer_norm_ext(node: Node) -> Replacement:
    """The layer normalisation of mindspore.mint."""
    if not (node.has(2) and node.has(3)):
        raise Refused("it needs a weight and a bias (elementwise_affine=True)")
    axis = len(node.shape(0)) - len(node.constant(1, "normalized_shape"))
    return _layer_norm(node, node.inputs[2:4], axis, axis, node.constant(4, "eps"))


def layer_norm(node: Node) -> Replacement:
    """The same, with its options in other places."""
    rank = len(node.sizes(0))
    axes = (node.axis(node.constant(at, "axis"), rank) for at in (3, 4))
    return _layer_norm(node, node.inputs[1:3], *axes, node.constant(5, "epsilon"))


def _layer_norm(node, weights, axis, params_axis, epsilon):
    """MindSpore Lite 2.0 takes no more than 4 dimensions: those before the axis become one."""
    shape = node.sizes(0)
    options = {"begin_norm_axis": axis, "begin_params_axis": params_axis, "epsilon": epsilon}
    if len(shape) <= 4:
        return "LayerNorm", [node.inputs[0], *weights], options
    if axis != params_axis or axis == 0:
        raise Refused("MindSpore Lite 2.0 takes no more than 4 dimensions here; reshape first")
    flat = (math.prod(node.shape(0)[:axis]), *shape[axis:])
    if len(flat) > 4:
        raise Refused("MindSpore Lite 2.0 takes no more than 4 dimensions here; reshape first")
    x = node.make("Reshape", [node.inputs[0], flat], shape=flat)
    few = (flat[0], *(1 for _ in flat[1:]))
    types = [(node.data_type(), size) for size in (flat, few, few)]
    options.update(begin_norm_axis=1, begin_params_axis=1)
    norm = node.make("LayerNorm", [x, *weights], options, types=types)
    parts = []
    for index, (kind, size) in enumerate(node.results):
        part = node.make("TupleGetItem", [norm, index], shape=types[index][1], data_type=kind)
        parts.append(node.make("Reshape", [part, size], shape=size, data_type=kind))
    return "MakeTuple", parts, {}


def group_norm(node: Node) -> Replacement:
    """(x - mean) / sqrt(variance + eps) in each group, then scale and shift in each channel."""
    if not (node.has(2) and node.has(3)):
        raise Refused("it needs a weight and a bias (affine=True)")
    shape, groups = node.shape(0), node.constant(1, "num_groups")
    batch, channels = shape[:2]
    flat, one = (batch, groups, math.prod(shape[1:]) // groups), (batch, groups, 1)
    mean_of = {"keep_dims": True}
    x = node.make("Reshape", [node.inputs[0], flat], shape=flat)
    mean = node.make("ReduceMean", [x, (2,)], mean_of, shape=one)
    x = node.make("Sub", [x, mean], shape=flat)
    variance = node.make(
        "ReduceMean", [node.make("Mul", [x, x], shape=flat), (2,)], mean_of, shape=one
    )
    variance = node.make("Add", [variance, node.number(node.constant(4, "eps"))], shape=one)
    rstd = node.make("Rsqrt", [variance], shape=one)
    x = node.make("Mul", [x, rstd], shape=flat)
    x = node.make("Reshape", [x, shape], shape=shape)
    wide = (1, channels, *(1 for _ in shape[2:]))
    scale, shift = (node.make("Reshape", [name, wide], shape=wide) for name in node.inputs[2:4])
    x = node.make("Add", [node.make("Mul", [x, scale], shape=shape), shift], shape=shape)
    return (
        "MakeTuple",
        [x, *(node.make("Reshape", [name, one[:2]], shape=one[:2]) for name in (mean, rstd))],
        {},
    )


def silu(node: Node) -> Replacement:
    """x * sigmoid(x): MindSpore Lite has no SiLU of its own on CPU."""
    return "Mul", [node.inputs[0], node.make("Sigmoid", node.inputs[:1])], {}


def gelu(node: Node) -> Replacement:
    """x * (1 + erf(x / sqrt 2)) / 2, or the approximation by tanh that GeLU is."""
    if node.constant(1, "approximate") == 1:
        return "GeLU", node.inputs[:1], {}
    x = node.make("Mul", [node.inputs[0], node.number(math.sqrt(0.5))])
    x = node.make("Add", [node.make("Erf", [x]), node.number(1.0)])
    return "Mul", [node.make("Mul", [node.inputs[0], x]), node.number(0.5)], {}


def softplus(node: Node) -> Replacement:
    """log(1 + exp(x))."""
    if node.constant(1, "beta") != 1:
        raise Refused("beta other than 1 came after MindSpore 2.0")
    return "Softplus", node.inputs[:1], {}


def leaky_relu(node: Node) -> Replacement:
    """max(x, slope * x), for a slope of at most 1."""
    slope = node.constant(1, "negative_slope")
    if slope > 1:
        raise Refused("a negative_slope above 1 is not expressed")
    return "Maximum", [node.inputs[0], node.make("Mul", [node.inputs[0], node.number(slope)])], {}


def embedding(node: Node) -> Replacement:
    """Rows of the table."""
    return "Gather", [node.inputs[1], node.inputs[0], 0], {"batch_dims": 0}


def top_k(node: Node) -> Replacement:
    """The largest along the last axis."""
    if node.constant(2, "dim") not in (-1, len(node.shape(0)) - 1) or not node.constant(
        3, "largest"
    ):
        raise Refused(
            "only the largest along the last axis are expressed; transpose or negate first"
        )
    return "TopK", node.inputs[:2], {"sorted": node.constant(4, "sorted")}


RULES = {
    **padding.RULES,
    **pooling.RULES,
    "Conv2D": convolution_of_constant,
    "Conv2DExt": convolution,
    "BatchNormExt": batch_norm_ext,
    "LayerNormExt": layer_norm_ext,
    "LayerNorm": layer_norm,
    "GroupNorm": group_norm,
    **products.RULES,
    **transposed.RULES,
    "SiLU": silu,
    "GeluExt": gelu,
    "SoftplusExt": softplus,
    "LeakyReLUExt": leaky_relu,
    "EluExt": lambda node: ("Elu", node.inputs[:1], {"alpha": node.constant(1, "alpha")}),
    **resizing.RULES,
    "Embedding": embedding,
    "TopkExt": top_k,
}
