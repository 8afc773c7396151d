"""Convolutions in bfloat16 by the CPU kernels: of which operands, where, and where not."""

import mindspore as ms
import numpy as np
import pytest

from cpu_kernel_tools import HAS_BFLOAT16, built_kernels, create_convolution, require_close


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    with built_kernels(tmp_path_factory.mktemp("it's a $cache")) as operators:
        yield operators


def rounded(x):
    """float32 values rounded to the nearest bfloat16, ties to even."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).view(np.float32)


def gradients_of_sum(network, x, factors):
    """Outputs, and the gradients of x, weights and bias of the sum of outputs times `factors`."""

    def loss(x):
        y = network(x)
        return (y * ms.Tensor(factors)).sum(), y

    compute = ms.value_and_grad(loss, 0, network.trainable_params(), has_aux=True)
    (_, y), (dx, gradients) = ms.jit(compute)(ms.Tensor(x))
    return [value.asnumpy() for value in (y, dx, *gradients)]


@pytest.mark.skipif(not HAS_BFLOAT16, reason="the processor has no bfloat16")
@pytest.mark.parametrize("form", [((16, 32, 1), 3), ((32, 32, 2), 3), ((256, 288, 1), 1)])
def test_bfloat16_rounds_operands_and_sums_in_float32(kernels, form):
    """As the products of rounded values, which float32 holds to the bit."""
    shape, kernel = form
    case = (shape, kernel, 1, "same", 0, 1, 9, 11)
    ours, others = create_convolution(case), create_convolution(case)
    random = np.random.RandomState(1)
    x = random.randn(2, shape[0], 9, 11).astype(np.float32)
    for a, b in zip(ours.get_parameters(), others.get_parameters()):
        a.set_data(ms.Tensor(random.randn(*a.shape).astype(np.float32)))
        is_bias = a.name.endswith("bias")
        b.set_data(a.value() if is_bias else ms.Tensor(rounded(a.asnumpy())))
    factors = rounded(random.randn(2, shape[1], 9, 11))
    kernels.use_cpu_kernels(ours, bfloat16=True).set_train()
    got = gradients_of_sum(ours, x, factors)
    require_close(got, gradients_of_sum(others, rounded(x), factors), 1e-4)
    assert np.abs(got[0] - gradients_of_sum(others, x, factors)[0]).max() > 1e-3
    # What predicts stays in float32.
    ours.set_train(False)
    exact = kernels.use_cpu_kernels(create_convolution(case))
    ms.load_param_into_net(exact, ours.parameters_dict())
    require_close([ours(ms.Tensor(x)).asnumpy()], [exact(ms.Tensor(x)).asnumpy()])


def test_bfloat16_is_refused_where_it_cannot_be(kernels, monkeypatch, tmp_path):
    def refusal():
        with pytest.raises(Exception) as caught:
            kernels.require_bfloat16()
        assert type(caught.value).__name__ == "UserError"
        return str(caught.value)

    with monkeypatch.context() as patch:
        patch.setattr(kernels, "has_bfloat16", lambda: False)
        assert "does not multiply in bfloat16; leave --cpu_bfloat16 out" in refusal()
        patch.setattr(ms, "get_context", lambda _: "Ascend")
        assert "for --device_target CPU" in refusal()
    monkeypatch.setattr(kernels, "has_bfloat16", lambda: True)
    monkeypatch.setenv("CPP_INFER_CACHE", str(tmp_path))
    assert "python -m src.vendored.cpu_kernels" in refusal()
