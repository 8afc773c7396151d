"""Forms of operators that MindSpore Lite 2.0.0 may not run: for `make lowering-operators`.

Beside the cases of the tests: each operator that takes one to three tensors and needs no option, in
every data type, and forms that were seen to fail.
"""

import mindspore as ms
import numpy as np
from mindspore import mint, nn, ops
from mindspore.ops import operations  # where some have their only name

from lowering_cases import (
    BATCH,
    IMAGE,
    INDICES,
    INTEGERS,
    MASK,
    OTHER,
    POSITIVE,
    Case,
    layer,
    values,
)
from lowering_tools import lower_mindir

COMMON_TYPES = ("float32", "int32", "bool")
OTHER_TYPES = ("int8", "uint8", "int16", "float16")
STRUCTURE = {"Load", "UpdateState", "Depend", "MakeTuple", "TupleGetItem"}
SHAPES = ((3, 6), (2, 4, 8, 8))
FORMS = {}


def form(name, operation, *inputs, constants=()):
    FORMS[name] = Case(operation, inputs, constants)


def swept(operator, kind, count, shape):
    """The case of an operator without options on `count` tensors of a data type, or None."""
    generator = np.random.default_rng(count)
    given = []
    for index in range(count):
        numbers = generator.uniform(0.5 if index else 1.2, 9, shape)
        if index == 0 and not kind.startswith("u"):
            numbers *= generator.choice([-1, 1], shape)
        given.append(numbers > 4 if kind == "bool" else numbers.astype(kind))
    found = getattr(ops, operator, None) or getattr(operations, operator, None)
    try:
        return Case(found(), given)
    except Exception:  # It needs options, or is none of Python's.
        return None


def operators():
    """Every operator that may be lowered, in order."""
    known = lower_mindir.lower
    names = {*known.OPERATORS, *known.UNCHANGED, *lower_mindir.RULES} - STRUCTURE
    return sorted(name for name in names if hasattr(ops, name) or hasattr(operations, name))


def converted(x, kind):
    return ops.reshape(ops.cast(x, kind), (6, 3))


def with_ones(x):
    return x + ops.ones_like(x), x + ops.zeros_like(x)


def joined(x):
    return ops.concat((x, x), 1)


for size in (2, 3):
    form(f"tile_higher_{size}", ops.Tile(), BATCH, constants=((2,) * (size + 1),))
form("max_pool_ceil_2d", nn.MaxPool2d(3, 2, pad_mode="pad", padding=1, ceil_mode=True), IMAGE)
form("avg_pool_ceil_2d", nn.AvgPool2d(3, 2, pad_mode="pad", padding=1, ceil_mode=True), IMAGE)
form("max_pool_dilation", nn.MaxPool2d(3, 2, pad_mode="pad", dilation=2), IMAGE)
form("max_pool_1d", nn.MaxPool1d(3, 2), values(2, 4, 9))
form("avg_pool_1d", nn.AvgPool1d(3, 2), values(2, 4, 9))
form("max_pool_3d", nn.MaxPool3d(2, 2), values(1, 2, 4, 8, 8))
form("avg_pool_3d", nn.AvgPool3d(2, 2), values(1, 2, 4, 8, 8))
form("adaptive_max_pool", nn.AdaptiveMaxPool2d(2), IMAGE)
form("adaptive_max_pool_uneven", nn.AdaptiveMaxPool2d(3), IMAGE)
for mode in ("bicubic", "area", "nearest", "bilinear"):
    form(f"interpolate_{mode}", ops.interpolate, IMAGE, constants=((5, 7), None, mode))
form("resize_bicubic", ops.ResizeBicubic(), IMAGE, constants=((5, 7),))
form("resize_area", ops.interpolate, IMAGE, constants=((5, 7), None, "area"))
form("resize_linear", ops.interpolate, values(2, 4, 9), constants=((5,), None, "linear"))
for pads in ((1, 2), (1, 2, 0, 1)):
    for mode in ("reflect", "replicate", "circular"):
        form(f"pad_{mode}_{len(pads)}", ops.pad, IMAGE, constants=(pads, mode))
form("reflection_pad", nn.ReflectionPad2d(1), IMAGE)
form("replication_pad", nn.ReplicationPad2d(1), IMAGE)
form("constant_pad", nn.ConstantPad2d(1, 2.0), IMAGE)
form("pad_symmetric", nn.Pad(((0, 0), (0, 0), (1, 2), (2, 1)), mode="SYMMETRIC"), IMAGE)
form("slice_from_the_end", ops.StridedSlice(), BATCH, constants=((0, -3), (3, -1), (1, 1)))
for group in (1, 2, 4):
    for stride in (1, 2):
        transposed = nn.Conv2dTranspose(4, 4, 3, stride, "same", group=group)
        form(f"conv_transpose_{group}_{stride}", layer(transposed), IMAGE)
