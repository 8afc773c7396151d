"""Measure folders against what people would use instead, on this machine, in one run: `make bench`,
`make bench-FOLDER`.

    python utils/bench/bench.py CACHE WORK TORCH_PYTHON RUNTIMES_PYTHON [--quick] [FOLDER ...]

The last two are the interpreters of environments with PyTorch and with OpenVINO. Every engine has a
process of its own; those that predict, then those that train, are loaded at once and take turns;
figures are medians over the rounds, ratios those of the turns of a round. Before anything is timed,
outputs are compared: the run ends where engines do not compute the same. Each folder leaves
WORK/FOLDER/results.json and its tables; report.py makes the rest of them. With --quick everything
runs once, below WORK/quick: the figures mean nothing.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import numpy as np

from engines import Engine, Failure, load, medians, take_turns
from measure import network_size, run
from prepare import make_files, make_photos, seconds_to_first_step
from report import kind_of_machine, write_folder
from work import ROOT, find_folders, machine, make_work_folder, start, write_table

HERE = Path(__file__).parent
BASE = "PyTorch"  # what ratios are to
COMPILED = "PyTorch compiled"
IMAGE_ROUNDS = 3  # of whole epochs
AS_SET = "AVX2"  # what the folders set for MindSpore
# Of outputs' differences from MindSpore's, over the largest output.
LIMIT, LIMITS = 1e-4, {"OpenVINO bf16": 0.1, "onnxruntime int8": 0.5, "OpenVINO int8": 0.5}
# Of a training step. The gradient of the first weights comes through all layers, where rounding
# grows: nas_fpn's is 0.08 of its norm off float64's in PyTorch, 0.13 in MindSpore.
STEP_LIMITS = {"float32": (1e-4, 0.25), "bf16": (0.1,)}  # of the loss, of the gradient


def start_engines(
    kind: str,
    folder: str,
    benchmark: ModuleType,
    work: Path,
    torch_python: str,
    runtimes_python: str,
) -> dict[str, Engine]:
    """{name: engine} of predictions (the `kind` forward) or of training steps (step)."""
    threads, batches = os.cpu_count(), benchmark.BATCHES

    def mindspore(kind):
        return [sys.executable, HERE / "mindspore_side.py", folder, kind]

    def torch(kind):
        return [torch_python, HERE / "torch_side.py", folder, kind, threads, *batches]

    def onnx(model):
        images = ("images.npy", *batches)
        return [sys.executable, HERE / "onnxruntime_side.py", threads, model, *images]

    def openvino(model, precision):
        side = HERE / "openvino_side.py"
        return [runtimes_python, side, threads, model, precision, "images.npy", *batches]

    files = [word for n in batches for word in (f"forward-{n}", f"lowered-{n}.mindir")]
    commands = {
        "MindSpore": mindspore("forward"),
        "MindSpore Lite, C++": [HERE / "lite/out/main", threads, "images.bin", *files],
        "onnxruntime": onnx("model.onnx"),
        "onnxruntime int8": onnx("int8.onnx"),
        "OpenVINO": openvino("model.onnx", "f32"),
        "OpenVINO bf16": openvino("model.onnx", "bf16"),
        "OpenVINO int8": openvino("int8.onnx", "f32"),
        BASE: torch("eager"),
        COMPILED: torch("compiled"),
    }
    if not benchmark.HAS_INT8:
        commands = {name: c for name, c in commands.items() if not name.endswith(" int8")}
    steps = {"MindSpore": mindspore("step"), BASE: torch("step")}
    if "_bf16" in Path("/proc/cpuinfo").read_text():
        steps |= {"MindSpore bf16": mindspore("step_bf16"), "PyTorch bf16": torch("step_bf16")}

    held_back = ("MindSpore", "MindSpore bf16")
    return {
        name: Engine(f"{kind} {name}", command, work, AS_SET if name in held_back else None)
        for name, command in (commands if kind == "forward" else steps).items()
    }


def load_all(
    engines: dict[str, Engine], needed: Collection[str]
) -> tuple[dict[str, dict], dict[str, str]]:
    """({name: what `load` gives}, {name: why not}): a compiler may not be there, and runtimes fail
    on what they do not know. Exits where one of `needed` fails.
    """
    loaded, missing = {}, {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        waiting = {name: pool.submit(load, engine) for name, engine in engines.items()}
    for name, one in waiting.items():
        try:
            loaded[name] = one.result()
        except Failure as failure:
            if name in needed:
                sys.exit(f"error: {failure}")
            missing[name] = str(failure)
            del engines[name]
    return loaded, missing


def difference(ours: np.ndarray, other: np.ndarray, by_norm: bool) -> float:
    """Of two arrays: the norm of their difference, or its largest value, over that of `ours`."""
    size = np.linalg.norm if by_norm else (lambda values: np.abs(values).max())
    return float(size(np.ravel(ours - other)) / size(np.ravel(ours)))


def require_equal(folder: str, loaded: dict[str, dict]) -> dict[str, dict[str, float]]:
    """{name: {call: largest difference from MindSpore}}; exits where one is beyond its limit."""
    found = {}
    for name, calls in loaded.items():
        for what in [call for call in calls if call in loaded["MindSpore"]]:
            limit = LIMITS.get(name, LIMIT)
            step_limits = STEP_LIMITS["bf16" if name.endswith("bf16") else "float32"]
            limits = step_limits if what == "step" else (limit, limit)
            ours, others = (some[what]["outputs"] for some in (loaded["MindSpore"], calls))
            differences = []
            for a, b, limit in zip(ours, others, limits):
                differences.append(difference(a, b.reshape(a.shape), by_norm=what == "step"))
                if not differences[-1] <= limit:
                    sys.exit(
                        f"error: {folder}: {name} does not compute what MindSpore does: outputs of"
                        f" {what} differ by {differences[-1]:.1e}"
                    )
            found.setdefault(name, {})[what] = max(differences)
    return found


def compare(engines: dict[str, Engine], loaded: dict[str, dict], quick: bool) -> dict[str, dict]:
    """{call: what medians gives} of all that several can be asked for."""
    found = {}
    for what in loaded["MindSpore"]:
        able = {name: engine for name, engine in engines.items() if what in loaded[name]}
        found[what] = medians(take_turns(able, what, quick), BASE)
    return found


def compare_images(
    folder: str, benchmark: ModuleType, work: Path, torch_python: str, quick: bool
) -> dict[str, dict]:
    """{"data", "evaluation": what medians gives, and the images of a call}, of those that are."""
    found, threads = {}, os.cpu_count()
    batches = {"data": benchmark.STEP_BATCH, "evaluation": max(benchmark.BATCHES)}
    for what, batch in batches.items():
        commands = {"MindSpore": [sys.executable, HERE / "mindspore_side.py", folder, what]}
        if not hasattr(benchmark, "make_data"):  # Images of classes, which torchvision reads too.
            commands[BASE] = [torch_python, HERE / "torch_side.py", folder, what, threads, batch]
        engines = {
            name: Engine(f"{what} {name}", command, work, AS_SET if name == "MindSpore" else None)
            for name, command in commands.items()
        }
        loaded, _ = load_all(engines, list(engines))
        if what in loaded["MindSpore"]:
            times = take_turns(engines, what, quick, IMAGE_ROUNDS)
            found[what] = medians(times, BASE)
            for name in engines:
                found[what][name]["images"] = int(loaded[name][what]["outputs"][0])
        for engine in engines.values():
            engine.stop()
    return found


def measure_kind(
    folder: str, kind: str, engines: dict[str, Engine], quick: bool, results: dict
) -> None:
    """Compare `engines` that answer calls of one `kind`, put what is found into `results`, end."""
    needed = ("MindSpore", BASE) if kind == "forward" else list(engines)
    loaded, missing = load_all(engines, needed)
    differences = require_equal(folder, loaded)
    print(f"{folder}: {kind} loaded", file=sys.stderr, flush=True)
    if kind == "step":
        differences = {f"{name} {kind}": value for name, value in differences.items()}
    else:
        product = medians(take_turns({BASE: engines[BASE]}, "product", quick), BASE)
        results["product"] = 2 * 2048**3 / product[BASE]["ms"] / 1e6  # GFLOP/s
    results["times"] |= compare(engines, loaded, quick)
    results["differences"] |= differences
    results["missing"] |= missing
    for what in loaded["MindSpore"]:
        able = {name: calls[what] for name, calls in loaded.items() if what in calls}
        results["memory"][what] = {name: call["memory"] for name, call in able.items()}
    for engine in engines.values():
        engine.stop()


def measure_folder(
    folder: str, cache: Path, work: Path, torch_python: str, runtimes_python: str, quick: bool
) -> None:
    """Everything about a folder, into results.json and tables in `work`."""
    benchmark, started = importlib.import_module(folder), time.perf_counter()
    getattr(benchmark, "make_data", make_photos)(cache, work)
    make_files(folder, benchmark, work)
    results = {"kind": kind_of_machine(), "machine": machine(), "size": benchmark.SIZE}
    results |= {"step_batch": benchmark.STEP_BATCH, "times": {}, "differences": {}}
    results |= {"missing": {}, "memory": {}}
    for kind in ("forward", "step"):  # One after the other, as all at once take much memory.
        engines = start_engines(kind, folder, benchmark, work, torch_python, runtimes_python)
        measure_kind(folder, kind, engines, quick, results)
    results["images"] = compare_images(folder, benchmark, work, torch_python, quick)
    results["first_step"] = [seconds_to_first_step(folder, benchmark, work) for _ in range(2)]
    results["seconds"] = time.perf_counter() - started
    (work / "results.json").write_text(json.dumps(results, indent=1))
    write_folder(work, results)
    write_tables(folder, benchmark, work, quick)


def write_tables(folder: str, benchmark: ModuleType, work: Path, quick: bool) -> None:
    """The table of the network's size, and that of what only this folder has."""
    parameters, operations = network_size(folder)
    write_table(
        work,
        "size",
        ["network", "trainable parameters", f"multiply-adds at {benchmark.SIZE}"],
        [[benchmark.TITLE, f"{parameters:,}", f"{operations:,}"]],
    )
    if hasattr(benchmark, "particular"):
        rows = [*benchmark.particular(work, quick), [f"medians, {machine()}", "", "", ""]]
        write_table(work, "particular", ["what", "first", "second", "ratio"], rows)


def main(cache: str, work: str, torch_python: str, runtimes_python: str, *words: str) -> None:
    """Measure the folders that are named, or all."""
    quick = "--quick" in words
    folders = [word for word in words if word != "--quick"] or find_folders()
    unknown = sorted(set(folders) - set(find_folders()))
    if unknown:
        sys.exit(f"error: {unknown[0]}: no such folder; there are {', '.join(find_folders())}")
    run(["bash", ROOT / "utils/cpp_infer/build.sh", HERE / "lite"], ROOT)
    for folder in folders:
        place = make_work_folder(Path(work, "quick", folder) if quick else Path(work, folder))
        pythons = (os.path.abspath(torch_python), os.path.abspath(runtimes_python))
        measure_folder(folder, Path(cache).resolve(), place, *pythons, quick)


if __name__ == "__main__":
    start(main)
