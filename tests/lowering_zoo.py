"""The networks of mindcv 0.3.0: exported, lowered, built by MindSpore Lite, equal, and why not.

    python tests/lowering_zoo.py .cache/lowering-zoo .bench            # make lowering-zoo
    python tests/lowering_zoo.py .cache/lowering-zoo .bench resnet50   # some of them

Resumable: a network that has a row, here or in docs/lowering_zoo.md, is not run again unless it is
named. Each is exported in a process of its own, with weights of golden.py, on one image of the size
it is made for.
"""

import inspect
import json
import multiprocessing
import os
import re
import resource
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np

from folders import REPOSITORY
from golden import image
from lowering_tools import distance, export, in_mindspore, lower, run
from test_golden import enter_pynative_mode, load_golden_weights

sys.path.append(str(REPOSITORY / "utils/smoke"))
from work import rows_of_page  # noqa: E402

PACKAGE = "mindcv==0.3.0"
PAGE = REPOSITORY / "docs/lowering_zoo.md"
SECONDS, LIMIT = 1800, 1e-3  # of the processor, for the export of one; of the spread
STEPS = ("exported", "lowered", "built", "equal")


def fetch(place):
    """Put mindcv, without what it asks for, where it can be imported."""
    if not (place / "mindcv").exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", place]
        subprocess.run([*pip, PACKAGE], check=True)
        (wheel,) = place.glob("mindcv-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(place)
    sys.path.insert(0, str(place))


def leave_out_initial_weights():
    """Those of golden.py take their place, and some cannot be made any more."""
    from mindcv import models

    for module in filter(inspect.ismodule, vars(models).values()):
        for item in filter(inspect.isclass, vars(module).values()):
            if "_initialize_weights" in vars(item):
                item._initialize_weights = lambda self: None


def prepare(name, folder):
    """Export and lower a network; how far it came, and why no further."""
    from mindcv import create_model

    enter_pynative_mode()  # Some networks compute while they are made.
    network = create_model(name, pretrained=False).set_train(False)
    load_golden_weights(network)
    size = getattr(network, "default_cfg", None) or {}
    made_for = (size.get("input_size") or (3, 224, 224))[-1]
    named = [int(size) for size in re.findall(r"_(\d{3})$", name)]
    row = {"name": name, "reached": "", "reason": ""}
    for side in dict.fromkeys((*named, made_for, 224, 256, 240, 299, 384, 448, 160, 192)):
        try:
            wanted = in_mindspore(network, image((1, 3, side, side)))
            break
        except Exception as error:  # The network is made for another size.
            row["reason"] = row["reason"] or str(error)
    else:
        return row
    for index, value in enumerate(wanted):
        np.save(folder / f"wanted_{index}.npy", value)
    model = export(network, folder, image((1, 3, side, side)))
    row["reached"] = "exported"
    code, row["reason"] = lower(model, folder / "model.mindir")
    if code == 0:
        row["reached"] = "lowered"
    return row


def prepare_alone(work, name):
    """Write the row of `prepare`, and end this process without taking MindSpore down in order."""
    with open(work / "log", "ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        row = prepare(name, work)
    except Exception as error:  # MindSpore raises all kinds of what it cannot do.
        reason = f"{type(error).__name__}: {error}"
        row = {"name": name, "reached": "", "reason": reason}
    (work / "row.json").write_text(json.dumps(row))
    os._exit(0)


def prepare_in_a_process(work, name):
    """The row of `prepare`, even if its process dies, with the files in `work`. MindSpore is
    imported before it begins, once for all.
    """
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    process = multiprocessing.get_context("fork").Process(target=prepare_alone, args=(work, name))
    process.start()
    process.join()
    if (work / "row.json").exists():
        return json.loads((work / "row.json").read_text())
    return {"name": name, "reached": "", "reason": f"the process ended with {process.exitcode}"}


def attempt(work, name):
    """The row of one network: how far it came, and why no further."""
    row = prepare_in_a_process(work, name)
    if row["reached"] == "lowered":
        (outputs,) = run([work])
        if isinstance(outputs, str):
            row["reason"] = f"{outputs}; {row['reason'].partition(chr(10))[2]}"
        else:
            wanted = [np.load(path) for path in sorted(work.glob("wanted_*.npy"))]
            difference = max(map(distance, outputs, wanted))
            row["reached"] = "equal" if difference <= LIMIT else "built"
            row["reason"] = f"differs by {difference:.1e} of the spread"
    return row


def cells(row):
    """A row of the table of networks."""
    reason = " ".join(row["reason"].split())[:200].replace("|", "/")
    return [row["name"], row["reached"] or "nothing", reason]


def counts(rows, count):
    """How many networks came how far, as Markdown."""
    reached = [len([row for row in rows if row[1] in STEPS[at:]]) for at in range(4)]
    tried = f"{len(rows)} of {count} tried" if len(rows) < count else f"all {count}"
    lines = ["| networks | " + " | ".join(STEPS) + " |", "|---" * 5 + "|"]
    lines += [f"| {tried} | " + " | ".join(map(str, reached)) + " |"]
    return "\n".join(lines) + "\n"


def networks(rows):
    """Every network, those first that did not come to be equal, as Markdown."""
    rows = sorted(rows, key=lambda row: (row[1] == "equal", row[0]))
    lines = ["| network | reached | difference, or why no further |", "|---" * 3 + "|"]
    return "\n".join((*lines, *(f"| {' | '.join(row)} |" for row in rows))) + "\n"


def write_tables(place, tables, count):
    """Both tables, of the rows that are there and those of the page; the first's text."""
    rows = {row[0]: row for row in rows_of_page(PAGE, "lowering-networks")}
    for path in (place / "rows").glob("*.json"):
        row = cells(json.loads(path.read_text()))
        rows[row[0]] = row
    tables = Path(tables, "tables")
    tables.mkdir(parents=True, exist_ok=True)
    (tables / "lowering-networks.md").write_text(networks(rows.values()))
    (tables / "lowering-zoo.md").write_text(counts(rows.values(), count))
    return counts(rows.values(), count)


def main(place, tables, *chosen):
    place = Path(place).absolute()
    (place / "rows").mkdir(parents=True, exist_ok=True)
    fetch(place)
    leave_out_initial_weights()
    from mindcv import list_models

    known, count = {row[0] for row in rows_of_page(PAGE, "lowering-networks")}, len(list_models())
    unknown = sorted({*chosen} - {*list_models()})
    if unknown:
        sys.exit(
            f"error: {', '.join(unknown)}: not in {PACKAGE}; mindcv.list_models() has its names"
        )
    names = chosen or [name for name in list_models() if name not in known]
    work = place / f"work_{os.getpid()}"
    for index, name in enumerate(names, 1):
        target = place / "rows" / f"{name}.json"
        if chosen or not target.exists():
            start = time.time()
            row = attempt(work, name)
            target.write_text(json.dumps(row))
            seconds = time.time() - start
            print(f"{index}/{len(names)} {name}: {row['reached']} {seconds:.0f} s", flush=True)
            write_tables(place, tables, count)
    shutil.rmtree(work, ignore_errors=True)
    print(write_tables(place, tables, count), end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