form("conv_transpose_bias", layer(nn.Conv2dTranspose(4, 6, 2, 2, has_bias=True)), IMAGE)
form("conv_1d_transpose", layer(nn.Conv1dTranspose(4, 6, 3, 2)), values(2, 4, 9))
form("conv_3d_transpose", layer(nn.Conv3dTranspose(2, 3, 3, 2)), values(1, 2, 4, 4, 4))
for keep in (False, True):
    form(f"reduce_std_{keep}", ops.ReduceStd(axis=1, keep_dims=keep), BATCH)
    form(f"reduce_all_{keep}", ops.ReduceAll(keep), MASK, constants=(1,))
    form(f"reduce_any_{keep}", ops.ReduceAny(keep), MASK, constants=(1,))
form("std_unbiased", ops.ReduceStd(1, unbiased=False), BATCH)
form("top_k_largest", ops.TopK(), BATCH, constants=(3,))
form("cum_sum_exclusive", ops.CumSum(exclusive=True), BATCH, constants=(0,))
for axis in (0, 1, -1):
    form(f"cum_max_{axis}", ops.cummax, BATCH, constants=(axis,))
    form(f"cum_prod_{axis}", ops.CumProd(), POSITIVE, constants=(axis,))
    form(f"sort_{axis}", ops.Sort(axis=axis), BATCH)
    form(f"argmin_{axis}", ops.Argmin(axis), BATCH)
    form(f"argmax_{axis}", ops.Argmax(axis), BATCH)
    form(f"unstack_{axis}", ops.Unstack(axis), values(2, 2))
for index in (0, 1):
    form(f"gather_{index}", ops.Gather(), BATCH, INDICES, constants=(index,))
form("gather_negative", ops.Gather(), BATCH, np.array([-1, 0], np.int32), constants=(1,))
form("one_hot_axis", ops.OneHot(0), INDICES, constants=(4, ms.Tensor(1.0), ms.Tensor(0.0)))
form("scatter_nd", ops.ScatterNd(), INDICES.reshape(3, 1), BATCH, constants=((4, 6),))
form("ones", with_ones, BATCH)
form("shape_of", ops.TensorShape(), BATCH)
form("lerp", ops.Lerp(), BATCH, OTHER, constants=(0.3,))
form("batch_norm_3d", layer(nn.BatchNorm3d(2)), values(1, 2, 4, 4, 4))
form("instance_norm", layer(nn.InstanceNorm2d(4)), IMAGE)
form("layer_norm_two", layer(nn.LayerNorm((8, 8), 2, 2)), IMAGE)
form("lstm", layer(nn.LSTM(6, 5)), values(3, 2, 6))
form("gru", layer(nn.GRU(6, 5)), values(3, 2, 6))
form("cross_entropy", nn.CrossEntropyLoss(), BATCH, INDICES)
form("grid_sample", ops.grid_sample, IMAGE, values(2, 5, 6, 2, low=-0.9, high=0.9))
form("einsum", ops.Einsum("ij,jk->ik"), BATCH, values(6, 5))
form("mint_nan_to_num", mint.nan_to_num, BATCH)
form("integers_pow", ops.Pow(), INTEGERS, INTEGERS)
for kind in ("int32", "float32", "bool", "uint8", "int8", "int64", "float16"):
    for other in ("int32", "float32", "bool", "uint8", "int8", "int64", "float16"):
        value = values(3, 6, low=0, high=9).astype(kind)
        target = getattr(ms, other.replace("bool", "bool_"))
        form(f"cast_{kind}_{other}", ops.Cast(), value, constants=(target,))
        # A conversion that the runtime leaves out would leave an empty network.
        form(f"cast_{kind}_{other}_on", converted, value, constants=(target,))
for kind in ("int32", "bool", "uint8", "int8", "int16", "int64", "float16"):
    value = values(3, 6, low=0, high=9).astype(kind)
    form(f"tile_{kind}", ops.Tile(), value, constants=((2, 1),))
    form(f"transpose_{kind}", ops.Transpose(), value, constants=((1, 0),))
    form(f"reshape_{kind}", ops.Reshape(), value, constants=((6, 3),))
    form(f"slice_{kind}", ops.Slice(), value, constants=((0, 1), (2, 3)))
    form(f"strided_slice_{kind}", ops.StridedSlice(), value, constants=((0, 1), (3, 6), (1, 2)))
    form(f"gather_{kind}", ops.Gather(), value, INDICES, constants=(1,))
    form(f"reduce_sum_{kind}", ops.ReduceSum(), value, constants=(1,))
    form(f"reduce_max_{kind}", ops.ReduceMax(), value, constants=(1,))
    form(f"reduce_min_{kind}", ops.ReduceMin(), value, constants=(1,))
    form(f"concat_{kind}", joined, value)
    form(f"broadcast_{kind}", ops.BroadcastTo((2, 3, 6)), value)
    form(f"select_{kind}", ops.Select(), MASK, value, value[::-1].copy())
    form(f"expand_{kind}", ops.ExpandDims(), value, constants=(1,))
