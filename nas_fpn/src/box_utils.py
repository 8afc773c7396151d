"""Anchors, their matching with ground truth, and the encoding of boxes relative to them
(arXiv:1708.02002, section 4).

Boxes are rows of [y1, x1, y2, x2] or, in centre form, [cy, cx, h, w], all as shares of the image's
side.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from src.vendored.launch import UserError

OCTAVE_SCALES = tuple(2 ** (octave / 3) for octave in range(3))  # three anchor sizes an octave


def feature_sizes(config: SimpleNamespace) -> list[int]:
    """Side of each level's feature map, P3 to P7.

    Raises UserError for an image shape the pyramid cannot halve.
    """
    height, width = config.img_shape
    if height != width or height < max(config.steps) or height % max(config.steps):
        raise UserError(
            f"img_shape [{height}, {width}]: square, the side a multiple of {max(config.steps)}"
        )
    return [height // step for step in config.steps]


def covered(image_shape: tuple[int, int] | np.ndarray, config: SimpleNamespace) -> np.ndarray:
    """Height and width of what the network's square covers, float32, in pixels of an image of
    `image_shape`: the image or, with `keep_ratio`, a square of its longer side.
    """
    shape = np.float32(image_shape)
    return np.full_like(shape, shape.max()) if config.keep_ratio else shape


def default_boxes(config: SimpleNamespace) -> np.ndarray:
    """Anchors (A, 4) float32 in centre form, ordered by level, row, column, aspect ratio (w / h),
    scale. Not clipped.

    At 640 there are 76725: nine for each cell of 80x80, 40x40, 20x20, 10x10 and 5x5.
    """
    return _anchors(config).astype(np.float32)


def default_boxes_ltrb(config: SimpleNamespace) -> np.ndarray:
    """The same anchors as [y1, x1, y2, x2] (A, 4) float32."""
    # rounded only once: which of two equal overlaps is larger hangs on it
    anchors = _anchors(config)
    return np.concatenate(
        [anchors[:, :2] - anchors[:, 2:] / 2, anchors[:, :2] + anchors[:, 2:] / 2], axis=1
    ).astype(np.float32)


def _anchors(config):
    levels = []
    for size, side, ratios in zip(feature_sizes(config), config.anchor_size, config.aspect_ratios):
        centres = (np.arange(size) + 0.5) / size
        shapes = (
            np.array(
                [
                    (scale / np.sqrt(ratio), scale * np.sqrt(ratio))
                    for ratio in ratios
                    for scale in OCTAVE_SCALES
                ]
            )
            * side
            / config.img_shape[0]
        )
        grid = np.empty((size, size, len(shapes), 4))
        grid[..., 0] = centres[:, None, None]
        grid[..., 1] = centres[None, :, None]
        grid[..., 2:] = shapes
        levels.append(grid.reshape(-1, 4))
    return np.concatenate(levels)


class AnchorEncoder:
    """Training targets of an image: every anchor is one box's or background, none is ignored.

    A box gets the anchors it overlaps by more than `match_thershold` (intersection over union), and
    the one it overlaps most. Where several boxes want an anchor, the larger overlap has it, on
    equal overlaps the earlier box.
    """

    def __init__(self, config: SimpleNamespace):
        self.anchors = default_boxes(config)
        self.threshold = config.match_thershold
        self.variance = np.repeat(np.float32(config.prior_scaling), 2)  # of y, x, h, w
        self.levels = []
        corners, start = default_boxes_ltrb(config), 0
        for size, ratios in zip(feature_sizes(config), config.aspect_ratios):
            shapes = len(ratios) * len(OCTAVE_SCALES)
            level = slice(start, start + size * size * shapes)
            self.levels.append(_Level(corners[level].reshape(size, size, shapes, 4), level))
            start = level.stop

    def __call__(self, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Targets (A, 4) float32, labels (A,) int32 (0 is background), number of matched anchors
        (1,) int32.

        `boxes`: rows [y1, x1, y2, x2, label]. Boxes without area in the image match nothing.
        Targets are (cy - anchor cy) / (0.1 * anchor h) and log(h / anchor h) / 0.2, x and w alike;
        zero for background.
        """
        boxes = np.asarray(boxes, np.float32).reshape(-1, 5)
        overlap = np.zeros(len(self.anchors), np.float32)
        owner = np.full(len(self.anchors), -1)
        for index, (y1, x1, y2, x2) in enumerate(boxes[:, :4].tolist()):
            if max(y1, 0) < min(y2, 1) and max(x1, 0) < min(x2, 1):
                self._claim(boxes[index, :4], index, overlap, owner)
        matched = np.flatnonzero(owner >= 0)
        owners, anchors = boxes[owner[matched]], self.anchors[matched]
        hw = owners[:, 2:4] - owners[:, :2]
        yx = (owners[:, :2] + owners[:, 2:4]) / 2
        targets, labels = np.zeros_like(self.anchors), np.zeros(len(self.anchors), np.int32)
        targets[matched, :2] = (yx - anchors[:, :2]) / (anchors[:, 2:] * self.variance[:2])
        targets[matched, 2:] = np.log(np.maximum(hw / anchors[:, 2:], 1e-6)) / self.variance[2:]
        labels[matched] = owners[:, 4]
        return targets, labels, np.array([len(matched)], np.int32)

    def _claim(self, box, index, overlap, owner):
        for threshold in (self.threshold, self.threshold / 2, 0):
            windows = self._windows(box, threshold)
            largest = [iou.max() for _, _, iou in windows]
            if largest and max(largest) > threshold:
                break
        best = windows[int(np.argmax(largest))][2]
        best.flat[best.argmax()] = 2
        for level, cells, iou in windows:
            # Basic slices of contiguous arrays are views: writing to them writes to `overlap` and
            # `owner`.
            overlap_there = overlap[level.anchors].reshape(level.areas.shape)[cells]
            claimed = (iou > self.threshold) & (iou > overlap_there)
            overlap_there[claimed] = iou[claimed]
            owner[level.anchors].reshape(level.areas.shape)[cells][claimed] = index

    def _windows(self, box, threshold):
        """[(level, cells, overlaps)] for the part of the grid that can hold overlaps over
        `threshold`: rarely much.
        """
        near = 0.99 * threshold  # leaves room for rounding
        area = (box[2] - box[0]) * (box[3] - box[1])
        windows = []
        for level in self.levels:
            if near * level.smallest <= area and near * area <= level.largest:
                cells = level.cells_near(box, near)
                windows.append((level, cells, level.overlaps(box, area, cells)))
        return windows


