"""The picture of the main README: of the demonstrations that were run, in few bytes."""

import numpy as np
import pytest
from PIL import Image

from folders import REPOSITORY


@pytest.fixture
def front(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "utils/smoke"))
    import front_picture

    return front_picture


def save_noise(path, width, height):
    """A picture that hardly gets smaller as a PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def test_parts_fill_rows_of_one_width_in_few_bytes(front, tmp_path, capsys):
    (tmp_path / "docs").mkdir()
    save_noise(tmp_path / ".demo/nas_fpn/sheet.png", 1800, 1200)
    save_noise(tmp_path / ".demo/nas_fpn/curves.png", 900, 300)
    save_noise(tmp_path / ".demo/pretrained/seen/sheet.png", 1000, 1000)
    front.main(tmp_path)
    assert "docs/front.jpg: " in capsys.readouterr().out
    assert (tmp_path / "docs/front.jpg").stat().st_size <= 500_000
    with Image.open(tmp_path / "docs/front.jpg") as picture:
        assert picture.width == front.WIDTH
        first = front.WIDTH * 600 / 1800  # the upper half of the sheet
        second = (front.WIDTH - front.GAP) / (900 / 300 + 1000 / 400)
        assert abs(picture.height - (first + front.GAP + second)) <= 2
    line = (tmp_path / ".demo/tables/front.md").read_text()
    assert line.startswith("![boxes that NAS-FPN finds") and line.endswith("](docs/front.jpg)\n")


def test_only_what_is_there(front, tmp_path):
    (tmp_path / "docs").mkdir()
    path = tmp_path / ".demo/nas_fpn/curves.png"
    path.parent.mkdir(parents=True)
    Image.new("RGB", (780, 420), (250, 250, 250)).save(path)
    front.main(tmp_path)
    with Image.open(tmp_path / "docs/front.jpg") as picture:
        assert picture.size == (1560, 840)
    assert (tmp_path / ".demo/tables/front.md").read_text().count(";") == 0


def test_without_a_demonstration_nothing_is_written(front, tmp_path):
    front.main(tmp_path)
    assert not list(tmp_path.iterdir())
