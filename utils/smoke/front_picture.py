"""The picture of the main README: what networks answered on photos that they were not trained on,
and how one learned. `make tables` runs it.

    python utils/smoke/front_picture.py

Of the demonstrations below .demo, those that were run: boxes of nas_fpn (sheet.png), its curve
(curves.png), classes of the person detector (pretrained/seen/sheet.png). Writes docs/front.jpg,
and the line that shows it to .demo/tables/front.md. Without any of them it writes nothing.
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from work import ROOT

WIDTH, GAP = 1560, 8  # pixels of the picture, and between its parts
MOST = 500_000  # bytes of the file
ROWS = (  # (file below .demo, share of it from the top that is shown, what it shows)
    (("nas_fpn/sheet.png", 0.5, "boxes that NAS-FPN finds on held-out images"),),
    (
        ("nas_fpn/curves.png", 1.0, "the curves of its training"),
        ("pretrained/seen/sheet.png", 0.4, "photos with the answers of the person detector"),
    ),
)


def read_top(path: Path, share: float) -> Image.Image:
    """The part of a picture from the top on that is its height's `share`, RGB."""
    with Image.open(path) as picture:
        height = round(picture.height * share)
        return picture.convert("RGB").crop((0, 0, picture.width, height))


def side_by_side(pictures: list[Image.Image]) -> Image.Image:
    """The pictures in a row of WIDTH pixels, as high as each other."""
    room = WIDTH - GAP * (len(pictures) - 1)
    height = round(room / sum(picture.width / picture.height for picture in pictures))
    row, left = Image.new("RGB", (WIDTH, height), "white"), 0
    for picture in pictures:
        size = max(1, round(picture.width * height / picture.height)), height
        row.paste(picture.resize(size, Image.LANCZOS), (left, 0))
        left += size[0] + GAP
    return row


def compose(rows: list[Image.Image]) -> Image.Image:
    """The rows one above the other."""
    height = sum(row.height for row in rows) + GAP * (len(rows) - 1)
    composed, top = Image.new("RGB", (WIDTH, height), "white"), 0
    for row in rows:
        composed.paste(row, (0, top))
        top += row.height + GAP
    return composed


def encode(picture: Image.Image) -> bytes:
    """A JPEG file of at most MOST bytes."""
    for quality in range(90, 0, -10):
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= MOST:
            break
    return out.getvalue()


def main(root: Path = ROOT) -> None:
    """Write the picture, and its line for both READMEs, from what there is below `root`."""
    demo = root / ".demo"
    there = [[part for part in row if (demo / part[0]).is_file()] for row in ROWS]
    there = [row for row in there if row]
    if not there:
        return
    rows = [side_by_side([read_top(demo / name, share) for name, share, _ in row]) for row in there]
    picture = root / "docs/front.jpg"
    picture.write_bytes(encode(compose(rows)))
    told = "; ".join(text for row in there for _, _, text in row)
    line = demo / "tables/front.md"
    line.parent.mkdir(exist_ok=True)
    line.write_text(f"![{told}](docs/front.jpg)\n", encoding="utf-8")
    print(f"{picture.relative_to(root)}: {picture.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
