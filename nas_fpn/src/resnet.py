"""ResNet as a backbone, ResNet-50 unless made shallower or narrower (arXiv:1512.03385, table 1; the
stride of a block sits on its 3x3 convolution).
"""

from __future__ import annotations

from typing import NamedTuple

from mindspore import nn, ops

STRIDES = (1, 2, 2, 2)  # of the first block of each of the four stages
EXPANSION = 4


class Form(NamedTuple):
    """Where backbones differ that have the same parameters.

    `padding` of what halves an image: 'same', as documented, reaches over the right and lower edge
    first, 'symmetric' over all edges alike, as weights of PyTorch want it. `epsilon` is what
    BatchNorm adds to variances, `bn_momentum` the share that its moving values keep.
    """

    bn_momentum: float
    padding: str = "same"
    epsilon: float = 1e-3

    def conv(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1
    ) -> nn.Conv2d:
        """Convolution without bias, output H/stride x W/stride."""
        symmetric = self.padding == "symmetric" and stride > 1
        return nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            pad_mode="pad" if symmetric else "same",
            padding=kernel_size // 2 if symmetric else 0,
            has_bias=False,
        )

    def batch_norm(self, channels: int, gamma_init: str = "ones") -> nn.BatchNorm2d:
        return nn.BatchNorm2d(
            channels, eps=self.epsilon, momentum=self.bn_momentum, gamma_init=gamma_init
        )


class Pool(nn.Cell):
    """Maximum of 3x3 squares two apart, of values >= 0: (N, C, H, W) to (N, C, H/2, W/2), H and W
    even; `padding` as in Form.

    Zeros stand for what lies outside, which changes no maximum; ONNX export knows no pool that pads
    symmetrically.
    """

    def __init__(self, padding: str):
        super().__init__()
        self.symmetric = padding == "symmetric"
        pad_mode = "valid" if self.symmetric else "same"
        self.pool = nn.MaxPool2d(kernel_size=3, stride=2, pad_mode=pad_mode)

    def construct(self, x):
        if self.symmetric:
            n, c, h, w = x.shape
            x = ops.concat((ops.zeros((n, c, 1, w), x.dtype), x), 2)
            x = ops.concat((ops.zeros((n, c, h + 1, 1), x.dtype), x), 3)
        return self.pool(x)


class ResidualBlock(nn.Cell):
    """Bottleneck: 1x1, 3x3 with the stride, 1x1 to `out_channels`, plus the shortcut. (N, C, H, W)
    to (H, W) / stride.

    It starts as its shortcut: the last BatchNorm's scale is 0 (arXiv:1706.02677, section 5.1).
    """

    # For use_cpu_kernels.
    IN_A_ROW = (("conv1", "bn1", "relu1"), ("conv2", "bn2", "relu2"), ("conv3", "bn3"))

    def __init__(self, in_channels: int, out_channels: int, stride: int, form: Form):
        super().__init__()
        channels = out_channels // EXPANSION
        self.conv1 = form.conv(in_channels, channels, 1)
        self.bn1 = form.batch_norm(channels)
        self.relu1 = nn.ReLU()
        self.conv2 = form.conv(channels, channels, 3, stride)
        self.bn2 = form.batch_norm(channels)
        self.relu2 = nn.ReLU()
        self.conv3 = form.conv(channels, out_channels, 1)
        self.bn3 = form.batch_norm(out_channels, gamma_init="zeros")
        self.relu = nn.ReLU()
        self.down_sample_layer = None
        if in_channels != out_channels:
            self.down_sample_layer = nn.SequentialCell(
                form.conv(in_channels, out_channels, 1, stride), form.batch_norm(out_channels)
            )

    def construct(self, x):
        shortcut = x if self.down_sample_layer is None else self.down_sample_layer(x)
        x = self.relu1(self.bn1(self.conv1(x)))
        x = self.relu2(self.bn2(self.conv2(x)))
        return self.relu(self.bn3(self.conv3(x)) + shortcut)


class ResNet(nn.Cell):
    """Images (N, 3, H, W) to C3 (N, 8 w, H/8, W/8), C4 (N, 16 w, H/16, W/16), C5 (N, 32 w, H/32,
    W/32), w = `width` being the channels of a 3x3 convolution in the first stage.

    `blocks` are the residual blocks of the four stages. 3, 4, 6, 3 and a width of 64 are ResNet-50.
    """

    IN_A_ROW = (("conv1", "bn1", "relu"),)  # for use_cpu_kernels

    def __init__(self, blocks: list[int], width: int, form: Form):
        super().__init__()
        self.conv1 = form.conv(3, width, 7, 2)
        self.bn1 = form.batch_norm(width)
        self.relu = nn.ReLU()
        self.maxpool = Pool(form.padding)
        layers, in_channels = [], width
        for stage, (count, stride) in enumerate(zip(blocks, STRIDES)):
            out_channels = width * 2**stage * EXPANSION
            layers.append(
                nn.SequentialCell(
                    [
                        ResidualBlock(
                            in_channels if block == 0 else out_channels,
                            out_channels,
                            stride if block == 0 else 1,
                            form,
                        )
                        for block in range(count)
                    ]
                )
            )
            in_channels = out_channels
        self.layer1, self.layer2, self.layer3, self.layer4 = layers

    def construct(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))  # (N, w, H/4, W/4)
        c2 = self.layer1(x)
        c3 = self.layer2(c2)
        c4 = self.layer3(c3)
        return c3, c4, self.layer4(c4)
