"""Cases of lower_mindir.py: reductions, functions of single numbers, and shapes."""

import mindspore as ms
import numpy as np
from mindspore import nn, ops

from lowering_cases import (
    BATCH,
    IMAGE,
    INDICES,
    INTEGERS,
    MASK,
    NO_KERNEL,
    OTHER,
    POSITIVE,
    SMALL,
    case,
    layer,
    values,
)

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
case("reduce_any", ops.ReduceAny(), MASK, constants=(1,))
case("mean_function", ops.mean, IMAGE, constants=((2, 3), True))
case("sum_function", ops.sum, IMAGE, constants=((2, 3), True))
case("amax_function", ops.amax, IMAGE, constants=(1,))
case("logsumexp", ops.logsumexp, BATCH, constants=(1,))
case("std_function", ops.std, BATCH)
case("cum_sum", ops.CumSum(), BATCH, constants=(1,))
case("cum_sum_reverse", ops.CumSum(exclusive=True, reverse=True), BATCH, constants=(1,))
case("cum_prod", ops.CumProd(), SMALL, constants=(1,), cpu=NO_KERNEL)
case("argmax", ops.Argmax(1), BATCH)
case("argmin", ops.Argmin(1), BATCH)
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
for name in ("Sign", "Rint", "Expm1", "Tan", "Sinh", "Cosh", "Asinh", "Erfc"):
    case(name, getattr(ops, name)(), BATCH)
case("Atan", ops.Atan(), BATCH, cpu=NO_KERNEL)
for name in ("OnesLike", "ZerosLike"):
    case(name, getattr(ops, name)(), BATCH)
for name in ("Log", "Sqrt", "Rsqrt", "Reciprocal", "Log1p", "Inv"):
    case(name, getattr(ops, name)(), POSITIVE)
for name in ("ACos", "Asin"):
    case(name, getattr(ops, name)(), SMALL, cpu=NO_KERNEL)
case("Atanh", ops.Atanh(), SMALL)
case("Acosh", ops.Acosh(), POSITIVE + 1)
case("add_broadcast", ops.Add(), IMAGE, values(4, 1, 1))
case("bias_add", ops.BiasAdd(), IMAGE, values(4))
case("select", ops.Select(), MASK, BATCH, OTHER)
case("identity", ops.Identity(), BATCH)
case("dropout", nn.Dropout(p=0.5).set_train(False), BATCH)

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
case("pad_reflect", nn.Pad(((0, 0), (0, 0), (1, 2), (2, 1)), mode="REFLECT"), IMAGE)
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
