# Copied from utils/vendored/compile_cache.py by `make vendor`: change it there.
"""Compiled training steps, kept for the next start of the same training."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import shutil
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import mindspore as ms
import numpy as np

from .cpu_kernels import library
from .files import make_folder
from .launch import FOLDER

FIRST_DIGITS = 32  # of the hash in a cache's name
OTHER_STARTS = ("resume", "compile_cache")  # Settings that compile to the same.
UNFINISHED, DAY = ".unfinished_", 24 * 3600


class CompileCache(ms.train.Callback):
    """Lets MindSpore read the compiled step of an earlier start from `folder`, or writes it there.

    MindSpore looks at the network's source alone before it takes what it once compiled. Here a
    cache's name is a hash of all that decides a step: versions, this folder's source, `config`, the
    `learning_rates`, and `rank` among `ranks` processes. It gets its name after the first step, so
    a killed start leaves none. Raises UserError where `folder` cannot be made.
    """

    def __init__(
        self,
        folder: str,
        config: SimpleNamespace,
        learning_rates: np.ndarray,
        rank: int,
        ranks: int,
    ):
        super().__init__()
        self.cache = make_folder(folder).absolute() / _key(config, learning_rates, rank, ranks)
        self.path = self.cache
        if not self.cache.exists():
            _remove_left(self.cache.parent)
            self.path = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self.cache.parent))
        ms.set_context(enable_compile_cache=True, compile_cache_path=str(self.path))

    def on_train_step_end(self, run_context: ms.train.RunContext) -> None:
        if ms.get_context("enable_compile_cache"):
            ms.set_context(enable_compile_cache=False)  # Evaluation is compiled as ever.
            if self.path != self.cache:
                with contextlib.suppress(OSError):  # Another start was there before.
                    os.rename(self.path, self.cache)


def _remove_left(folder):
    """What killed starts left; no start compiles for a day."""
    for left in folder.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > DAY:
                shutil.rmtree(left)


def _key(config, learning_rates, rank, ranks):
    settings = {key: value for key, value in vars(config).items() if key not in OTHER_STARTS}
    flags = ("ONEDNN_MAX_CPU_ISA", "OMP_NUM_THREADS")
    machine = (ms.__version__, platform.python_version(), platform.machine())
    kernels = str(library()) if library().is_file() else ""
    where = (*machine, *(os.environ.get(flag) for flag in flags), rank, ranks, kernels)
    known = hashlib.sha256(json.dumps([where, settings], sort_keys=True, default=str).encode())
    known.update(np.asarray(learning_rates, np.float32).tobytes())
    for path in sorted(FOLDER.rglob("*.py")):
        known.update(str(path.relative_to(FOLDER)).encode() + b"\0" + path.read_bytes())
    return known.hexdigest()[:FIRST_DIGITS]
