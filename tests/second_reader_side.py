"""Read lowered files in MindSpore 2.0, whose Python this runs under; second_reader.py starts it.

    python second_reader_side.py FOLDER ...

Each FOLDER has model.mindir and given_0.npy and so on. It gets got_0.npy and so on, and read.txt:
"ok", or why not.
"""

import sys
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import nn


def read(folder):
    """Write what the network in `folder` makes of its inputs."""
    given = [np.load(str(path)) for path in sorted(folder.glob("given_*.npy"))]
    network = nn.GraphCell(ms.load(str(folder / "model.mindir")))
    outputs = network(*map(ms.Tensor, given))
    for index, output in enumerate(outputs if isinstance(outputs, tuple) else (outputs,)):
        np.save(str(folder / f"got_{index}.npy"), output.asnumpy())


def main(folders):
    ms.set_context(mode=ms.GRAPH_MODE, device_target="CPU")
    for folder in map(Path, folders):
        (folder / "read.txt").write_text("the process died")
        try:
            read(folder)
            result = "ok"
        except Exception as error:  # MindSpore raises all kinds of what it cannot do.
            result = str(error).strip().split("\n")[0]
        (folder / "read.txt").write_text(result)


if __name__ == "__main__":
    main(sys.argv[1:])
