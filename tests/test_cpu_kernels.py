"""The CPU kernels against MindSpore's own operators and against NumPy: outputs, all gradients,
moving statistics.
"""

from __future__ import annotations

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn

from cpu_kernel_tools import (
    DENSE,
    DEPTHWISE,
    GROUPED,
    WIDENED,
    built_kernels,
    create_convolution,
    create_norm,
    kernels_in,
    require_close,
    values_of,
)

# Kernel, stride, mode of padding, padding, dilation, height, width.
CASES = [
    (DEPTHWISE, 3, 1, "pad", 1, 1, 9, 11),
    (DEPTHWISE, 3, 2, "pad", 1, 1, 12, 7),
    (DEPTHWISE, 5, 1, "pad", 2, 1, 7, 7),
    (DEPTHWISE, 5, 2, "same", 0, 1, 14, 9),
    (DEPTHWISE, 3, 1, "same", 0, 1, 1, 1),
    (DEPTHWISE, 7, 3, "valid", 0, 1, 16, 23),
    (DEPTHWISE, (3, 5), (2, 1), "pad", (2, 0, 1, 3), (1, 2), 13, 17),
    (DEPTHWISE, 3, 2, "pad", 2, 2, 11, 10),
    (DEPTHWISE, 2, 4, "valid", 0, 1, 15, 14),  # There are rows and columns that no window reaches.
    (DEPTHWISE, 3, 2, "pad", 1, 1, 64, 112),
    (WIDENED, 3, 2, "pad", 1, 1, 9, 8),
    (GROUPED, 3, 1, "pad", 1, 1, 9, 11),
    (GROUPED, (3, 5), (2, 1), "pad", (2, 0, 1, 3), (1, 2), 13, 17),
    (DENSE, 3, 2, "pad", 1, 1, 12, 7),
    (DENSE, 5, 2, "same", 0, 1, 14, 9),
    (DENSE, 7, 3, "valid", 0, 1, 16, 23),
    (DENSE, 2, 4, "valid", 0, 1, 15, 14),
    (DENSE, 1, 1, "same", 0, 1, 4, 5),
    (DENSE, 1, 1, "same", 0, 1, 6, 7),
    ((16, 24, 1), 1, 1, "valid", 0, 1, 7, 7),
    (DENSE, 1, 2, "same", 0, 1, 4, 5),
    (DENSE, 1, 1, "pad", 1, 1, 4, 5),
    (DENSE, 1, 2, "pad", (0, 1, 0, 1), 1, 2, 2),
    (DENSE, 1, 1, "same", 0, 1, 1, 1),
    (GROUPED, 1, 1, "same", 0, 1, 4, 5),
]


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    with built_kernels(tmp_path_factory.mktemp("it's a $cache")) as operators:
        yield operators


@pytest.mark.parametrize("case", CASES)
def test_a_convolution_is_mindspores(kernels, case):
    x = np.random.RandomState(1).randn(3, case[0][0], *case[-2:]).astype(np.float32)
    fast = kernels.use_cpu_kernels(create_convolution(case))
    assert kernels_in(fast) == ["Convolution"] and fast.conv2d.has_onednn
    require_close(values_of(fast, x), values_of(create_convolution(case), x))


# 7 x 7 and 17 x 13 with what surrounds them: some images in the scratch at a time, fewer at last.
@pytest.mark.parametrize("sides", [(7, 7, 1, 30), (7, 7, 2, 100), (17, 13, 1, 6), (17, 13, 2, 19)])
def test_small_planes_of_many_images_are_computed_together(kernels, sides):
    height, width, stride, batch = sides
    case = (DEPTHWISE, 3, stride, "pad", 1, 1, height, width)
    x = np.random.RandomState(1).randn(batch, 5, height, width).astype(np.float32)
    fast = kernels.use_cpu_kernels(create_convolution(case))
    require_close(values_of(fast, x), values_of(create_convolution(case), x), 2e-5)


@pytest.mark.parametrize("form", [DEPTHWISE, (5, 5, 1)])
def test_a_convolution_is_that_of_its_definition(kernels, form):
    x = np.random.RandomState(1).randn(2, 5, 8, 9)
    fast = create_convolution((form, 3, 2, "pad", (1, 0, 2, 1), 1, 8, 9))
    y = values_of(kernels.use_cpu_kernels(fast), x.astype(np.float32))[0]
    w, bias = (parameter.asnumpy() for parameter in fast.trainable_params())
    padded = np.pad(x, [(0, 0), (0, 0), (1, 0), (2, 1)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))[:, :, ::2, ::2]
    sum_of = "nchwkl,cokl->nchw" if form is DEPTHWISE else "nchwkl,ockl->nohw"
    wanted = np.einsum(sum_of, windows, w) + bias[:, None, None]
    assert np.abs(y - wanted).max() < 1e-4


@pytest.mark.parametrize("is_training", [True, False])
@pytest.mark.parametrize("shape", [(4, 5, 6, 7), (1, 5, 1, 1), (1, 5, 33, 32)])
def test_batch_norm_is_mindspores(kernels, shape, is_training):
    x = np.random.RandomState(1).randn(*shape).astype(np.float32) * 3 + 2
    fast = kernels.use_cpu_kernels(create_norm())
    assert sorted(kernels_in(fast)) == ["Norm", "TrainingNorm"]
    ours, others = (values_of(network, x, is_training) for network in (fast, create_norm()))
    # Of one value a channel MindSpore makes no number.
    require_close(*(list(map(np.nan_to_num, side)) for side in (ours, others)), 1e-4)


@pytest.mark.parametrize("is_training", [True, False])
@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6])
@pytest.mark.parametrize("shape", [(4, 5, 6, 7), (1, 5, 33, 32)])
def test_batch_norm_cuts_off_as_the_activation_after_it(kernels, shape, activation, is_training):
    x = np.random.RandomState(1).randn(*shape).astype(np.float32) ** 3 * 5
    fast, own = (nn.SequentialCell(create_norm(), activation()) for _ in range(2))
    kernels.use_cpu_kernels(kernels.use_cpu_kernels(fast))
    assert isinstance(fast[1], nn.Identity)
    ours, others = (values_of(network, x, is_training) for network in (fast, own))
    require_close(ours, others, 1e-4)
    assert (others[0] == 0).any() and (activation is nn.ReLU or (others[0] == 6).any())


def test_batch_norm_lets_what_is_no_number_be_seen(kernels):
    x = np.full((1, 5, 8, 8), np.nan, np.float32)
    fast = kernels.use_cpu_kernels(nn.SequentialCell(create_norm(), nn.ReLU()))
    for is_training in (True, False):
        assert np.isnan(fast.set_train(is_training)(ms.Tensor(x)).asnumpy()).all()


@pytest.mark.parametrize("shape", [(8, 5, 32, 32), (256, 5, 14, 14)])
def test_batch_norm_sees_small_deviations_from_a_large_mean(kernels, shape):
    x = np.random.RandomState(1).randn(*shape) + 1000
    fast = kernels.use_cpu_kernels(create_norm()).set_train()
    y = fast(ms.Tensor(x.astype(np.float32))).asnumpy()
    assert np.abs(y.std((0, 2, 3)) - 1).max() < 0.01
    constant = fast(ms.Tensor(np.full(shape, 10.3, np.float32))).asnumpy()
    assert np.abs(constant).max() < 1e-3
