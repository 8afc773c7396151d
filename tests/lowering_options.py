"""Cases of lower_mindir.py: layers with odd sizes and options."""

import numpy as np
from mindspore import nn

from lowering_cases import BATCH, case, layer, values

ODD, EIGHT, LINE = values(1, 3, 13, 17), values(2, 8, 12, 9), values(2, 4, 15)
CUBE, DEEP = values(2, 3, 5), values(1, 2, 3, 4, 5)
# fmt: off
for name, cell, x in (
    ("depthwise_strided", nn.Conv2d(8, 8, 3, 2, "same", group=8), EIGHT),
    ("depthwise_dilated", nn.Conv2d(8, 8, 3, 1, "same", dilation=2, group=8), EIGHT),
    ("depthwise_line", nn.Conv2d(8, 8, (1, 7), (1, 2), "pad", (0, 0, 3, 3), group=8), EIGHT),
    ("depthwise_multiplied", nn.Conv2d(8, 16, 3, 1, "same", group=8), EIGHT),
    ("depthwise_one_sided", nn.Conv2d(8, 8, 3, 2, "pad", (0, 1, 0, 1), group=8), EIGHT),
    ("groups_strided", nn.Conv2d(8, 12, 3, 2, "pad", 1, group=4, has_bias=True), EIGHT),
    ("groups_dilated", nn.Conv2d(8, 4, 3, 1, "same", dilation=2, group=2), EIGHT),
    ("conv_even_same", nn.Conv2d(3, 8, 4, 2, "same"), ODD),
    ("conv_stride_above_kernel", nn.Conv2d(3, 8, 2, 3, "same"), ODD),
    ("conv_dilated_strided", nn.Conv2d(3, 8, 3, 2, "same", dilation=3), ODD),
    ("conv_1x1_strided", nn.Conv2d(3, 4, 1, 2, "valid", has_bias=True), ODD),
    ("conv_1x1_padded", nn.Conv2d(3, 4, 1, 1, "pad", 2, has_bias=True), ODD),
    ("conv_1d_options", nn.Conv1d(4, 6, 5, 2, "pad", 2, has_bias=True), LINE),
    ("transposed_even", nn.Conv2dTranspose(3, 4, 4, 2, "same", has_bias=True), ODD),
    ("transposed_stride_above_kernel", nn.Conv2dTranspose(3, 4, 2, 3, "valid"), ODD),
    ("transposed_stride_above_kernel_same", nn.Conv2dTranspose(3, 4, 1, 2, "same"), ODD),
    ("transposed_output_padding", nn.Conv2dTranspose(3, 4, 3, 2, "pad", 1, output_padding=1), ODD),
    ("transposed_dilated", nn.Conv2dTranspose(3, 4, 3, 1, "pad", 1, dilation=2), ODD),
    ("transposed_one_sided", nn.Conv2dTranspose(3, 4, 3, 2, "pad", (0, 1, 1, 0)), ODD),
    ("transposed_depthwise", nn.Conv2dTranspose(8, 8, 3, 2, "same", group=8), EIGHT),
    ("transposed_groups", nn.Conv2dTranspose(8, 8, 3, 2, "same", group=2), EIGHT),
    ("transposed_1d", nn.Conv1dTranspose(4, 6, 4, 2, "same"), LINE),
    ("layer_norm_5d", nn.LayerNorm((5,)), DEEP),
    ("layer_norm_two_axes", nn.LayerNorm((3, 5), 1, 1), CUBE),
    ("group_norm_plain", nn.GroupNorm(8, 8, affine=False), EIGHT),
    ("dense_4d", nn.Dense(9, 4), EIGHT),
    ("dense_vector", nn.Dense(5, 4), values(5)),
    ("prelu_single", nn.PReLU(1), EIGHT),
    ("prelu_matrix", nn.PReLU(6), BATCH),
    ("embedding_one_hot", nn.Embedding(10, 4, True), np.array([[1, 2], [9, 0]], np.int32)),
    ("max_pool_ceil", nn.MaxPool2d(3, 2, pad_mode="pad", padding=1, ceil_mode=True), EIGHT),
    ("max_pool_line", nn.MaxPool2d((3, 1), (1, 2), pad_mode="pad", padding=(1, 0)), EIGHT),
    ("max_pool_same_line", nn.MaxPool2d((3, 2), (2, 3), pad_mode="same"), EIGHT),
    ("avg_pool_ceil", nn.AvgPool2d(2, 2, pad_mode="pad", ceil_mode=True), EIGHT),
    ("avg_pool_ceil_padded", nn.AvgPool2d(3, 2, pad_mode="pad", padding=1, ceil_mode=True), EIGHT),
    ("avg_pool_without_border", nn.AvgPool2d(3, 2, pad_mode="pad", padding=1,
                                             count_include_pad=False), EIGHT),
    ("avg_pool_divisor", nn.AvgPool2d(3, 2, pad_mode="pad", divisor_override=5), EIGHT),
    ("adaptive_avg_pool_wider", nn.AdaptiveAvgPool2d(10), EIGHT),
    ("adaptive_avg_pool_line", nn.AdaptiveAvgPool2d((None, 1)), EIGHT),
    ("adaptive_max_pool", nn.AdaptiveMaxPool2d((6, 3)), EIGHT),
    ("lp_pool", nn.LPPool2d(2, 2, 2), EIGHT),
    ("max_pool_1d", nn.MaxPool1d(3, 2, pad_mode="pad", padding=1), LINE),
    ("avg_pool_1d", nn.AvgPool1d(3, 2, pad_mode="pad", padding=1), LINE),
    ("adaptive_avg_pool_1d", nn.AdaptiveAvgPool1d(5), LINE),
    ("reflection_pad", nn.ReflectionPad2d((1, 2, 0, 3)), EIGHT),
    ("reflection_pad_1d", nn.ReflectionPad1d(2), LINE),
    ("replication_pad", nn.ReplicationPad2d((1, 2, 0, 3)), EIGHT),
    ("constant_pad", nn.ConstantPad2d((1, 2, 0, 3), -1.5), EIGHT),
    ("symmetric_pad", nn.Pad(((0, 0), (1, 2), (2, 1)), mode="SYMMETRIC"), CUBE),
    ("pixel_unshuffle", nn.PixelUnshuffle(3), EIGHT),
    ("channel_shuffle", nn.ChannelShuffle(4), EIGHT),
    ("resized_by_area", nn.Upsample(size=(6, 3), mode="area"), EIGHT),
    ("softmax_channels", nn.Softmax2d(), EIGHT),
    ("celu_alpha", nn.CELU(0.7), EIGHT),
    ("leaky_relu_steep", nn.LeakyReLU(1.5), EIGHT),
    ("recurrent", nn.RNN(5, 4), values(3, 2, 5)),
    ("encoder_layer", nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), values(2, 5, 8)),
):
    case(name, layer(cell), x)
# fmt: on
case("max_pool_dilated", nn.MaxPool2d(3, 1, pad_mode="pad", dilation=2), EIGHT, cpu="no CPU kernel")
