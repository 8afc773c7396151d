"""RetinaNet's box and class subnets (arXiv:1708.02002, figure 3), here with weights of their own
for each level.
"""

from types import SimpleNamespace

from mindspore import nn, ops

from src.winograd import Conv3x3


class Subnet(nn.Cell):
    """Four 3x3 convolutions with ReLU, and a fifth to `out_channels`; all without bias, H and W
    stay.
    """

    def __init__(self, channels: int, out_channels: int):
        super().__init__()
        layers = []
        for _ in range(4):
            layers += [Conv3x3(channels, channels), nn.ReLU()]
        self.feats = nn.SequentialCell(*layers, Conv3x3(channels, out_channels))

    def construct(self, x):
        return self.feats(x)


class RetinaNetHead(nn.Cell):
    """Pyramid levels to box targets (N, A, 4) and class logits (N, A, num_classes), in the order
    of the anchors.
    """

    def __init__(self, config: SimpleNamespace):
        super().__init__()
        self.num_classes = config.num_classes
        levels = list(zip(config.extras_out_channels, config.num_default))
        self.multi_loc_layers = nn.CellList(
            [Subnet(channels, anchors * 4) for channels, anchors in levels]
        )
        self.multi_cls_layers = nn.CellList(
            [Subnet(channels, anchors * self.num_classes) for channels, anchors in levels]
        )

    def construct(self, features):
        boxes, classes = (), ()
        for feature, loc_layer, cls_layer in zip(
            features, self.multi_loc_layers, self.multi_cls_layers
        ):
            boxes += (_by_anchor(loc_layer(feature), 4),)
            classes += (_by_anchor(cls_layer(feature), self.num_classes),)
        return ops.concat(boxes, 1), ops.concat(classes, 1)


def _by_anchor(x, values):
    # (N, anchors * values, H, W) -> (N, H * W * anchors, values)
    return ops.transpose(x, (0, 2, 3, 1)).reshape(x.shape[0], -1, values)
