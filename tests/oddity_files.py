"""A tree with one file more of each kind that people have; see oddity_cases.py."""

import os

from damaged_images import damaged_jpeg_files, damaged_other_files
from image_files import foreign_files, jpeg_files, other_files
from oddity_cases import Case, photos
from places import COLOURS, save_photo


def with_file(content):
    """A tree with one file more, which counts where it is no damaged one."""

    def build(root):
        truth = photos(root / "val", 1)
        path = root / "val/birch/odd.JPEG"
        good, words = content if isinstance(content, tuple) else (content, "")
        path.write_bytes(good) if isinstance(good, bytes) else good(path)
        return Case({**truth, path: "birch"}, "val/birch/odd.JPEG" if words else "")

    return build


FILES = {}
for name in ("gray", "cmyk", "progressive", "restart", "pixel", "separate_scans", "thumbnail",
             "trailing", "fill_bytes", "422", "quality_5"):  # fmt: skip
    FILES[f"JPEG: {name}"] = with_file(jpeg_files()[name])
for name in ("L.png", "P.png", "1.png", "RGBA.png", "interlaced.png", "L.bmp", "top_down.bmp"):
    FILES[f"other: {name}"] = with_file(other_files()[name])
for name in ("half", "no_end", "header_cut", "thumbnail_only", "arithmetic", "two_frames",
             "progressive_no_end", "no_huffman"):  # fmt: skip
    FILES[f"damaged JPEG: {name}"] = with_file(damaged_jpeg_files()[name])
for name in ("png_half", "png_byte", "png_animated", "bmp_half", "bmp_depth"):
    FILES[f"damaged: {name}"] = with_file(damaged_other_files()[name])
for name, content in foreign_files().items():
    FILES[f"under a wrong name: {name}"] = with_file((content, name))
FILES["a link to an image"] = with_file(
    lambda path: path.symlink_to(save_photo(path.parents[2] / "x.jpg", COLOURS["birch"]))
)
FILES["a link to nothing"] = with_file((lambda path: path.symlink_to("nothing"), "link"))
FILES["a pipe"] = with_file((os.mkfifo, "pipe"))
