"""FishNet-99 (https://arxiv.org/abs/1901.03495): a tail that shrinks the image, a body that grows
it, a head that shrinks it again, so that features of every resolution and depth are kept and
refined for the last layer.

Features pass between the parts by concatenation. In body and head no convolution stands on a
shortcut, so gradients reach shallow layers directly: channels are reduced by sums, sizes changed by
pooling and by repetition. All blocks are pre-activation bottlenecks. The names of the attributes
are those of published checkpoints.
"""

from collections import OrderedDict
from types import SimpleNamespace

import mindspore as ms
import mindspore.nn as nn
import mindspore.ops as ops

from src.blocks import (
    ChannelSumBlock,
    GlobalAverage,
    IdentityBlock,
    ProjectionBlock,
    batch_norm,
    conv,
)
from src.resizing import Downsample, StemPool, Upsample

STEM_CHANNELS = (32, 32, 64)
# A row is a stage, in the order of the paper's figure 2. Resolutions are those of a 224 x 224
# image.
TAIL = (
    # in, out, blocks
    (64, 128, 2),  # 56 -> 28
    (128, 256, 2),  # 28 -> 14
    (256, 512, 6),  # 14 -> 7
)
BODY = (
    # in, out, dilation; transferred channels, blocks
    (512, 512, 1, 256, 1),  # 7 -> 14
    (768, 384, 2, 128, 1),  # 14 -> 28
    (512, 256, 4, 64, 1),  # 28 -> 56
)
HEAD = (
    # channels, blocks; transferred channels, blocks
    (320, 1, 512, 1),  # 56 -> 28
    (832, 2, 768, 1),  # 28 -> 14
    (1600, 2, 512, 4),  # 14 -> 7
)
HEAD_CHANNELS = 2112
MAPS = 5  # layers of the classifier before the mean over height and width
CLASSIFIER = ("classifier.6.weight", "classifier.6.bias")  # what depends on the classes


def transfer(channels: int, blocks: int) -> nn.SequentialCell:
    """The blocks that carry features over from an earlier part: (N, C, H, W) to the same."""
    return nn.SequentialCell(
        OrderedDict(
            layers_TransferBlock=nn.SequentialCell([IdentityBlock(channels) for _ in range(blocks)])
        )
    )


class TailStage(nn.Cell):
    """Refine and halve: (N, C_in, H, W) to (N, C_out, H/2, W/2)."""

    def __init__(self, in_channels: int, out_channels: int, blocks: int):
        super().__init__()
        stage = [ProjectionBlock(in_channels, out_channels)] + [
            IdentityBlock(out_channels) for _ in range(blocks - 1)
        ]
        self.layer_FishTail = nn.SequentialCell(
            OrderedDict(layer_DownStage=nn.SequentialCell(stage), pool=Downsample())
        )

    def construct(self, x):
        return self.layer_FishTail(x)


