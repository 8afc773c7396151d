# Copied from utils/vendored/probe.py by `make vendor`: change it there.
"""Decodes images in a process of its own: one that ends it, or keeps it for ever, is named by the
process that asked.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

HANG = 120.0  # seconds for one image, and for a process to start
FOLDER = Path(__file__).resolve().parents[2]  # the model's, from which `src` is imported


def decoded(paths: Sequence[str]) -> Iterator[tuple[str, tuple[int, int] | str]]:
    """(path, (width, height)) of each of `paths`, in order, as MindSpore decodes it; instead of the
    size a line that says what is wrong where a run would refuse it, or die of it.
    """
    first = 0
    while first < len(paths):
        for number, found in enumerate(_of_one_process(paths[first:]), first):
            yield paths[number], found if isinstance(found, str) else tuple(found)
            first = number + 1


def _of_one_process(paths):
    """Sizes and phrases, up to and with the one that ended the process."""
    with tempfile.TemporaryFile() as names:
        names.write(b"\0".join(map(os.fsencode, paths)))
        names.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-m", __spec__.name],
            stdin=names,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(FOLDER)},
        )
    told = 0
    try:
        with process.stdout as lines:
            while told < len(paths) and select.select([lines], [], [], HANG)[0]:
                line = lines.readline()
                if not line:
                    break
                told += 1
                yield json.loads(line)
    finally:
        is_ended = process.poll() is not None
        process.kill()
        code = process.wait()
    if told < len(paths):
        how = f"keeps the decoder for over {HANG:.0f} seconds"
        if is_ended or code != -signal.SIGKILL:
            how = f"ends the decoder ({signal.Signals(-code).name if code < 0 else code})"
        yield f"{paths[told]}: this image {how}; repair it or remove it from the data set"


def main() -> None:
    """A line of JSON for each of the paths on stdin: [width, height] or text."""
    from types import SimpleNamespace

    import mindspore.dataset.vision as vision
    import numpy as np

    from .image_source import ImageFiles
    from .launch import UserError

    paths = list(map(os.fsdecode, sys.stdin.buffer.read().split(b"\0")))
    files = ImageFiles(SimpleNamespace(paths=paths, labels=np.zeros(len(paths), np.int32)))
    decode = vision.Decode()
    for index, path in enumerate(paths):
        found = f"{path}: this image cannot be decoded; repair it or remove it from the data set"
        try:
            content = files[index][0]
        except UserError as error:
            found = str(error)
        else:
            for _ in range(2):  # What was wrong with one image is said of the next one, once.
                try:
                    height, width = decode(content).shape[:2]
                    found = [width, height]
                except (RuntimeError, ValueError, TypeError):
                    continue
                break
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
