"""More cases for lower_mindir.py: mindspore.mint and what else MindSpore 2.0 did not have.

Many of these operators have no CPU kernel in MindSpore: `like` is the same in older words.
"""

import mindspore as ms
from mindspore import mint, nn, ops

from lowering_cases import (
    BATCH,
    IMAGE,
    INDICES,
    NO_KERNEL,
    OTHER,
    POSITIVE,
    case,
    expression,
    layer,
    values,
)


def twin(new, old, names):
    """`old` in inference form, with the weights that `new` has under other names."""
    weights = {parameter.name: parameter for parameter in layer(new).get_parameters()}
    for parameter in old.get_parameters():
        parameter.set_data(weights[names.get(parameter.name, parameter.name)].value())
    return old.set_train(False)


CONV = mint.nn.Conv2d(4, 6, 3, stride=(2, 1), padding=(1, 0), groups=2)
NORM = mint.nn.BatchNorm2d(4, eps=0.1)
case(
    "mint_conv",
    CONV,
    IMAGE,
    like=twin(CONV, nn.Conv2d(4, 6, 3, (2, 1), "pad", (1, 1, 0, 0), group=2, has_bias=True), {}),
)
LINES = mint.nn.LayerNorm((6,), eps=0.1)
case(
    "mint_batch_norm",
    NORM,
    IMAGE,
    like=twin(
        NORM,
        nn.BatchNorm2d(4, eps=0.1),
        {"gamma": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var"},
    ),
)
case(
    "mint_layer_norm",
    LINES,
    BATCH,
    like=twin(LINES, nn.LayerNorm((6,), epsilon=0.1), {"gamma": "weight", "beta": "bias"}),
)
case("mint_group_norm", layer(mint.nn.GroupNorm(2, 4)), IMAGE)
case("mint_linear", layer(mint.nn.Linear(6, 5)), BATCH)
case("mint_linear_3d", layer(mint.nn.Linear(6, 5)), values(2, 3, 6))
case(
    "mint_max_pool",
    mint.nn.MaxPool2d(2, 2),
    IMAGE,
    like=nn.MaxPool2d(kernel_size=2, stride=2, pad_mode="valid"),
)
case(
    "mint_max_pool_pad",
    mint.nn.MaxPool2d(3, 2, 1),
    IMAGE,
    like=nn.MaxPool2d(kernel_size=3, stride=2, pad_mode="pad", padding=1),
)
case(
    "mint_max_pool_ceil",
    mint.nn.MaxPool2d(3, 2, ceil_mode=True),
    IMAGE,
    like=nn.MaxPool2d(kernel_size=3, stride=2, pad_mode="pad", ceil_mode=True),
)
case(
    "mint_avg_pool_options",
    mint.nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
    IMAGE,
    like=nn.AvgPool2d(3, 2, pad_mode="pad", padding=1, ceil_mode=True, count_include_pad=False),
)
case(
    "mint_avg_pool_pad",
    mint.nn.AvgPool2d(3, 2, 1),
    IMAGE,
    like=nn.AvgPool2d(kernel_size=3, stride=2, pad_mode="pad", padding=1),
)
case(
    "mint_avg_pool",
    mint.nn.AvgPool2d(2, 2),
    IMAGE,
    like=nn.AvgPool2d(kernel_size=2, stride=2, pad_mode="valid"),
)
case("mint_adaptive_avg_pool", mint.nn.AdaptiveAvgPool2d(1), IMAGE, like=nn.AdaptiveAvgPool2d(1))
for name, new, old in (
    ("gelu", mint.nn.GELU(), nn.GELU(approximate=False)),
    ("silu", mint.nn.SiLU(), nn.SiLU()),
    ("elu", mint.nn.functional.elu, nn.ELU()),
    ("log2", mint.log2, ops.log2),
    ("leaky_relu", mint.nn.functional.leaky_relu, nn.LeakyReLU(0.01)),
    ("softplus", mint.nn.functional.softplus, ops.Softplus()),
    ("exp2", mint.exp2, ops.exp2),
    ("log_softmax", mint.nn.LogSoftmax(-1), nn.LogSoftmax()),
    ("mean", mint.mean, ops.mean),
    ("max", mint.max, ops.amax),
    ("min", mint.min, ops.amin),
    ("prod", mint.prod, ops.prod),
):
    case(f"mint_{name}", new, POSITIVE, like=old)
for name, constants, old in (
    ("sum", (1, True), None),
    ("argmax", (1,), ops.argmax),
    ("cumsum", (1,), ops.cumsum),
    ("flatten", (0, -1), None),
    ("permute", ((1, 0),), None),
    ("transpose", (0, 1), None),
    ("unsqueeze", (1,), None),
    ("narrow", (1, 1, 2), None),
    ("select", (1, -1), None),
    ("split", (3, 1), None),
    ("chunk", (2, 1), None),
    ("pow", (2.0,), ops.pow),
    ("broadcast_to", ((2, 3, 6),), None),
):
    case(f"mint_{name}", getattr(mint, name), POSITIVE, constants=constants, like=old)


@expression(POSITIVE, OTHER, like=lambda x, y: (x % y, 2 % x, x % 2))
def mint_remainders(x, y):
    return mint.remainder(x, y), mint.remainder(2, x), mint.remainder(x, 2)


@expression(
    POSITIVE,
    values(2, 3, 4),
    like=lambda x, y: (ops.LogSoftmax(1)(x), ops.LogSoftmax(0)(y), ops.LogSoftmax(1)(y)),
)
def mint_log_softmax_axes(x, y):
    function = mint.nn.functional.log_softmax
    return function(x), function(y), function(y, -2)


case("mint_atan2", mint.atan2, POSITIVE, OTHER, like=ops.atan2, cpu=NO_KERNEL)


@expression(POSITIVE, OTHER, like=lambda x, y: (x + 2 * y, x - 2 * y, x + 3, x - 3, x - 6))
def mint_sums(x, y):
    return (
        mint.add(x, y, alpha=2),
        mint.sub(x, y, alpha=2),
        mint.add(x, 3),
        mint.sub(x, 3),
        mint.sub(x, 3, alpha=2),
    )


@expression(
    POSITIVE, OTHER, like=lambda x, y: (x / y, ops.floor_div(x, y), x / 2, ops.floor_div(x, 2))
)
def mint_quotients(x, y):
    return (
        mint.div(x, y),
        mint.div(x, y, rounding_mode="floor"),
        mint.div(x, 2),
        mint.div(x, 2, rounding_mode="floor"),
    )


@expression(POSITIVE, OTHER, like=lambda x, y: (ops.clamp(x, y, 2 * y), ops.clamp(x, 0.5, 1.0)))
def mint_limits(x, y):
    return mint.clamp(x, y, y * 2), mint.nn.functional.hardtanh(x, 0.5, 1.0)


@expression(
    POSITIVE, OTHER, like=lambda x, y: (ops.stack((x, y), 1), x @ y.T, ops.log10(x), x >= 0.5)
)
def mint_mixture(x, y):
    return mint.stack((x, y), 1), mint.mm(x, y.t()), mint.log10(x), mint.ge(x, 0.5)


@expression(POSITIVE, like=lambda x: (x, x, x.reshape(6, 3), x.reshape(18)))
def mint_views(x):
    return x.clone() * 1.0, x.contiguous() * 1.0, x.view((6, 3)) * 1.0, mint.flatten(x) * 1.0


@expression(
    IMAGE,
    like=lambda x: (nn.Upsample(size=(16, 16))(x), nn.Upsample(size=(16, 12), mode="bilinear")(x)),
)
def mint_interpolate(x):
    resize = mint.nn.functional.interpolate
    return resize(x, size=(16, 16), mode="nearest"), resize(x, size=(16, 12), mode="bilinear")


@expression(BATCH, like=lambda x: (x + 2.0, x + 2.0, x // 2))
def mint_fill(x):
    full = mint.full((3, 6), ms.Tensor(2.0))
    return x + full, x + mint.full((3, 6), 2.0), mint.floor_divide(x, 2)


@expression(POSITIVE, like=lambda x: 2**x)
def mint_number_power(x):
    return mint.pow(2, x)


@expression(
    INDICES,
    like=lambda x: ops.one_hot(x, 4, ms.Tensor(1, ms.int64), ms.Tensor(0, ms.int64)),
)
def mint_one_hot(x):
    return mint.nn.functional.one_hot(ops.cast(x, ms.int64), 4)


case("mint_min_of_axis", mint.min, BATCH, constants=(1,), like=lambda x, axis: ops.min(x, axis))
case("mint_split_sizes", mint.split, BATCH, constants=((2, 4), 1))
case("mint_bmm", mint.bmm, values(2, 3, 6), values(2, 6, 5))
case("mint_add_alpha", mint.add, BATCH, OTHER, like=ops.Add())
case(
    "mint_embedding",
    mint.nn.functional.embedding,
    INDICES,
    values(5, 4),
    like=lambda x, table: table[x],
)
case(
    "mint_pad",
    mint.nn.functional.pad,
    IMAGE,
    constants=((1, 2),),
    like=lambda x, pads: nn.Pad(((0, 0), (0, 0), (0, 0), pads))(x),
)
case("mint_top_k_smallest", mint.topk, BATCH, constants=(2, -1, False), refused="only the largest")
case("mint_max_of_axis", mint.max, BATCH, constants=(1,), like=lambda x, axis: ops.max(x, axis))
case("interpolate_bilinear", nn.Upsample(size=(16, 12), mode="bilinear"), IMAGE)
case(
    "interpolate_bilinear_align",
    nn.Upsample(size=(16, 12), mode="bilinear", align_corners=True),
    IMAGE,
)
case("swiglu", ops.swiglu, BATCH, refused="Swiglu")
case("round_decimals", mint.round, BATCH, like=ops.Round())
