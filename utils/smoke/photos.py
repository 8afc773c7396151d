"""The 20 real ImageNet photos inside foolbox, as a tree of class folders.

    python utils/smoke/photos.py CACHE FOLDER

FOLDER/train and FOLDER/val each get all 20, as <class>/<name>.JPEG. With 1000 folders, of which
most stay empty, a folder's position is the photo's ImageNet label.
"""

from pathlib import Path
from zipfile import ZipFile

import cv2
import numpy as np

from wheel import open_wheel
from work import start

WHEEL, SHA256 = "foolbox==3.3.4", "11049d515d38e765e206a73ace9cc648b81a0d6d1da9ad9057e149ee117989cb"


def photo_names(wheel: ZipFile) -> list[str]:
    """The names of the photos in the open wheel, sorted."""
    return sorted(name for name in wheel.namelist() if name.startswith("foolbox/data/imagenet_"))


def read_photos(cache: Path) -> list[np.ndarray]:
    """The photos, each uint8 (H, W, 3), BGR."""
    with open_wheel(WHEEL, SHA256, cache) as wheel:
        contents = [np.frombuffer(wheel.read(name), np.uint8) for name in photo_names(wheel)]
    return [cv2.imdecode(content, cv2.IMREAD_COLOR) for content in contents]


def main(cache: str, folder: str) -> None:
    """Write both splits."""
    with open_wheel(WHEEL, SHA256, cache) as wheel:
        names = photo_names(wheel)
        for split in ("train", "val"):
            for label in range(1000):
                Path(folder, split, f"{label:04d}").mkdir(parents=True, exist_ok=True)
            for name in names:
                stem, label = Path(name).stem.rsplit("_", 1)
                Path(folder, split, f"{int(label):04d}", f"{stem}.JPEG").write_bytes(
                    wheel.read(name)
                )
    print(f"{folder}: {len(names)} photos in train and val")


if __name__ == "__main__":
    start(main)
