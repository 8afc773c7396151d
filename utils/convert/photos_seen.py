"""What networks see of photos: --preprocessing torchvision and timm here against the transforms of
these packages, from the JPEG file on: part of `make weights`.

    python utils/convert/photos_seen.py CACHE WORK

CACHE keeps the download, foolbox's 20 photos. Writes WORK/tables/photos-seen.md, which `make
tables` puts into the README. Exit code 1 where pixels differ by more than one grey level on
average.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
# First: a package is called wheel, too.
sys.path[:0] = [str(HERE.parent / "smoke"), str(HERE.parents[1] / "mobilenetv1")]

from photos import SHA256, WHEEL, photo_names  # noqa: E402
from wheel import open_wheel  # noqa: E402
from work import start, write_table  # noqa: E402

SIDE, ALLOWED = 224, 1.0  # pixels; grey levels of 255, on average
HEADER = ["`--preprocessing`", "against", "photos", "mean difference, grey levels of 255",
          "largest"]  # fmt: skip


def torchvision_transform() -> tuple[str, Callable]:
    """(what it is, function from a Pillow image to the network's input (3, 224, 224))."""
    import torchvision

    transform = torchvision.models.MNASNet1_0_Weights.IMAGENET1K_V1.transforms()
    return f"mnasnet1_0 of torchvision {torchvision.__version__.partition('+')[0]}", transform


def timm_transform() -> tuple[str, Callable]:
    """As torchvision_transform."""
    import timm

    config = timm.data.resolve_data_config(model=timm.create_model("mnasnet_100"))
    return f"mnasnet_100 of timm {timm.__version__}", timm.data.create_transform(**config)


def seen_here(path: Path, preset: str) -> np.ndarray:
    """The network's input (3, 224, 224) of the photo, as evaluation has it."""
    from mindspore.dataset import vision

    from src.vendored.image_options import chosen
    from src.vendored.photos import read_photo
    from src.vendored.preprocessing import Preprocessing

    documented = Preprocessing((SIDE, SIDE), (0, 0, 0), (1, 1, 1))
    how = chosen(SimpleNamespace(preprocessing=preset), documented)
    return read_photo(str(path), vision.Decode(), how.operations(), is_shown=False).image


def main(cache: str, work: str) -> None:
    """A row for each preset."""
    from src.vendored.image_options import IMAGENET

    rows = []
    scale = np.reshape(IMAGENET["std"], (3, 1, 1))
    with open_wheel(WHEEL, SHA256, Path(cache)) as wheel, tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, Path(name).name) for name in photo_names(wheel)]
        for path, name in zip(paths, photo_names(wheel)):
            path.write_bytes(wheel.read(name))
        for preset, made in (("torchvision", torchvision_transform), ("timm", timm_transform)):
            title, transform = made()
            differences = [
                np.abs(seen_here(path, preset) - transform(Image.open(path).convert("RGB")).numpy())
                * scale
                for path in paths
            ]
            mean, largest = np.mean(differences), np.max(differences)
            rows.append([preset, title, len(paths), f"{mean:.4f}", f"{largest:.2f}"])
    write_table(work, "photos-seen", HEADER, rows)
    if max(float(row[3]) for row in rows) > ALLOWED:
        sys.exit(f"error: pixels differ by more than {ALLOWED} grey level on average")


if __name__ == "__main__":
    start(main)
