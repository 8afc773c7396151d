# Copied from utils/vendored/answers.py by `make vendor`: change it there.
"""What a model says of photos: on the terminal, in a CSV and a JSON file, as pictures."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from .drawing import ContactSheet, encoded
from .files import atomic_write, make_folder, replacing
from .launch import UserError, printable
from .photos import Photo

WIDEST_PATH = 50  # characters of the terminal's first column


class Answer(NamedTuple):
    """Of a photo: `words` for the terminal, `rows` for the files, dicts of the same keys, and a
    `picture`, RGB uint8 (H, W, 3), or None.
    """

    words: str
    rows: list[dict]
    picture: np.ndarray | None


def answer_all(
    paths: Sequence[str],
    read: Callable[[str], Photo],
    judge: Callable[[list[Photo]], list[Answer]],
    batch_size: int,
    columns: Sequence[str],
    outputs: Outputs,
) -> None:
    """Give the photos at `paths` to `judge`, `batch_size` at a time, and its answers to `outputs`.

    `columns` are the keys of the answers' rows. Raises UserError at the end, when all that was
    asked for is written, where `read` raised it for a photo: each is named when it comes.
    """
    refused = []
    with outputs.opened(paths, columns), tqdm(total=len(paths), unit="photo", disable=None) as bar:
        for start in range(0, len(paths), batch_size):
            photos = []
            for path in paths[start : start + batch_size]:
                try:
                    photos.append(read(path))
                except UserError as error:
                    refused.append(path)
                    outputs.refuse(path, str(error))
                bar.update()
            for photo, answer in zip(photos, judge(photos) if photos else []):
                outputs.add(photo, answer)
    if refused:
        raise UserError(
            f"{len(refused)} of {len(paths)} photos were passed over, such as {refused[0]}"
        )


class Outputs:
    """Where answers go: the terminal, and the files and the folder that `csv`, `json` and
    `pictures` name. Files appear whole, at the end; memory does not grow with the photos.
    """

    def __init__(self, model: str, csv: str, json: str, pictures: str):
        self.model, self.csv, self.json = model, csv, json
        self.pictures = make_folder(pictures) if pictures else None
        self.sheet = ContactSheet()

    @contextlib.contextmanager
    def opened(self, paths: Sequence[str], columns: Sequence[str]) -> Iterator[None]:
        """Within the block, answers on the photos `paths` may be added, of rows with `columns`."""
        self.width = min(WIDEST_PATH, max(len(printable(path)) for path in paths))
        self.names = picture_names(paths)
        self.refused, self.is_first = [], True
        with contextlib.ExitStack() as stack:
            self.table = self.text = None
            if self.csv:
                file = stack.enter_context(_open(stack.enter_context(replacing(self.csv))))
                self.table = csv.DictWriter(file, ["photo", *columns], lineterminator="\n")
                self.table.writeheader()
            if self.json:
                self.text = stack.enter_context(_open(stack.enter_context(replacing(self.json))))
                self.text.write(f'{{"model": {json.dumps(printable(self.model))}, "photos": [')
            yield
            if self.json:
                self.text.write(f'\n], "passed_over": {json.dumps(self.refused)}}}\n')
        if self.pictures and self.sheet.cells:
            atomic_write(self.pictures / "sheet.png", self.sheet.png())
        for path in filter(None, (self.csv, self.json, self.pictures)):
            print(f"written: {printable(str(path))}", flush=True)

    def refuse(self, path: str, reason: str) -> None:
        """Say that the photo at `path` is passed over."""
        tqdm.write(f"passed over: {printable(reason)}", file=sys.stderr)
        self.refused.append({"photo": printable(path), "reason": printable(reason)})

    def add(self, photo: Photo, answer: Answer) -> None:
        """Say and write the `answer` on a photo."""
        path = printable(photo.path)
        turned = f"  ({photo.turned}, as its EXIF says)" if photo.turned else ""
        tqdm.write(f"{path:{self.width}}  {answer.words}{turned}", file=sys.stdout)
        if self.table:
            self.table.writerows({"photo": path, **row} for row in answer.rows)
        if self.text:
            width, height = photo.size
            entry = {"photo": path, "width": width, "height": height, "turned": photo.turned}
            separator, self.is_first = "\n" if self.is_first else ",\n", False
            self.text.write(separator + json.dumps({**entry, "answers": answer.rows}))
        if self.pictures:
            path = self.pictures / self.names[photo.path]
            make_folder(path.parent)
            atomic_write(path, encoded(answer.picture))
            self.sheet.add(answer.picture)


def picture_names(paths: Sequence[str]) -> dict[str, str]:
    """{path: name} of the pictures of photos: their paths below the folder that has them all, with
    the suffix .jpg; those that differ only in their suffix keep it before.
    """
    whole = [os.path.abspath(path) for path in paths]
    base = os.path.commonpath([os.path.dirname(path) for path in whole])
    relative = [os.path.relpath(path, base) for path in whole]
    count = Counter(os.path.splitext(name)[0] for name in relative)
    stems = [os.path.splitext(name)[0] for name in relative]
    names = [stem if count[stem] == 1 else name for stem, name in zip(stems, relative)]
    return {path: f"{name}.jpg" for path, name in zip(paths, names)}


def _open(path):
    return open(path, "w", encoding="utf-8", newline="")
