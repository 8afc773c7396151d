"""More cases for lower_mindir.py: operators written as Python expressions, several results, and mindspore.mint."""
import mindspore as ms
from mindspore import nn, ops

from lowering_cases import BATCH, IMAGE, INDICES, INTEGERS, MASK, NO_KERNEL, OTHER, POSITIVE, case, layer, values

ONE_BASE = "the runtime does not raise one number to many powers"


def expression(*inputs, **options):
    """Register the function as a case."""
    def register(function):
        case(function.__name__, function, *inputs, **options)
        return function
    return register


# Numbers beside tensors
@expression(BATCH)
def add_number(x):
    return x + 2.0


@expression(BATCH)
def number_minus(x):
    return 3.0 - x


@expression(BATCH)
def minus_number(x):
    return x - 1.5


@expression(BATCH)
def number_times(x):
    return 2 * x


@expression(BATCH)
def by_number(x):
    return x / 4.0


@expression(POSITIVE)
def number_by(x):
    return 1.0 / x


@expression(POSITIVE)
def power_number(x):
    return x ** 2.0


@expression(POSITIVE, cpu=ONE_BASE)
def number_power(x):
    return 2.0 ** x


@expression(POSITIVE)
def floor_divide(x):
    return x // 2.0


@expression(POSITIVE)
def modulo(x):
    return x % 2.0


@expression(BATCH)
def negative(x):
    return -x


@expression(BATCH)
def compare_numbers(x):
    return x > 0.5, x < 0.5, x >= 0.5, x <= 0.5, x == 0.5, x != 0.5


@expression(INTEGERS)
def integers_and_integers(x):
    return x + 2, x * 3, x - 1, x == 1, x > 4


@expression(INTEGERS)
def integers_and_floats(x):
    return x * 0.5, x + 1.5, x / 2


@expression(INTEGERS, BATCH)
def integers_and_float_tensor(x, y):
    return x + y, x * y


@expression(BATCH)
def clip_numbers(x):
    return ops.clip_by_value(x, -1.0, 1.0)


@expression(BATCH)
def clamp_numbers(x):
    return ops.clamp(x, -1.0, 1.0)


@expression(BATCH)
def clamp_below(x):
    return ops.clamp(x, min=-1.0)


# Types
@expression(INTEGERS)
def to_float(x):
    return ops.cast(x, ms.float32)


@expression(BATCH)
def to_integer(x):
    return ops.cast(x, ms.int32)


@expression(MASK)
def bool_to_float(x):
    return ops.cast(x, ms.float32)


@expression(BATCH, cpu="the runtime does not build float16 on this processor")
def to_half_and_back(x):
    return x.astype(ms.float16).astype(ms.float32)


# Slices
@expression(BATCH)
def slices(x):
    return x[:, 1:4], x[:, ::2], x[..., 1], x[:, None, :], x[-1]


@expression(IMAGE)
def shape_of_input(x):
    return x.reshape(x.shape[0], -1)


# Several results or operands
@expression(BATCH)
def split_two(x):
    a, b = ops.Split(1, 2)(x)
    return a, b


@expression(BATCH)
def split_sizes(x):
    a, b = ops.split(x, [2, 4], 1)
    return a, b


@expression(BATCH)
def chunk_two(x):
    a, b = ops.chunk(x, 2, 1)
    return a, b


@expression(BATCH)
def unstack_rows(x):
    a, b, c = ops.Unstack(0)(x)
    return a + b * c


@expression(BATCH)
def top_two(x):
    largest, index = ops.TopK()(x, 2)
    return largest * 1.0, index + 0


@expression(BATCH, cpu=NO_KERNEL)
def sorted_rows(x):
    ordered, index = ops.Sort()(x)
    return ordered * 1.0, index + 0


@expression(BATCH, OTHER)
def join(x, y):
    return ops.Concat(1)((x, y)), ops.concat((x, y), -1), ops.Stack(1)((x, y)), ops.stack((x, y), 0)


@expression(BATCH)
def join_with_itself(x):
    return ops.Concat(0)((x, x, x))


@expression(BATCH)
def where_zero(x):
    return ops.where(x > 0, x, x * 0.1)


@expression(BATCH, MASK, cpu=NO_KERNEL)
def fill_masked(x, mask):
    return ops.masked_fill(x, mask, -1.0)


@expression(INDICES)
def one_hot(x):
    return ops.OneHot()(x, 4, ms.Tensor(1.0, ms.float32), ms.Tensor(0.0, ms.float32))


@expression(values(3), values(4), cpu="the runtime crashes")
def mesh(x, y):
    a, b = ops.meshgrid(x, y)
    return a * b


