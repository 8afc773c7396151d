"""NAS-FPN's anchors, their matching and encoding, and the learning rate: the documented numbers."""

import numpy as np
import pytest

from folders import import_from
from test_nas_fpn import Fixed, configuration, with_decoder

THREE_BOXES = [
    [0.10, 0.15, 0.30, 0.45, 1],
    [0.25, 0.20, 0.90, 0.95, 18],
    [0.50, 0.52, 0.53, 0.55, 80],
]
DOCUMENTED_LR = {
    0: 1.0e-6,
    1: 1.11666668e-6,
    10: 2.16666672e-6,
    19: 3.21666676e-6,
    20: 9.99999975e-6,
    45: 5.5e-5,
    69: 9.82e-5,
    70: 1e-4,
    185: 5.5e-4,
    300: 1.0e-3,
    600: 5.5e-3,
    899: 9.98499990e-3,
    900: 9.99999978e-3,
    1700: 0.055,
    2499: 0.0999437496,
    2500: 0.1,
    2625: 0.0854285657,
    2750: 0.0502500013,
    2999: 5.00982045e-4,
}


def box_utils():
    return import_from("nas_fpn", "src.box_utils")


def learning_rates(steps_per_epoch, global_step=0, epochs=300):
    return import_from("nas_fpn", "src.lr_generator").get_lr(
        global_step, 1e-6, 5e-4, 0.1, 2, 5, 23, 60, 160, epochs, steps_per_epoch
    )


def test_anchors():
    anchors = box_utils().default_boxes(configuration())
    corners = box_utils().default_boxes_ltrb(configuration()).astype(np.float64)
    assert anchors.shape == (76725, 4) and anchors.dtype == np.float32
    documented = {
        0: (0.00625, 0.00625, 0.07071068, 0.03535534),
        1: (0.00625, 0.00625, 0.08908987, 0.04454494),
        2: (0.00625, 0.00625, 0.11224621, 0.05612310),
        6: (0.00625, 0.00625, 0.03535534, 0.07071068),
        9: (0.00625, 0.01875, 0.07071068, 0.03535534),
        720: (0.01875, 0.00625, 0.07071068, 0.03535534),
        38362: (0.66875, 0.28125, 0.06299605, 0.06299605),
        57600: (0.0125, 0.0125, 0.14142136, 0.07071068),
        76722: (0.9, 0.9, 0.56568545, 1.13137090),
        76724: (0.9, 0.9, 0.89796948, 1.79593933),
    }
    for row, values in documented.items():
        assert anchors[row] == pytest.approx(values, abs=2e-7)
    anchors = anchors.astype(np.float64)
    assert anchors.sum() == pytest.approx(91615.818845, abs=1e-5)
    assert (anchors**2).sum() == pytest.approx(54002.556202, abs=1e-5)
    assert anchors.sum(0) == pytest.approx([38362.5, 38362.5, 7445.409428, 7445.409428], abs=1e-5)
    assert (corners.sum(), (corners**2).sum()) == pytest.approx(
        (153449.99996, 103715.02804), abs=1e-4
    )


def test_anchors_of_another_image_size():
    anchors = box_utils().default_boxes(configuration(128))
    assert anchors.shape == (3069, 4)
    assert anchors.sum(dtype=np.float64) == pytest.approx(6047.163708, abs=1e-5)


def test_documented_matching():
    targets, labels, matched = box_utils().AnchorEncoder(configuration())(THREE_BOXES)
    rows = np.flatnonzero(labels)
    assert matched.tolist() == [65] and np.bincount(labels)[[1, 18, 80]].tolist() == [32, 32, 1]
    assert (labels.sum(), rows.sum(), rows[0], rows[-1]) == (688, 4_794_736, 29901, 76665)
    assert targets.sum(0, dtype=np.float64) == pytest.approx(
        [3.975767, 3.019197, 20.252973, -6.345771], abs=1e-5
    )
    assert np.abs(targets).sum(dtype=np.float64) == pytest.approx(295.026785, abs=1e-5)
    assert targets[29901] == pytest.approx([-0.750005, 0.749993, -2.554133, -2.554123], abs=2e-6)
    assert targets[72791] == pytest.approx([-1.113623, -1.670435, -0.577622, -2.016034], abs=2e-6)
    assert (targets.dtype, labels.dtype, matched.dtype) == (np.float32, np.int32, np.int32)


