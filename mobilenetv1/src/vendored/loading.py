# Copied from utils/vendored/loading.py by `make vendor`: change it there.
"""Checkpoint files as MindSpore loads them, whatever the system has cached."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import mindspore as ms
import psutil


def load_file(path: str | Path, **options: Any) -> dict[str, ms.Parameter]:
    """`ms.load_checkpoint` with its `options`, and its errors.

    MindSpore refuses a file that is larger than the memory nobody uses, and counts as used what the
    system only caches: after large files were written, nearly all of it.
    """
    try:
        return ms.load_checkpoint(str(path), **options)
    except (MemoryError, ValueError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and "memory" not in str(error):
            raise
        # It asks for the file's size before reading and once more after, when the file is in memory
        # and may be in the cache.
        room = 4 * os.path.getsize(path)
        if psutil.virtual_memory().available < room:
            raise
        # Memory that is asked for is taken from the cache, and unused once it is given back.
        bytearray(b"1") * room
        return ms.load_checkpoint(str(path), **options)
