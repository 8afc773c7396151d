"""The training images as PyTorch's users read them: torchvision's operations on Pillow's images,
in one process a core.
"""

from __future__ import annotations

import torch
from torch.utils.data import DataLoader

try:
    import torchvision
except RuntimeError:
    # PyPI's build is for PyTorch with CUDA and, beside one for CPUs, lacks its compiled operators,
    # two of which it asks for at once. None of them is used here.
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

from torchvision import transforms  # noqa: E402


def random_crop(size: int) -> list:
    """What all recipes begin with."""
    return [transforms.RandomResizedCrop(size), transforms.RandomHorizontalFlip()]


def centre_crop(size: int) -> list:
    """What evaluation does."""
    return [transforms.Resize(size * 256 // 224), transforms.CenterCrop(size)]


def colours(strength: float, hue: float = 0) -> list:
    """Changes of brightness, contrast and saturation."""
    return [transforms.ColorJitter(strength, strength, strength, hue)]


def create_loader(
    folder: str, operations: list, workers: int, batch_size: int, is_training: bool = True
) -> DataLoader:
    """Batches of the images in `folder`/<class>/, normalised; processes stay between epochs."""
    last = [
        transforms.ToTensor(),
        transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ]
    images = torchvision.datasets.ImageFolder(
        folder, transforms.Compose([*operations, *last]), allow_empty=True
    )
    return DataLoader(
        images,
        batch_size,
        shuffle=is_training,
        drop_last=is_training,
        num_workers=workers,
        persistent_workers=True,
        # Each process works in one thread.
        worker_init_fn=one_thread,
    )


def one_thread(worker: int) -> None:
    """There is a process for each core."""
    del worker
    torch.set_num_threads(1)
