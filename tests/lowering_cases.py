"""What `lower_mindir.py` is tested on: one small network for each way of using an operator.

Exported by a current MindSpore, lowered, and run by MindSpore Lite 2.0.0 on CPU. The file works
with MindSpore 2.0, too, so that lowering_reference.py can note what that release itself writes.
"""

import mindspore as ms
import numpy as np
from mindspore import nn, ops


class Network(nn.Cell):
    """The network of one case: `operation(*inputs, *constants)`."""

    def __init__(self, operation, constants):
        super().__init__()
        self.operation, self.constants = operation, constants

    def construct(self, *inputs):
        return self.operation(*inputs, *self.constants)


class Case:
    """An operation, its inputs and constants after them, and what is to happen.

    like: an operation that yields the same, where MindSpore has no CPU kernel for the operation
    itself. cpu: the reason why MindSpore Lite 2.0.0 does not run the lowered model on CPU. refused:
    what lower_mindir.py says when it refuses the model.
    """

    def __init__(self, operation, inputs, constants=(), like=None, cpu=None, refused=None):
        self.operation, self.inputs, self.constants = operation, inputs, constants
        self.like, self.cpu, self.refused = like, cpu, refused


CASES = {}
NO_KERNEL = "no CPU kernel"


def case(name, operation, *inputs, **options):
    """Register a case."""
    assert name not in CASES, name
    CASES[name] = Case(operation, inputs, **options)


def values(*shape, low=-3.0, high=3.0, dtype=np.float32):
    """Random numbers, the same for the same shape."""
    return np.random.RandomState(sum(shape)).uniform(low, high, shape).astype(dtype)


def layer(cell):
    """The layer in inference form, with weights that differ from channel to channel."""
    cell.set_train(False)
    for parameter in cell.get_parameters():
        low = 0.5 if parameter.name.endswith(("variance", "running_var", "gamma")) else -0.5
        parameter.set_data(ms.Tensor(values(*parameter.shape, low=low, high=1.0)))
    return cell


IMAGE, BATCH, POSITIVE = values(2, 4, 8, 8), values(3, 6), values(3, 6, low=0.2)
SMALL, OTHER = values(3, 6, low=-0.9, high=0.9), values(3, 6, low=0.5, high=2.0)[::-1].copy()
INTEGERS = values(3, 6, low=0, high=9, dtype=np.int32)
MASK, INDICES = values(3, 6) > 0, np.array([2, 0, 1], np.int32)

# Convolutions
for pad_mode in ("same", "valid"):
    for stride in (1, 2):
        case(f"conv_{pad_mode}_{stride}", layer(nn.Conv2d(4, 6, 3, stride, pad_mode)), IMAGE)
case("conv_pad", layer(nn.Conv2d(4, 6, 3, 2, "pad", 1)), IMAGE)
case("conv_pad_four_sides", layer(nn.Conv2d(4, 6, 3, 1, "pad", (0, 1, 2, 1))), IMAGE)
case("conv_bias", layer(nn.Conv2d(4, 6, 1, has_bias=True)), IMAGE)
case("conv_dilation", layer(nn.Conv2d(4, 6, 3, 1, "same", dilation=2)), IMAGE)
case("conv_groups", layer(nn.Conv2d(4, 6, 3, 1, "same", group=2)), IMAGE)
case("conv_depthwise", layer(nn.Conv2d(4, 4, 3, 1, "same", group=4)), IMAGE)
case("conv_rectangular", layer(nn.Conv2d(4, 6, (1, 5), (2, 1), "same")), IMAGE)
case("conv_transpose", layer(nn.Conv2dTranspose(4, 6, 2, 2, "same")), IMAGE)
case("conv_transpose_pad", layer(nn.Conv2dTranspose(4, 6, 3, 2, "pad", 1, has_bias=True)), IMAGE)
case("conv_1d", layer(nn.Conv1d(4, 6, 3, 1, "same")), values(2, 4, 9))
case("conv_3d", layer(nn.Conv3d(2, 3, 3, 1, "same")), values(1, 2, 4, 4, 4), cpu=NO_KERNEL)

