"""PyTorch's side of a benchmark: a process that answers the lines of answering.py.

    python utils/bench/torch_side.py FOLDER KIND THREADS BATCH [BATCH ...]

KIND is eager, compiled, step, step_bf16, data or evaluation. In the work folder, under the
interpreter of an environment that has PyTorch. The network is that of utils/bench/FOLDER_torch.py.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType

import numpy as np
import torch
from torch.nn import functional

from answering import serve

RATE = 1e-6  # of learning: weights stay what they are
MATRIX = 2048  # side of the matrices whose product says what the machine can do
# What MindSpore calls the parameters of BatchNorm, and what PyTorch does.
LEAVES = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def load_state(network: torch.nn.Module, state: dict[str, torch.Tensor]) -> torch.nn.Module:
    """`network` with all its parameters from `state`; batch norms' counters stay."""
    counters = {
        name: value
        for name, value in network.state_dict().items()
        if name.endswith("num_batches_tracked")
    }
    network.load_state_dict({**counters, **state})
    return network


def momentum(network: torch.nn.Module) -> torch.optim.Optimizer:
    """SGD with momentum, as most recipes have it."""
    return torch.optim.SGD(network.parameters(), lr=RATE, momentum=0.9, weight_decay=1e-4)


def cross_entropy(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The classifiers' loss."""
    return functional.cross_entropy(outputs, labels.long(), label_smoothing=0.1)


def forward(module: ModuleType, compiles: bool, batches: list[int]) -> dict[str, Callable]:
    """Predictions."""
    network = module.load("weights.npz").eval()
    network = torch.compile(network, dynamic=False) if compiles else network
    images = torch.from_numpy(np.load("images.npy"))

    def create_call(images):
        def call():
            with torch.inference_mode():
                outputs = network(images)
                outputs = outputs if isinstance(outputs, tuple) else (outputs,)
                return [output.numpy() for output in outputs]

        return call

    return {f"forward-{n}": create_call(images[:n].contiguous()) for n in batches}


def product() -> Callable:
    """A product of matrices."""
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.rand(MATRIX, MATRIX, generator=generator) for _ in range(2))
    return lambda: [(a @ b).numpy()]


def step(module: ModuleType, is_bf16: bool) -> dict[str, Callable]:
    """The training step, by autocast where it is to be in bfloat16. Its outputs: the loss, and the
    gradient of the first weights.
    """
    network = module.load("weights.npz").train()
    optimizer = getattr(module, "create_optimizer", momentum)(network)
    loss_of = getattr(module, "loss", cross_entropy)
    first, decay = next(network.parameters()), optimizer.param_groups[0]["weight_decay"]
    with np.load("batch.npz") as batch:
        images, *targets = [torch.from_numpy(value) for value in batch.values()]

    def call():
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=is_bf16):
            loss = loss_of(network(images), *targets)
        loss.backward()
        gradient = (first.grad + decay * first).detach().numpy()
        optimizer.step()
        return [loss.detach().float().numpy(), gradient]

    return {"step": call}


def data(module: ModuleType, workers: int, batch_size: int) -> dict[str, Callable]:
    """An epoch of the training images by torchvision on Pillow; its output is their number."""
    from torch_data import create_loader

    loader = create_loader("data/train", module.operations(), workers, batch_size)
    return {"data": lambda: [np.array(sum(len(images) for images, _ in loader))]}


def evaluation(module: ModuleType, workers: int, batch_size: int) -> dict[str, Callable]:
    """All held-out images through the network; its output is their number."""
    from torch_data import centre_crop, create_loader

    network = module.load("weights.npz").eval()
    loader = create_loader("data/val", centre_crop(224), workers, batch_size, is_training=False)

    def call():
        count = right = 0
        with torch.inference_mode():
            for images, labels in loader:
                right += int((network(images).argmax(1) == labels).sum())
                count += len(labels)
        return [np.array(count)]

    return {"evaluation": call}


def main(folder: str, kind: str, threads: str, *batches: str) -> None:
    """Build, and answer."""
    torch.set_num_threads(int(threads))
    module = importlib.import_module(f"{folder}_torch")
    sizes = list(map(int, batches))
    if kind == "data":
        calls = data(module, int(threads), *sizes)
    elif kind == "evaluation":
        calls = evaluation(module, int(threads), *sizes)
    elif kind.startswith("step"):
        calls = step(module, kind.endswith("bf16"))
    else:
        calls = forward(module, kind == "compiled", sizes)
    if kind == "eager":
        calls["product"] = product()
    serve(calls)


if __name__ == "__main__":
    main(*sys.argv[1:])
