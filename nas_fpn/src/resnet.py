"""ResNet as a backbone, ResNet-50 unless made shallower or narrower (arXiv:1512.03385, table 1; the
stride of a block sits on its 3x3 convolution).
"""

from mindspore import nn

STRIDES = (1, 2, 2, 2)  # of the first block of each of the four stages
EXPANSION = 4


def conv(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Conv2d:
    """Convolution without bias, output H/stride x W/stride; of odd padding the larger half goes
    right and below.
    """
    return nn.Conv2d(
        in_channels,
        out_channels,
        kernel_size,
        stride=stride,
        pad_mode="same",
        padding=0,
        has_bias=False,
    )


def batch_norm(channels: int, momentum: float, gamma_init: str = "ones") -> nn.BatchNorm2d:
    """BatchNorm; MindSpore's momentum is the share that the moving value keeps."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=momentum, gamma_init=gamma_init)


class ResidualBlock(nn.Cell):
    """Bottleneck: 1x1, 3x3 with the stride, 1x1 to `out_channels`, plus the shortcut. (N, C, H, W)
    to (H, W) / stride.

    It starts as its shortcut: the last BatchNorm's scale is 0 (arXiv:1706.02677, section 5.1).
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, bn_momentum: float):
        super().__init__()
        channels = out_channels // EXPANSION
        self.conv1 = conv(in_channels, channels, 1)
        self.bn1 = batch_norm(channels, bn_momentum)
        self.conv2 = conv(channels, channels, 3, stride)
        self.bn2 = batch_norm(channels, bn_momentum)
        self.conv3 = conv(channels, out_channels, 1)
        self.bn3 = batch_norm(out_channels, bn_momentum, gamma_init="zeros")
        self.relu = nn.ReLU()
        self.down_sample_layer = None
        if in_channels != out_channels:
            self.down_sample_layer = nn.SequentialCell(
                conv(in_channels, out_channels, 1, stride), batch_norm(out_channels, bn_momentum)
            )

    def construct(self, x):
        shortcut = x if self.down_sample_layer is None else self.down_sample_layer(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.relu(self.bn3(self.conv3(x)) + shortcut)


class ResNet(nn.Cell):
    """Images (N, 3, H, W) to C3 (N, 8 w, H/8, W/8), C4 (N, 16 w, H/16, W/16), C5 (N, 32 w, H/32,
    W/32), w = `width` being the channels of a 3x3 convolution in the first stage.

    `blocks` are the residual blocks of the four stages. 3, 4, 6, 3 and a width of 64 are ResNet-50.
    """

    def __init__(self, blocks: list[int], width: int, bn_momentum: float):
        super().__init__()
        self.conv1 = conv(3, width, 7, 2)
        self.bn1 = batch_norm(width, bn_momentum)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, pad_mode="same")
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
                            bn_momentum,
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
