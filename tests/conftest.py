"""What every test needs: the fast oneDNN kernels, cores of its own and this folder's helpers on the path."""
import os
import sys
from pathlib import Path

os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
if worker := os.environ.get("PYTEST_XDIST_WORKER"):  # Each process on cores of its own: shared ones are slower.
    CORES = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, CORES[int(worker[2:])::int(os.environ["PYTEST_XDIST_WORKER_COUNT"])] or CORES)
sys.path.insert(0, str(Path(__file__).parent))

import mindspore as ms  # noqa: E402  the environment comes first
import pytest  # noqa: E402

from folders import NAMES, activate  # noqa: E402

ms.set_device("CPU", 0)
ms.set_context(mode=ms.GRAPH_MODE)


@pytest.fixture(autouse=True)
def package_of_the_folder(request):
    """A test file named for a folder imported that folder's `src`, and still means it when it runs."""
    for folder in NAMES:
        if request.module.__name__.startswith(f"test_{folder}"):
            activate(folder)
