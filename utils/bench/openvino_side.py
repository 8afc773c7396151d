"""OpenVINO's side of a benchmark: a process that answers the lines of answering.py.

python utils/bench/openvino_side.py THREADS MODEL.onnx f32|bf16 IMAGES.npy BATCH [BATCH ...]

Under the interpreter of an environment that has it. MODEL takes any number of images; it is
compiled once for each BATCH. Where the processor has no bfloat16, it answers no call in it.
"""

import sys

import numpy as np
import openvino

from answering import serve


def create_call(threads: int, path: str, precision: str, images: np.ndarray) -> tuple:
    """The prediction of `images`, as a function."""
    core = openvino.Core()
    model = core.read_model(path)
    model.reshape(list(images.shape))
    settings = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    return lambda: list(request.infer(images).values())


def main(threads: str, path: str, precision: str, images: str, *batches: str) -> None:
    """Compile, and answer."""
    images, known = (
        np.load(images),
        openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"),
    )
    if precision == "bf16" and "BF16" not in known:
        batches = ()
    serve(
        {
            f"forward-{n}": create_call(int(threads), path, precision, images[: int(n)])
            for n in batches
        }
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
