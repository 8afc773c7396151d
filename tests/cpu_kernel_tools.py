"""What the tests of the CPU kernels share: the kernels, convolutions, norms, and their values."""

import contextlib

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn

from folders import import_from

# Channels before and after, groups.
DEPTHWISE, GROUPED, DENSE, WIDENED = (5, 5, 5), (6, 8, 2), (3, 4, 1), (3, 6, 3)
HAS_BFLOAT16 = import_from("mnasnet", "src.vendored.cpu_kernels").has_bfloat16()


@contextlib.contextmanager
def built_kernels(cache):
    """cpu_operators of a folder, the library built into the folder `cache`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CPP_INFER_CACHE", str(cache))
        import_from("mnasnet", "src.vendored.cpu_kernels").build()
        yield import_from("mnasnet", "src.vendored.cpu_operators")


def create_convolution(case, has_bias=True):
    (before, after, groups), kernel, stride, mode, padding, dilation, *_ = case
    options = {"dilation": dilation, "group": groups, "has_bias": has_bias}
    return nn.Conv2d(before, after, kernel, stride, mode, padding, **options)


def create_norm():
    return nn.BatchNorm2d(5, eps=1e-3, momentum=0.8, affine=True, use_batch_statistics=None)


def values_of(network, x, is_training=True):
    """Outputs, gradients of the input and of all parameters, and parameters after that."""
    _set_parameters(network)
    network.set_train(is_training)

    def loss(x):
        y = network(x)
        return (y * y * y).sum(), y

    compute = ms.value_and_grad(loss, 0, network.trainable_params(), has_aux=True)
    (_, y), (dx, gradients) = ms.jit(compute)(ms.Tensor(x))
    return [value.asnumpy() for value in (y, dx, *gradients, *network.get_parameters())]


def outputs_of(network, x):
    """Predicted, with the parameters of values_of."""
    _set_parameters(network)
    return network.set_train(False)(ms.Tensor(x)).asnumpy()


def _set_parameters(network):
    random = np.random.RandomState(0)
    for parameter in network.get_parameters():
        value = random.rand(*parameter.shape) + 0.5
        parameter.set_data(ms.Tensor(value.astype(np.float32)))


def require_close(ours, others, limit=1e-5):
    assert len(ours) == len(others)
    for a, b in zip(ours, others):
        assert a.shape == b.shape
        assert np.abs(a - b).max() <= limit * max(np.abs(b).max(), 1)


def kernels_in(network):
    """Names of the kernels' cells in `network`."""
    kinds = ("Convolution", "ConvolutionNorm", "MaxPool", "Norm", "TrainingNorm")
    return [type(c).__name__ for _, c in network.cells_and_names() if type(c).__name__ in kinds]
