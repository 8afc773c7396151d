"""Compare what runtimes make of the folders' exported files with the networks in MindSpore, and
write the table for the main READMEs: `make runtimes`.

    python utils/bench/runtimes.py WORK RUNTIMES_PYTHON

RUNTIMES_PYTHON is the interpreter of an environment with OpenVINO and ncnn. ONNX files run in
onnxruntime, OpenVINO, both engines of OpenCV and ncnn, MindIR in MindSpore Lite. A figure is the
largest difference of an output over the spread (standard deviation) of the network's. Exit code 1
where one is above 1e-4.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime

from measure import run
from work import ROOT, find_folders, make_work_folder, start, write_table

sys.path.insert(0, str(ROOT / "tests"))  # Its `folders` is another than the one here.
import lowering_tools  # noqa: E402  it runs lowered MindIR in MindSpore Lite

LARGEST_DIFFERENCE = 1e-4
HERE = Path(__file__).parent


def run_onnxruntime(work: Path, images: np.ndarray) -> tuple[str, list]:
    """(version, outputs)"""
    session = onnxruntime.InferenceSession(
        str(work / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    return version("onnxruntime"), session.run(None, {"images": images})


def run_opencv(engine: str) -> Callable:
    """A function that gives (version, outputs) of OpenCV's `engine`."""

    def run_engine(work, images):
        path = str(work / "model.onnx")
        names = [output.name for output in onnx.load(path).graph.output]
        network, outputs = cv2.dnn.readNetFromONNX(path, getattr(cv2.dnn, engine)), []
        for image in images:
            network.setInput(image[None])
            outputs.append([output.copy() for output in network.forward(names)])
        return cv2.__version__, [np.concatenate(output) for output in zip(*outputs)]

    return run_engine


def run_beside(runtime: str, python: str) -> Callable:
    """A function that gives (version, outputs) of `runtime` under the interpreter `python`."""

    def run_there(work, images):
        del images  # It reads them itself.
        # What holds MindSpore's oneDNN back from AVX-512 would slow that of others.
        environment = {k: v for k, v in os.environ.items() if k != "ONEDNN_MAX_CPU_ISA"}
        done = subprocess.run(
            [python, HERE / "runtimes_side.py", runtime, work],
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(done.stderr.strip()[-2000:])
        files = sorted(work.glob(f"{runtime}_*.npy"))
        return (work / f"{runtime}.txt").read_text(), [np.load(path) for path in files]

    return run_there


def run_lite(work: Path, images: np.ndarray) -> tuple[str, list]:
    """(version, outputs) of the lowered MindIR in MindSpore Lite."""
    images.tofile(work / "input_0.bin")
    code, told = lowering_tools.lower(work / "model.3.mindir", work / "model.mindir")
    (outputs,) = lowering_tools.run([work]) if code == 0 else [told]
    if isinstance(outputs, str):
        raise RuntimeError(outputs)
    return "2.0.0", outputs


def difference(work: Path, outputs: list) -> float:
    """The largest of `outputs` from the network's, over the spread of these."""
    paths = sorted(work.glob("output_*.npy"))
    largest = 0.0
    for path, output in zip(paths, outputs, strict=True):
        wanted = np.load(path).astype(np.float64)
        distance = np.abs(np.reshape(output, wanted.shape) - wanted).max() / wanted.std()
        largest = max(largest, float(distance))
    return largest


def main(work: str, runtimes_python: str) -> None:
    """One row for each folder."""
    tables, python = work, os.path.abspath(runtimes_python)
    work = make_work_folder(Path(work, "runtimes"))
    runtimes = {
        "onnxruntime": run_onnxruntime,
        "OpenVINO": run_beside("openvino", python),
        "OpenCV, classic engine": run_opencv("ENGINE_CLASSIC"),
        "OpenCV, new engine": run_opencv("ENGINE_NEW"),
        "ncnn": run_beside("ncnn", python),
        "MindSpore Lite": run_lite,
    }
    versions, rows, wrong = {}, [], []
    for folder in find_folders():
        place = work / folder
        place.mkdir()
        run([sys.executable, HERE / "runtimes_network.py", folder, place], work)
        images, row = np.load(place / "images.npy"), [folder]
        for name, run_it in runtimes.items():
            try:
                versions[name], outputs = run_it(place, images)
                found = difference(place, outputs)
            except (RuntimeError, cv2.error, ValueError) as error:
                print(f"{folder}: {name}: {error}", file=sys.stderr)
                found = float("nan")
            row.append(f"{found:.0e}")
            if not found <= LARGEST_DIFFERENCE:
                wrong.append(f"{folder} in {name} ({found:.1e})")
        rows.append(row)
    header = ["", *(f"{name} {versions.get(name, '')}".strip() for name in runtimes)]
    write_table(tables, "runtimes", header, rows)
    if wrong:
        sys.exit(f"error: above {LARGEST_DIFFERENCE:.0e}: {', '.join(wrong)}")


if __name__ == "__main__":
    start(main)
