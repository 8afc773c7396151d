"""Damaged images by the thousand, and what the decoders make of those that pass the guard.

    python tests/fuzz_images.py [--mutants 2000] [--seed 0] [--photos CACHE]

No image that `damage` lets pass may end MindSpore's decoders by a signal or keep them for ever;
those that they refuse by an error are counted, and so are mutants that `damage` refuses although
Pillow, OpenCV and MindSpore all read them, by its phrase. With --photos, the photos of
utils/smoke/photos.py are mutated besides the small files of image_files.py. The exit code is 1
where a signal or a hang was found; the file that did it is kept.
"""

import argparse
import collections
import io
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from image_files import jpeg_files, other_files
from image_mutants import mutant

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "utils"), str(ROOT / "utils/smoke")]
from vendored.jpeg import damage  # noqa: E402  the path comes first

HANG = 60.0  # seconds for one image


def outcomes_of(contents, decoders, folder):
    """What `decoders` ("mindspore" or "others") make of each of `contents`: "read", "refused",
    "signal N" or "hang".

    One process decodes them in turn; where it ends, another goes on after the image that did it.
    """
    batch, outcomes = Path(folder, "batch.npz"), Path(folder, "outcomes")
    np.savez(batch, *[np.frombuffer(content, np.uint8) for content in contents])
    outcomes.write_text("")
    while (done := lines(outcomes)) < len(contents):
        command = [sys.executable, __file__, "--decode", decoders, batch, outcomes, str(done)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        since, hung = time.monotonic(), False
        while process.poll() is None:
            time.sleep(0.1)
            now = lines(outcomes)
            if now > done:
                done, since = now, time.monotonic()
            elif time.monotonic() - since > HANG:
                process.kill()
                hung = True
        if lines(outcomes) < len(contents):
            with outcomes.open("a") as file:
                file.write("hang\n" if hung else f"signal {-process.returncode}\n")
    return outcomes.read_text().splitlines()


def lines(file):
    """How many lines a file has."""
    return file.read_bytes().count(b"\n")


def decode(decoders, batch, outcomes, first):
    """Decode the images of the file `batch` from number `first` on; a line for each."""
    read = read_by_others if decoders == "others" else mindspore_reader()
    with np.load(batch) as arrays, open(outcomes, "a", buffering=1) as file:
        for number in range(first, len(arrays)):
            file.write("read\n" if read(arrays[f"arr_{number}"]) else "refused\n")


def mindspore_reader():
    """A function that tells whether MindSpore reads an encoded image (bytes,) uint8."""
    from mindspore.dataset import vision

    sound = np.frombuffer(jpeg_files()["plain"], np.uint8)
    operators = [vision.Decode(), vision.RandomCropDecodeResize(64, scale=(0.08, 1.0))]

    def reads(operator, array):
        try:
            operator(array)
        except (RuntimeError, TypeError):
            return False
        return True

    def read(array):
        for operator in operators * 2:
            if not reads(operator, array):
                reads(operators[0], sound)  # An error is told of the next image as well.
                return False
        return True

    return read


def read_by_others(array):
    """Whether Pillow and OpenCV read an encoded image (bytes,) uint8."""
    import cv2

    try:
        with Image.open(io.BytesIO(array.tobytes())) as image:
            image.load()
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        return cv2.imdecode(array, flags) is not None
    except Exception:  # Either raises nearly everything.
        return False


def photos(cache):
    """The photos of utils/smoke/photos.py."""
    from photos import SHA256, WHEEL
    from wheel import open_wheel

    with open_wheel(WHEEL, SHA256, cache) as wheel:
        return [wheel.read(n) for n in wheel.namelist() if n.startswith("foolbox/data/imagenet_")]


def main(arguments):
    """Draw mutants until as many as wanted pass `damage`; print counts."""
    sources = [*jpeg_files().values(), *other_files().values()]
    if arguments.photos:
        sources += photos(arguments.photos)
    draw = random.Random(arguments.seed)
    passed, refused = [], []
    while len(passed) < arguments.mutants:
        content = mutant(draw, sources)
        (refused if damage(content) else passed).append(content)
    with tempfile.TemporaryDirectory(prefix="fuzz_images_") as folder:
        outcomes = outcomes_of(passed, "mindspore", folder)
        others = zip(refused, outcomes_of(refused, "others", folder))
        doubtful = [content for content, outcome in others if outcome == "read"]
        again = zip(doubtful, outcomes_of(doubtful, "mindspore", folder))
        read = count_phrases([content for content, outcome in again if outcome == "read"])
    print(f"{len(passed)} mutants that pass: {dict(collections.Counter(outcomes))}")
    for content, outcome in zip(passed, outcomes):
        if outcome not in ("read", "refused"):
            number, kept = tempfile.mkstemp(prefix="fuzz_images_")
            with open(number, "wb") as file:
                file.write(content)
            print(f"{kept}: {outcome}")
    print(f"{len(refused)} mutants that are refused, and how many of them all decoders read:")
    for phrase, count in count_phrases(refused).most_common():
        print(f"{count:8} {read[phrase]:4} {phrase}")
    sys.exit(0 if set(outcomes) <= {"read", "refused"} else 1)


def count_phrases(contents):
    """How many of `contents` `damage` refuses with each phrase, numbers left out."""
    return collections.Counter(re.sub(r"\d+|FF ..", "#", damage(each)) for each in contents)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--decode"]:
        decode(*sys.argv[2:5], int(sys.argv[5]))
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("--mutants", type=int, default=2000)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--photos", metavar="CACHE")
        main(parser.parse_args())
