"""NAS-FPN's 3x3 convolutions in Winograd's form, and where they are used."""

import mindspore as ms
import numpy as np
import pytest

from folders import import_from
from golden import image
from test_nas_fpn import assert_golden, configuration, network


def winograd():
    return import_from("nas_fpn", "src.winograd")


@pytest.mark.slow
def test_golden_outputs_by_winograd():
    detector = network(640)
    winograd().use_winograd(detector, True)
    assert_golden(detector)


@pytest.mark.parametrize(
    "shape, is_used",
    [
        ((2, 3, 64, 68), True),
        ((1, 3, 72, 64), True),
        ((1, 3, 60, 64), False),
        ((1, 3, 66, 64), False),
        ((1, 3, 64, 66), False),
    ],
)
def test_winograd_is_the_convolution(shape, is_used):
    cell, maps = winograd().Conv3x3(3, 5), ms.Tensor(image(shape))
    cell.weight.set_data(ms.Tensor(image((5, 3, 3, 3), salt=1)))
    plain = cell(maps).asnumpy()
    other = winograd().Conv3x3(3, 5)
    other.weight.set_data(cell.weight)
    winograd().use_winograd(other, True)
    fast = other(maps).asnumpy()
    assert fast.shape == plain.shape and np.abs(fast - plain).max() <= 3e-5 * np.abs(plain).max()
    assert (fast != plain).any() == is_used


@pytest.mark.parametrize("has_avx512, is_built", [(1, 0), (0, 1), (1, 1)])
def test_winograd_is_used_where_it_is_faster(monkeypatch, tmp_path, has_avx512, is_built):
    module = import_from("nas_fpn", "src.retinanet_nasfpn")
    kernels = tmp_path / "library"
    if is_built:
        kernels.touch()
    monkeypatch.setattr(winograd(), "library", lambda: kernels)
    monkeypatch.setattr(winograd(), "has_avx512", lambda: has_avx512)
    network = module.build_network(configuration(128, nasfpn_stack_times=1))
    in_evaluation = not (has_avx512 and is_built)
    for prepare, is_used in (
        (lambda cell: cell, in_evaluation),
        (module.prepare_for_export, False),
    ):
        cells = [cell for _, cell in prepare(network).cells_and_names()]
        used = [cell.winograd for cell in cells if isinstance(cell, winograd().Conv3x3)]
        assert used == [is_used] * (7 + 50)
