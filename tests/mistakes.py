"""What people get wrong first, the line that answers, and what helps. Every mistake is made in
every folder, and docs/troubleshooting.md is written from the answers:

    python tests/mistakes.py docs/troubleshooting.md
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx

from entry_points import call, start
from folders import CLASSIFIERS, NAMES, REPOSITORY
from places import Place, save_photo, save_wrong_checkpoints, write_onnx

CPU = "--device_target CPU"
TRAIN, EVAL, EXPORT = f"train.py {CPU}", f"eval.py {CPU}", f"export.py {CPU}"
JUDGE = f"eval_onnx.py {CPU}"


class Mistake(NamedTuple):
    """{network} and {images} in a command stand for what the folder needs to know of them."""

    command: str
    helps: str
    folders: list = NAMES
    environment: dict = {}


# fmt: off
MISTAKES = {
    "A misspelt flag": Mistake(
        "eval.py --device_tarfet CPU", "`--help` lists every flag with its meaning and limits."),
    "A flag of another script": Mistake(
        "train.py --zzzzzzzz 1", "A script takes the keys that it uses, and no others: `--help`."),
    "A value without its flag": Mistake(
        "train.py photos", "Only what follows a flag such as --dataset_path is taken."),
    "A value of another type": Mistake(
        f"{EXPORT} --device_id one", "`--help` says what each key takes."),
    "A value out of its range": Mistake(
        f"{TRAIN} --seed -1", "`--help` gives the limits."),
    "The same flag without its value": Mistake(
        f"{EXPORT} --file_format", "Give the value, or leave the flag out."),
    "Another device than this MindSpore has": Mistake(
        "train.py --device_target GPU",
        "MindSpore has a device where it finds its driver and CANN or CUDA; `make doctor` prints"
        " those that it has."),
    "A device number that is not there": Mistake(
        f"{EXPORT} {{network}} --checkpoint_path good.ckpt --device_id 7",
        "Devices count from 0; `npu-smi info` and `nvidia-smi` list them."),
    "A list of devices in DEVICE_ID": Mistake(
        f"{EVAL}", "One number for one process; several devices are for the scripts that"
        " distribute.", environment={"DEVICE_ID": "0,1"}),
    "Swapped arguments of a script": Mistake(
        "scripts/run_infer_310.sh photos nowhere.mindir 0",
        "A script without arguments prints them in their order.", CLASSIFIERS),
    "A MindIR that was not exported yet": Mistake(
        "scripts/run_infer_310.sh nowhere.mindir . 0",
        "Export first; the data are the folder of the class folders.", CLASSIFIERS),
    "Images that are not there": Mistake(
        f"{JUDGE} {{images}} --dataset_path nowhere --onnx_path any.onnx",
        "Relative paths are meant from the current folder.", CLASSIFIERS),
    "A level too high": Mistake(
        f"{JUDGE} {{images}} --dataset_path high --onnx_path any.onnx",
        "Give the folder of the class folders, or the one that holds `train` and `val`.",
        CLASSIFIERS),
    "A level too deep": Mistake(
        f"{JUDGE} {{images}} --dataset_path photos/val/ash --onnx_path any.onnx",
        "Give the folder above: the name of an image's folder is its class.", CLASSIFIERS),
    "A folder that is no class of the network": Mistake(
        f"{JUDGE} {{images}} --dataset_path more --onnx_path any.onnx --class_names names.txt",
        "Rename the folder, or train with it. Classes are matched by name, never by position.",
        CLASSIFIERS),
    "Another number of classes": Mistake(
        f"{JUDGE} {{images}} --dataset_path two --onnx_path any.onnx",
        "The file has no record of its classes: `--class_names FILE` says which outputs the"
        " folders are.", CLASSIFIERS),
    "A damaged photo": Mistake(
        f"{JUDGE} {{images}} --dataset_path bad --onnx_path any.onnx",
        "`python src/dataset.py --check DATA` lists all that are damaged.", CLASSIFIERS),
    "Fewer images than a batch": Mistake(
        f"{TRAIN} {{network}} {{images}} --dataset_path photos/train --batch_size 64",
        "Training leaves an incomplete batch out, so one batch at least must be there.",
        CLASSIFIERS),
    "No checkpoint named": Mistake(
        f"{EXPORT} {{network}}", "Training writes them; its last lines say where.",
        [name for name in NAMES if name != "mobilenetv1"]),  # whose default is a documented file
    "A checkpoint that is not there": Mistake(
        f"{EXPORT} {{network}} --checkpoint_path nowhere.ckpt",
        "Relative paths are meant from the current folder."),
    "A checkpoint cut short": Mistake(
        f"{EXPORT} {{network}} --checkpoint_path truncated.ckpt",
        "Copy it again and compare the sizes; `--resume auto` passes over such a file."),
    "A folder in place of a checkpoint": Mistake(
        f"{EXPORT} {{network}} --checkpoint_path folder.ckpt", "Name the file in it."),
    "Weights of PyTorch": Mistake(
        f"{EXPORT} {{network}} --checkpoint_path torch.ckpt",
        "`utils/convert` turns published weights into checkpoints."),
    "A checkpoint of another network": Mistake(
        f"{EXPORT} {{network}} --checkpoint_path other.ckpt",
        "The same folder, class count and network options as in training; with a record beside"
        " the checkpoint they are taken from it."),
    "A checkpoint in place of an exported file": Mistake(
        f"{JUDGE} {{images}} --dataset_path photos --onnx_path good.onnx",
        "`export.py` makes an ONNX file of it.", CLASSIFIERS),
    "An exported file that is not there": Mistake(
        f"{JUDGE} {{images}} --dataset_path photos --onnx_path nowhere.onnx",
        "`eval_onnx.py` without `--onnx_path` takes the newest export of the current folder.",
        CLASSIFIERS),
    "A network that answers infinity": Mistake(
        f"{JUDGE} {{images}} --dataset_path photos --onnx_path infinite.onnx",
        "Its training went astray, or float16 overflowed: look at the loss in metrics.csv.",
        CLASSIFIERS),
    "A photo in place of a model": Mistake(
        "predict.py --model photos/val/ash/ash0.JPEG --photos any.onnx",
        "`--model` is a checkpoint or an export; what it looks at comes behind `--photos`.",
        CLASSIFIERS),
    "A photo that is not there": Mistake(
        "predict.py --model any.onnx --photos nowhere.jpg",
        "Photos and folders of photos may follow `--photos`; with blanks in a name, quote it."),
    "Nothing to resume": Mistake(
        f"{TRAIN} {{network}} {{images}} --dataset_path photos --batch_size 2 --resume no.ckpt",
        "`--resume auto` takes the newest whole checkpoint of the same folder.", CLASSIFIERS),
    "Records that were not made yet": Mistake(
        f"{TRAIN} {{network}} --mindrecord_dir empty",
        "Training reads MindRecord files, which create_data.py makes of images and boxes.",
        [name for name in NAMES if name not in CLASSIFIERS]),
    "No annotation file": Mistake(
        "create_data.py {network} --coco_root empty --mindrecord_dir records",
        "The layout is COCO's: annotations/instances_SPLIT.json beside the folders of images.",
        [name for name in NAMES if name not in CLASSIFIERS]),
}
# fmt: on


def prepare(folder: str, root: Path) -> Place:
    """What the mistakes are made with, in `root`."""
    place = Place(root, folder, training=2, evaluation=2)
    save_wrong_checkpoints(root, place.save_network())
    shutil.copy(root / "good.ckpt", root / "good.onnx")
    (root / "empty").mkdir()
    if place.detector:
        return place
    write_onnx(root / "any.onnx", [1, 3, 32, 32], [1, 3])
    shutil.copytree(root / "photos", root / "high/data/photos")
    for name in ("more", "two", "bad"):
        shutil.copytree(root / "photos/val", root / name)
    (root / "more/cedar").rename(root / "more/dogwood")
    (root / "names.txt").write_text("ash\nbirch\ncedar\n")
    shutil.rmtree(root / "two/cedar")
    path = save_photo(root / "bad/ash/cut.jpg", (9, 9, 9))
    path.write_bytes(path.read_bytes()[:-300])
    model = onnx.load(root / "any.onnx")
    infinite = np.full((1, 3), np.inf, np.float32)
    model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(infinite, "zeros"))
    onnx.save(model, root / "infinite.onnx")
    return place


def answer(place: Place, mistake: Mistake) -> tuple:
    """(exit code, stderr) without what a folder's name and place say."""
    words = []
    for word in mistake.command.split(" "):
        known = {"{network}": place.network, "{images}": place.flags.data}
        words.extend(known.get(word, (word,)))
    root, (script, *arguments) = place.root, words
    if script.endswith(".sh"):
        command = ["bash", REPOSITORY / place.folder / script, *arguments]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
        code, said = done.returncode, done.stderr
    elif mistake.environment:
        done = start(place.folder, script, *arguments, cwd=root, **mistake.environment)
        code, said = done.returncode, done.stderr
    else:
        code, _, said = call(place.folder, script, *arguments, cwd=root)
    return code, said.replace(f"{root}/", "").replace(str(REPOSITORY / place.folder), "FOLDER")


