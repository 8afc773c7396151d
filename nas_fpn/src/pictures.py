"""Images with their detections and annotated boxes drawn on them."""

from __future__ import annotations

import colorsys
import os
import unicodedata
from collections import Counter
from pathlib import PurePosixPath

import cv2
import numpy as np

from src.annotations import normal_name
from src.vendored.launch import UserError

MOST = 20  # detections on a picture
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
FONT = cv2.FONT_HERSHEY_SIMPLEX


def colour(label: int) -> tuple[int, int, int]:
    """Blue, green and red of a class, its hue the golden ratio on from the last one's."""
    red, green, blue = colorsys.hsv_to_rgb(label * 0.618034 % 1, 0.9, 0.95)
    return round(255 * blue), round(255 * green), round(255 * red)


def draw(
    image: np.ndarray,
    found: tuple[np.ndarray, np.ndarray, np.ndarray],
    truth: tuple[np.ndarray, np.ndarray],
    names: list[str],
    min_score: float,
) -> np.ndarray:
    """A picture, BGR uint8, of the RGB `image` (H, W, 3) at its own size.

    `found` are boxes (N, 4) [y1, x1, y2, x2] in pixels, scores and labels from 1 on: the best 20 of
    those from `min_score` on are drawn in the colour of their class, with its name of `names` and
    the score. `truth`, boxes and labels, is dashed in the same colours and white.
    """
    picture = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    line = max(1, round(min(picture.shape[:2]) / 500))
    boxes, scores, labels = found
    best = [n for n in np.argsort(-scores, kind="stable")[:MOST] if scores[n] >= min_score]
    for n in best[::-1]:
        (y1, x1), (y2, x2) = np.round(boxes[n]).astype(int).reshape(2, 2).tolist()
        cv2.rectangle(picture, (x1, y1), (x2, y2), colour(labels[n]), line)
    for box, label in zip(*truth):
        _dashed(picture, np.round(box).astype(int).tolist(), colour(label), line)
    for n in best[::-1]:
        name = _plain(names[labels[n] - 1]) or f"class {labels[n]}"
        text = f"{name} {scores[n]:.2f}"
        _write(picture, text, np.round(boxes[n]).astype(int).tolist(), colour(labels[n]))
    return picture


def _dashed(picture, box, ink, line):
    """A rectangle of dashes, by turns in the colour and in white: one of them is seen anywhere."""
    y1, x1, y2, x2 = box
    dash = 4 + 2 * line
    corners = [(x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1)]
    for (ax, ay), (bx, by) in zip(corners, corners[1:]):
        steps = max(1, (abs(bx - ax) + abs(by - ay)) // dash)
        places = np.linspace((ax, ay), (bx, by), steps + 1).round().astype(int).tolist()
        for number, (start, end) in enumerate(zip(places, places[1:])):
            cv2.line(picture, start, end, WHITE if number % 2 else ink, line)


def _plain(name):
    """What OpenCV's font has of a name: letters without their accents."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().strip()


def _write(picture, text, box, ink):
    """Text above the box's left corner, or where the picture has room, on a ground of `ink`."""
    height, width = picture.shape[:2]
    scale = max(0.35, min(height, width) / 1200)
    thick = max(1, round(1.5 * scale))
    (wide, high), below = cv2.getTextSize(text, FONT, scale, thick)
    left = max(0, min(box[1], width - wide - 2))
    top = max(0, min(box[0] - high - below - 1, height - high - below - 1))
    cv2.rectangle(picture, (left, top), (left + wide + 1, top + high + below), ink, cv2.FILLED)
    blue, green, red = ink
    is_light = 0.114 * blue + 0.587 * green + 0.299 * red > 140
    place = (left + 1, top + high)
    cv2.putText(picture, text, place, FONT, scale, BLACK if is_light else WHITE, thick, cv2.LINE_AA)


class PictureFolder:
    """The folder of the pictures: one for each image, in the sub-folder that the image lies in."""

    def __init__(self, folder: str, file_names: list[str]):
        self.folder = folder
        paths = [_inside(name) for name in file_names]
        self.names = Counter(path.with_suffix("") for path in paths)

    def path(self, file_name: str) -> str:
        """Path of the picture of an image."""
        path = _inside(file_name)
        # Images that differ in their suffix keep it.
        is_alone = self.names[path.with_suffix("")] == 1
        return os.path.join(self.folder, path.with_suffix(".jpg") if is_alone else f"{path}.jpg")

    def save(self, picture: np.ndarray, file_name: str) -> None:
        """Write the picture of an image."""
        path = self.path(file_name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # All colours kept: in the usual form two by two pixels share theirs, and lines are thin.
        form = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
        done, content = cv2.imencode(".jpg", picture, [*form, cv2.IMWRITE_JPEG_QUALITY, 95])
        if not done:
            raise UserError(f"{path}: this picture cannot be written as JPEG")
        with open(path, "wb") as file:
            file.write(content.tobytes())


def _inside(file_name):
    """The name without what would lead out of a folder."""
    parts = [
        part for part in PurePosixPath(normal_name(file_name)).parts if part not in ("/", "..")
    ]
    return PurePosixPath(*parts)
