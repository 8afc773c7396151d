"""From a source's tensors to a folder's parameters, and back."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

import numpy as np

from command import Failure
from sources import PREFIXES, Source


def choose(
    weights: dict[str, np.ndarray], sources: tuple[Source, ...]
) -> tuple[dict[str, np.ndarray], Source, str]:
    """(weights, whose they are, what is left out before all their names). Raises Failure."""
    found, left_out = weights, ""
    while True:
        for source in sources:
            if source.marker in found:
                return found, source, left_out
        shared = [prefix for prefix in PREFIXES if all(name.startswith(prefix) for name in found)]
        if not found or not shared:
            break
        found = {name[len(shared[0]) :]: value for name, value in found.items()}
        left_out += shared[0]
    titles = " or ".join(source.title for source in sources)
    nearest = difflib.get_close_matches(sources[0].marker, weights, n=2, cutoff=0.0)
    raise Failure(
        f"no tensor '{sources[0].marker}' (nearest: {', '.join(nearest) or 'none'}); expected the"
        f" weights of {titles}"
    )


def tensor_of(parameter: str, source: Source) -> str:
    """The name that the folder's `parameter` has in `source`."""
    for pattern, replacement in source.rules:
        parameter = re.sub(pattern, replacement, parameter)
    return parameter


def convert(
    weights: dict[str, np.ndarray], source: Source, wanted: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, np.ndarray], list[str]]:
    """({parameter: float32 array}, tensors that are left) for the `wanted` names and shapes.

    Raises Failure for the first tensor that is missing, of another shape, or not finite.
    """
    parameters, used = {}, set()
    for name, shape in wanted.items():
        tensor = tensor_of(name, source)
        if tensor not in weights:
            nearest = difflib.get_close_matches(tensor, weights, n=2, cutoff=0.0)
            raise Failure(
                f"no tensor '{tensor}' (nearest: {', '.join(nearest) or 'none'}); expected the"
                f" weights of {source.title}"
            )
        value = _checked(weights[tensor], tensor)
        half = re.search(source.halves, name) if source.halves else None
        value = to_our_layout(value, tensor, shape) if source.layout == "keras" else value
        expected = (2 * shape[0], *shape[1:]) if half else tuple(shape)
        if value.shape != expected:
            raise Failure(f"'{tensor}' has shape {weights[tensor].shape}, expected {expected} here")
        if half:  # one of the convolutions that a grouped one is split into
            value = np.split(value, 2)[int(half[2])]
        if name in source.rolled:
            value = np.roll(value, -1, axis=0)
        if source.biases and name.endswith(".moving_mean"):
            bias = re.sub(r"/\w+$", "/bias", tensor_of(_convolution(name), source))
            value = value - _checked(weights[bias], bias)
            used.add(bias)
        parameters[name] = np.ascontiguousarray(value, np.float32)
        used.add(tensor)
    return parameters, [name for name in weights if name not in used]


def _convolution(moving_mean):
    """The weight of the convolution before the batch norm that has `moving_mean`."""
    return moving_mean.replace(".1.moving_mean", ".0.weight")


def _checked(value, name):
    if not np.isfinite(value).all():
        raise Failure(f"'{name}' has NaN or infinite values; give other weights")
    return value


def to_our_layout(value: np.ndarray, tensor: str, shape: tuple[int, ...]) -> np.ndarray:
    """Keras' array `value` as MindSpore has it: kernels (H, W, in, out) as (out, in, H, W)."""
    if value.ndim == 4:
        order = (2, 3, 0, 1) if tensor.endswith("depthwise_kernel") else (3, 2, 0, 1)
        value = value.transpose(order)
        return value[:, :, 0, 0] if len(shape) == 2 and value.shape[2:] == (1, 1) else value
    return value.T if value.ndim == 2 else value


def to_keras_layout(value: np.ndarray, tensor: str) -> np.ndarray:
    """The inverse of to_our_layout."""
    if value.ndim == 2 and tensor.startswith("conv"):
        value = value[:, :, None, None]
    if value.ndim == 4:
        order = (2, 3, 0, 1) if tensor.endswith("depthwise_kernel") else (2, 3, 1, 0)
        return value.transpose(order)
    return value.T if value.ndim == 2 else value


def convert_back(parameters: dict[str, np.ndarray], source: Source) -> dict[str, np.ndarray]:
    """{tensor: array} of `source` for {parameter: array} of a folder. Raises Failure where a way
    back does not exist.
    """
    if source.biases:
        raise Failure(f"{source.title}: its biases were taken up by batch norms; no way back")
    tensors = {}
    for name, value in parameters.items():
        tensor = tensor_of(name, source)
        if name in source.rolled:
            value = np.roll(value, 1, axis=0)
        if source.layout == "keras":
            value = to_keras_layout(value, tensor)
        half = re.search(source.halves, name) if source.halves else None
        if half:
            tensors.setdefault(tensor, [None, None])[int(half[2])] = value
        else:
            tensors[tensor] = value
    return {
        name: np.ascontiguousarray(np.concatenate(value) if isinstance(value, list) else value)
        for name, value in tensors.items()
    }
