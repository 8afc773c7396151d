"""A rank of a run of two: a linear model is trained on its half of each batch by the folder's own
averaging of gradients, and compared with what NumPy makes of whole batches.

    msrun --worker_num=2 --local_worker_num=2 two_ranks.py MODEL_FOLDER fixed|dynamic

With a dynamic loss scale the second rank's second batch overflows, so that no rank uses it.
"""

import sys

import mindspore as ms
import mindspore.dataset as ds
import numpy as np
from mindspore import nn

from folders import activate, import_from

STEPS, BATCH, RATE = 3, 4, 0.1


def batches(scale):
    """(inputs, targets), float32 (3, 2, 4, 5) and (3, 2, 4, 1): by step, rank and image."""
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(STEPS, 2, BATCH, 5)).astype(np.float32)
    targets = generator.normal(size=(STEPS, 2, BATCH, 1)).astype(np.float32)
    if scale == "dynamic":
        inputs[1, 1, 0, 0] = np.inf
    return inputs, targets


def expected(inputs, targets):
    """The weight float32 (1, 5) after descent along the mean squared error of whole batches."""
    weight = np.zeros((1, 5), np.float32)
    for x, y in zip(inputs.reshape(STEPS, -1, 5), targets.reshape(STEPS, -1, 1)):
        if np.isfinite(x).all():
            weight -= RATE * 2 * ((x @ weight.T - y) * x).mean(0)
    return weight


def main(folder, scale):
    activate(folder)
    rank, ranks = import_from(folder, "src.vendored.device").set_up_device("CPU", distributed=True)
    inputs, targets = batches(scale)
    network = nn.Dense(5, 1, weight_init="zeros", has_bias=False)
    managers = {
        "fixed": ms.FixedLossScaleManager(1.0, drop_overflow_update=False),
        "dynamic": ms.DynamicLossScaleManager(2.0**4, 2, 1000),
    }
    optimizer = nn.SGD(network.trainable_params(), RATE)
    model = ms.Model(network, nn.MSELoss(), optimizer, loss_scale_manager=managers[scale])
    import_from(folder, "src.vendored.training").average_gradients(model, optimizer, ranks)
    rows = list(zip(inputs[:, rank], targets[:, rank]))
    model.train(1, ds.GeneratorDataset(rows, ["x", "y"], shuffle=False), dataset_sink_mode=False)
    difference = np.abs(network.weight.asnumpy() - expected(inputs, targets)).max()
    print(f"rank {rank} of {ranks}: difference {difference}")
    assert difference < 1e-5


if __name__ == "__main__":
    main(*sys.argv[1:])
