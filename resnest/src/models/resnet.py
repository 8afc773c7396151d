"""The ResNet-D frame of ResNeSt: a stem of three convolutions, pooled shortcuts, pools in place of
strides.

https://arxiv.org/abs/2004.08955, section 4.1; ResNet-D is https://arxiv.org/abs/1812.01187, section
4.
"""

import mindspore as ms
import mindspore.nn as nn
import mindspore.ops as ops
import numpy as np
from mindspore.common.initializer import Uniform

from src.models.splat import GlobalMean, SplAtConv2d, batch_norm, conv
from src.vendored.random_drop import RandomDrop

EXPANSION = 4
# planes, and stride of the first block, of layer1 to layer4
STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))


class PaddedAvgPool(nn.Cell):
    """3x3 average pool of stride 2 in which one ring of zeros counts: (N, C, H, W) to (N, C, H/2,
    W/2).

    Written as a depthwise convolution with constant weights: a padded pool cannot be exported to
    ONNX, and a pad of its own makes training slow on CPU.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.depthwise = ops.Conv2D(
            channels, (3, 3), pad_mode="pad", pad=1, stride=2, group=channels
        )
        self.ninth = ms.Tensor(np.full((channels, 1, 3, 3), 1 / 9, np.float32))

    def construct(self, x):
        return self.depthwise(x, self.ninth.astype(x.dtype))


class ZeroTopLeft(nn.Cell):
    """A row of zeros above and a column to the left: (N, C, H, W) to (N, C, H+1, W+1); on CPU
    far faster than Pad.
    """

    def construct(self, x):
        n, c, h, w = x.shape
        x = ops.concat((ops.zeros((n, c, 1, w), x.dtype), x), 2)
        return ops.concat((ops.zeros((n, c, h + 1, 1), x.dtype), x), 3)


class Bottleneck(nn.Cell):
    """1x1 convolution, split attention, 1x1 convolution, plus shortcut: (N, C, H, W) to (N, 4P,
    H/stride, W/stride). In training an image may have its shortcut alone (set_drop_path).

    Args:
        in_channels: C.
        planes: P.
        stride: 1, or 2 for an average pool after the split attention.
        project: whether the shortcut is a pool of `stride` and a 1x1 convolution instead of the
            input itself.
        attention_bias: see SplAtConv2d.
    """

    IN_A_ROW = (("conv1", "bn1", "relu1"), ("conv3", "bn3"))  # for use_cpu_kernels

    def __init__(
        self,
        in_channels: int,
        planes: int,
        stride: int = 1,
        project: bool = False,
        attention_bias: bool = False,
    ):
        super().__init__()
        out_channels = planes * EXPANSION
        self.conv1 = conv(in_channels, planes, 1)
        self.bn1 = batch_norm(planes)
        self.relu1 = nn.ReLU()
        self.conv2 = SplAtConv2d(planes, attention_bias)
        self.avd_layer = PaddedAvgPool(planes) if stride == 2 else nn.Identity()
        self.conv3 = conv(planes, out_channels, 1)
        self.bn3 = batch_norm(out_channels)
        self.drop = RandomDrop(whole_images=True)
        self.relu = nn.ReLU()
        if project:
            pool = (
                nn.AvgPool2d(kernel_size=2, stride=2, pad_mode="valid")
                if stride == 2
                else nn.Identity()
            )
            self.downsample = nn.SequentialCell(
                [pool, conv(in_channels, out_channels, 1), batch_norm(out_channels)]
            )
        else:
            self.downsample = nn.Identity()

    def construct(self, x):
        out = self.relu1(self.bn1(self.conv1(x)))
        out = self.avd_layer(self.conv2(out))
        out = self.drop(self.bn3(self.conv3(out)))
        return self.relu(out + self.downsample(x))


class ResNet(nn.Cell):
    """Images (N, 3, H, W), normalised RGB, to logits (N, num_classes). H and W: multiples of 32,
    not necessarily equal.

    Args:
        layers: number of blocks in each of the four stages.
        stem_width: channels of the first two convolutions; the third has twice as many.
        num_classes: number of logits.
        last_gamma: whether the last batch norm of each block starts at 0, so that every block
            starts as its shortcut (https://arxiv.org/abs/1812.01187, section 3.1).
        final_drop: probability of keeping a feature before the classifier; 1 (and, as documented,
            0): no dropout.
        attention_bias: see SplAtConv2d; True runs the weights published for PyTorch.

    Raises ValueError for a final_drop outside 0..1 and for images of other sizes.
    """

    IN_A_ROW = (("bn1", "relu"),)  # for use_cpu_kernels

    def __init__(
        self,
        layers: tuple,
        stem_width: int,
        num_classes: int = 1000,
        last_gamma: bool = False,
        final_drop: float = 1.0,
        attention_bias: bool = False,
    ):
        super().__init__()
        if not 0 <= final_drop <= 1:
            raise ValueError(f"final_drop is a probability of keeping, 0..1; got {final_drop}")
        stem_channels = stem_width * 2
        self.conv1 = nn.SequentialCell(
            [
                conv(3, stem_width, 3, stride=2),
                batch_norm(stem_width),
                nn.ReLU(),
                conv(stem_width, stem_width, 3),
                batch_norm(stem_width),
                nn.ReLU(),
                conv(stem_width, stem_channels, 3),
            ]
        )
        self.bn1 = batch_norm(stem_channels)
        self.relu = nn.ReLU()
        # H/2 and W/2 are even here, so windows reach over the top and the left edge only. Zeros do,
        # after a ReLU.
        self.pad = ZeroTopLeft()
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, pad_mode="valid")
        in_channels = stem_channels
        stages = []
        for (planes, stride), blocks in zip(STAGES, layers):
            stage = [Bottleneck(in_channels, planes, stride, True, attention_bias)]
            in_channels = planes * EXPANSION
            stage += [
                Bottleneck(in_channels, planes, attention_bias=attention_bias)
                for _ in range(blocks - 1)
            ]
            stages.append(nn.SequentialCell(stage))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.mean = GlobalMean()
        self.drop = RandomDrop(1.0 - final_drop if final_drop else 0.0)
        # PyTorch's rule for a dense layer, with which the release was trained
        bound = in_channels**-0.5
        self.fc = nn.Dense(
            in_channels, num_classes, weight_init=Uniform(bound), bias_init=Uniform(bound)
        )
        if last_gamma:
            for _, cell in self.cells_and_names():
                if isinstance(cell, Bottleneck):
                    cell.bn3.gamma.set_data(ms.Tensor(np.zeros(cell.bn3.gamma.shape, np.float32)))

    def maps(self, x: ms.Tensor) -> ms.Tensor:
        # pooled shortcut and branch would differ in size
        if x.shape[2] % 32 != 0 or x.shape[3] % 32 != 0:
            raise ValueError(
                f"image height and width must be multiples of 32, got {x.shape[2]} and {x.shape[3]}"
            )
        x = self.relu(self.bn1(self.conv1(x)))  # (N, C, H/2, W/2)
        x = self.maxpool(self.pad(x))  # (N, C, H/4, W/4)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))  # (N, 2048, H/32, W/32)

    def classify(self, maps: ms.Tensor) -> ms.Tensor:
        return self.fc(self.drop(self.mean(maps).reshape(maps.shape[0], -1)))

    def construct(self, x):
        return self.classify(self.maps(x))