@expression(BATCH)
def squared_error(x):
    return ops.mean((x - 1.0) ** 2)


@expression(BATCH)
def top_two_as_they_come(x):
    return ops.TopK()(x, 2)


@expression(BATCH, OTHER, like=lambda x, y: (((x + y - 2.0) * 3 - y) * y + 1) / y / 2.0)
def in_place(x, y):
    z = x * 1.0
    z += y
    z -= 2.0
    z *= 3
    z -= y
    z *= y
    z += 1
    z /= y
    z /= 2.0
    return z


@expression(BATCH, OTHER, like=lambda x, y: (x + y, x * y))
def in_place_after_reading(x, y):
    z = x * 1.0
    w = z * y
    z += y
    return z, w


@expression(BATCH, OTHER, refused="changes a tensor in place that is read later")
def in_place_before_reading(x, y):
    z = x * 1.0
    w = z
    z += y
    return z, w * y


@expression(POSITIVE, OTHER)
def remainders(x, y):
    return ops.remainder(x, 2.0), ops.floor_mod(x, y)


@expression(POSITIVE, refused="rounding towards zero")
def remainder_towards_zero(x):
    return ops.fmod(x, 2.0)


if hasattr(ms, "mint"):
    from mindspore import mint

    def twin(new, old, names):
        """`old` in inference form, with the weights that `new` has under other names."""
        weights = {parameter.name: parameter for parameter in layer(new).get_parameters()}
        for parameter in old.get_parameters():
            parameter.set_data(weights[names.get(parameter.name, parameter.name)].value())
        return old.set_train(False)

    CONV, NORM = mint.nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2), mint.nn.BatchNorm2d(4)
    case("mint_conv", CONV, IMAGE, like=twin(CONV, nn.Conv2d(4, 6, 3, 2, "pad", 1, group=2, has_bias=True), {}))
    LINES = mint.nn.LayerNorm((6,))
    case("mint_batch_norm", NORM, IMAGE, like=twin(NORM, nn.BatchNorm2d(4), {
        "gamma": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var"}))
    case("mint_layer_norm", LINES, BATCH, like=twin(LINES, nn.LayerNorm((6,), epsilon=1e-5), {
        "gamma": "weight", "beta": "bias"}))
    case("mint_group_norm", layer(mint.nn.GroupNorm(2, 4)), IMAGE)
    case("mint_linear", layer(mint.nn.Linear(6, 5)), BATCH)
    case("mint_linear_3d", layer(mint.nn.Linear(6, 5)), values(2, 3, 6))
    case("mint_max_pool", mint.nn.MaxPool2d(2, 2), IMAGE, like=nn.MaxPool2d(kernel_size=2, stride=2, pad_mode="valid"))
    case("mint_max_pool_pad", mint.nn.MaxPool2d(3, 2, 1), IMAGE,
         like=nn.MaxPool2d(kernel_size=3, stride=2, pad_mode="pad", padding=1))
    case("mint_max_pool_ceil", mint.nn.MaxPool2d(3, 2, ceil_mode=True), IMAGE, refused="ceil_mode")
    case("mint_avg_pool_pad", mint.nn.AvgPool2d(3, 2, 1), IMAGE,
         like=nn.AvgPool2d(kernel_size=3, stride=2, pad_mode="pad", padding=1))
    case("mint_avg_pool", mint.nn.AvgPool2d(2, 2), IMAGE, like=nn.AvgPool2d(kernel_size=2, stride=2, pad_mode="valid"))
    case("mint_adaptive_avg_pool", mint.nn.AdaptiveAvgPool2d(1), IMAGE, like=nn.AdaptiveAvgPool2d(1))
    for name, new, old in (("gelu", mint.nn.GELU(), nn.GELU(approximate=False)), ("silu", mint.nn.SiLU(), nn.SiLU()),
                           ("elu", mint.nn.functional.elu, nn.ELU()), ("log2", mint.log2, ops.log2),
                           ("leaky_relu", mint.nn.functional.leaky_relu, nn.LeakyReLU(0.01)),
                           ("softplus", mint.nn.functional.softplus, ops.Softplus()), ("exp2", mint.exp2, ops.exp2),
                           ("log_softmax", mint.nn.LogSoftmax(-1), nn.LogSoftmax()), ("mean", mint.mean, ops.mean),
                           ("max", mint.max, ops.amax), ("min", mint.min, ops.amin), ("prod", mint.prod, ops.prod)):
        case(f"mint_{name}", new, POSITIVE, like=old)
    for name, constants, old in (("sum", (1, True), None), ("argmax", (1,), ops.argmax), ("cumsum", (1,), ops.cumsum),
                                 ("flatten", (0, -1), None), ("permute", ((1, 0),), None),
                                 ("transpose", (0, 1), None), ("unsqueeze", (1,), None), ("narrow", (1, 1, 2), None),
                                 ("select", (1, -1), None), ("split", (3, 1), None), ("chunk", (2, 1), None),
                                 ("pow", (2.0,), ops.pow), ("broadcast_to", ((2, 3, 6),), None)):
        case(f"mint_{name}", getattr(mint, name), POSITIVE, constants=constants, like=old)
    @expression(POSITIVE, OTHER, like=lambda x, y: (x % y, 2 % x, x % 2))
    def mint_remainders(x, y):
        return mint.remainder(x, y), mint.remainder(2, x), mint.remainder(x, 2)

    case("mint_atan2", mint.atan2, POSITIVE, OTHER, like=ops.atan2, cpu=NO_KERNEL)

    @expression(POSITIVE, OTHER, like=lambda x, y: (x + 2 * y, x - 2 * y, x + 3, x - 3, x - 6))
    def mint_sums(x, y):
        return mint.add(x, y, alpha=2), mint.sub(x, y, alpha=2), mint.add(x, 3), mint.sub(x, 3), mint.sub(x, 3, alpha=2)

    @expression(POSITIVE, OTHER, like=lambda x, y: (x / y, ops.floor_div(x, y), x / 2, ops.floor_div(x, 2)))
    def mint_quotients(x, y):
        return (mint.div(x, y), mint.div(x, y, rounding_mode="floor"), mint.div(x, 2),
                mint.div(x, 2, rounding_mode="floor"))

    @expression(POSITIVE, OTHER, like=lambda x, y: (ops.clamp(x, y, 2 * y), ops.clamp(x, 0.5, 1.0)))
    def mint_limits(x, y):
        return mint.clamp(x, y, y * 2), mint.nn.functional.hardtanh(x, 0.5, 1.0)

    @expression(POSITIVE, OTHER, like=lambda x, y: (ops.stack((x, y), 1), x @ y.T, ops.log10(x), x >= 0.5))
    def mint_mixture(x, y):
        return mint.stack((x, y), 1), mint.mm(x, y.t()), mint.log10(x), mint.ge(x, 0.5)

    @expression(POSITIVE, like=lambda x: (x, x, x.reshape(6, 3), x.reshape(18)))
    def mint_views(x):
        return x.clone() * 1.0, x.contiguous() * 1.0, x.view((6, 3)) * 1.0, mint.flatten(x) * 1.0

    @expression(IMAGE, like=lambda x: (nn.Upsample(size=(16, 16))(x), nn.Upsample(size=(16, 12), mode="bilinear")(x)))
    def mint_interpolate(x):
        resize = mint.nn.functional.interpolate
        return resize(x, size=(16, 16), mode="nearest"), resize(x, size=(16, 12), mode="bilinear")

    @expression(POSITIVE, like=lambda x: 2 ** x, cpu=ONE_BASE)
    def mint_number_power(x):
        return mint.pow(2, x)

    @expression(INDICES, cpu="the runtime's OneHot does not know int64",
                like=lambda x: ops.one_hot(x, 4, ms.Tensor(1, ms.int64), ms.Tensor(0, ms.int64)))
    def mint_one_hot(x):
        return mint.nn.functional.one_hot(ops.cast(x, ms.int64), 4)

    case("mint_min_of_axis", mint.min, BATCH, constants=(1,), like=lambda x, axis: ops.min(x, axis))
    case("mint_split_sizes", mint.split, BATCH, constants=((2, 4), 1))
    case("mint_bmm", mint.bmm, values(2, 3, 6), values(2, 6, 5))
    case("mint_add_alpha", mint.add, BATCH, OTHER, like=ops.Add())
    case("mint_embedding", mint.nn.functional.embedding, INDICES, values(5, 4), like=lambda x, table: table[x])
    case("mint_pad", mint.nn.functional.pad, IMAGE, constants=((1, 2),),
         like=lambda x, pads: nn.Pad(((0, 0), (0, 0), (0, 0), pads))(x))
    case("mint_top_k_smallest", mint.topk, BATCH, constants=(2, -1, False), refused="only the largest")
    case("mint_max_of_axis", mint.max, BATCH, constants=(1,), like=lambda x, axis: ops.max(x, axis))
    case("interpolate_bilinear", nn.Upsample(size=(16, 12), mode="bilinear"), IMAGE)
    case("interpolate_bilinear_align", nn.Upsample(size=(16, 12), mode="bilinear", align_corners=True), IMAGE)
    case("swiglu", ops.swiglu, BATCH, refused="Swiglu")
    case("round_decimals", mint.round, BATCH, constants=(), like=ops.Round())
