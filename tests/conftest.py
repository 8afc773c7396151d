"""What every test needs: the fast oneDNN kernels, cores of its own and this folder's helpers on
the path.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
# Each process on cores of its own: shared ones are slower.
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    CORES = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(
        0, CORES[int(worker[2:]) :: int(os.environ["PYTEST_XDIST_WORKER_COUNT"])] or CORES
    )
sys.path.insert(0, str(Path(__file__).parent))

import mindspore as ms  # noqa: E402  the environment comes first
import pytest  # noqa: E402

from folders import NAMES, activate, take_ctrl_c  # noqa: E402

ms.set_device("CPU", 0)
ms.set_context(mode=ms.GRAPH_MODE)


def pytest_configure(config):
    """A folder for what the processes of the tests make once for all: see cpp_infer_tools."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        config.shared_folder = tempfile.mkdtemp(prefix="model_zoo_tests'$HOME ")
        os.environ["SHARED_BY_TESTS"] = config.shared_folder


def pytest_unconfigure(config):
    """It goes with the process that started the others."""
    if hasattr(config, "shared_folder"):
        shutil.rmtree(config.shared_folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def package_of_the_folder(request):
    """A test file named for a folder imported that folder's `src`, and still means it when it
    runs.
    """
    take_ctrl_c()
    for folder in NAMES:
        if request.module.__name__.startswith(f"test_{folder}"):
            activate(folder)


@pytest.fixture(scope="session", autouse=True)
def temporary_files(tmp_path_factory):
    """What tests, and the programs they start, leave in the folder of temporary files goes when
    the tests end.
    """
    tmp_path_factory.getbasetemp()  # pytest's own folder stays where it is.
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory(prefix="model_zoo_tests_") as folder,
    ):
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture(scope="module", autouse=True)
def no_files_left(request, tmp_path_factory, temporary_files):
    """All tests together write some 9 GB, so each file's go when it ends, unless a test failed."""
    yield
    if not request.session.testsfailed:
        for path in tmp_path_factory.getbasetemp().iterdir():
            path.unlink() if path.is_symlink() else shutil.rmtree(path, ignore_errors=True)
