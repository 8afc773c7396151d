"""What people bring to the classifiers, through eval.py, eval_onnx.py and the C++ programs.

    python tests/oddities.py FOLDER_OF_THE_TABLE [--only WORDS] [MODEL_FOLDER ...]

For each case the accuracy that is printed is compared with one that is computed independently, and
what must be refused has to be, in one line. The table is oddities.md; the exit code is 1 where a
number is another, or something ends in a traceback or by a signal. What oddities.jsonl beside it
has from a run that was ended is not done again, while the code is the same.
"""

import argparse
import collections
import contextlib
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import mindspore as ms

import oddity_network
from entry_points import call
from folders import CLASSIFIERS, REPOSITORY, flags_of
from oddity_cases import EVERY, TREES
from oddity_files import FILES
from oddity_layouts import LAYOUTS
from oddity_models import MODELS

CASES = {
    **{
        name: lambda root, network, build=build: build(root)
        for name, build in {**TREES, **LAYOUTS, **FILES}.items()
    },
    **MODELS,
}
ACCURACY = (
    r"'top_1_accuracy': ([\d.e-]+)", r"'Top_1_Acc': ([\d.e-]+)", r"Top1-Acc: ([\d.]+)",
    r"top1 accuracy: ([\d.]+)[.,]", r"'top1 acc': ([\d.e-]+)", r"acc=([\d.]+)\(TOP1\)",
)  # fmt: skip
RESULT_FLAGS = {"mobilenetv1": ("--dataset", "imagenet2012", "--result_dir", "--label_dir")}


class Judge:
    """One model folder with its network and its program."""

    def __init__(self, folder, root):
        self.folder, self.network = folder, oddity_network.ColourNetwork(root, folder)
        self.program = oddity_network.program(folder)
        self.data = ("--device_target", "CPU", *flags_of(folder).data, "--dataset_path")

    def judge(self, name):
        """{engine: (outcome, what was printed)} of a case."""
        with tempfile.TemporaryDirectory(prefix="oddities ") as root:
            case = CASES[name](Path(root), self.network)
            wanted = None
            if not case.words:
                right = self.network.right(case.truth, case.preprocessing)
                wanted = *right, len(case.truth)
            outcomes = {}
            for engine in case.engines:
                code, out, err = self.run(engine, case, Path(root))
                outcomes[engine] = (outcome(code, out, err, case.words, wanted), out + err)
            return outcomes

    def run(self, engine, case, root):
        try:
            if engine == "C++":
                return self.run_program(case, root)
            usual = self.network.root / ("named.ckpt" if engine == "eval.py" else "colours.onnx")
            flag = "--checkpoint_path" if engine == "eval.py" else "--onnx_path"
            flags = (*self.data, case.data, flag, case.models.get(engine, usual), *case.flags)
            if engine == "eval.py":
                batch = "--test_batch_size" if self.folder == "resnest" else "--batch_size"
                flags = (*flags_of(self.folder).network, *flags, "--image_size", "32", batch, "8")
            # Graph mode would compile the network for each case; test_oddities.py has it once.
            with mock.patch.object(ms, "GRAPH_MODE", ms.PYNATIVE_MODE):
                return call(self.folder, engine, *flags, cwd=root)
        except Exception as error:
            return 1, "", f"Traceback: {error!r}"

    def run_program(self, case, root):
        """Labels, prediction and post-processing: the steps of run_infer_310.sh."""
        mindir = case.models.get("C++", self.network.root / "lowered.mindir")
        flags = ("--img_path", case.data, "--mindir_path", mindir)
        code, told, err = call(self.folder, "create_imagenet2012_label.py", *flags, cwd=root)
        if code:
            return code, told, err
        split = re.search(r"^images: (.*)$", told, re.MULTILINE)
        data = split[1] if split else case.data
        command = [self.program, f"--dataset_path={data}", f"--mindir_path={mindir}"]
        command += ["--device_type=CPU", "--threads=1"]
        done = subprocess.run(
            command, cwd=root, capture_output=True, timeout=120, text=True, errors="replace"
        )
        if done.returncode:
            return done.returncode, done.stdout, done.stderr
        *own, results, labels = RESULT_FLAGS.get(self.folder, ("--result_path", "--label_path"))
        flags = (*own, results, "result_Files", labels, "imagenet_label.json")
        return call(self.folder, "postprocess.py", *flags, cwd=root)


