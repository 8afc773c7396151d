"""Damaged images by the thousand, and what the decoders make of those that pass the guard.

    python tests/fuzz_images.py [--mutants 2000] [--seed 0] [--photos CACHE] [--program FILE]

No image that `damage` lets pass may end MindSpore's decoders by a signal or keep them for ever;
those that they refuse by an error are counted, and so are mutants that `damage` refuses although
Pillow, OpenCV and MindSpore all read them, by its phrase. All mutants go through the C++ programs'
decoder too, which must take and refuse the same ones, make the same pixels of what is damaged
behind its header, and refuse those of `damage` in its words.
With --photos, the photos of utils/smoke/photos.py are mutated besides the small files of
image_files.py. The exit code is 1 where a signal, a hang or a difference was found; the file that
did it is kept.
"""

import argparse
import collections
import contextlib
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

import cpp_infer_tools
from image_files import jpeg_files, other_files
from image_mutants import mutant

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "utils"), str(ROOT / "utils/smoke")]
from vendored.jpeg import damage  # noqa: E402  the path comes first

HANG = 60.0  # seconds for one image


def outcomes_of(contents, decoders, folder):
    """What `decoders` ("mindspore", "others" or the path of the program in cpp_infer_images) make
    of each of `contents`: "read", "refused", "signal N" or "hang"; but for "others", "read HEIGHT
    WIDTH MEAN", and of the program, "refused: PHRASE".

    One process decodes them in turn; where it ends, another goes on after the image that did it.
    """
    outcomes = Path(folder, "outcomes")
    for number, content in enumerate(contents):
        Path(folder, str(number)).write_bytes(content)
    outcomes.write_text("")
    while (done := lines(outcomes)) < len(contents):
        program = [sys.executable, __file__, "--decode", decoders]
        if decoders not in ("mindspore", "others"):
            program = [decoders]
        command = [*program, folder, str(done), str(len(contents) - 1), outcomes]
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


def decode(decoders, folder, first, last, outcomes):
    """Decode the images `first` to `last` of `folder`; a line for each."""
    read = read_by_others if decoders == "others" else mindspore_reader()
    with open(outcomes, "a", buffering=1) as file:
        for number in range(first, last + 1):
            file.write(read(np.fromfile(Path(folder, str(number)), np.uint8)) + "\n")


def mindspore_reader():
    """A function that tells what MindSpore makes of an encoded image (bytes,) uint8."""
    from mindspore.dataset import vision

    sound = np.frombuffer(jpeg_files()["plain"], np.uint8)
    operators = [vision.Decode(), vision.RandomCropDecodeResize(64, scale=(0.08, 1.0))]

    def read(array):
        try:
            image = [operator(array) for operator in operators * 2][0]
        except (RuntimeError, TypeError):
            for operator in operators:  # An error is told of the next image as well.
                with contextlib.suppress(RuntimeError, TypeError):
                    operator(sound)
            return "refused"
        return f"read {image.shape[0]} {image.shape[1]} {image.mean():.6g}"

    return read


def read_by_others(array):
    """What Pillow and OpenCV make of an encoded image (bytes,) uint8."""
    import cv2

    try:
        with Image.open(io.BytesIO(array.tobytes())) as image:
            image.load()
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        return "refused" if cv2.imdecode(array, flags) is None else "read"
    except Exception:  # Either raises nearly everything.
        return "refused"


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
        read = count_phrases([content for content, outcome in again if kind_of(outcome) == "read"])
        cpp = outcomes_of(passed + refused, arguments.program or cpp_infer_tools.images(), folder)
    kinds = collections.Counter(map(kind_of, outcomes))
    print(f"{len(passed)} mutants that pass: {dict(kinds)}")
    wanted = outcomes + [f"refused: {damage(content)}" for content in refused]
    differs = [differ(*both) for both in zip(wanted, cpp)]
    print(f"{len(cpp)} mutants through the C++ program: {sum(differs)} taken otherwise")
    for content, outcome, other, fault in zip(passed + refused, wanted, cpp, differs):
        if fault or kind_of(outcome) not in ("read", "refused"):
            number, kept = tempfile.mkstemp(prefix="fuzz_images_")
            with open(number, "wb") as file:
                file.write(content)
            print(f"{kept}: MindSpore: {outcome}; C++: {other}")
    print(f"{len(refused)} mutants that are refused, and how many of them all decoders read:")
    for phrase, count in count_phrases(refused).most_common():
        print(f"{count:8} {read[phrase]:4} {phrase}")
    sys.exit(0 if set(kinds) <= {"read", "refused"} and not any(differs) else 1)


def kind_of(outcome):
    """ "read", "refused", "signal" or "hang"."""
    return re.match("[a-z]+", outcome).group()


def differ(wanted, got):
    """Whether the outcome `got` of the C++ program is another than the `wanted` one. Pixels of CMYK
    are rounded otherwise.
    """
    if kind_of(wanted) == kind_of(got) == "read":
        *size, mean = wanted.split()
        *other_size, other_mean = got.split()
        return size != other_size or abs(float(mean) - float(other_mean)) > 0.5
    if wanted == "refused":  # by the decoder
        return got != "refused: the decoder refuses it"
    return wanted != got


def count_phrases(contents):
    """How many of `contents` `damage` refuses with each phrase, numbers left out."""
    return collections.Counter(re.sub(r"\d+|FF ..", "#", damage(each)) for each in contents)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--decode"]:
        decode(*sys.argv[2:4], *map(int, sys.argv[4:6]), sys.argv[6])
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("--mutants", type=int, default=2000)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--photos", metavar="CACHE")
        parser.add_argument("--program", help="of cpp_infer_images, if it is built already")
        main(parser.parse_args())
