# Copied from utils/vendored/cpu_kernels.py by `make vendor`: change it there.
"""Convolution and batch norm on CPU, faster than MindSpore's own; depthwise, several times.

    python -m src.vendored.cpu_kernels

in the model folder builds them, once for all folders on a machine: g++ compiles the sources beside
this file into CPP_INFER_CACHE (default: ~/.cache/mindspore-zoo-cpu, or that below XDG_CACHE_HOME).
Where they have not been built, on other devices and in other types than float32, MindSpore's own
operators compute.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from pathlib import Path

from .files import replacing
from .launch import UserError, run

SOURCES = (
    "cpu_batch_norm.cc",
    "cpu_convolution.cc",
    "cpu_depthwise.cc",
    "cpu_line.h",
    "cpu_max_pool.cc",
    "cpu_onednn.h",
    "cpu_planes.h",
    "cpu_pointwise.cc",
    "cpu_split_attention.cc",
    "cpu_sums.h",
    "cpu_threads.h",
)
COMPILER = ("g++", "-std=c++17", "-O3", "-march=native", "-shared", "-fPIC", "-pthread")
PROCESSOR = ("flags", "Features", "model name", "CPU part")  # in /proc/cpuinfo


def library() -> Path:
    """Where the kernels are or will be: a name for these sources on this kind of processor."""
    here, name = Path(__file__).parent, hashlib.sha256(" ".join(COMPILER).encode())
    for source in SOURCES:
        name.update((here / source).read_bytes())
    name.update(_processor().encode())
    # As the shell has it: a user without a home is no reason not to train.
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    cache = os.environ.get("CPP_INFER_CACHE") or Path(home, "mindspore-zoo-cpu")
    return Path(cache).resolve() / f"cpu_kernels-{name.hexdigest()[:16]}.so"


def has_bfloat16() -> bool:
    """Whether the processor multiplies numbers of 16 bits (bfloat16), as far as Linux tells."""
    return bool({"avx512_bf16", "amx_bf16"} & {*_processor().split()})


def has_avx512() -> bool:
    """Whether the processor has AVX-512, as far as Linux tells."""
    return "avx512f" in _processor().split()


def _processor():
    """What -march=native looks at."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return platform.machine() + "\n".join(
        sorted({line for line in lines if line.startswith(PROCESSOR)})
    )


def build() -> Path:
    """The library, compiled if it is not there. Raises UserError where that fails."""
    if platform.system() != "Linux":
        raise UserError("MindSpore takes kernels of others on Linux only")
    path, here = library(), Path(__file__).parent
    if path.exists():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{path.parent} cannot be made ({error.strerror}); set CPP_INFER_CACHE to a folder that"
            " can be written"
        ) from None
    sources = [here / name for name in SOURCES if name.endswith(".cc")]
    with replacing(path) as beside:
        command = [*COMPILER, "-o", beside, *sources]
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        except FileNotFoundError:
            raise UserError("g++ is not here: install it, then build the kernels") from None
        if done.returncode:
            raise UserError(f"g++ did not build the kernels:\n{done.stderr[-2000:]}")
    return path


if __name__ == "__main__":
    run(lambda _: print(build()), None)