def outcome(code, out, err, words, wanted):
    """ "right", "refused", or what is wrong."""
    if "Traceback" in err:
        return "TRACEBACK"
    if code not in (0, 1):
        return f"SIGNAL {code}"
    if code:
        lines = err.strip().splitlines()
        if len(lines) != 1 or not lines[0].startswith("error: "):
            return "NOT ONE LINE"
        return "refused" if words and words in lines[0] else f"REFUSED: {lines[0][:300]}"
    if words:
        return "NOT REFUSED"
    got = scores(out)
    least, most, images = wanted
    if got is None or got[1] != images or not (least - 0.01 <= got[0] * images <= most + 0.01):
        return f"DIFFERS: printed {got}, true {least} to {most} of {images}"
    return "right"


def scores(out):
    """(top-1 accuracy, images) as printed; None where there is none."""
    images = re.search(r"accuracy on (\d+) images, 95", out)
    found = next((match for pattern in ACCURACY if (match := re.search(pattern, out))), None)
    counts = re.search(r"top1_correct=(\d+), tot=(\d+)", out)
    if counts:
        return int(counts[1]) / int(counts[2]), int(counts[2])
    return (float(found[1]), int(images[1])) if images and found else None


def state_of(folder):
    """A digest of the code that the outcomes of a model folder hang on."""
    digest = hashlib.sha256()
    places = [*(REPOSITORY / folder).rglob("*"), *(REPOSITORY / "utils/cpp_infer").rglob("*")]
    places += [*(REPOSITORY / "tests").glob("*odd*.py"), *(REPOSITORY / "tests").glob("*image*.py")]
    for path in sorted(places):
        if path.suffix in (".py", ".cc", ".h", ".json", ".yaml", ".sh") and "out" not in path.parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()


class Outcomes:
    """{engine: (outcome, what was printed)} of each folder and case, kept in a file of lines."""

    def __init__(self, path):
        self.path, self.known = path, {}
        for line in path.read_text().splitlines() if path.exists() else ():
            with contextlib.suppress(ValueError):  # A run was ended in the middle of a line.
                state, folder, name, outcomes = json.loads(line)
                self.known[state, folder, name] = outcomes

    def add(self, *key, outcomes):
        self.known[key] = outcomes
        with self.path.open("a") as file:
            file.write(json.dumps([*key, outcomes]) + "\n")


def judge_folder(folder, names, outcomes):
    """Judge the cases `names` that `outcomes` does not know; print what is wrong."""
    state = state_of(folder)
    missing = [name for name in names if (state, folder, name) not in outcomes.known]
    print(f"{folder}: {len(missing)} of {len(names)} cases to judge", flush=True)
    with tempfile.TemporaryDirectory(prefix="oddities_network_") as root:
        judge = Judge(folder, root) if missing else None
        for number, name in enumerate(missing):
            outcomes.add(state, folder, name, outcomes=judge.judge(name))
            if number % 10 == 9:
                print(f"{folder}: {number + 1} of {len(missing)}", flush=True)
            for engine, (result, _) in outcomes.known[state, folder, name].items():
                if result not in ("right", "refused"):
                    print(f"{folder}, {name}, {engine}: {result}", file=sys.stderr, flush=True)
    return {name: outcomes.known[state, folder, name] for name in names}


def main(arguments):
    """Judge all cases of all folders; write the table."""
    ms.set_device("CPU", 0)
    rows, faults, counts = [], [], collections.Counter()
    Path(arguments.table).mkdir(parents=True, exist_ok=True)
    outcomes = Outcomes(Path(arguments.table, "oddities.jsonl"))
    names = [name for name in CASES if arguments.only in name]
    for folder in arguments.folders or CLASSIFIERS:
        for name, judged in judge_folder(folder, names, outcomes).items():
            for engine, (result, told) in judged.items():
                counts[folder, engine, result.split(":")[0]] += 1
                if result not in ("right", "refused"):
                    faults.append(f"{folder}, {name}, {engine}: {result}\n{told[-2000:]}")
            shown = " | ".join(judged.get(engine, ("",))[0] for engine in EVERY)
            rows.append(f"| {folder} | {name} | {shown} |".replace("\n", " "))
    head = ["| folder | case | eval.py | eval_onnx.py | C++ |", "|---|---|---|---|---|"]
    told = [f"{' '.join(key)}: {number}" for key, number in sorted(counts.items())]
    text = "\n".join([f"{len(rows)} cases", "", *told, "", *head, *rows, "", *faults])
    Path(arguments.table, "oddities.md").write_text(text + "\n", errors="backslashreplace")
    print("\n".join(told))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--only", default="", metavar="WORDS")
    main(parser.parse_args())
