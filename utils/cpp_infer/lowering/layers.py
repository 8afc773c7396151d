"""Rules for the operators of layers: convolution, pooling, normalisation, products, activations, resizing."""
import math

from .kinds import KINDS
from .node import Refused


def _pair(value):
    value = (value,) if isinstance(value, int) else tuple(value)
    return value * 2 if len(value) == 1 else value


def average_pool(node):
    """The old AvgPool describes its windows over all four dimensions."""
    kernel, strides = (_pair(node.constant(index, name)) for index, name in ((1, "kernel_size"), (2, "strides")))
    return "AvgPool", node.inputs[:1], {"kernel_size": (1, 1, *kernel), "strides": (1, 1, *strides),
                                        "pad_mode": KINDS["pad_mode"](node.constant(3, "pad_mode")),
                                        "format": KINDS["data_format"](node.constant(4, "data_format"))}


def _plain_pool(node, operator, padding, *unlike):
    """A pool without padding and options, from arguments 1 (kernel) and 2 (stride)."""
    if any(_pair(padding)) or any(unlike):
        raise Refused("pooling with padding, dilation, ceil_mode or a divisor came after MindSpore 2.0; "
                      "use nn.Pad before it, or pad_mode='same'")
    kernel = _pair(node.constant(1, "kernel_size"))
    strides = _pair(node.constant(2, "stride")) if node.has(2) else kernel
    return operator, node.inputs[:1], {"kernel_size": (1, 1, *kernel), "strides": (1, 1, *strides),
                                       "pad_mode": "VALID", "format": "NCHW"}


def average_pool_2d(node):
    """The average pool of mindspore.mint."""
    included = not node.constant(5, "count_include_pad") and any(_pair(node.constant(3, "padding")))
    return _plain_pool(node, "AvgPool", node.constant(3, "padding"), node.constant(4, "ceil_mode"), included,
                       node.has(6))


def max_pool_with_mask(node):
    """The max pool of mindspore.mint; its mask, the second result, is for training."""
    dilated = _pair(node.constant(4, "dilation")) != (1, 1)
    operator, inputs, attributes = _plain_pool(node, "MaxPool", node.constant(3, "pads"), dilated,
                                               node.constant(5, "ceil_mode"))
    return "MakeTuple", [node.make(operator, inputs, attributes)], {}


def adaptive_average_pool(node):
    """One value a channel is a mean; other sizes are left to AdaptiveAvgPool2D, which only Ascend knows."""
    size = node.constant(1, "output_size") if node.operator.endswith("Ext") else node.attribute("output_size")
    if _pair(size) != (1, 1):
        return "AdaptiveAvgPool2D", node.inputs[:1], {"output_size": size}
    return "ReduceMean", [node.inputs[0], (-2, -1)], {"keep_dims": True}


def convolution(node):
    """The convolution of mindspore.mint: weights (out, in / groups, height, width), bias optional."""
    stride, padding, dilation = (node.constant(index, name) for index, name in
                                 ((3, "stride"), (4, "padding"), (5, "dilation")))
    groups, weight = node.constant(6, "groups"), node.shape(1)
    (top, left), (dilation_y, dilation_x), (stride_y, stride_x) = _pair(padding), _pair(dilation), _pair(stride)
    pads = (top, top, left, left)
    attributes = {"kernel_size": weight[2:], "mode": 1, "out_channel": weight[0], "pad_mode": "pad", "pad": pads,
                  "pad_list": pads, "stride": (1, 1, stride_y, stride_x), "dilation": (1, 1, dilation_y, dilation_x),
                  "group": groups, "groups": groups, "format": "NCHW"}
    if not node.has(2):
        return "Conv2D", node.inputs[:2], attributes
    return "BiasAdd", [node.make("Conv2D", node.inputs[:2], attributes), node.inputs[2]], {"format": "NCHW"}


