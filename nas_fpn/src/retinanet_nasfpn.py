"""RetinaNet on NAS-FPN: the detector, its training loss, and its form for inference."""

from types import SimpleNamespace

import numpy as np
from mindspore import Tensor, nn, ops

from src.box_utils import default_boxes
from src.loss import create_loss
from src.nasfpn import NASFPN
from src.resnet import Form, ResNet
from src.retinahead import RetinaNetHead
from src.winograd import is_faster, use_winograd

LEVELS = 5
# What depends on the classes.
CLASSIFIER = tuple(
    f"network.head.multi_cls_layers.{level}.feats.8.weight" for level in range(LEVELS)
)


class retinanetNASFPN(nn.Cell):  # noqa: N801, the documented name
    """Images (N, 3, S, S) to encoded boxes (N, A, 4) and classes (N, A, num_classes): logits, or
    scores in [0, 1].

    `is_training` chooses logits, which the loss takes. S is a multiple of 128; anchors as in
    `box_utils.default_boxes`.
    """

    def __init__(self, config: SimpleNamespace, is_training: bool = True):
        super().__init__()
        form = Form(config.bn_momentum, config.backbone_padding, config.backbone_epsilon)
        self.backbone = ResNet(config.backbone_blocks, config.backbone_width, form)
        self.neck = NASFPN(
            config.nasfpn_input_channels,
            config.nasfpn_out_channel,
            config.nasfpn_num_outs,
            config.nasfpn_stack_times,
            config.nasfpn_start_level,
            config.nasfpn_end_level,
            config.bn_momentum,
        )
        self.head = RetinaNetHead(config)
        self.is_training = is_training

    def construct(self, x):
        boxes, classes = self.head(self.neck(self.backbone(x)))
        return boxes, classes if self.is_training else ops.sigmoid(classes)


class retinanetWithLossCell(nn.Cell):  # noqa: N801, the documented name
    """The training loss of `network` on a batch, a scalar: see loss.DetectionLoss.

    The documented names of parameters in a checkpoint come of this cell's attribute `network`, so
    it, not the detector, is what is trained.
    """

    def __init__(self, network: nn.Cell, config: SimpleNamespace):
        super().__init__()
        self.network = network
        self.loss = create_loss(config)

    def construct(self, image, box, label, num_match):
        boxes, logits = self.network(image)
        return self.loss(boxes, logits, box, label, num_match)


class retinanetInferWithDecoder(nn.Cell):  # noqa: N801, the documented name
    """Images (N, 3, S, S) to boxes (N, A, 4) and scores (N, A, num_classes), before non-maximum
    suppression.

    Boxes are [y1, x1, y2, x2] as shares of the image's height and width, cut to 0..1.
    `default_boxes` are the anchors, an array (A, 4).
    """

    def __init__(self, network: nn.Cell, default_boxes: np.ndarray, config: SimpleNamespace):
        super().__init__()
        self.network = network
        yx, hw = np.split(np.float32(default_boxes), 2, axis=1)
        centre_variance, size_variance = config.prior_scaling
        self.anchor_yx, self.anchor_hw, self.step_yx = (
            Tensor(yx),
            Tensor(hw),
            Tensor(np.float32(centre_variance) * hw),
        )
        self.size_variance = Tensor(np.float32(size_variance))
        self.half, self.zero, self.one = (
            Tensor(np.float32(0.5)),
            Tensor(np.float32(0)),
            Tensor(np.float32(1)),
        )

    def construct(self, x):
        targets, scores = self.network(x)
        yx = targets[:, :, :2] * self.step_yx + self.anchor_yx
        half = ops.exp(targets[:, :, 2:] * self.size_variance) * self.anchor_hw * self.half
        boxes = ops.concat((yx - half, yx + half), 2)
        return ops.maximum(ops.minimum(boxes, self.one), self.zero), scores


def build_network(config: SimpleNamespace) -> retinanetInferWithDecoder:
    """The detector that `config` describes as it is evaluated or exported, with the parameter names
    of a training checkpoint.
    """
    detector = retinanetNASFPN(config, is_training=False)
    network = retinanetInferWithDecoder(detector, default_boxes(config), config)
    use_winograd(network, is_faster())
    return network.set_train(False)


def build_training_network(config: SimpleNamespace) -> retinanetWithLossCell:
    """The detector that `config` describes as it is trained, with its loss."""
    return retinanetWithLossCell(retinanetNASFPN(config, is_training=True), config)


def prepare_for_export(network: nn.Cell) -> nn.Cell:
    """Make `network` plain where it is written for speed on CPU; the same function."""
    use_winograd(network, False)
    return network
