# Copied from utils/vendored/grad_cam.py by `make vendor`: change it there.
"""Where on an image the likeliest class comes from: Grad-CAM (Selvaraju et al.,
https://arxiv.org/abs/1610.02391, section 3).
"""

from __future__ import annotations

import mindspore as ms
import numpy as np
from mindspore import nn


class NetworkWithMaps(nn.Cell):
    """Images (N, 3, H, W) to logits (N, classes) and the last maps (N, C, h, w) of `network`.

    The logits are linear in the mean of the maps over height and width. So the gradients that
    Grad-CAM averages are the weights of that, the parameter called `classifier`, up to a factor.
    """

    def __init__(self, network: nn.Cell, classifier: str):
        super().__init__(auto_prefix=False)
        self.network = network
        weights = {value.name: value for value in network.get_parameters()}[classifier]
        self.weights = weights.asnumpy().reshape(weights.shape[0], -1)  # (classes, C)

    def construct(self, x):
        maps = self.network.maps(x)
        return self.network.classify(maps), maps

    def predict(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits (N, classes) of float32 `images`, and heat (N, h, w), 0 to 1, of the best."""
        logits, maps = (value.astype(ms.float32).asnumpy() for value in self(ms.Tensor(images)))
        heat = np.einsum("nc,nchw->nhw", self.weights[logits.argmax(axis=1)], maps).clip(0)
        return logits, heat / np.maximum(heat.max(axis=(1, 2), keepdims=True), 1e-12)