class _Level:
    """The anchors of one level as a grid of rows, columns and shapes; its overlap with a box is
    cheap to compute.

    Rows share y, columns share x: the intersection's height is a matter of the row alone, its width
    of the column.
    """

    def __init__(self, corners: np.ndarray, anchors: slice):
        self.anchors = anchors  # their place among all anchors, a slice
        self.y1, self.y2 = corners[:, 0, :, 0], corners[:, 0, :, 2]  # (rows, shapes)
        self.x1, self.x2 = corners[0, :, :, 1], corners[0, :, :, 3]  # (columns, shapes)
        self.areas = (corners[..., 2] - corners[..., 0]) * (corners[..., 3] - corners[..., 1])
        self.smallest, self.largest = float(self.areas.min()), float(self.areas.max())
        self.longest = float(max((self.y2 - self.y1).max(), (self.x2 - self.x1).max()))

    def cells_near(self, box: np.ndarray, threshold: float) -> tuple[slice, slice]:
        """(rows, columns), slices: sides a and b that overlap by t have centres within (a + b) /
        2 - t max(a, b).
        """
        size, cells, share = len(self.areas), [], 0.5 - threshold
        for low, high in ((box[0], box[2]), (box[1], box[3])):
            centre, side = (low + high) / 2, high - low
            reach = side / 2 + max(share * side, share * self.longest)
            cells.append(
                slice(
                    max(int((centre - reach) * size) - 1, 0),
                    max(int((centre + reach) * size) + 2, 0),
                )
            )
        return tuple(cells)

    def overlaps(self, box: np.ndarray, area: float, cells: tuple[slice, slice]) -> np.ndarray:
        """Intersection over union (rows, columns, shapes) of `box` with the anchors of `cells`."""
        rows, columns = cells
        height = np.maximum(
            np.minimum(self.y2[rows], box[2]) - np.maximum(self.y1[rows], box[0]), 0
        )
        width = np.maximum(
            np.minimum(self.x2[columns], box[3]) - np.maximum(self.x1[columns], box[1]), 0
        )
        intersection = height[:, None] * width
        return intersection / (self.areas[cells] + area - intersection)
