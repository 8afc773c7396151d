"""A dry run: one step of training, and what the whole of it would be. Nothing is written."""

from __future__ import annotations

import contextlib
import inspect
import io
import resource
import time
from types import SimpleNamespace

import mindspore as ms
import mindspore.dataset as ds
import numpy as np

from .history import Losses
from .launch import printable

COUNTED = (ms.nn.Conv2d, ms.nn.Dense)
RATES = 6  # learning rates that are printed, beside the first and the largest


def dry_run(
    model: ms.train.Model,
    network: ms.nn.Cell,
    dataset: ds.GeneratorDataset,
    config: SimpleNamespace,
    learning_rates: np.ndarray,
    epochs: int,
    done: int,
    class_names: list[str] | None,
    images: int,
) -> None:
    """Train the step after `done`, of `images` on all devices, and print size, data, schedule of
    `epochs`, time and memory. Of `config` it reads device_target.

    `dataset` is of epochs.epochs_of; `class_names` None where they are not known.
    """
    steps, columns = dataset.get_dataset_size(), dataset.get_col_names()
    dataset.source.go_on(done)
    batch = next(iter(dataset.source))
    _print_size(network)
    print(f"data: {dataset.source.images} images, {steps} steps of {images} an epoch")
    if class_names:
        more = ", ..." if len(class_names) > 5 else ""
        print(f"classes: {len(class_names)}: {printable(', '.join(class_names[:5]))}{more}")
    print("first batch:")
    for name, values in zip(columns, batch):
        values = np.asarray(values)
        spread = f"{values.min():.4g} to {values.max():.4g}, mean {values.mean():.4g}"
        print(f"  {name}: {values.dtype} {values.shape}, {spread}")
    _print_schedule(learning_rates, epochs, steps, done)
    started, losses = time.perf_counter(), Losses()
    one = ds.GeneratorDataset([batch], columns, shuffle=False, python_multiprocessing=False)
    model.train(1, one, callbacks=[losses], dataset_sink_mode=False)
    seconds = time.perf_counter() - started
    print(f"one step: loss {losses.last:.6g}, {seconds:.1f} s, most of them to compile the graph")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # given in KiB
    print(f"memory: {memory:.2f} GB of this computer at most")
    if config.device_target != "CPU":
        print(f"memory: {ms.hal.max_memory_allocated() / 1e9:.2f} GB of the device at most")
    print(f"multiply-adds: {multiply_adds(network, batch):,} an image, forward")
    print("dry run: nothing was written", flush=True)


def _print_size(network):
    parameters = list(network.get_parameters())
    numbers = sum(parameter.size for parameter in parameters)
    trained = sum(parameter.size for parameter in network.trainable_params())
    print(f"parameters: {numbers:,} in {len(parameters)} tensors, {trained:,} of them trained")


def _print_schedule(rates, epochs, steps, done):
    total = epochs * steps
    shown = {*np.linspace(done, total - 1, RATES).astype(int), int(rates[:total].argmax())}
    print(f"schedule: {epochs} epochs, {total} steps, {done} of them done; learning rate")
    for step in sorted(shown):
        print(f"  step {step + 1} (epoch {step // steps + 1}): {rates[step]:.6g}")


def multiply_adds(network: ms.nn.Cell, batch: tuple[np.ndarray, ...]) -> int:
    """Multiply-adds of all convolutions and dense layers of `network` for one image of `batch`,
    whose first columns the network takes.

    Leaves MindSpore in graph mode.
    """
    counts = []

    def count(cell, inputs, output):
        counts.append(output.size // len(inputs[0]) * int(np.prod(cell.weight.shape[1:])))

    layers = [cell for _, cell in network.cells_and_names() if isinstance(cell, COUNTED)]
    hooks = [cell.register_forward_hook(count) for cell in layers]
    taken = len(inspect.signature(network.construct).parameters)
    network.set_train(False)
    ms.set_context(mode=ms.PYNATIVE_MODE)
    # Under NumPy 2 the first operator that is given a tuple fails, once, with a page of text.
    with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemError):
        ms.ops.zeros((1,))
    network(*(ms.Tensor(column[:1]) for column in batch[:taken]))
    ms.set_context(mode=ms.GRAPH_MODE)
    network.set_train(True)
    for hook in hooks:
        hook.remove()
    return sum(counts)
