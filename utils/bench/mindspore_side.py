"""MindSpore's side of a benchmark: a process that answers the lines of answering.py.

    python utils/bench/mindspore_side.py FOLDER write|forward|step|step_bf16|data|evaluation

In the work folder. `write` answers nothing: it writes the weights and the inputs that all engines
get. What trains is built as by the folder's train.py, what predicts as by its export.py.
"""

from __future__ import annotations

import importlib
import sys
import zlib
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

from answering import serve
from measure import use_folder
from work import start

if TYPE_CHECKING:
    from mindspore import nn

CHECKPOINT = "network.ckpt"
RATE = 1e-6  # of learning: weights stay what they are
RATES = 100000  # steps that it is given for


def value_of(name: str, shape: tuple) -> np.ndarray:
    """Deterministic weights under which outputs depend on the image; random ones as training
    starts from hardly do.
    """
    random = np.random.RandomState(zlib.crc32(name.encode()))
    leaf = name.rsplit(".", 1)[-1]
    if leaf == "gamma":  # Up to 1: larger ones let rounding grow from layer to layer.
        value = 0.6 + 0.4 * random.rand(*shape)
    elif leaf == "moving_variance":
        value = 0.5 + random.rand(*shape)
    elif len(shape) < 2:
        value = 0.1 * random.randn(*shape)
    else:
        value = random.randn(*shape) * np.sqrt(1 / np.prod(shape[1:]))
    return value.astype(np.float32)


def set_weights(network: nn.Cell) -> nn.Cell:
    """`network`, with the weights that all engines have."""
    import mindspore as ms

    for parameter in network.get_parameters():
        parameter.set_data(ms.Tensor(value_of(parameter.name, parameter.shape)))
    return network


def build_predictor(config: SimpleNamespace) -> nn.Cell:
    """The network that export.py takes."""
    return importlib.import_module("export").build_network(config)


def write(train: ModuleType, config: SimpleNamespace, benchmark: ModuleType) -> None:
    """network.ckpt and weights.npz; images.npy and .bin; batch.npz, the inputs of a step."""
    import mindspore as ms

    network = set_weights(build_predictor(config))
    ms.save_checkpoint(network, CHECKPOINT)
    np.savez("weights.npz", **{p.name: p.asnumpy() for p in network.get_parameters()})
    shape, random = (3, benchmark.SIZE, benchmark.SIZE), np.random.RandomState(0)
    count = max(*benchmark.BATCHES, benchmark.STEP_BATCH)
    images = random.randn(count, *shape).astype(np.float32)
    np.save("images.npy", images)
    images.tofile("images.bin")
    batch = images[: benchmark.STEP_BATCH]
    targets = getattr(benchmark, "targets", lambda *_: [np.arange(len(batch), dtype=np.int32)])
    np.savez("batch.npz", batch, *targets(config, len(batch)))


def forward(train: ModuleType, config: SimpleNamespace, benchmark: ModuleType) -> dict:
    """Predictions, by the network as eval.py has it."""
    import mindspore as ms

    from src.vendored.cpu_operators import use_cpu_kernels

    network = use_cpu_kernels(
        set_weights(build_predictor(config)).set_train(False), only_predicts=True
    )

    def create_call(images):
        tensor = ms.Tensor(images)
        return lambda: [output.asnumpy() for output in as_tuple(network(tensor))]

    images = np.load("images.npy")
    return {f"forward-{n}": create_call(images[:n]) for n in benchmark.BATCHES}


def as_tuple(outputs: object) -> tuple:
    """A network's outputs, one or several."""
    return outputs if isinstance(outputs, tuple) else (outputs,)


def step_bf16(train: ModuleType, config: SimpleNamespace, benchmark: ModuleType) -> dict:
    """The training step with --cpu_bfloat16."""
    config.cpu_bfloat16 = True
    return step(train, config, benchmark)


def step(train: ModuleType, config: SimpleNamespace, benchmark: ModuleType) -> dict:
    """The training step. Its outputs: the loss, and the gradient of the first weights."""
    import mindspore as ms

    from src.vendored.cpu_operators import use_cpu_kernels

    rates = np.full(RATES, RATE, np.float32)
    is_detector = hasattr(train, "build_training_network")
    build = train.build_training_network if is_detector else train.build_network
    network = set_weights(build(config))
    optimizer = train.create_optimizer(network, rates, config)
    loss = [] if is_detector else [train.chosen_loss(train.create_loss(config), config)]
    model = train.create_model(network, *loss, optimizer, config)
    use_cpu_kernels(network, config.cpu_bfloat16)
    cell = model.train_network.set_train()
    with np.load("batch.npz") as batch:
        inputs = [ms.Tensor(value) for value in batch.values()]
    names = [parameter.name for parameter in optimizer.parameters]
    place = names.index(network.trainable_params()[0].name)

    def call():
        loss = as_tuple(cell(*inputs))[0].asnumpy()
        return [loss, first_gradient(optimizer, place)]

    return {"step": call}


def first_gradient(optimizer: nn.Optimizer, place: int) -> np.ndarray:
    """The gradient, with its decay, of the parameter at `place`, after one step from zero."""
    if hasattr(optimizer, "moments"):  # Momentum
        return optimizer.moments[place].asnumpy()
    square, moment = optimizer.ms[place].asnumpy(), optimizer.moment[place].asnumpy()
    return moment / RATE * np.sqrt(square + optimizer.epsilon)


def data(train: ModuleType, config: SimpleNamespace, benchmark: ModuleType) -> dict:
    """An epoch of the training images; its output is their number."""
    del benchmark
    dataset, _ = train.training_dataset(config)

    def call():
        rows = dataset.create_tuple_iterator(num_epochs=1, output_numpy=True)
        return [np.array(sum(len(row[0]) for row in rows))]

    return {"data": call}


def evaluation(train: ModuleType, config: SimpleNamespace, benchmark: ModuleType) -> dict:
    """All held-out images through a classifier, as eval.py does it; its output is their number.

    A detector is left out: what its post-processing takes hangs on what it finds.
    """
    if hasattr(train, "build_training_network"):
        return {}
    from src.vendored.accuracy import count_correct, network_predict

    for key in ("eval_dataset_path", "val_data_path", "eval_root"):
        setattr(config, key, "data/val")
    config.batch_size = config.test_batch_size = max(benchmark.BATCHES)
    network = set_weights(build_predictor(config)).set_train(False)
    dataset, _ = train.evaluation_dataset(config)
    predict = network_predict(network)
    return {"evaluation": lambda: [np.array(count_correct(predict, dataset).images)]}


def create_calls(folder: str, kind: str) -> dict[str, Callable]:
    """{name: what can be timed} of one `kind`, built by the settings of train.py."""
    benchmark = importlib.import_module(folder)
    use_folder(folder)
    sys.argv = ["train.py", *map(str, (*benchmark.NETWORK, *benchmark.TRAINING))]
    train = importlib.import_module("train")
    config = train.read_settings()
    kinds = {call.__name__: call for call in (write, forward, step, step_bf16, data, evaluation)}
    return kinds[kind](train, config, benchmark)


def main(folder: str, kind: str) -> None:
    """Build, and answer."""
    calls = create_calls(folder, kind)
    if kind != "write":
        serve(calls)


if __name__ == "__main__":
    start(main)
