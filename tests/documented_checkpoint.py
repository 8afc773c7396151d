"""A checkpoint with exactly the documented names, as the original wrote it."""

import json
from pathlib import Path

import mindspore as ms
import numpy as np

from golden import weights

DATA = Path(__file__).parent / "data"


def write_documented_checkpoint(path, folder, count, classes=1000):
    """The parameters of the contract under golden weights, and what a Momentum run adds to them:
    `count` entries. Of 1000 classes there may be fewer.
    """
    entries = []
    for name, shape in json.loads((DATA / f"{folder}.params.json").read_text()):
        shape = [classes, *shape[1:]] if shape[0] == 1000 else shape
        entries.append({"name": name, "data": ms.Tensor(weights(name, shape))})
        if not name.split(".")[-1].startswith("moving"):
            entries.append(
                {"name": f"moments.{name}", "data": ms.Tensor(np.zeros(shape, np.float32))}
            )
    for name, value in (
        ("global_step", np.array([5], np.int32)),
        ("momentum", np.array(0.9, np.float32)),
        ("learning_rate", np.zeros(5, np.float32)),
    ):
        entries.append({"name": name, "data": ms.Tensor(value)})
    assert len(entries) == count
    ms.save_checkpoint(entries, str(path))