# Normalisation
case("batch_norm_2d", layer(nn.BatchNorm2d(4)), IMAGE)
case("batch_norm_1d", layer(nn.BatchNorm1d(6)), BATCH)
case("layer_norm", layer(nn.LayerNorm((6,))), BATCH)
case("group_norm", layer(nn.GroupNorm(2, 4)), IMAGE)
case("l2_normalize", ops.L2Normalize(1), BATCH)
case("lrn", ops.LRN(), IMAGE)

# Products
case("dense", layer(nn.Dense(6, 5)), BATCH)
case("dense_no_bias", layer(nn.Dense(6, 5, has_bias=False)), BATCH)
case("dense_activation", layer(nn.Dense(6, 5, activation="relu")), BATCH)
case("dense_3d", layer(nn.Dense(6, 5)), values(2, 3, 6))
case("mat_mul", ops.MatMul(), BATCH, values(6, 5))
case("mat_mul_transposed", ops.MatMul(True, True), BATCH, values(5, 3))
case("batch_mat_mul", ops.BatchMatMul(), values(2, 3, 6), values(2, 6, 5))
case(
    "batch_mat_mul_transposed", ops.BatchMatMul(transpose_b=True), values(2, 3, 6), values(2, 5, 6)
)
case("matmul_function", ops.matmul, values(2, 3, 6), values(6, 5))
case("matmul_function_2d", ops.matmul, BATCH, values(6, 5))
case("matmul_function_4d", ops.matmul, values(2, 4, 3, 6), values(2, 4, 6, 5))
case(
    "matmul_broadcast",
    ops.matmul,
    values(2, 4, 3, 6),
    values(4, 6, 5),
    refused="multiply by broadcasting",
)

# Pooling
for name, pool in (("max", nn.MaxPool2d), ("avg", nn.AvgPool2d)):
    for pad_mode in ("same", "valid"):
        case(f"{name}_pool_{pad_mode}", pool(kernel_size=3, stride=2, pad_mode=pad_mode), IMAGE)
    case(f"{name}_pool_overlap", pool(kernel_size=(2, 3), stride=1, pad_mode="valid"), IMAGE)
    case(f"{name}_pool_pad", pool(kernel_size=3, stride=2, pad_mode="pad", padding=1), IMAGE)
case("max_pool_primitive", ops.MaxPool(2, 2, "same"), IMAGE)
case("adaptive_avg_pool", nn.AdaptiveAvgPool2d((2, 4)), IMAGE)
case("adaptive_avg_pool_one", nn.AdaptiveAvgPool2d(1), IMAGE)
case("adaptive_avg_pool_uneven", nn.AdaptiveAvgPool2d(3), IMAGE, cpu=NO_KERNEL)

# Activations
for name, cell in (
    ("relu", nn.ReLU()),
    ("relu6", nn.ReLU6()),
    ("hswish", nn.HSwish()),
    ("hsigmoid", nn.HSigmoid()),
    ("gelu", nn.GELU()),
    ("gelu_exact", nn.GELU(approximate=False)),
    ("silu", nn.SiLU()),
    ("elu", nn.ELU()),
    ("leaky_relu", nn.LeakyReLU()),
    ("sigmoid", nn.Sigmoid()),
    ("tanh", nn.Tanh()),
    ("softmax", nn.Softmax()),
    ("log_softmax", nn.LogSoftmax()),
    ("log_sigmoid", nn.LogSigmoid()),
    ("tanhshrink", nn.Tanhshrink()),
    ("hard_tanh", nn.Hardtanh()),
    ("softmin", nn.Softmin()),
    ("hshrink", nn.HShrink()),
    ("soft_shrink", nn.SoftShrink()),
    ("threshold", nn.Threshold(0.1, 5.0)),
):
    case(name, cell, BATCH)
