"""Run WORK/model.onnx on WORK/images.npy in a runtime that is not among the requirements:

    python utils/bench/runtimes_side.py openvino|ncnn WORK

Under the interpreter of the environment that has it, one image after the other. WORK/RUNTIME_0.npy
and so on are the outputs, WORK/RUNTIME.txt the version.
"""

import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np


def run_openvino(work: Path, images: np.ndarray) -> list[np.ndarray]:
    """Its outputs, computed in float32: where a CPU has bfloat16 that is OpenVINO's default."""
    import openvino

    model = openvino.Core().compile_model(
        str(work / "model.onnx"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    outputs = []
    for image in images:
        results = model(image[None])
        outputs.append([results[output].copy() for output in model.outputs])
    return [np.concatenate(output) for output in zip(*outputs)]


def run_ncnn(work: Path, images: np.ndarray) -> list[np.ndarray]:
    """Its outputs in float32, after its converter pnnx."""
    import ncnn

    # Its Python part, which wants PyTorch, is not imported.
    converter = Path(find_spec("pnnx").origin).with_name("pnnx")
    shape = f"inputshape={list(images[:1].shape)}".replace(" ", "")
    done = subprocess.run(
        [converter, "model.onnx", shape, "fp16=0"], cwd=work, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"error: pnnx failed: {(done.stdout + done.stderr)[-2000:]}")
    network = ncnn.Net()
    for option in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
        setattr(network.opt, f"use_{option}", False)
    network.load_param(str(work / "model.ncnn.param"))
    network.load_model(str(work / "model.ncnn.bin"))
    outputs = []
    for image in images:
        extractor = network.create_extractor()
        extractor.input("in0", ncnn.Mat(image).clone())
        outputs.append([np.array(extractor.extract(name)[1]) for name in network.output_names()])
    return [np.stack(output) for output in zip(*outputs)]


def main(runtime: str, work: str) -> None:
    """Run, and write."""
    work = Path(work)
    run = {"openvino": run_openvino, "ncnn": run_ncnn}[runtime]
    for number, output in enumerate(run(work, np.load(work / "images.npy"))):
        np.save(work / f"{runtime}_{number}.npy", output)
    (work / f"{runtime}.txt").write_text(version(runtime))


if __name__ == "__main__":
    main(*sys.argv[1:])
