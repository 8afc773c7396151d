"""MobileNetV1: a stem, then pairs of depthwise 3x3 and pointwise 1x1 convolutions
(arXiv:1704.04861, table 1).
"""

from types import SimpleNamespace
from typing import NamedTuple

import mindspore as ms
from mindspore import nn, ops
from mindspore.common.initializer import TruncatedNormal, XavierUniform, Zero, initializer

from src.vendored.random_drop import RandomDrop

# (stride of the depthwise convolution, channels after the pointwise one), arXiv:1704.04861, table
# 1.
PAIRS = (
    (1, 64),
    (2, 128),
    (1, 128),
    (2, 256),
    (1, 256),
    (2, 512),
    *[(1, 512)] * 5,
    (2, 1024),
    (1, 1024),
)
ACTIVATIONS = {"relu6": nn.ReLU6, "relu": nn.ReLU}
CLASSIFIER = ("fc.weight", "fc.bias")  # what depends on the classes


class Form(NamedTuple):
    """Where networks differ that have the same parameters.

    `activation` is 'relu6' or 'relu'. `padding` of what halves an image: 'same', as in TensorFlow,
    puts the odd row and column at the end, 'symmetric' one at each edge, as in PyTorch. `epsilon`
    is what batch norm adds to variances.
    """

    activation: str = "relu6"
    padding: str = "same"
    epsilon: float = 1e-5

    def conv_bn_act(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int, group: int
    ) -> nn.Cell:
        """Convolution without bias, BatchNorm, activation."""
        symmetric = self.padding == "symmetric" and stride > 1
        return nn.SequentialCell(
            nn.Conv2d(
                in_channels,
                out_channels,
                kernel_size,
                stride=stride,
                pad_mode="pad" if symmetric else "same",
                padding=kernel_size // 2 if symmetric else 0,
                group=group,
                has_bias=False,
            ),
            nn.BatchNorm2d(out_channels, eps=self.epsilon, momentum=0.9),
            ACTIVATIONS[self.activation](),
        )


class MobileNetV1(nn.Cell):
    """Images (N, 3, H, W) to logits (N, class_num); every H and W from 1 on.

    Args:
        class_num: number of outputs; 1001, as many as TensorFlow's network has. The labels of
            ImageNet are 0 to 999 all the same: output 1000 is never a target.
        features_only: return the outputs of the 27 blocks as a tuple, and have no classifier.
        width_multiplier: factor of all channel counts, at least 8 channels stay (section 3.3).
        activation, padding, epsilon: see Form.
    """

    def __init__(
        self,
        class_num: int = 1001,
        features_only: bool = False,
        width_multiplier: float = 1.0,
        activation: str = "relu6",
        padding: str = "same",
        epsilon: float = 1e-5,
    ):
        super().__init__()

        def scaled(channels):
            return max(int(channels * width_multiplier), 8)

        channels, form = scaled(32), Form(activation, padding, epsilon)
        blocks = [form.conv_bn_act(3, channels, 3, 2, 1)]  # (N, 32, H/2, W/2)
        for stride, out_channels in PAIRS:
            blocks.append(form.conv_bn_act(channels, channels, 3, stride, channels))
            blocks.append(form.conv_bn_act(channels, scaled(out_channels), 1, 1, 1))
            channels = scaled(out_channels)
        self.network = nn.SequentialCell(blocks)  # (N, 1024, H/32, W/32)
        self.features_only = features_only
        if not features_only:
            self.drop = RandomDrop()
            self.fc = nn.Dense(channels, class_num)

    def maps(self, x: ms.Tensor) -> ms.Tensor:
        return self.network(x)

    def classify(self, maps: ms.Tensor) -> ms.Tensor:
        return self.fc(self.drop(ops.mean(maps, (2, 3))))

    def construct(self, x):
        if self.features_only:
            features = ()
            for block in self.network:
                x = block(x)
                features += (x,)
            return features
        return self.classify(self.maps(x))


def mobilenet_v1(class_num: int = 1001, **options: object) -> MobileNetV1:
    """MobileNetV1 with `class_num` classes; `options` as in the class."""
    return MobileNetV1(class_num, **options)


def build_network(config: SimpleNamespace) -> MobileNetV1:
    """The network that `config` describes."""
    return MobileNetV1(
        config.class_num,
        width_multiplier=config.width_multiplier,
        activation=config.activation,
        padding=config.padding,
        epsilon=config.bn_epsilon,
    )


def prepare_for_export(network: nn.Cell) -> nn.Cell:
    """`network` as it is: nothing in it is written for speed on CPU."""
    return network


def initialise(network: nn.Cell) -> None:
    """Fresh weights as documented: Xavier uniform convolutions, a normal classifier cut at two
    sigma, zero biases.
    """
    for _, cell in network.cells_and_names():
        if isinstance(cell, nn.Conv2d):
            cell.weight.set_data(initializer(XavierUniform(), cell.weight.shape, cell.weight.dtype))
        elif isinstance(cell, nn.Dense):
            normal = TruncatedNormal(sigma=0.01, a=-0.02, b=0.02)
            cell.weight.set_data(initializer(normal, cell.weight.shape, cell.weight.dtype))
            cell.bias.set_data(initializer(Zero(), cell.bias.shape, cell.bias.dtype))