for name, cell in (
    ("fast_gelu", nn.FastGelu()),
    ("softsign", nn.Softsign()),
    ("mish", nn.Mish()),
    ("celu", nn.CELU()),
    ("selu", nn.SeLU()),
):
    case(name, cell, BATCH, cpu=NO_KERNEL)
case("prelu", layer(nn.PReLU(4)), IMAGE)
case("softplus", ops.Softplus(), BATCH)
case("softplus_function", ops.softplus if hasattr(ops, "softplus") else ops.Softplus(), BATCH)
case("softmax_axis", ops.Softmax(0), BATCH)
case("softmax_function", ops.softmax, BATCH, constants=(0,))
case("gelu_function", ops.gelu, BATCH)
case("silu_function", ops.silu, BATCH)
case("glu", ops.glu, BATCH)

# Reductions
for name, operation in (
    ("mean", ops.ReduceMean),
    ("sum", ops.ReduceSum),
    ("max", ops.ReduceMax),
    ("min", ops.ReduceMin),
    ("prod", ops.ReduceProd),
):
    case(f"reduce_{name}", operation(), IMAGE, constants=((2, 3),))
    case(f"reduce_{name}_channels", operation(keep_dims=True), IMAGE, constants=(1,))
    case(f"reduce_{name}_everything", operation(), OTHER)
case("reduce_max_first_axis", ops.ReduceMax(), values(5, 16), constants=(0,))
case("reduce_max_integers", ops.ReduceMax(), INTEGERS, constants=(0,))
case("reduce_all", ops.ReduceAll(), MASK, constants=(1,))
case("reduce_any", ops.ReduceAny(), MASK, constants=(1,), cpu=NO_KERNEL)
case("mean_function", ops.mean, IMAGE, constants=((2, 3), True))
case("sum_function", ops.sum, IMAGE, constants=((2, 3), True))
case("amax_function", ops.amax, IMAGE, constants=(1,))
case("logsumexp", ops.logsumexp, BATCH, constants=(1,))
case("std_function", ops.std, BATCH)
case("cum_sum", ops.CumSum(), BATCH, constants=(1,))
case("cum_sum_reverse", ops.CumSum(exclusive=True, reverse=True), BATCH, constants=(1,))
case("cum_prod", ops.CumProd(), SMALL, constants=(1,), cpu=NO_KERNEL)
case("argmax", ops.Argmax(1), BATCH)
case("argmin", ops.Argmin(1), BATCH, cpu=NO_KERNEL)
case("argmax_function", ops.argmax, BATCH, constants=(1,))
case("argmax_with_value", ops.ArgMaxWithValue(1), BATCH)
case("argmin_with_value", ops.ArgMinWithValue(1, keep_dims=True), BATCH)
case("norm", ops.norm, BATCH)

# Element by element
for name in (
    "Add",
    "Sub",
    "Mul",
    "Div",
    "RealDiv",
    "Maximum",
    "Minimum",
    "SquaredDifference",
    "FloorDiv",
    "Mod",
    "FloorMod",
    "Pow",
    "Equal",
    "NotEqual",
    "Greater",
    "GreaterEqual",
    "Less",
    "LessEqual",
):
    case(name, getattr(ops, name)(), POSITIVE, OTHER)
for name in ("Atan2", "Xdivy"):
    case(name, getattr(ops, name)(), POSITIVE, OTHER, cpu=NO_KERNEL)
for name in ("LogicalAnd", "LogicalOr", "LogicalXor"):
    case(name, getattr(ops, name)(), MASK, MASK[::-1].copy())
case("logical_not", ops.LogicalNot(), MASK)
for name in (
    "Abs",
    "Neg",
    "Exp",
    "Sin",
    "Cos",
    "Floor",
    "Ceil",
    "Round",
    "Square",
    "Erf",
    "IsFinite",
    "IsNan",
):
    case(name, getattr(ops, name)(), BATCH)
for name in ("Sign", "Rint", "Expm1", "Tan", "Sinh", "Cosh", "Atan", "Asinh", "Erfc"):
    case(name, getattr(ops, name)(), BATCH, cpu=NO_KERNEL)
