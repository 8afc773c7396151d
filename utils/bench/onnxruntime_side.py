"""onnxruntime's side of a benchmark: a process that answers the lines of answering.py.

python utils/bench/onnxruntime_side.py THREADS MODEL.onnx IMAGES.npy BATCH [BATCH ...]

MODEL takes any number of images; it is loaded once for each BATCH, as one of that size.
"""

import sys

import numpy as np
import onnx
import onnxruntime

from answering import serve


def create_call(threads: int, path: str, images: np.ndarray) -> tuple:
    """The prediction of `images`, as a function."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    (value,) = onnx.load(path, load_external_data=False).graph.input
    options.add_free_dimension_override_by_name(
        value.type.tensor_type.shape.dim[0].dim_param, len(images)
    )
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {value.name: images})


def main(threads: str, path: str, images: str, *batches: str) -> None:
    """Load, and answer."""
    images = np.load(images)
    serve({f"forward-{n}": create_call(int(threads), path, images[: int(n)]) for n in batches})


if __name__ == "__main__":
    main(*sys.argv[1:])