def batch_norm_ext(node):
    """The batch normalisation of mindspore.mint, in inference."""
    if node.constant(5, "training") or not all(node.has(index) for index in range(1, 5)):
        raise Refused("export it in inference mode (set_train(False)), affine and with running statistics")
    return "BatchNorm", node.inputs[:5], {"is_training": False, "epsilon": node.constant(7, "epsilon"),
                                          "momentum": node.constant(6, "momentum"), "format": "NCHW"}


def layer_norm(node):
    """The layer normalisation of mindspore.mint."""
    if not (node.has(2) and node.has(3)):
        raise Refused("it needs a weight and a bias (elementwise_affine=True)")
    axis = len(node.shape(0)) - len(node.constant(1, "normalized_shape"))
    return "LayerNorm", [node.inputs[0], *node.inputs[2:4]], {"begin_norm_axis": axis, "begin_params_axis": axis,
                                                              "epsilon": node.constant(4, "eps")}


def group_norm(node):
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
    variance = node.make("ReduceMean", [node.make("Mul", [x, x], shape=flat), (2,)], mean_of, shape=one)
    variance = node.make("Add", [variance, node.number(node.constant(4, "eps"))], shape=one)
    rstd = node.make("Rsqrt", [variance], shape=one)
    x = node.make("Mul", [x, rstd], shape=flat)
    x = node.make("Reshape", [x, shape], shape=shape)
    wide = (1, channels, *(1 for _ in shape[2:]))
    scale, shift = (node.make("Reshape", [name, wide], shape=wide) for name in node.inputs[2:4])
    x = node.make("Add", [node.make("Mul", [x, scale], shape=shape), shift], shape=shape)
    return "MakeTuple", [x, *(node.make("Reshape", [name, one[:2]], shape=one[:2]) for name in (mean, rstd))], {}


def _product(node, transposed=False):
    """MatMul of inputs 0 and 1 (transposed on request) of any rank, as far as version 1 has it."""
    (left, right), attributes = node.inputs[:2], {"transpose_a": False, "transpose_b": transposed}
    one, two = node.shape(0), node.shape(1)
    if len(one) == len(two) == 2:
        return "MatMul", [left, right], attributes
    if len(one) == len(two) and one[:-2] == two[:-2]:
        return "BatchMatMul", [left, right], attributes
    if len(two) == 2:
        columns = two[0] if transposed else two[1]
        rows = (math.prod(one[:-1]), one[-1])
        left = node.make("Reshape", [left, rows], shape=rows)
        flat = node.make("MatMul", [left, right], attributes, shape=(rows[0], columns))
        return "Reshape", [flat, (*one[:-1], columns)], {}
    raise Refused(f"shapes {one} and {two} multiply by broadcasting, which came after MindSpore 2.0; "
                  "broadcast one of them first")


def dense(node):
    """x @ weight.T + bias; the bias is optional."""
    operator, inputs, attributes = _product(node, transposed=True)
    if not node.has(2):
        return operator, inputs, attributes
    return "Add", [node.make(operator, inputs, attributes), node.inputs[2]], {}


def silu(node):
    """x * sigmoid(x): MindSpore Lite has no SiLU of its own on CPU."""
    return "Mul", [node.inputs[0], node.make("Sigmoid", node.inputs[:1])], {}


def gelu(node):
    """x * (1 + erf(x / sqrt 2)) / 2, or the approximation by tanh that GeLU is."""
    if node.constant(1, "approximate") == 1:
        return "GeLU", node.inputs[:1], {}
    x = node.make("Mul", [node.inputs[0], node.number(math.sqrt(0.5))])
    x = node.make("Add", [node.make("Erf", [x]), node.number(1.0)])
    return "Mul", [node.make("Mul", [node.inputs[0], x]), node.number(0.5)], {}


def softplus(node):
    """log(1 + exp(x))."""
    if node.constant(1, "beta") != 1:
        raise Refused("beta other than 1 came after MindSpore 2.0")
    return "Softplus", node.inputs[:1], {}


def leaky_relu(node):
    """max(x, slope * x), for a slope of at most 1."""
    slope = node.constant(1, "negative_slope")
    if slope > 1:
        raise Refused("a negative_slope above 1 is not expressed")
    return "Maximum", [node.inputs[0], node.make("Mul", [node.inputs[0], node.number(slope)])], {}