for name in ("OnesLike", "ZerosLike"):
    case(name, getattr(ops, name)(), BATCH, cpu="the result does not depend on the input")
for name in ("Log", "Sqrt", "Rsqrt", "Reciprocal", "Log1p", "Inv"):
    case(name, getattr(ops, name)(), POSITIVE)
for name in ("ACos", "Asin", "Atanh"):
    case(name, getattr(ops, name)(), SMALL, cpu=NO_KERNEL)
case("Acosh", ops.Acosh(), POSITIVE + 1, cpu=NO_KERNEL)
case("add_broadcast", ops.Add(), IMAGE, values(4, 1, 1))
case("bias_add", ops.BiasAdd(), IMAGE, values(4))
case("select", ops.Select(), MASK, BATCH, OTHER)
case("identity", ops.Identity(), BATCH)
case("dropout", nn.Dropout(p=0.5).set_train(False), BATCH, cpu="the network is empty")

# Shape
case("transpose", ops.Transpose(), IMAGE, constants=((0, 2, 3, 1),))
case("reshape", ops.Reshape(), IMAGE, constants=((2, -1),))
case("flatten", nn.Flatten(), IMAGE)
case("flatten_function", ops.flatten, IMAGE)
case("squeeze", ops.Squeeze(1), values(3, 1, 6))
case("expand_dims", ops.ExpandDims(), BATCH, constants=(1,))
case("broadcast_to", ops.BroadcastTo((2, 3, 6)), BATCH)
case("tile", ops.Tile(), BATCH, constants=((2, 1),))
case("slice", ops.Slice(), BATCH, constants=((0, 1), (2, 3)))
case("strided_slice", ops.StridedSlice(), BATCH, constants=((0, 1), (3, 6), (1, 2)))
case(
    "strided_slice_masks",
    ops.StridedSlice(begin_mask=1, end_mask=2, shrink_axis_mask=1),
    BATCH,
    constants=((0, 1), (3, 6), (1, 2)),
)
case("gather", ops.Gather(), BATCH, INDICES, constants=(0,))
case("gather_axis", ops.Gather(), BATCH, INDICES, constants=(1,))
case("gather_nd", ops.GatherNd(), BATCH, np.array([[0, 1], [2, 3]], np.int32))
case("gather_elements", ops.GatherD(), BATCH, constants=(1, ms.Tensor(np.zeros((3, 2), np.int32))))
case("embedding", layer(nn.Embedding(5, 4)), INDICES)
case("pad", nn.Pad(((0, 0), (0, 0), (1, 2), (0, 1))), IMAGE)
case("pad_primitive", ops.Pad(((1, 0), (0, 2))), BATCH)
case("pad_reflect", nn.Pad(((0, 0), (0, 0), (1, 2), (2, 1)), mode="REFLECT"), IMAGE, cpu=NO_KERNEL)
case("zero_pad", nn.ZeroPad2d((1, 2, 0, 1)), IMAGE)
case("reverse", ops.ReverseV2([1]), BATCH)
case("depth_to_space", ops.DepthToSpace(2), IMAGE)
case("space_to_depth", ops.SpaceToDepth(2), IMAGE)
case("pixel_shuffle", ops.pixel_shuffle, IMAGE, constants=(2,))
case("resize_nearest", ops.ResizeNearestNeighbor((16, 12)), IMAGE)
case("resize_nearest_align", ops.ResizeNearestNeighbor((16, 12), True), IMAGE)
for name, options in (
    ("", {}),
    ("_half", {"half_pixel_centers": True}),
    ("_align", {"align_corners": True}),
):
    case(f"resize_bilinear{name}", ops.ResizeBilinearV2(**options), IMAGE, constants=((16, 12),))
case(
    "resize_bilinear_half_smaller",
    ops.ResizeBilinearV2(half_pixel_centers=True),
    IMAGE,
    constants=((5, 3),),
)
case("interpolate_nearest", ops.interpolate, IMAGE, constants=((16, 16),))
