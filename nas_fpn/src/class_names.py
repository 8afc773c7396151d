"""Which classes there are, in the order of their labels: as configured, as MindRecord files hold
them, or as annotation files name them.
"""

from __future__ import annotations

import json
from types import SimpleNamespace

from src.annotation_file import shown
from src.annotations import Annotations
from src.vendored.launch import UserError

BACKGROUND = "background"
SCHEMA_ID = "retinanet_json"
LONGEST_HEADER = 1 << 28  # bytes


def configured_names(config: SimpleNamespace) -> list[str]:
    """`coco_classes` without the background, which may stand at its head or be left out."""
    names = list(config.coco_classes)
    if names[:1] == [BACKGROUND]:
        del names[0]
    for place, name in enumerate(names):
        if name == BACKGROUND or name in names[:place]:
            what = "comes first or not at all" if name == BACKGROUND else "is in it twice"
            raise UserError(f"coco_classes: {shown(name)} {what}")
    return names


def configured_labels(config: SimpleNamespace) -> list[str] | None:
    """The names of the labels 0, 1, ... by `coco_classes`; None unless they are `num_classes`."""
    names = [BACKGROUND, *configured_names(config)]
    return names if len(names) == config.num_classes else None


def classes_to_detect(
    config: SimpleNamespace, annotations: Annotations, records: str = ""
) -> list[int]:
    """Positions among the categories of `annotations` of the classes with labels 1, 2, ...

    Their names are those of `coco_classes`; if that is empty, those of the MindRecord files whose
    first is `records`; if there are none, all categories but one called background. Raises
    UserError where a name is no category, or `num_classes` does not fit.
    """
    positions = {category.name: place for place, category in enumerate(annotations.categories)}
    names, source = configured_names(config), "coco_classes"
    if not names and record_classes(records):
        names, source = record_classes(records)[1:], records
    names = names or [name for name in positions if name != BACKGROUND]
    unknown = [name for name in names if name not in positions]
    if unknown:
        known = ", ".join(list(positions)[:3])
        raise UserError(
            f"{annotations.path}: no category '{unknown[0]}' in it, which is in {source}, but"
            f" {known} ...; set coco_classes in a yaml file (--config_path): 'background' and the"
            " names to detect"
        )
    if len(names) + 1 != config.num_classes:
        raise UserError(
            f"num_classes is {config.num_classes}, but background and {len(names)} classes to"
            f" detect are {len(names) + 1}"
        )
    return [positions[name] for name in names]


def description(names: list[str]) -> str:
    """The description of the MindRecord schema, for the classes with labels 1, 2, ..."""
    if not names:
        return SCHEMA_ID
    return f"{SCHEMA_ID} {json.dumps({'classes': [BACKGROUND, *names]})}"


def record_classes(first: str) -> list[str]:
    """The names of the labels 0, 1, ... in the MindRecord files whose first is `first`.

    Empty where they do not hold them, as other programs' files do not, or are not there.
    """
    text = _schema(first).get("desc", "").partition(" ")[2]
    return json.loads(text)["classes"] if text else []


def record_columns(first: str) -> list[str]:
    """The columns of the MindRecord files whose first is `first`, none where there are none."""
    return list(_schema(first).get("schema", {}))


def _schema(first):
    # MindSpore has no public function that gives the description. A file begins with the length
    # of its header, eight bytes, and the header, a JSON text.
    try:
        with open(first, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            return json.loads(file.read(length))["schema"][0] if length < LONGEST_HEADER else {}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def check_record_classes(config: SimpleNamespace, first: str) -> None:
    """Raise UserError where the labels in MindRecord files mean other classes than configured."""
    recorded, configured = record_classes(first)[1:], configured_names(config)
    if recorded and configured and recorded != configured:
        place = next(
            (n for n, (a, b) in enumerate(zip(recorded, configured)) if a != b),
            min(len(recorded), len(configured)),
        )
        raise UserError(
            f"{first}: its classes are {shown(recorded)}, but coco_classes are"
            f" {shown(configured)}: they differ at label {place + 1}; set coco_classes: [], or"
            " create the files anew"
        )
    if recorded and len(recorded) + 1 != config.num_classes:
        raise UserError(
            f"{first}: it has background and {len(recorded)} classes, but num_classes is"
            f" {config.num_classes}"
        )