def resize_nearest(node):
    """half_pixel_centers came later; the old operator knows only its default."""
    if node.has(3) and node.constant(3, "half_pixel_centers"):
        raise Refused("half_pixel_centers=True came after MindSpore 2.0; use False")
    return "ResizeNearestNeighbor", node.inputs[:1], {"size": node.constant(1, "size"),
                                                      "align_corners": node.constant(2, "align_corners")}


def resize_bilinear(node):
    """MindSpore Lite knows only the form with a fixed size."""
    return "ResizeBilinear", node.inputs[:1], {
        "size": node.shape()[2:], "align_corners": node.constant(2, "align_corners"),
        "half_pixel_centers": node.constant(3, "half_pixel_centers")}


def upsample_bilinear(node):
    """Without align_corners, pixels are compared by their centres."""
    align = node.constant(3, "align_corners")
    return "ResizeBilinear", node.inputs[:1], {"size": node.shape()[2:], "align_corners": align,
                                               "half_pixel_centers": not align}


def upsample_nearest(node):
    """By factor or size: the result's shape says which."""
    return "ResizeNearestNeighbor", node.inputs[:1], {"size": node.shape()[2:], "align_corners": False}


def pad_constant(node):
    """Version 1 has padding with zeros only; pads are counted from the last axis."""
    pads, fill = node.constant(1, "pads"), 0
    if node.operator == "ConstantPadND":
        fill = node.constant(2, "value")
    elif node.attribute("mode") not in (None, "constant") or not node.attribute("paddings_contiguous"):
        raise Refused("only padding with zeros is expressed; nn.Pad has the other modes")
    elif len(node.inputs) > 2:
        fill = node.constant(2, "value")
        fill = fill if isinstance(fill, (int, float)) else fill.number()
    if fill != 0 or min(pads) < 0:
        raise Refused("only padding with zeros is expressed; concatenate the border instead")
    rank = len(node.shape(0))
    pairs = [tuple(pads[at:at + 2]) for at in range(0, len(pads), 2)][::-1]
    return "Pad", node.inputs[:1], {"paddings": (*[(0, 0)] * (rank - len(pairs)), *pairs)}


def embedding(node):
    """Rows of the table."""
    return "Gather", [node.inputs[1], node.inputs[0], 0], {"batch_dims": 0}


def top_k(node):
    """The largest along the last axis."""
    if node.constant(2, "dim") not in (-1, len(node.shape(0)) - 1) or not node.constant(3, "largest"):
        raise Refused("only the largest along the last axis are expressed; transpose or negate first")
    return "TopK", node.inputs[:2], {"sorted": node.constant(4, "sorted")}


RULES = {
    "AvgPool": average_pool,
    "AvgPool2D": average_pool_2d,
    "MaxPoolWithMask": max_pool_with_mask,
    "MaxPoolWithIndices": max_pool_with_mask,
    **dict.fromkeys(("AdaptiveAvgPool2D", "AdaptiveAvgPool2DExt"), adaptive_average_pool),
    "Conv2DExt": convolution,
    "BatchNormExt": batch_norm_ext,
    "LayerNormExt": layer_norm,
    "GroupNorm": group_norm,
    "Dense": dense,
    **dict.fromkeys(("MatMulExt", "BatchMatMulExt", "Mm"), _product),
    "SiLU": silu,
    "GeluExt": gelu,
    "SoftplusExt": softplus,
    "LeakyReLUExt": leaky_relu,
    "EluExt": lambda node: ("Elu", node.inputs[:1], {"alpha": node.constant(1, "alpha")}),
    **dict.fromkeys(("ResizeNearestNeighbor", "ResizeNearestNeighborV2"), resize_nearest),
    "ResizeBilinearV2": resize_bilinear,
    "UpsampleBilinear2D": upsample_bilinear,
    "UpsampleNearest2D": upsample_nearest,
    "PadV3": pad_constant,
    "ConstantPadND": pad_constant,
    "Embedding": embedding,
    "TopkExt": top_k,
}
