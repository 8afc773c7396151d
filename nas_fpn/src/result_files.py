"""The images that the C++ program has predicted, their annotations and their result files."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from src.annotations import Annotations, normal_name
from src.vendored.launch import UserError
from src.vendored.listing import contents_below

WITH_CROWD = "images with crowd boxes"


def list_images(folder: str) -> list[str]:
    """Names from `folder` on of its images, with those in the folders in it, sorted: those that the
    program takes.

    Raises UserError where there is no such folder.
    """
    if not os.path.isdir(folder):
        raise UserError(f"{folder or '--dataset_path'}: no such folder of images")
    names = [
        os.path.relpath(os.path.join(place, name), folder)
        for place, inside in contents_below(folder)
        for name in inside.images
    ]
    return sorted(names)


def match_images(
    folder: str, names: list[str], annotations: Annotations
) -> tuple[list[tuple[int, str]], Counter]:
    """[(position in the annotation file, name)] of the images that count, in the order of the file,
    and {reason: number left out}.

    The file's names decide; an image that is not among them may have an id for its name. Images
    with a crowd do not count. Raises UserError where two images could be one, or none counts.
    """
    found = {}
    for find in (_by_name, _by_end, _by_number):
        candidates = find(annotations, set(found))
        taken = set(found.values())
        for name in names:
            image = None if name in taken else candidates(name)
            if image is not None:
                if image in found:
                    raise UserError(
                        f"{found[image]} and {name} are both {annotations.label(image)} of"
                        f" {annotations.path}; remove one"
                    )
                found[image] = name
    crowded = {image for image in found if annotations.has_crowd(image)}
    matched = sorted((image, name) for image, name in found.items() if image not in crowded)
    if not matched:
        raise UserError(
            f"{folder}: no image whose name is an id or a file_name in the annotation file"
            f" {annotations.path}, among {len(names)} images, {len(crowded)} with a crowd"
        )
    return matched, Counter(
        {
            "images with crowd boxes": len(crowded),
            "images that are not in the annotation file": len(names) - len(found),
            "images that are only in the annotation file": len(annotations.images) - len(found),
        }
    )


def _by_name(annotations, known):
    return lambda name: annotations.by_name.get(normal_name(name))


def _by_end(annotations, known):
    """By names that have folders more, or fewer, than the annotation file's."""
    by_file = defaultdict(list)
    for other, image in annotations.by_name.items():
        if image not in known:
            by_file[os.path.basename(other)].append((other, image))

    def find(name):
        name = normal_name(name)
        alike = [
            image
            for other, image in by_file[os.path.basename(name)]
            if other.endswith(f"/{name}") or name.endswith(f"/{other}")
        ]
        if len(alike) > 1:
            raise UserError(
                f"{name} may be {annotations.label(alike[0])} or {annotations.label(alike[1])} of"
                f" {annotations.path}; lay the images in folders as they are there"
            )
        return alike[0] if alike else None

    return find


def _by_number(annotations, known):
    def find(name):
        image = annotations.find_image(Path(name).stem)
        return None if image in known else image

    return find


def read_outputs(folder: str, stem: str, num_classes: int) -> list[np.ndarray]:
    """Boxes (A, 4) and scores (A, num_classes) of an image.

    Raises UserError if missing or of the wrong size.
    """
    outputs = []
    for number, columns in enumerate((4, num_classes)):
        path = Path(folder, f"{stem}_{number}.bin")
        if not path.is_file():
            raise UserError(
                f"{path}: no such result file; run the C++ program over all images first"
            )
        size = path.stat().st_size
        rows, rest = divmod(size, 4 * columns)
        if not rows or rest or (outputs and rows != len(outputs[0])):
            wanted = f"{len(outputs[0])} rows" if outputs else "rows"
            raise UserError(
                f"{path}: {size} bytes are not {wanted} of {columns} float32; run the C++ program "
                f"again, or set --num_classes, which is {num_classes}"
            )
        outputs.append(np.fromfile(path, np.float32).reshape(rows, columns))
    return outputs
