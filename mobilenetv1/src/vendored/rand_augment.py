# Copied from utils/vendored/rand_augment.py by `make vendor`: change it there.
"""RandAugment as an option of training, by MindSpore's own operation."""

from __future__ import annotations

from types import SimpleNamespace

# group: {key: (default, meaning, range)}
# fmt: off
SETTINGS = {
    "augmentation": {
        "rand_augment": (0, "magnitude of RandAugment, two operations an image, in place of the"
                            " documented changes of colour; 0: off", {"min": 0, "max": 30}),
    },
}
# fmt: on


def rand_augment(config: SimpleNamespace) -> list:
    """The operation on uint8 RGB images (H, W, 3) that `config` asks for (arXiv:1909.13719), with
    grey where it uncovers anything; none where it asks for none.
    """
    if not config.rand_augment:
        return []
    from mindspore.dataset import vision

    bilinear = vision.Inter.BILINEAR
    return [vision.RandAugment(2, config.rand_augment, interpolation=bilinear, fill_value=128)]
