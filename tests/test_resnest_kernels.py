"""Split attention by the CPU kernels: what MindSpore's operators make of the same images."""

import mindspore as ms
import numpy as np
import pytest

from cpu_kernel_tools import built_kernels, require_close
from folders import import_from


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    with built_kernels(tmp_path_factory.mktemp("cache")) as operators:
        yield operators


def create_block(channels, bias):
    block = import_from("resnest", "src.models.splat").SplAtConv2d(channels, bias)
    random = np.random.RandomState(0)
    for parameter in block.get_parameters():
        value = random.randn(*parameter.shape) / np.sqrt(np.prod(parameter.shape[1:]))
        value = np.abs(value) if parameter.name.endswith("moving_variance") else value
        parameter.set_data(ms.Tensor(value.astype(np.float32)))
    return block.set_train(False)


# Channels, batch, height, width: hidden layers of 32 and 36 features, planes of one value and more.
SHAPES = [(8, 1, 9, 7), (72, 3, 5, 6), (64, 2, 1, 1), (16, 1, 64, 80)]


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("channels, batch, height, width", SHAPES)
def test_split_attention_is_that_of_its_operators(kernels, channels, batch, height, width, bias):
    own, fast = create_block(channels, bias), create_block(channels, bias)
    kernels.use_cpu_kernels(fast, only_predicts=True)
    assert fast.kernels
    assert list(fast.parameters_dict()) == list(own.parameters_dict())
    images = np.random.RandomState(1).randn(batch, channels, height, width).astype(np.float32)
    ours, others = (block(ms.Tensor(images)).asnumpy() for block in (fast, own))
    require_close([ours], [others])
    assert np.abs(others).max() > 0.5
    unlike = np.abs(others - others.mean((2, 3), keepdims=True)).max()
    assert height * width == 1 or unlike > 0.1


def test_what_is_no_number_is_seen_in_its_image_alone(kernels):
    block = kernels.use_cpu_kernels(create_block(8, False), only_predicts=True)
    images = np.ones((2, 8, 6, 6), np.float32)
    images[0, 0, 3, 3] = np.nan
    found = np.isnan(block(ms.Tensor(images)).asnumpy())
    assert found[0].any() and not found[1].any()


def test_other_types_and_what_trains_are_left_to_mindspore(kernels):
    half = create_block(8, False).to_float(ms.float16)
    kernels.use_cpu_kernels(half, only_predicts=True)
    training = kernels.use_cpu_kernels(create_block(8, False))
    assert not half.kernels and not training.kernels
