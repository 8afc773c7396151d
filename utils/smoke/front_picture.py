"""The picture of the main README: what networks answered on photos that they were not trained on,
and how one learned. `make tables` runs it.

    python utils/smoke/front_picture.py

Of the demonstrations below .demo, those that were run: boxes of nas_fpn (sheet.png), its curve
(curves.png), classes of the person detector (pretrained/seen/sheet.png). Writes docs/front.png,
and the line that shows it to .demo/tables/front.md. Without any of them it writes nothing.
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from work import ROOT

HEIGHT, GAP = 420, 16  # pixels of the picture's one row, and between its parts
MOST = 500_000  # bytes of the file
WHITE = (255, 255, 255)
PARTS = {  # of the picture, from left to right: file below .demo, and what it shows
    "nas_fpn/sheet.png": "boxes that NAS-FPN finds on held-out images",
    "nas_fpn/curves.png": "the curves of its training",
    "pretrained/seen/sheet.png": "photos with the answers of the person detector",
}


def compose(paths: list[Path]) -> Image.Image:
    """The pictures side by side, RGB uint8, each HEIGHT pixels high."""
    pictures = []
    for path in paths:
        with Image.open(path) as picture:
            width = max(1, round(picture.width * HEIGHT / picture.height))
            pictures.append(picture.convert("RGB").resize((width, HEIGHT), Image.LANCZOS))
    whole = sum(picture.width for picture in pictures) + GAP * (len(pictures) - 1)
    composed, left = Image.new("RGB", (whole, HEIGHT), WHITE), 0
    for picture in pictures:
        composed.paste(picture, (left, 0))
        left += picture.width + GAP
    return composed


def encode(picture: Image.Image) -> bytes:
    """A PNG file of at most MOST bytes: fewer colours, and then fewer pixels, where it must be."""
    colours = 256
    while True:
        out = io.BytesIO()
        picture.quantize(colours).save(out, "PNG", optimize=True)
        if out.tell() <= MOST:
            return out.getvalue()
        if colours > 64:
            colours //= 2
        else:
            size = (picture.width * 9 // 10, picture.height * 9 // 10)
            picture = picture.resize(size, Image.LANCZOS)


def main(root: Path = ROOT) -> None:
    """Write the picture, and its line for both READMEs, from what there is below `root`."""
    shown = {root / ".demo" / name: text for name, text in PARTS.items()}
    shown = {path: text for path, text in shown.items() if path.is_file()}
    if not shown:
        return
    picture = root / "docs/front.png"
    picture.write_bytes(encode(compose(list(shown))))
    line = root / ".demo/tables/front.md"
    line.parent.mkdir(exist_ok=True)
    line.write_text(f"![{'; '.join(shown.values())}](docs/front.png)\n", encoding="utf-8")
    print(f"{picture.relative_to(root)}: {picture.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
