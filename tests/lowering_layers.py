"""Cases of lower_mindir.py: the operators of layers."""

from mindspore import nn, ops

from lowering_cases import BATCH, IMAGE, NO_KERNEL, case, layer, values

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
case("matmul_broadcast", ops.matmul, values(2, 4, 3, 6), values(4, 6, 5))

# Pooling
for name, pool in (("max", nn.MaxPool2d), ("avg", nn.AvgPool2d)):
    for pad_mode in ("same", "valid"):
        case(f"{name}_pool_{pad_mode}", pool(kernel_size=3, stride=2, pad_mode=pad_mode), IMAGE)
    case(f"{name}_pool_overlap", pool(kernel_size=(2, 3), stride=1, pad_mode="valid"), IMAGE)
    case(f"{name}_pool_pad", pool(kernel_size=3, stride=2, pad_mode="pad", padding=1), IMAGE)
case("max_pool_primitive", ops.MaxPool(2, 2, "same"), IMAGE)
case("adaptive_avg_pool", nn.AdaptiveAvgPool2d((2, 4)), IMAGE)
case("adaptive_avg_pool_one", nn.AdaptiveAvgPool2d(1), IMAGE)
case("adaptive_avg_pool_uneven", nn.AdaptiveAvgPool2d(3), IMAGE)

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
    ("fast_gelu", nn.FastGelu()),
    ("softsign", nn.Softsign()),
    ("mish", nn.Mish()),
    ("celu", nn.CELU()),
    ("selu", nn.SeLU()),
):
    case(name, cell, BATCH)
case("prelu", layer(nn.PReLU(4)), IMAGE)
case("softplus", ops.Softplus(), BATCH)
case("softplus_function", ops.softplus if hasattr(ops, "softplus") else ops.Softplus(), BATCH)
case("softmax_axis", ops.Softmax(0), BATCH)
case("softmax_function", ops.softmax, BATCH, constants=(0,))
case("gelu_function", ops.gelu, BATCH)
case("silu_function", ops.silu, BATCH)
case("glu", ops.glu, BATCH)