class Bridge(nn.Cell):
    """Between tail and body, with squeeze-and-excitation: (N, 512, H, W) to the same."""

    def __init__(self, channels: int):
        super().__init__()
        self.stem = nn.SequentialCell(
            batch_norm(channels),
            nn.ReLU(),
            conv(channels, channels // 2),
            batch_norm(channels // 2),
            nn.ReLU(),
            conv(channels // 2, 2 * channels, has_bias=True),
        )
        self.layers_Bridge = nn.SequentialCell(
            ProjectionBlock(2 * channels, channels), IdentityBlock(channels)
        )
        self.se_block = nn.SequentialCell(
            batch_norm(2 * channels),
            nn.ReLU(),
            GlobalAverage(),
            conv(2 * channels, channels // 16, has_bias=True),
            nn.ReLU(),
            conv(channels // 16, channels, has_bias=True),
            nn.Sigmoid(),
        )

    def construct(self, x):
        x = self.stem(x)  # (N, 1024, H, W)
        attention = self.se_block(x)  # (N, 512, 1, 1)
        return self.layers_Bridge(x) * attention + attention


class BodyStage(nn.Cell):
    """Refine and double, then append tail features: (N, C_in, H, W) and (N, D, 2H, 2W) to (N,
    C_out+D, 2H, 2W).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        dilation: int,
        transferred: int,
        transfer_blocks: int,
    ):
        super().__init__()
        self.layer_FishBody = nn.SequentialCell(
            OrderedDict(
                layer_UpStage=nn.SequentialCell(
                    ChannelSumBlock(in_channels, out_channels, dilation)
                ),
                up=Upsample(),
            )
        )
        self.transfer = transfer(transferred, transfer_blocks)

    def construct(self, x, tail):
        return ops.concat((self.layer_FishBody(x), self.transfer(tail)), 1)


class HeadStage(nn.Cell):
    """Refine and halve, then append body features: (N, C, H, W) and (N, D, H/2, W/2) to (N, C+D,
    H/2, W/2).
    """

    def __init__(self, channels: int, blocks: int, transferred: int, transfer_blocks: int):
        super().__init__()
        self.layer_FishHead = nn.SequentialCell(
            [IdentityBlock(channels) for _ in range(blocks)] + [Downsample()]
        )
        self.transfer = transfer(transferred, transfer_blocks)

    def construct(self, x, body):
        return ops.concat((self.layer_FishHead(x), self.transfer(body)), 1)


def stem(pool_padding: str) -> nn.SequentialCell:
    """Three 3x3 convolutions and a max pool: (N, 3, H, W) to (N, 64, H/4, W/4)."""
    cells, in_channels = [], 3
    for out_channels, stride in zip(STEM_CHANNELS, (2, 1, 1)):
        cells.append(
            nn.SequentialCell(
                conv(in_channels, out_channels, 3, stride), batch_norm(out_channels), nn.ReLU()
            )
        )
        in_channels = out_channels
    return nn.SequentialCell(*cells, StemPool(pool_padding))


class FishNet(nn.Cell):
    """Image classifier: float (N, 3, H, W), normalised RGB, to logits (N, num_cls).

    `pool_padding` is that of the stem's max pool. 'same', as documented, pads where needed, at the
    right and bottom first; 'symmetric' pads a pixel on every side, as the authors' PyTorch weights
    want it. Raises ValueError for another padding, and for an image that does not halve five times:
    H and W are multiples of 32, or up to 3 less.
    """

    def __init__(self, num_cls: int = 1000, pool_padding: str = "same"):
        super().__init__()
        if pool_padding not in ("same", "symmetric"):
            raise ValueError(f"pool_padding is 'same' or 'symmetric', not {pool_padding!r}")
        self.stem = stem(pool_padding)
        self.tail_layer = nn.CellList([TailStage(*row) for row in TAIL])
        self.bridge = Bridge(TAIL[-1][1])
        self.body_layer = nn.CellList([BodyStage(*row) for row in BODY])
        self.head_layer = nn.CellList([HeadStage(*row) for row in HEAD])
        self.classifier = nn.SequentialCell(
            batch_norm(HEAD_CHANNELS),
            nn.ReLU(),
            conv(HEAD_CHANNELS, HEAD_CHANNELS // 2),
            batch_norm(HEAD_CHANNELS // 2),
            nn.ReLU(),
            GlobalAverage(),
            conv(HEAD_CHANNELS // 2, num_cls, has_bias=True),
        )

    def maps(self, x: ms.Tensor) -> ms.Tensor:
        stem = self.stem(x)  # (N, 64, H/4, W/4)
        if stem.shape[2] % 8 or stem.shape[3] % 8:
            raise ValueError(
                f"images of {x.shape[2]} x {x.shape[3]}: height and width must be multiples of 32"
            )
        tail0 = self.tail_layer[0](stem)  # (N, 128, H/8, W/8)
        tail1 = self.tail_layer[1](tail0)  # (N, 256, H/16, W/16)
        tail2 = self.tail_layer[2](tail1)  # (N, 512, H/32, W/32)
        bridge = self.bridge(tail2)  # (N, 512, H/32, W/32)
        body0 = self.body_layer[0](bridge, tail1)  # (N, 768, H/16, W/16)
        body1 = self.body_layer[1](body0, tail0)  # (N, 512, H/8, W/8)
        body2 = self.body_layer[2](body1, stem)  # (N, 320, H/4, W/4)
        head = self.head_layer[0](body2, body1)  # (N, 832, H/8, W/8)
        head = self.head_layer[1](head, body0)  # (N, 1600, H/16, W/16)
        head = self.head_layer[2](head, bridge)  # (N, 2112, H/32, W/32)
        for number in range(MAPS):
            head = self.classifier[number](head)
        return head  # (N, 1056, H/32, W/32)

    def classify(self, maps: ms.Tensor) -> ms.Tensor:
        for number in range(MAPS, len(self.classifier)):
            maps = self.classifier[number](maps)
        return maps.reshape(maps.shape[0], -1)

    def construct(self, x):
        return self.classify(self.maps(x))


def fish99(num_cls: int = 1000, pool_padding: str = "same") -> FishNet:
    """FishNet-99 with `num_cls` logits; see `FishNet`."""
    return FishNet(num_cls, pool_padding)


def build_network(config: SimpleNamespace) -> FishNet:
    """The network that `config` describes."""
    return fish99(config.num_classes, config.pool_padding)


def prepare_for_export(network: FishNet) -> FishNet:
    """Make `network` plain where it is written for speed on CPU; the same function."""
    for _, cell in network.cells_and_names():
        if isinstance(cell, Upsample):
            cell.by_operator = True
    return network
