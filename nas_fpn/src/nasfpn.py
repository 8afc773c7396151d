"""NAS-FPN: the searched feature pyramid, stacked (arXiv:1904.07392, figure 6)."""

from mindspore import Tensor, nn

from src.merge_cells import GlobalPoolingCell, SumCell


class ConvBatchNorm(nn.Cell):
    """1x1 convolution and BatchNorm, no activation: (N, in_channels, H, W) to (N, out_channels,
    H, W).
    """

    IN_A_ROW = (("conv", "batchnorm"),)  # for use_cpu_kernels

    def __init__(self, in_channels: int, out_channels: int, bn_momentum: float):
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, out_channels, 1, stride=1, pad_mode="valid", padding=0, has_bias=False
        )
        self.batchnorm = nn.BatchNorm2d(out_channels, eps=1e-5, momentum=bn_momentum)

    def construct(self, x):
        return self.batchnorm(self.conv(x))


# The merge cells of one pyramid in the order in which `run_stage` uses them, and whether each ends
# in a convolution.
CELLS = (
    (GlobalPoolingCell, True),
    (SumCell, True),
    (SumCell, True),
    (SumCell, True),
    (GlobalPoolingCell, False),
    (SumCell, True),
    (GlobalPoolingCell, False),
    (SumCell, True),
    (GlobalPoolingCell, True),
)


def run_stage(
    cells: nn.CellList, p3: Tensor, p4: Tensor, p5: Tensor, p6: Tensor, p7: Tensor
) -> tuple[Tensor, ...]:
    """P3 to P7 to new P3 to P7 of the same shapes."""
    size4, size5, size7 = p4.shape[2], p5.shape[2], p7.shape[2]
    first4 = cells[0](p6, p4, size4)
    second4 = cells[1](first4, p4, size4)
    p3 = cells[2](second4, p3, p3.shape[2])
    p4 = cells[3](p3, second4, size4)
    p5 = cells[5](p5, cells[4](p4, p3, size5), size5)
    p7 = cells[7](p7, cells[6](p5, second4, size7), size7)
    p6 = cells[8](p7, p5, p6.shape[2])
    return p3, p4, p5, p6, p7


class NASFPN(nn.Cell):
    """Backbone maps, finest first, to `num_outs` = 5 maps of `out_channels`, each half the size of
    the one before.

    Args:
        in_channels: channels of each backbone map.
        out_channels: channels of the pyramid.
        num_outs: levels of the pyramid; the searched topology has five.
        stack_times: number of pyramids one after the other, each with its own weights.
        start_level, end_level: backbone maps from `start_level` up to, not including, `end_level`
        (-1: all).
        bn_momentum: share of its moving statistics that BatchNorm keeps in a step.
    """

    def __init__(
        self,
        in_channels: list[int],
        out_channels: int,
        num_outs: int,
        stack_times: int,
        start_level: int = 0,
        end_level: int = -1,
        bn_momentum: float = 0.997,
    ):
        super().__init__()
        self.used = slice(start_level, len(in_channels) if end_level == -1 else end_level)
        used = in_channels[self.used]
        if num_outs != 5:
            raise ValueError(f"nasfpn_num_outs is {num_outs}: the searched pyramid has 5 levels")
        if not used:
            raise ValueError(
                f"nasfpn_start_level {start_level} and nasfpn_end_level {end_level} leave none of"
                f" the {len(in_channels)} backbone maps; -1 for the last takes all from the first"
            )
        self.lateral_convs = nn.CellList(
            [ConvBatchNorm(channels, out_channels, bn_momentum) for channels in used]
        )
        self.extra_downsamples = nn.CellList(
            [
                nn.SequentialCell(
                    ConvBatchNorm(out_channels, out_channels, bn_momentum),
                    nn.MaxPool2d(kernel_size=2, stride=2, pad_mode="same"),
                )
                for _ in range(num_outs - len(used))
            ]
        )
        self.fpn_stages = nn.CellList(
            [
                nn.CellList(
                    [
                        cell(out_channels, bn_momentum, with_out_conv)
                        for cell, with_out_conv in CELLS
                    ]
                )
                for _ in range(stack_times)
            ]
        )

    def construct(self, features):
        levels = ()
        for lateral_conv, feature in zip(self.lateral_convs, features[self.used]):
            levels += (lateral_conv(feature),)
        for downsample in self.extra_downsamples:
            levels += (downsample(levels[-1]),)
        for stage in self.fpn_stages:
            levels = run_stage(stage, *levels)
        return levels
