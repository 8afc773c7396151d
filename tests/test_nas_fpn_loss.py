"""NAS-FPN's loss: the documented numbers, and an independent computation."""

import mindspore as ms
import numpy as np
import pytest

from folders import import_from
from golden import image
from test_nas_fpn import Fixed, configuration, network
from test_nas_fpn_anchors import THREE_BOXES

TWO_BOXES = [[0.05, 0.05, 0.55, 0.40, 3], [0.60, 0.10, 0.95, 0.90, 44]]


def targets(config, *images):
    encode = import_from("nas_fpn", "src.box_utils").AnchorEncoder(config)
    return [ms.Tensor(np.stack(values)) for values in zip(*(encode(boxes) for boxes in images))]


def loss_of(predictor, config):
    return import_from("nas_fpn", "src.retinanet_nasfpn").retinanetWithLossCell(predictor, config)


def test_documented_loss_of_fixed_predictions():
    config = configuration()
    batch = [ms.Tensor(image((2, 3, 8, 8))), *targets(config, THREE_BOXES, TWO_BOXES)]
    boxes, logits = image((2, 76725, 4), salt=1), image((2, 76725, 81), salt=2) - 4
    assert float(loss_of(Fixed(boxes, logits), config)(*batch).asnumpy()) == pytest.approx(
        4157.5137, rel=1e-6
    )
    nothing = Fixed(np.zeros_like(boxes), np.zeros_like(logits))
    assert float(loss_of(nothing, config)(*batch).asnumpy()) == pytest.approx(5157.3037, rel=1e-6)


@pytest.mark.parametrize("statistics, documented", [("moving", 4241.8262), ("batch", 4405.9063)])
def test_documented_loss_of_golden_network(statistics, documented):
    config = configuration()
    with_loss = loss_of(network(640, is_training=True), config).set_train(statistics == "batch")
    loss = with_loss(ms.Tensor(image((1, 3, 640, 640))), *targets(config, THREE_BOXES))
    assert float(loss.asnumpy()) == pytest.approx(documented, rel=1e-6)


@pytest.mark.parametrize("gamma, alpha", [(2.0, 0.75), (0.0, 0.5), (1.5, 0.25)])
def test_loss_equals_its_formula(gamma, alpha):
    config = configuration(128, num_classes=5, gamma=gamma, alpha=alpha)
    boxes, logits = 2 * image((2, 3069, 4), salt=1), 3 * image((2, 3069, 5), salt=2)
    wanted, labels, matched = targets(
        config, [[0.1, 0.1, 0.6, 0.5, 2], [0.2, 0.3, 0.9, 0.9, 4]], [[0.3, 0.3, 0.5, 0.9, 1]]
    )
    loss = loss_of(Fixed(boxes, logits), config)(
        ms.Tensor(image((2, 3, 8, 8))), wanted, labels, matched
    )

    truth = np.eye(5)[labels.asnumpy()]
    given_truth = np.where(
        truth == 1,
        1 / (1 + np.exp(-logits.astype(np.float64))),
        1 / (1 + np.exp(logits.astype(np.float64))),
    )
    focal = (
        np.where(truth == 1, alpha, 1 - alpha) * (1 - given_truth) ** gamma * -np.log(given_truth)
    )
    off = np.abs(boxes.astype(np.float64) - wanted.asnumpy())
    smooth_l1 = np.where(off < 1, off**2 / 2, off - 0.5).mean(-1)[labels.asnumpy() > 0]
    expected = (focal.sum() + smooth_l1.sum()) / matched.asnumpy().sum()
    assert float(loss.asnumpy()) == pytest.approx(expected, rel=1e-5)


def test_gradient_of_the_loss_is_finite_and_right_at_zero_and_at_large_logits():
    focal = import_from("nas_fpn", "src.loss").SigmoidFocalClassificationLoss(gamma=2.0, alpha=0.75)
    logits = ms.Tensor(np.float32([[[0, 0], [60, -60], [-60, 60]]]))
    gradient = ms.grad(focal)(logits, ms.Tensor(np.int32([[0, 0, 0]]))).asnumpy()[0]
    # d/dx of 0.75 (1 - p)^2 (-log p) at p = 1/2, and of 0.25 p^2 (-log(1 - p)).
    slope = 0.25 * np.log(2) + 0.125
    assert gradient[0] == pytest.approx([-0.75 * slope, 0.25 * slope], rel=1e-5)
    assert gradient[1:] == pytest.approx(np.array([[0, 0], [-0.75, 0.25]]), abs=1e-5)


def test_an_image_without_matches_gives_a_finite_loss():
    config = configuration(128, num_classes=2)
    loss = loss_of(
        Fixed(np.zeros((1, 3069, 4), np.float32), np.zeros((1, 3069, 2), np.float32)), config
    )
    assert np.isfinite(loss(ms.Tensor(image((1, 3, 8, 8))), *targets(config, [])).asnumpy())
