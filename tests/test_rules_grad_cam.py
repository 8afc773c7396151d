"""predict.py --grad_cam in every classifier: where the network looks."""

import mindspore as ms
import numpy as np
import pytest

from folders import CLASSIFIERS, build_network, flags_of, import_from
from golden import distance, image, weights
from places import Place


@pytest.mark.slow
@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_grad_cam(folder, tmp_path):
    """Its heat is that of the gradients, averaged over the maps as the paper says."""
    network = build_network(folder, "--class_num", "3", *Place(tmp_path, folder, 1, 1).building())
    module = import_from(folder, flags_of(folder).network_module)
    for parameter in network.get_parameters():
        parameter.set_data(ms.Tensor(weights(parameter.name, parameter.shape)))
    cell = import_from(folder, "src.vendored.grad_cam").NetworkWithMaps(
        network.set_train(False), module.CLASSIFIER[0]
    )
    images = image((2, 3, 64, 64))
    logits, heat = cell.predict(images)
    _, maps = cell(ms.Tensor(images))
    best = ms.Tensor(logits.argmax(1))

    def score(maps):
        return network.classify(maps)[ms.ops.arange(2), best].sum()

    slope = ms.grad(score)(maps)
    assert distance(logits, network(ms.Tensor(images)).asnumpy()) < 1e-5
    importance = slope.asnumpy().mean((2, 3), keepdims=True)
    wanted = (importance * maps.asnumpy()).sum(1).clip(0)
    wanted /= wanted.max((1, 2), keepdims=True)
    assert heat.shape == (2, 2, 2) and np.ptp(wanted) > 0.01 and distance(heat, wanted) < 1e-4
