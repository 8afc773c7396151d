"""Another reader of lowered MindIR than MindSpore Lite: MindSpore 2.0 itself, `make second-reader`.

    python tests/second_reader.py VENV WORK

Lowers the exports of all folders and a tenth of the small networks of the tests, loads the files
in MindSpore 2.0.0 on the CPU, in an environment of its own in VENV, and compares with what current
MindSpore gives. The table goes to WORK/tables/second-reader.md. Exit code 1 where one that
MindSpore 2.0 runs differs by more than 1e-3 of the spread, and where there is no Python for it.
"""

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from folders import NAMES, REPOSITORY
from lowering_cases import Network
from lowering_every import CASES
from lowering_tools import distance, export, in_mindspore, lower
from matrix import find_python

sys.path.append(str(REPOSITORY / "utils/smoke"))
from work import write_table  # noqa: E402

# NumPy and Pillow as MindSpore 2.0 knew them.
PACKAGES = ("mindspore==2.0.0", "numpy<1.24", "pillow<10", "protobuf<4")
PYTHONS = ("3.9", "3.8", "3.7")
LIMIT, CHUNK, SECONDS = 1e-3, 40, 1200
SAMPLE = list(CASES)[::10]  # of the small networks
HERE = Path(__file__).parent


def make_environment(venv):
    """The interpreter of an environment with MindSpore 2.0.0, made once in `venv`."""
    if not (venv / ".ready").exists():
        python = next(filter(None, map(find_python, PYTHONS)), None)
        if not python:
            sys.exit("error: no Python 3.9, 3.8 or 3.7 here, and MindSpore 2.0 is for no newer one")
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([python, "-m", "venv", venv], check=True)
        pip = [venv / "bin/python", "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *PACKAGES], check=True)
        (venv / ".ready").touch()
    return venv / "bin/python"


def prepare_folder(name, place):
    """Export and lower the network of a repository's folder."""
    bench = REPOSITORY / "utils/bench"
    command = [sys.executable, bench / "runtimes_network.py", name, place]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (place / "images.npy").rename(place / "given_0.npy")
    for path in place.glob("output_*.npy"):
        path.rename(place / path.name.replace("output", "wanted"))
    code, told = lower(place / "model.3.mindir", place / "model.mindir")
    assert code == 0, told


def prepare_case(name, place):
    """Export and lower a small network; whether it is one that is lowered."""
    case = CASES[name]
    if case.refused:
        return False
    wanted = in_mindspore(case.like or case.operation, *case.inputs, *case.constants)
    model = export(Network(case.operation, case.constants), place, *case.inputs)
    code, told = lower("--ascend", model, place / "model.mindir")
    assert code == 0, told
    for kind, arrays in (("given", case.inputs), ("wanted", wanted)):
        for index, value in enumerate(arrays):
            np.save(place / f"{kind}_{index}.npy", value)
    return True


def read_all(python, places):
    """Have MindSpore 2.0 read what lies in `places`, in processes that may die."""
    environment = {**os.environ, "GLOG_v": "4"}
    left = list(places)
    while left:
        command = [python, HERE / "second_reader_side.py", *left[:CHUNK]]
        try:
            subprocess.run(command, env=environment, timeout=SECONDS, capture_output=True)
        except subprocess.TimeoutExpired:
            pass
        done = max(1, sum((place / "read.txt").exists() for place in left[:CHUNK]))
        left = left[done:]
        print(f"{len(left)} files left to read", flush=True)


def result_of(place):
    """(largest difference from current MindSpore's outputs or None, why there is none)"""
    told = (place / "read.txt").read_text() if (place / "read.txt").exists() else "did not start"
    if told != "ok":
        return None, told
    paths = sorted(place.glob("wanted_*.npy"))
    pairs = [(np.load(str(path).replace("wanted_", "got_")), np.load(path)) for path in paths]
    if any(got.size != wanted.size for got, wanted in pairs):
        return math.inf, ""
    return max(distance(got, wanted) for got, wanted in pairs), ""


def row_of(title, found):
    """A row of the table, of {name: (difference, reason)}."""
    read = {name: result[0] for name, result in found.items() if result[0] is not None}
    equal = [difference for difference in read.values() if difference <= LIMIT]
    return [title, len(found), len(read), len(equal), f"{max(equal, default=0):.0e}"]


def main(venv, work):
    venv, work = Path(venv).absolute(), Path(work).absolute()
    python, place = make_environment(venv), work / "second-reader"
    shutil.rmtree(place, ignore_errors=True)
    for name in NAMES:
        (place / name).mkdir(parents=True)
        prepare_folder(name, place / name)
    cases = [name for name in SAMPLE if prepare_case(name, place / "cases" / name)]
    places = {name: place / name for name in NAMES}
    places.update({f"case {name}": place / "cases" / name for name in cases})
    read_all(python, places.values())
    found = {name: result_of(path) for name, path in places.items()}
    rows = [row_of(name, {name: found[name]}) for name in NAMES]
    small = {name: result for name, result in found.items() if name.startswith("case ")}
    rows.append(row_of("small networks", small))
    header = ["", "files", "read and run", "equal", "largest difference"]
    write_table(work, "second-reader", header, rows)
    for name, (difference, reason) in found.items():
        if reason or difference > LIMIT:
            print(f"{name}: {reason or f'differs by {difference:.1e} of the spread'}")
    wrong = [name for name, (difference, _) in found.items() if (difference or 0) > LIMIT]
    if wrong:
        sys.exit(f"error: not equal in MindSpore 2.0: {', '.join(wrong)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
