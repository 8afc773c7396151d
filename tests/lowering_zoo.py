"""The networks of mindcv 0.3.0: exported, lowered, built by MindSpore Lite, equal, and why not.

    python tests/lowering_zoo.py .cache/lowering-zoo .bench            # make lowering-zoo
    python tests/lowering_zoo.py .cache/lowering-zoo .bench resnet50   # some of them

Resumable: a network whose row is there is not run again; remove rows/NAME.json to do so. Each runs
in a process of its own, with weights of golden.py, on one image of the size it is made for.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

PACKAGE = "mindcv==0.3.0"
SECONDS, LIMIT = 1200, 1e-3
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


def attempt(name, folder):
    """The row of one network: how far it came, and why no further."""
    import mindcv
    import numpy as np

    from golden import image
    from lowering_tools import distance, export, in_mindspore, lower, run
    from test_golden import enter_pynative_mode, load_golden_weights

    row = {"name": name, "reached": "", "reason": ""}
    enter_pynative_mode()
    network = mindcv.create_model(name, pretrained=False).set_train(False)
    load_golden_weights(network)
    size = getattr(network, "default_cfg", None) or {}
    made_for = (size.get("input_size") or (3, 224, 224))[-1]
    named = [int(size) for size in re.findall(r"_(\d{3})$", name)]
    for side in dict.fromkeys((*named, made_for, 224, 256, 240, 299, 384, 448)):
        try:
            wanted = in_mindspore(network, image((1, 3, side, side)))
            break
        except Exception as error:  # The network is made for another size.
            row["reason"] = str(error)
    model = export(network, folder, image((1, 3, side, side)))
    row["reached"] = "exported"
    code, row["reason"] = lower(model, folder / "model.mindir")
    if code:
        return row
    row["reached"] = "lowered"
    (outputs,) = run([folder])
    if isinstance(outputs, str):
        row["reason"] = f"{outputs}; {row['reason'].partition(chr(10))[2]}"
        return row
    row["reached"] = "built"
    row["distance"] = max(map(distance, outputs, wanted))
    row["spread"] = float(np.ptp(wanted[0]))
    row["reason"] = f"differs by {row['distance']:.1e} of the spread"
    if row["distance"] <= LIMIT:
        row.update(reached="equal", reason="")
    return row


def try_in_a_process(place, name):
    """Write the row of a network, even if its process dies."""
    target = place / "rows" / f"{name}.json"
    command = [sys.executable, __file__, place, place, "--one", name]
    with open(place / "log", "ab") as log:
        try:
            subprocess.run(command, stdout=log, stderr=log, timeout=SECONDS)
            reason = "the process died"
        except subprocess.TimeoutExpired:
            reason = f"took more than {SECONDS} seconds"
    if not target.exists():
        target.write_text(json.dumps({"name": name, "reached": "", "reason": reason}))


def table(rows):
    """The results as Markdown: counts, then what did not come to be equal."""
    reached = [len([row for row in rows if row["reached"] in STEPS[at:]]) for at in range(4)]
    lines = ["| networks | " + " | ".join(STEPS) + " |", "|---" * 5 + "|"]
    lines += [f"| {len(rows)} | " + " | ".join(map(str, reached)) + " |", ""]
    lines += ["| network | reached | reason |", "|---|---|---|"]
    for row in rows:
        if row["reached"] != "equal":
            reason = " ".join(row["reason"].split())[:200].replace("|", "\\|")
            lines.append(f"| {row['name']} | {row['reached'] or 'nothing'} | {reason} |")
    return "\n".join(lines) + "\n"


def main(place, tables, *chosen):
    place = Path(place).absolute()
    (place / "rows").mkdir(parents=True, exist_ok=True)
    fetch(place)
    if chosen[:1] == ("--one",):
        with tempfile.TemporaryDirectory(dir=place) as folder:
            try:
                row = attempt(chosen[1], Path(folder))
            except Exception as error:  # MindSpore raises all kinds of what it cannot do.
                row = {"name": chosen[1], "reached": "", "reason": str(error)}
            (place / "rows" / f"{chosen[1]}.json").write_text(json.dumps(row))
        return
    from mindcv import list_models

    names = chosen or list_models()
    for index, name in enumerate(names, 1):
        if not (place / "rows" / f"{name}.json").exists():
            start = time.time()
            try_in_a_process(place, name)
            row = json.loads((place / "rows" / f"{name}.json").read_text())
            seconds = time.time() - start
            print(f"{index}/{len(names)} {name}: {row['reached']} {seconds:.0f} s", flush=True)
    rows = [json.loads(path.read_text()) for path in sorted((place / "rows").glob("*.json"))]
    tables = Path(tables, "tables")
    tables.mkdir(parents=True, exist_ok=True)
    (tables / "lowering-zoo.md").write_text(table(rows))
    print(table(rows), end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