def page(answers: dict) -> str:
    """The text of the page: `answers` has the line of each mistake by its name."""
    lines = [
        "# Troubleshooting",
        "",
        "The mistakes that people make first, the line that each ends in (exit code 1, nothing is",
        "overwritten), and what helps. Search for the words of your line. A test makes every one",
        "in every folder; `python tests/mistakes.py docs/troubleshooting.md` writes this page.",
    ]
    for name, mistake in MISTAKES.items():
        variables = "".join(f"{key}={value} " for key, value in mistake.environment.items())
        program = "bash" if ".sh" in mistake.command else "python"
        words = mistake.command.split(" ")
        command = " ".join(word for word in words if word not in ("{network}", "{images}"))
        lines += ["", f"## {name}", "", "```text", f"$ {variables}{program} {command}"]
        lines += [answers[name].strip(), "```", "", mistake.helps]
    return "\n".join(lines) + "\n"


def main(path: str) -> None:
    """Make every mistake in the first folder it is made in, and write the page."""
    with tempfile.TemporaryDirectory() as root:
        places = {}
        answers = {}
        for name, mistake in MISTAKES.items():
            folder = mistake.folders[0]
            if folder not in places:
                (Path(root) / folder).mkdir()
                places[folder] = prepare(folder, Path(root) / folder)
            answers[name] = answer(places[folder], mistake)[1]
    Path(path).write_text(page(answers), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
