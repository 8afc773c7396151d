"""The JSON text of a COCO annotation file: its three lists, their entries, and what ids mean."""

from __future__ import annotations

import json

from src.data_paths import require_annotations
from src.vendored.launch import UserError

KEPT = {  # of the keys of a file: segmentations alone would take most of the memory
    *("images", "annotations", "categories", "id", "file_name", "width", "height", "name"),
    *("image_id", "category_id", "bbox", "area", "iscrowd"),
}
FARTHEST = 1 << 24  # pixels; beyond it float32 tells them apart no more
TWICE = None  # no key of a JSON object, so the place of a key that an object has twice


def read_lists(path: str) -> dict[str, list]:
    """The lists images, annotations and categories of the annotation file `path`.

    Raises UserError where it cannot be read or is none.
    """
    require_annotations(path)
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
    except OSError as error:
        raise UserError(f"{path}: this annotation file cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise _not_coco(path, f"no UTF-8 text from byte {error.start} on") from None
    if not text.strip():
        raise _not_coco(path, "it is empty")
    try:
        content = json.loads(text, object_pairs_hook=_entry)
    except RecursionError:
        raise _not_coco(path, "its lists or objects lie too deep in each other") from None
    except ValueError as error:
        raise _not_coco(path, error) from None
    if not isinstance(content, dict):
        raise _not_coco(path, "no object with images, annotations and categories")
    if TWICE in content:
        raise _not_coco(path, f"it has the key {shown(content[TWICE])} twice")
    for key in ("images", "annotations", "categories"):
        if not isinstance(content.get(key), list):
            found = f"{shown(content[key])}, not a list" if key in content else "missing"
            raise _not_coco(path, f"{key} is {found}")
    return content


def _entry(pairs):
    kept = [(key, value) for key, value in pairs if key in KEPT]
    entry = dict(kept)
    if len(entry) < len(kept):
        keys = [key for key, _ in kept]
        entry[TWICE] = next(key for key in keys if keys.count(key) > 1)
    return entry


def _not_coco(path, reason):
    return UserError(f"{path}: not a COCO annotation file of boxes ({reason})")


def shown(value: object) -> str:
    """A JSON value in a message: in a line, and short."""
    if isinstance(value, list):
        inside = ", ".join("[...]" if isinstance(each, list) else shown(each) for each in value[:5])
        return f"[{inside}{', ...' if len(value) > 5 else ''}]"
    text = "an object" if isinstance(value, dict) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}..."


class ById:
    """The entries of one list, found by their ids.

    An id is looked for as it is; only where there is no such, by its value: 1 for "000001".
    """

    def __init__(self):
        self.entries, self._positions, self._by_value = [], {}, None

    def add(self, key: int | str, entry: tuple) -> int | None:
        """Add an entry; the position of an earlier one of this id, or None."""
        self.entries.append(entry)
        position = self._positions.setdefault(key, len(self.entries) - 1)
        return None if position == len(self.entries) - 1 else position

    def find(self, key: int | str) -> int | None:
        """The position of the entry, or None where there is none or, by value, several."""
        if key in self._positions:
            return self._positions[key]
        if self._by_value is None:
            self._by_value = {}
            for other, position in self._positions.items():
                same = _value(other)
                self._by_value[same] = None if same in self._by_value else position
        return self._by_value.get(_value(key))


def _value(key):
    is_number = isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 20
    return int(key) if is_number else key


def in_order(key: int | str) -> tuple:
    """What ids are sorted by: numbers first, by value, then texts."""
    value = _value(key)
    return isinstance(value, str), value


class Entry:
    """An entry of one of the lists, and how messages name it."""

    __slots__ = ("path", "kind", "position", "values")

    def __init__(self, path: str, kind: str, position: int, values: object):
        self.path, self.kind, self.position, self.values = path, kind, position, values
        if not isinstance(values, dict):
            raise self.error(f"it is {shown(values)}, not an object")
        if TWICE in values:
            raise self.error(f"it has the key {shown(values[TWICE])} twice")

    def key(self, name: str) -> int | str:
        """The value of `name`, an id."""
        value = self.values.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "":
            raise self.wrong(name, "a number or a text")
        return value

    def text(self, name: str) -> str:
        """The value of `name`, a text that can be written."""
        value = self.values.get(name)
        if not isinstance(value, str) or not value.strip() or "\0" in value or _is_half(value):
            raise self.wrong(name, "a text")
        return value

    def shape(self) -> tuple[int, int] | None:
        """(height, width), None where there are not both."""
        sides = []
        for name in ("height", "width"):
            side = self.values.get(name)
            if name not in self.values:
                return None
            if not is_number(side, 1, FARTHEST) or side % 1:
                raise self.wrong(
                    name, "a number of pixels; --trust_image_size True takes the image's own"
                )
            sides.append(int(side))
        return tuple(sides)

    def wrong(self, name: str, wanted: str) -> UserError:
        """The error that `name` is not what is `wanted`, or missing."""
        found = f"is {shown(self.values[name])}, not" if name in self.values else "is missing:"
        return self.error(f"{name} {found} {wanted}")

    def error(self, what: str) -> UserError:
        """A UserError about the entry."""
        is_named = isinstance(self.values, dict) and "id" in self.values
        name = f" (id {shown(self.values['id'])})" if is_named else ""
        return UserError(f"{self.path}: {self.kind}[{self.position}]{name}: {what}")


def is_number(value: object, least: float, most: float) -> bool:
    """Whether a JSON value is a number from `least` to `most`."""
    # Comparing with NaN gives false, and an int of any length can be compared.
    return type(value) in (int, float) and least <= value <= most


def _is_half(text):
    """Whether it holds half of a surrogate pair, which JSON can, but no file's name or output."""
    return any("\ud800" <= letter <= "\udfff" for letter in text)
