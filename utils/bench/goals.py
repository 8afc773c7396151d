"""What was aimed at, and what a machine gave: a table of ratios, those that miss in bold."""

from __future__ import annotations

BASE, LITE = "PyTorch", "MindSpore Lite, C++"
PLAIN = ("onnxruntime", "OpenVINO")  # in float32
DEPTHWISE = {"mnasnet": 1.1, "mobilenetv1": 1.1}  # of a training step; of others' 1
START = 0.4  # share of the first start


def ratios(results: dict) -> dict[str, tuple[float, float]]:
    """{what: (ratio, the largest aimed at)} of one folder, but for the training step."""
    found = {}
    for what, images in (("forward-1", "one image"), ("forward-16", "16 images")):
        to_base = {name: one["ratio"] for name, one in results["times"].get(what, {}).items()}
        if BASE not in to_base:
            continue
        found[f"{images}: MindSpore / PyTorch"] = to_base["MindSpore"], 1.0
        if {LITE, *PLAIN} <= to_base.keys():
            ratio = to_base[LITE] / min(to_base[name] for name in PLAIN)
            found[f"{images}: {LITE} / the faster of onnxruntime and OpenVINO"] = ratio, 0.95
        if {"onnxruntime int8", "onnxruntime"} <= to_base.keys() and what == "forward-1":
            ratio = to_base["onnxruntime int8"] / to_base["onnxruntime"]
            found[f"{images}: onnxruntime int8 / float32"] = ratio, 1 / 1.8
    for what, aim in (("data", 1 / 1.5), ("evaluation", 1.0)):
        sides = results["images"].get(what, {})
        if BASE in sides:
            images = sides[BASE]["images"] / sides["MindSpore"]["images"]
            name = "training images" if what == "data" else "evaluation"
            found[f"{name}: MindSpore / PyTorch"] = sides["MindSpore"]["ratio"] * images, aim
    cold, warm = results["first_step"]
    found["start of training: second / first"] = warm / cold, START
    return found


def step_ratio(folder: str, results: dict) -> dict[str, tuple[float, float]]:
    """The same of the training step."""
    ratio = results["times"]["step"]["MindSpore"]["ratio"]
    return {"training step: MindSpore / PyTorch": (ratio, DEPTHWISE.get(folder, 1.0))}


def table(folders: dict[str, dict]) -> tuple[list[str], list[list[str]]]:
    """(header, rows) for the results of one kind of machine."""
    columns = {
        folder: ratios(results) | step_ratio(folder, results)
        for folder, results in sorted(folders.items())
    }
    names = list(dict.fromkeys(name for found in columns.values() for name in found))
    rows = []
    for name in names:
        aims = {found[name][1] for found in columns.values() if name in found}
        row = [name, " or ".join(f"{aim:.2f}" for aim in sorted(aims))]
        for found in columns.values():
            ratio, aim = found.get(name, (None, None))
            text = "–" if ratio is None else f"{ratio:.2f}"
            row.append(text if ratio is None or round(ratio, 2) <= round(aim, 2) else f"**{text}**")
        rows.append(row)
    return ["ratio of times", "at most", *columns], rows
