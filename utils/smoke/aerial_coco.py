"""Make a small COCO data set of real photographs: tiles of aerial photos in which every tree is
boxed by hand.

    python utils/smoke/aerial_coco.py CACHE DATA                        # tiles of 400 pixels
    python utils/smoke/aerial_coco.py CACHE DATA --size 200 --tiles 30  # 30 of each kind
    python utils/smoke/aerial_coco.py CACHE DATA --size 200 --only 8    # the same 8 for both uses

CACHE keeps the download. `--tiles` takes tiles spread evenly, `--only` trains and validates on the
same ones. DATA gets annotations/instances_train2017.json, annotations/instances_val2017.json,
train2017/ and val2017/, with one category: tree, id 1. The photos are those of photo_crops.py and
two more, 951 boxes in all; training and validation tiles come from different photos. A tile cuts
the boxes at its edge, and keeps those of which half or more is in it.
"""

import argparse
from pathlib import Path

import numpy as np

from coco_files import write_split
from photo_crops import SHA256, WHEEL, read_photo
from wheel import open_wheel
from work import whole_folder

PHOTOS = {
    "train2017": ("2019_YELL_2_528000_4978000_image_crop2", "OSBS_029", "SOAP_061"),
    "val2017": ("2019_YELL_2_541000_4977000_image_crop",),
}
FIRST_IDS = {"train2017": 1, "val2017": 1001}
SIZES = range(64, 401)  # the smallest photo has 400 pixels a side


def cut_tiles(
    photo: np.ndarray, boxes: np.ndarray, size: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """[(tile, boxes in it)]: squares of `size` pixels that cover the photo evenly, without those
    that hold no box.

    `photo` is uint8 (H, W, 3), `boxes` int (n, 4): left, top, right, bottom in pixels.
    """
    tops, lefts = (
        np.linspace(0, side - size, -(-side // size)).astype(int) for side in photo.shape[:2]
    )
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    tiles = []
    for top in tops:
        for left in lefts:
            cut = (boxes - [left, top, left, top]).clip(0, size)
            visible = (cut[:, 2:] - cut[:, :2]).prod(1)
            cut = cut[(visible > 0) & (2 * visible >= areas)]
            if len(cut):
                tiles.append((photo[top : top + size, left : left + size], cut))
    return tiles


def spread(tiles: list, number: int) -> list:
    """`number` of the `tiles`, evenly apart."""
    return tiles[:: len(tiles) // number][:number]


def as_coco(tiles: list[tuple[np.ndarray, np.ndarray]]) -> list[tuple[np.ndarray, list]]:
    """The tiles with boxes as write_split wants them: (category, [left, top, width, height])."""
    return [
        (tile, [(0, [left, top, right - left, bottom - top]) for left, top, right, bottom in boxes])
        for tile, boxes in ((tile, boxes.tolist()) for tile, boxes in tiles)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cache", type=Path, help="folder that keeps the downloaded photos")
    parser.add_argument("data", type=Path, help="folder to make")
    parser.add_argument("--size", type=int, default=400, help="side of a tile in pixels, 64 to 400")
    parser.add_argument(
        "--tiles", type=int, default=0, help="at most this many training and validation tiles each"
    )
    parser.add_argument(
        "--only", type=int, default=0, help="this many training tiles, to train and validate on"
    )
    arguments = parser.parse_args()
    if arguments.size not in SIZES:
        parser.error(f"--size is from {SIZES[0]} to {SIZES[-1]}")
    with open_wheel(WHEEL, SHA256, arguments.cache) as wheel:
        splits = {
            split: [
                tile
                for name in names
                for tile in cut_tiles(*read_photo(wheel, name), arguments.size)
            ]
            for split, names in PHOTOS.items()
        }
    if arguments.only:
        if not 0 < arguments.only <= len(splits["train2017"]):
            parser.error(f"--only is from 1 to {len(splits['train2017'])}")
        splits = dict.fromkeys(splits, spread(splits["train2017"], arguments.only))
    elif arguments.tiles:
        splits = {
            split: spread(tiles, min(max(arguments.tiles, 1), len(tiles)))
            for split, tiles in splits.items()
        }
    with whole_folder(arguments.data) as data:
        for split, tiles in splits.items():
            written = write_split(data, split, ["tree"], as_coco(tiles), FIRST_IDS[split])
            print(f"{split}: {written[0]} tiles with {written[1]} boxes")


if __name__ == "__main__":
    main()
