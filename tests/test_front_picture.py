"""The picture of the main README: of the demonstrations that were run, small, in one row."""

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


def test_parts_stand_in_one_row_in_few_bytes(front, tmp_path, capsys):
    (tmp_path / "docs").mkdir()
    save_noise(tmp_path / ".demo/nas_fpn/sheet.png", 1800, 1200)
    save_noise(tmp_path / ".demo/pretrained/seen/sheet.png", 2000, 2000)
    front.main(tmp_path)
    assert "docs/front.png: " in capsys.readouterr().out
    assert (tmp_path / "docs/front.png").stat().st_size <= 500_000
    with Image.open(tmp_path / "docs/front.png") as picture:
        parts = 1.5 * front.HEIGHT + front.GAP + front.HEIGHT
        assert abs(picture.width / picture.height - parts / front.HEIGHT) < 0.02
    line = (tmp_path / ".demo/tables/front.md").read_text()
    assert line.startswith("![boxes that NAS-FPN finds") and line.endswith("](docs/front.png)\n")
    assert "curves" not in line


def test_small_pictures_keep_their_size(front, tmp_path):
    (tmp_path / "docs").mkdir()
    path = tmp_path / ".demo/nas_fpn/curves.png"
    path.parent.mkdir(parents=True)
    Image.new("RGB", (840, 420), (250, 250, 250)).save(path)
    front.main(tmp_path)
    with Image.open(tmp_path / "docs/front.png") as picture:
        assert picture.size == (840, 420)


def test_without_a_demonstration_nothing_is_written(front, tmp_path):
    front.main(tmp_path)
    assert not list(tmp_path.iterdir())