def test_of_two_equal_boxes_the_first_has_the_anchors():
    _, labels, matched = box_utils().AnchorEncoder(configuration())(
        [[0.2, 0.2, 0.4, 0.4, 3], [0.2, 0.2, 0.4, 0.4, 4]]
    )
    assert matched.tolist() == [44] and np.unique(labels).tolist() == [0, 3]


def test_boxes_without_area_match_nothing():
    targets, labels, matched = box_utils().AnchorEncoder(configuration())(
        [[0.5, 0.5, 0.5, 0.6, 7], [0.5, 0.5, 0.6, 0.5, 7]]
    )
    assert matched.tolist() == [0] and not labels.any() and not targets.any()


def reference_labels(config, boxes):
    """Matching as documented, every anchor against every box."""
    corners = box_utils().default_boxes_ltrb(config)
    areas = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    best, labels = np.zeros(len(corners), np.float32), np.zeros(len(corners), np.int32)
    for *box, label in np.float32(boxes):
        sides = np.maximum(
            np.minimum(corners[:, 2:], box[2:]) - np.maximum(corners[:, :2], box[:2]), 0
        )
        intersection = sides[:, 0] * sides[:, 1]
        overlaps = intersection / (areas + (box[2] - box[0]) * (box[3] - box[1]) - intersection)
        overlaps[overlaps.argmax()] = 2
        claimed = (overlaps > config.match_thershold) & (overlaps > best)
        best[claimed], labels[claimed] = overlaps[claimed], label
    return labels


@pytest.mark.parametrize(
    "size, threshold", [(640, 0.5), (256, 0.5), (256, 0.3), (256, 0.7), (256, 0.0)]
)
def test_matching_equals_every_anchor_against_every_box(size, threshold):
    config, random = configuration(size, match_thershold=threshold), np.random.RandomState(size)
    encode = box_utils().AnchorEncoder(config)
    for _ in range(10):
        centres, sides = random.rand(12, 2), np.exp(1.2 * random.randn(12, 2) - 2)
        boxes = np.float32(
            np.c_[
                (centres - sides / 2).clip(0),
                (centres + sides / 2).clip(None, 1),
                1 + np.arange(12),
            ]
        )
        assert np.array_equal(encode(boxes)[1], reference_labels(config, boxes))


def test_decoding_undoes_encoding():
    boxes = np.float32([[0.10, 0.15, 0.30, 0.45, 1], [0.25, 0.20, 0.90, 0.95, 18]])
    targets, labels, _ = box_utils().AnchorEncoder(configuration())(boxes)
    decoded, _ = with_decoder(Fixed(targets[None], targets[None]), 640)(None)
    for box in boxes:
        found = decoded.asnumpy()[0][labels == box[4]]
        assert np.abs(found - box[:4]).max() < 1e-6


def test_learning_rate():
    rates = learning_rates(10)
    assert rates.shape == (3000,) and rates.dtype == np.float32
    assert {step: float(rates[step]) for step in DOCUMENTED_LR} == pytest.approx(
        DOCUMENTED_LR, rel=1e-6
    )
    assert rates.sum(dtype=np.float64) == pytest.approx(116.554047, abs=1e-6)
    assert np.array_equal(learning_rates(10, global_step=700), rates[700:])
    assert np.array_equal(learning_rates(10, epochs=50), rates[:500])


def test_documented_log_of_the_learning_rate():
    rates = learning_rates(916)
    assert [f"{rates[916 * epoch - 1]:8.6f}" for epoch in range(2, 7)] == [
        "0.000003",
        "0.000028",
        "0.000046",
        "0.000064",
        "0.000082",
    ]


@pytest.mark.parametrize("side", [4e-4, 4e-9])
def test_sides_far_smaller_than_their_anchor(side):
    """A box in the middle of the first cell matches an anchor of some 0.05; a ratio under a
    millionth counts as one.
    """
    box = 0.00625 + np.float32([-side / 2, -side / 2, side / 2, side / 2])
    targets, labels, count = box_utils().AnchorEncoder(configuration())([[*box, 7]])
    assert count.tolist() == [1] and labels.sum() == 7
    ratios = np.maximum(side / box_utils().default_boxes(configuration())[labels > 0][0, 2:], 1e-6)
    assert targets[labels > 0][0, 2:] == pytest.approx(np.log(ratios) / 0.2, abs=0.01)
