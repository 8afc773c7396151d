"""Export a folder's network, as utils/bench/FOLDER.py builds it, for the runtimes to be compared:

    python utils/bench/runtimes_network.py FOLDER WORK

WORK gets model.onnx, model.3.mindir, images.npy and what the network itself gives in MindSpore,
output_0.npy and so on. In a process of its own, as every folder calls its package `src`.
"""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from measure import use_folder
from mindspore_side import set_weights
from work import start


def main(folder: str, work: str) -> None:
    """Write all files."""
    benchmark = importlib.import_module(folder)
    use_folder(folder)
    import mindspore as ms

    from src.vendored.exporting import export_model
    from src.vendored.using import EXPORTING

    work = Path(work)
    images = np.random.RandomState(0).randn(1, 3, benchmark.SIZE, benchmark.SIZE)
    images = images.astype(np.float32)
    np.save(work / "images.npy", images)
    for file_format, name in (("ONNX", "model"), ("MINDIR", "model.3")):
        network = set_weights(benchmark.build_network()).set_train(False)
        # The module of a folder's network, whatever it is called.
        (module,) = (
            module
            for name, module in list(sys.modules.items())
            if name.startswith("src.") and hasattr(module, "prepare_for_export")
        )
        settings = {key: row[0] for key, row in EXPORTING.items()}
        config = SimpleNamespace(file_name=str(work / name), file_format=file_format, **settings)
        record = {"format": 1, "folder": folder, "options": {}, "class_names": None}
        network = module.prepare_for_export(network)
        outputs = ("boxes", "scores") if folder == "nas_fpn" else ("logits",)
        export_model(network, ms.Tensor(images), config, record, outputs)
    outputs = network(ms.Tensor(images))
    for number, output in enumerate(outputs if isinstance(outputs, tuple) else (outputs,)):
        np.save(work / f"output_{number}.npy", output.asnumpy())


if __name__ == "__main__":
    start(main)
