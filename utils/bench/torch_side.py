"""The PyTorch side of a comparison: a process that waits for questions while MindSpore is timed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional

# What MindSpore calls the parameters of BatchNorm, and what PyTorch does.
LEAVES = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def mean_milliseconds(call: Callable[[], object], count: int) -> float:
    """Mean time of `count` calls, after one to warm up."""
    call()
    started = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - started) * 1000 / count


def serve(
    network: torch.nn.Module,
    image: str,
    threads: str,
    batch_size: int = 8,
    optimizer: torch.optim.Optimizer | None = None,
) -> None:
    """For each line on stdin one on stdout: `logits` writes them to logits.npy, `forward` and
    `step` are timed.

    `image` is a .npy file, float32 (1, 3, H, W): `forward` predicts it, `step` trains on
    `batch_size` copies of it, by SGD with momentum where no `optimizer` is given.
    """
    torch.set_num_threads(int(threads))
    images = torch.from_numpy(np.load(image, allow_pickle=False))
    batch, labels = images.repeat(batch_size, 1, 1, 1), torch.arange(batch_size)
    optimizer = optimizer or torch.optim.SGD(
        network.parameters(), lr=1e-6, momentum=0.9, weight_decay=1e-4
    )

    def forward():
        with torch.inference_mode():
            return network(images)

    def step():
        optimizer.zero_grad()
        functional.cross_entropy(network(batch), labels, label_smoothing=0.1).backward()
        optimizer.step()

    for line in sys.stdin:
        network.train(line.strip() == "step")
        if line.strip() == "logits":
            np.save("logits.npy", forward().numpy())
            print("written", flush=True)
        else:
            print(
                mean_milliseconds(step, 3) if network.training else mean_milliseconds(forward, 20),
                flush=True,
            )
