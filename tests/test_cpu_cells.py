"""What of a network the CPU kernels compute, and what of it stays; how they are built."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn

from cpu_kernel_tools import (
    DENSE,
    DEPTHWISE,
    HAS_BFLOAT16,
    built_kernels,
    create_convolution,
    create_norm,
    kernels_in,
    outputs_of,
    require_close,
    values_of,
)
from folders import NAMES, REPOSITORY, slow_where_heavy
from golden import image
from test_golden import NETWORKS, load_golden_weights
from test_nas_fpn import network as create_detector


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    with built_kernels(tmp_path_factory.mktemp("cache")) as operators:
        yield operators


# Window, stride, mode, height, width.
POOLS = [
    (2, 2, "valid", 8, 12),
    (2, 2, "same", 7, 9),
    (8, 8, "valid", 40, 17),
    (3, 2, "same", 12, 7),
    (3, 2, "valid", 13, 9),
    ((3, 5), (1, 3), "same", 11, 20),
    (2, 5, "valid", 16, 23),  # There are rows and columns that no window reaches.
    (3, 2, "same", 1, 1),
]


@pytest.mark.parametrize("window, stride, mode, height, width", POOLS)
def test_a_maximum_pool_is_mindspores(kernels, window, stride, mode, height, width):
    x = np.random.RandomState(1).randn(3, 5, height, width).astype(np.float32)
    x[x < -1] = -1  # The first of equals has the gradient.
    fast, own = (nn.SequentialCell(nn.MaxPool2d(window, stride, mode)) for _ in range(2))
    assert kernels_in(kernels.use_cpu_kernels(fast)) == ["MaxPool"]
    require_close(values_of(fast, x), values_of(own, x), 0)


def test_a_maximum_pool_lets_what_is_no_number_be_seen(kernels):
    x = np.full((1, 2, 4, 4), -np.inf, np.float32)
    x[0, 0, 1] = np.nan, 1, 2, 3
    fast = kernels.use_cpu_kernels(nn.SequentialCell(nn.MaxPool2d(2, 2)))
    y, dx, *_ = values_of(fast, x)
    wanted = [[[np.nan, 3], [-np.inf] * 2], [[-np.inf] * 2] * 2]
    assert np.array_equal(y[0], np.float32(wanted), equal_nan=True)
    assert dx[0, 0, 1, 3] == 27 and not dx[0, 1].any()


def test_activations_stay_where_the_norm_is_not_theirs_alone(kernels):
    shared, converted = create_norm(), kernels.use_cpu_kernels(create_norm())
    network = nn.CellList(
        [nn.SequentialCell(shared, nn.ReLU()), nn.SequentialCell(shared, create_norm(), nn.Tanh())]
    )
    kernels.use_cpu_kernels(network)
    assert isinstance(network[0][1], nn.ReLU) and isinstance(network[1][2], nn.Tanh)
    later = kernels.use_cpu_kernels(nn.SequentialCell(converted, nn.ReLU()))
    assert isinstance(later[1], nn.ReLU)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_two_runs_are_equal_to_the_bit(kernels, bfloat16):
    if bfloat16 and not HAS_BFLOAT16:
        pytest.skip("the processor has no bfloat16")
    x = np.random.RandomState(1).randn(3, 5, 12, 7).astype(np.float32)

    def create():
        layers = (DEPTHWISE, 3, 2, "pad", 1, 1), ((5, 5, 1), 5, 1, "same", 0, 1)
        network = nn.SequentialCell(*map(create_convolution, layers), create_norm())
        return kernels.use_cpu_kernels(network, bfloat16)

    for first, second in zip(values_of(create(), x), values_of(create(), x)):
        assert first.tobytes() == second.tobytes()


# Each as above, with five outputs.
FORMS = [
    (DEPTHWISE, 3, 2, "pad", 1, 1, 12, 7),
    (DEPTHWISE, 3, 1, "pad", 1, 1, 64, 112),
    ((3, 5, 1), 3, 2, "same", 0, 1, 14, 9),
    ((16, 5, 1), 1, 1, "valid", 0, 1, 90, 90),
    ((16, 5, 1), 1, 1, "valid", 0, 1, 3, 3),
    ((3, 5, 1), 1, 2, "same", 0, 1, 8, 8),
]


@pytest.mark.parametrize("batch, activation", [(1, nn.ReLU6), (3, nn.Tanh)])
@pytest.mark.parametrize("case", FORMS)
def test_what_only_predicts_computes_norms_with_convolutions(kernels, case, activation, batch):
    def create():
        norm = nn.BatchNorm2d(5, eps=1e-3)
        return nn.SequentialCell(create_convolution(case, False), norm, activation())

    fast, own = create(), create()
    kernels.use_cpu_kernels(kernels.use_cpu_kernels(fast, only_predicts=True))
    assert kernels_in(fast) == ["ConvolutionNorm", "Norm"]
    assert list(fast.parameters_dict()) == list(own.parameters_dict())
    x = np.random.RandomState(1).randn(batch, case[0][0], *case[-2:]).astype(np.float32)
    ours, others = (outputs_of(network, x) for network in (fast, own))
    require_close([ours], [others])
    assert np.isnan(outputs_of(fast, np.full_like(x, np.nan))).all()


def test_norms_stay_where_the_convolution_is_not_theirs_alone(kernels):
    def create(has_bias=False):
        return nn.Conv2d(5, 5, 3, has_bias=has_bias)

    shared, norm = create(), create_norm()
    by_batch = nn.BatchNorm2d(5, use_batch_statistics=True)
    network = nn.CellList(
        [
            nn.SequentialCell(create(), norm),
            nn.SequentialCell(create(), norm),
            nn.SequentialCell(create(), by_batch),
            nn.SequentialCell(shared, create_norm()),
            nn.SequentialCell(shared, nn.ReLU(), create_norm()),
            nn.SequentialCell(create(True), create_norm()),
        ]
    )
    kernels.use_cpu_kernels(network, only_predicts=True)
    assert "ConvolutionNorm" not in kernels_in(network)


SMALL = {"nasfpn_stack_times": 1, "backbone_blocks": [2, 1, 1, 1]}  # of the detector


@pytest.mark.parametrize("use", ["only predicts", "trains"])
@pytest.mark.parametrize("folder", slow_where_heavy(NAMES))
def test_a_network_keeps_its_parameters_and_outputs(kernels, folder, use):
    create = NETWORKS.get(folder, partial(create_detector, 128, **SMALL))
    network, fast = create(), create()
    for one in (network, fast):
        load_golden_weights(one)
        one.set_train(use == "trains")
    # As in a run that evaluates while it trains.
    kernels.use_cpu_kernels(kernels.use_cpu_kernels(fast, only_predicts=use == "only predicts"))
    found = {*kernels_in(fast)}
    assert "Norm" in found and {"Convolution", "ConvolutionNorm"} & found
    assert list(fast.parameters_dict()) == list(network.parameters_dict())
    for _, cell in fast.cells_and_names():
        for *_, last in getattr(cell, "IN_A_ROW", ()):
            assert not isinstance(getattr(cell, last), nn.ReLU)
    images = ms.Tensor(image((4, 3, 128, 128)))
    ours, others = ([*as_tuple(one(images))] for one in (fast, network))
    ours, others = ([value.asnumpy() for value in side] for side in (ours, others))
    # By statistics of four values, at the 1 x 1 level, rounding grows.
    require_close(ours, others, 1e-2 if use == "trains" else 1e-4)


def as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def test_mindspores_own_operators_compute_where_kernels_do_not(kernels, monkeypatch, tmp_path):
    case = (DEPTHWISE, 3, 1, "pad", 1, 1, 9, 11)
    half = kernels.use_cpu_kernels(create_convolution(case).to_float(ms.float16))
    assert not kernels_in(half)
    assert half(ms.Tensor(np.ones((1, 5, 9, 11), np.float16))).dtype == ms.float16
    with monkeypatch.context() as patch:
        patch.setattr(ms, "get_context", {"device_target": "Ascend", "mode": ms.GRAPH_MODE}.get)
        assert not kernels_in(kernels.use_cpu_kernels(create_convolution(case)))
    monkeypatch.setenv("CPP_INFER_CACHE", str(tmp_path))
    assert not kernels_in(kernels.use_cpu_kernels(create_convolution(case)))


def test_a_network_keeps_its_shapes_in_pynative_mode(kernels):
    """Of two convolutions that differ by their stride alone, one behind the other."""
    case = (DENSE, 3, 1, "same", 0, 1, 8, 8)
    images = ms.Tensor(np.ones((2, DENSE[0], 8, 8), np.float32))
    ms.set_context(mode=ms.PYNATIVE_MODE)
    try:
        fast = [
            kernels.use_cpu_kernels(create_convolution((*case[:2], stride, *case[3:])))
            for stride in (1, 2)
        ]
        assert [layer(images).shape[2:] for layer in fast] == [(8, 8), (4, 4)]
    finally:
        ms.set_context(mode=ms.GRAPH_MODE)


def test_the_command_builds_the_library_or_says_what_is_missing(tmp_path):
    def build(**environment):
        return subprocess.run(
            [sys.executable, "-m", "src.vendored.cpu_kernels"],
            cwd=REPOSITORY / "resnest",
            env=environment,
            capture_output=True,
            text=True,
        )

    done = build(PATH=str(tmp_path), CPP_INFER_CACHE=str(tmp_path / "cache"))
    assert (done.returncode, list((tmp_path / "cache").iterdir())) == (1, [])
    assert done.stderr == "error: g++ is not here: install it, then build the kernels\n"
    (tmp_path / "file").touch()
    done = build(PATH=str(tmp_path), CPP_INFER_CACHE=str(tmp_path / "file/cache"))
    assert done.returncode == 1 and "set CPP_INFER_CACHE" in done.stderr
    done = build(PATH="/usr/bin:/bin", CPP_INFER_CACHE=str(tmp_path / "cache"))
    assert (done.returncode, done.stderr) == (0, "")
    (library,) = (tmp_path / "cache").iterdir()
    assert done.stdout == f"{library}\n"


@pytest.mark.skipif(
    "avx512f" not in Path("/proc/cpuinfo").read_text(), reason="the processor has no AVX-512"
)
@pytest.mark.parametrize("filters, computed", [(3, "convolution"), (1, "matmul")])
def test_kernels_use_what_the_processor_has_where_mindspores_operators_must_not(
    kernels, filters, computed
):
    code = (
        "import mindspore as ms, numpy as np;"
        "from src.vendored.cpu_operators import use_cpu_kernels; ms.set_device('CPU');"
        "ms.set_context(mode=ms.GRAPH_MODE);"
        "image = ms.Tensor(np.ones((2, 16, 32, 32), np.float32));"
        f"use_cpu_kernels(ms.nn.Conv2d(16, 16, {filters}))(image)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY / "mnasnet",
        env={**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2", "ONEDNN_VERBOSE": "1"},
        capture_output=True,
        text=True,
    )
    chosen = [line for line in done.stdout.splitlines() if f",exec,cpu,{computed}," in line]
    assert len(chosen) == 1 and "avx512" in chosen[0], done
