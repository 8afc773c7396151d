# Copied from utils/vendored/result_names.py by `make vendor`: change it there.
"""What the C++ programs call the result files of images."""

import collections
import os


def stem(path: str) -> str:
    """The file name up to its first dot."""
    return os.path.basename(path).split(".")[0]


def result_names(paths: list[str]) -> list[str]:
    """The names, without _0.bin, of the result files of images at `paths` below the folder that a
    C++ program is given: the stem or, where it is another image's too, the path.

    In it / is written as %2F, and % as %25. Such a name has a dot, a stem has none.
    """
    count = collections.Counter(map(stem, paths))
    return [stem(path) if count[stem(path)] == 1 else _escaped(path) for path in paths]


def _escaped(path):
    return path.replace("%", "%25").replace("/", "%2F")
