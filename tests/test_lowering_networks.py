"""lower_mindir.py on whole networks: those of the folders, and others that it was not written
for.
"""

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn, ops
from mindspore.train.mind_ir_pb2 import ModelProto

from folders import slow_where_heavy
from golden import image
from lowering_tools import distance, export, in_mindspore, lower, run
from test_golden import NETWORKS, OUTPUTS, load_golden_weights, size_of
from test_nas_fpn import network as detector
from test_nas_fpn import with_decoder as detector_with_decoder


class Attention(nn.Cell):
    """Self-attention over (batch, positions, width), each head on its own."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.query_key_value, self.out = nn.Dense(width, 3 * width), nn.Dense(width, width)

    def construct(self, x):
        batch, positions, width = x.shape
        x = self.query_key_value(x).reshape(batch, positions, 3, self.heads, width // self.heads)
        query, key, value = x.transpose(2, 0, 3, 1, 4)
        scores = ops.softmax(ops.matmul(query, key.transpose(0, 1, 3, 2)) * self.scale, -1)
        return self.out(
            ops.matmul(scores, value).transpose(0, 2, 1, 3).reshape(batch, positions, width)
        )


class Transformer(nn.Cell):
    """A vision transformer of two blocks over 4x4 patches."""

    def __init__(self, width=32, size=16):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, 4, "valid", has_bias=True)
        self.position = ms.Parameter(
            ms.Tensor(np.zeros((1, (size // 4) ** 2, width), np.float32)), name="position"
        )
        self.blocks = nn.CellList(
            [
                nn.CellList(
                    [
                        nn.LayerNorm((width,)),
                        Attention(width, 4),
                        nn.LayerNorm((width,)),
                        nn.SequentialCell(
                            nn.Dense(width, 2 * width), nn.GELU(), nn.Dense(2 * width, width)
                        ),
                    ]
                )
                for _ in range(2)
            ]
        )
        self.norm, self.head = nn.LayerNorm((width,)), nn.Dense(width, 10)

    def construct(self, x):
        x = self.patches(x)
        x = x.reshape(x.shape[0], x.shape[1], -1).transpose(0, 2, 1) + self.position
        for norm_1, attention, norm_2, mlp in self.blocks:
            x = x + attention(norm_1(x))
            x = x + mlp(norm_2(x))
        return self.head(self.norm(x).mean(1))


def double_conv(channels_in, channels):
    return nn.SequentialCell(
        nn.Conv2d(channels_in, channels, 3, pad_mode="pad", padding=1),
        nn.GroupNorm(2, channels),
        nn.SiLU(),
        nn.Conv2d(channels, channels, 3, pad_mode="pad", padding=1),
        nn.BatchNorm2d(channels),
        nn.LeakyReLU(),
    )


class UNet(nn.Cell):
    """Two levels down by pooling, two up by transposed convolution and by bilinear resizing; a
    mask for each pixel.
    """

    def __init__(self):
        super().__init__()
        self.down = nn.CellList([double_conv(3, 4), double_conv(4, 8), double_conv(8, 16)])
        self.pool = nn.MaxPool2d(kernel_size=3, stride=2, pad_mode="pad", padding=1)
        self.up = nn.Conv2dTranspose(16, 8, 2, 2)
        self.resize = nn.Upsample(size=(16, 16), mode="bilinear")
        self.join = nn.CellList([double_conv(16, 8), double_conv(12, 4)])
        self.head = nn.Conv2d(4, 2, 1, has_bias=True)

    def construct(self, x):
        fine = self.down[0](x)
        middle = self.down[1](self.pool(fine))
        x = self.up(self.down[2](self.pool(middle)))
        x = self.join[0](ops.concat((middle, x), 1))
        x = self.join[1](ops.concat((fine, self.resize(x)), 1))
        return ops.softmax(self.head(x), 1), self.head(x).argmax(1)


class SqueezeExcite(nn.Cell):
    """An inverted residual of MobileNetV3: depthwise convolution, gates by hard sigmoid, hard
    swish, residual.
    """

    def __init__(self, channels=8):
        super().__init__()
        self.stem = nn.SequentialCell(
            nn.Conv2d(3, channels, 3, 2), nn.BatchNorm2d(channels), nn.HSwish()
        )
        self.expand = nn.SequentialCell(nn.Conv2d(channels, 24, 1), nn.BatchNorm2d(24), nn.HSwish())
        self.depthwise = nn.SequentialCell(
            nn.Conv2d(24, 24, 5, group=24), nn.BatchNorm2d(24), nn.HSwish()
        )
        self.gate = nn.SequentialCell(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(24, 6, 1, has_bias=True),
            nn.ReLU(),
            nn.Conv2d(6, 24, 1, has_bias=True),
            nn.HSigmoid(),
        )
        self.project = nn.SequentialCell(nn.Conv2d(24, channels, 1), nn.BatchNorm2d(channels))
        self.head = nn.SequentialCell(nn.Flatten(), nn.Dropout(p=0.2), nn.Dense(channels * 64, 5))

    def construct(self, x):
        x = self.stem(x)
        y = self.depthwise(self.expand(x))
        y = self.project(y * self.gate(y))
        y += x
        return self.head(y)


def check(network, folder, *inputs, like=None):
    """Lowered and run by MindSpore Lite, `network` gives what it gives in MindSpore, within
    1e-3 of the spread.
    """
    model = export(network, folder, *inputs, like=like)
    code, message = lower(model, folder / "model.mindir")
    assert code == 0, message
    assert "note: " not in message
    (outputs,) = run([folder])
    assert not isinstance(outputs, str), outputs
    expected = in_mindspore(network, *inputs)
    assert len(outputs) == len(expected)
    for got, value in zip(outputs, expected):
        assert distance(got, value) <= 1e-3


@pytest.mark.parametrize("build", [Transformer, UNet, SqueezeExcite])
def test_networks_that_nobody_here_wrote_it_for(build, tmp_path):
    network = build()
    load_golden_weights(network)
    check(network, tmp_path, image((2, 3, 16, 16)))


def test_open_batch_size(tmp_path):
    network = nn.SequentialCell(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dense(4, 5),
    )
    load_golden_weights(network)
    check(
        network,
        tmp_path,
        image((5, 3, 8, 8)),
        like=ms.Tensor(shape=[None, 3, 8, 8], dtype=ms.float32),
    )


def test_an_order_of_execution_copies_no_weights(tmp_path):
    """What changes a tensor in place waits for all weights to have been loaded."""
    model = export(SqueezeExcite(), tmp_path, image((2, 3, 16, 16)))
    assert lower(model, tmp_path / "model.mindir")[0] == 0
    names = []
    for path in (model, tmp_path / "model.mindir"):
        read = ModelProto()
        read.ParseFromString(path.read_bytes())
        names.append({parameter.name for parameter in read.graph.parameter})
    assert names[0] == names[1]


@pytest.mark.parametrize("folder", slow_where_heavy(list(NETWORKS)))
def test_networks_of_the_folders(folder, tmp_path):
    network, size = NETWORKS[folder](), size_of(OUTPUTS[folder][0])
    load_golden_weights(network)
    check(network, tmp_path, image((1, 3, size, size)))


def test_detector(tmp_path):
    check(detector_with_decoder(detector(128), 128), tmp_path, image((1, 3, 128, 128)))
