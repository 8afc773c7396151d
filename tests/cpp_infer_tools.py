"""What the tests of C++ inference share: programs built once, MindIR files, images, one way to
run.
"""

import atexit
import fcntl
import functools
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn, ops
from PIL import Image

from folders import REPOSITORY

CPP_INFER = REPOSITORY / "utils" / "cpp_infer"
# of the test network's input; the program resizes the shorter side to 56 * 256 // 224 = 64
SIZE = 56


class Network(nn.Cell):
    """Two outputs: (N, 5) scores and (N, 4, 28, 28) features."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, stride=2, pad_mode="same", has_bias=False)
        self.norm = nn.BatchNorm2d(4, eps=1e-5, momentum=0.9)
        self.dense = nn.Dense(4 * 28 * 28, 5)

    def construct(self, images):
        features = ops.relu(self.norm(self.conv(images)))
        return self.dense(features.reshape(features.shape[0], -1)), features


@functools.cache
def scratch():
    """A folder that lives as long as the tests do, its name as awkward as CMake bears."""
    folder = Path(tempfile.mkdtemp(prefix="cpp infer'$HOME "))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def runtime():
    """The folder of MindSpore Lite."""
    command = ["bash", CPP_INFER / "fetch_runtime.sh"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def configure(folder, *options, **environment):
    """Runs CMake on the program in `folder`, to build in its `out`. Returns the finished
    process.
    """
    command = ["cmake", "-S", folder, "-B", folder / "out", f"-DCPP_INFER_HOME={CPP_INFER}"]
    command += [f"-DCPP_INFER_RUNTIME={runtime()}", *options]
    environment = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@functools.cache
def build(folder):
    """Copies `folder` and builds it there, warnings being errors, once for all processes of the
    tests. Returns the program.
    """
    copy = Path(os.environ.get("SHARED_BY_TESTS") or scratch(), folder.parent.name, folder.name)
    copy.parent.mkdir(parents=True, exist_ok=True)
    with open(copy.parent / f"{folder.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (copy / "out/main").exists():
            _build(folder, copy)
    return copy / "out/main"


def _build(folder, copy):
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("out", "*.log"))
    configured = configure(copy, "-DCPP_INFER_WERROR=ON")
    assert configured.returncode == 0, configured.stderr
    command = (
        ["bash", copy / "build.sh"]
        if (copy / "build.sh").exists()
        else ["bash", CPP_INFER / "build.sh", copy]
    )
    environment = {**os.environ, "CPP_INFER_HOME": str(CPP_INFER)}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]


@functools.cache
def mobilenet():
    """MobileNetV1's program."""
    return build(REPOSITORY / "mobilenetv1" / "ascend310_infer")


@functools.cache
def pixels():
    """The program that writes preprocessed pixels."""
    return build(REPOSITORY / "tests" / "cpp_infer_pixels")


@functools.cache
def images():
    """The program that decodes images and says what is wrong with them."""
    return build(REPOSITORY / "tests" / "cpp_infer_images")


@functools.cache
def network():
    """The test network, its weights always the same."""
    cell = Network()
    generator = np.random.default_rng(0)
    for parameter in cell.get_parameters():
        values = (
            generator.uniform(0.5, 1.5, parameter.shape)
            if parameter.ndim == 1
            else generator.normal(0, 0.2, parameter.shape)
        )
        parameter.set_data(ms.Tensor(values.astype(np.float32)))
    return cell.set_train(False)


def export(cell, shape):
    """MindIR of version 3, as MindSpore writes it: only to plain names, so it is moved
    afterwards.
    """
    plain = Path(tempfile.mkdtemp())
    ms.export(
        cell,
        ms.Tensor(np.zeros(shape, np.float32)),
        file_name=str(plain / "model"),
        file_format="MINDIR",
    )
    return Path(shutil.move(plain, scratch())) / "model.mindir"


def lower(path):
    """MindIR of version 1, which the runtime reads."""
    lowered = path.with_name("lowered.mindir")
    subprocess.run(
        [sys.executable, CPP_INFER / "lower_mindir.py", path, lowered],
        check=True,
        capture_output=True,
    )
    return lowered


@functools.cache
def mindir(batch=1):
    """The test network for batches of `batch`, of version 1."""
    return lower(export(network(), (batch, 3, SIZE, SIZE)))


def run(*arguments, program=None, code=0, **options):
    """Runs the program (MobileNetV1's) and returns the finished process; anything but exit code
    `code` fails.
    """
    command = [program or mobilenet(), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    assert result.returncode == code, (
        f"{result.returncode}: {result.stdout[-2000:]}{result.stderr[-2000:]}"
    )
    return result


def error(*arguments, code=1, **options):
    """Runs the program, which must fail, and returns the one line it prints on stderr."""
    lines = run(*arguments, code=code, **options).stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), lines
    return lines[0]


def picture(height, width, channels=3, seed=0):
    """uint8 waves with noise: smooth enough for JPEG, and no two pixels' surroundings alike."""
    y, x = np.mgrid[:height, :width]
    waves = [
        127 + 90 * np.sin(x / 9 + k + seed) + 30 * np.cos(y / (5 + k)) for k in range(channels)
    ]
    noise = np.random.default_rng(seed).normal(0, 15, (height, width, channels))
    return np.clip(np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)


def save_picture(path, height=90, width=70, seed=0, **options):
    """A colour image at `path`, whose suffix names the format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(height, width, seed=seed)).save(path, **options)
    return path


def results(folder):
    """{file name: float32 values} of the result files."""
    return {path.name: np.fromfile(path, np.float32) for path in sorted(Path(folder).iterdir())}


def distance(got, wanted):
    """Largest difference relative to the spread (max - min) of the wanted values."""
    assert got.size == wanted.size
    return float(np.abs(got.ravel() - wanted.ravel()).max() / np.ptp(wanted))


@pytest.fixture(name="place", autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Every test runs in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def predict(data, *arguments, batch=1, **options):
    return run(f"--mindir_path={mindir(batch)}", f"--dataset_path={data}", *arguments, **options)


def prediction_error(data, *arguments, batch=1, **options):
    return error(f"--mindir_path={mindir(batch)}", f"--dataset_path={data}", *arguments, **options)


def make_images(place, count):
    """`count` images in two class folders, of different sizes."""
    sizes = itertools.cycle([(90, 70), (64, 64), (57, 130), (200, 151)])
    paths = [place / "data" / f"n{i % 2}" / f"img{i:02}.JPEG" for i in range(count)]
    return [save_picture(path, *next(sizes), seed=i) for i, path in enumerate(paths)]
