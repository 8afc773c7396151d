"""Annotation files with faults put in by chance, through create_data.py and postprocess.py.

    python tests/nas_fpn_fuzz.py 500        # or: 500 FIRST_SEED

Each must end with a result or with one line. Prints a line for each that does not, and the counts.
"""

import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import nas_fpn_coco as coco

VALUES = [
    *(None, True, False, 0, 1, -1, 2, 1.5, -0.0, 1e-300, 1e300, 5e9, 1 << 31, 1 << 70, 10**400),
    *(float("nan"), float("inf"), float("-inf"), "", " ", "1", "000001", "cat", "a/../b", "\0"),
    *("\ud800", "é", "x" * 5000, [], {}, [[]], [1, 2, 3, 4], ["1"], {"id": 1}, [None] * 4),
    *("/etc/passwd", "..", ".", "nul\nerror: forged", [10, 10, 20, 20], [90, 70, 30, 30]),
]
SIGNS = b'{}[]",:0123456789eE+-.\\untrfalsN \xff\x00\xef\xbb\xbf'


def places(value):
    """All (holder, key) in a JSON value."""
    keys = value if isinstance(value, dict) else range(len(value))
    for key in list(keys):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from places(value[key])


def change(content, draw):
    """One fault in the content of an annotation file."""
    everywhere = list(places(content))
    if not everywhere:
        return
    holder, key = draw.choice(everywhere)
    other_holder, other_key = draw.choice(everywhere)
    kind = draw.choice(["value", "value", "value", "remove", "copy", "swap", "add"])
    if kind == "value":
        holder[key] = draw.choice(VALUES)
    elif kind == "remove":
        del holder[key]
    elif kind == "copy":
        holder[key] = json.loads(json.dumps(other_holder[other_key]))
    elif kind == "swap":
        first, second = (json.dumps(each) for each in (holder[key], other_holder[other_key]))
        holder[key] = json.loads(second)
        if any(other_holder is each and other_key == at for each, at in places(content)):
            other_holder[other_key] = json.loads(first)
    elif isinstance(holder, list):
        holder.insert(draw.randint(0, len(holder)), draw.choice([*VALUES, *holder]))
    else:
        holder[draw.choice(["id", "bbox", "file_name", "image_id", "x"])] = draw.choice(VALUES)


def mutated(seed):
    """The bytes of an annotation file with one to three faults."""
    draw, content = random.Random(seed), coco.base()
    for _ in range(draw.randint(0, 3)):
        change(content, draw)
    data = bytearray(json.dumps(content).encode())
    for _ in range(draw.choice([0, 0, 0, 1, 1, 2])):
        at = draw.randrange(len(data) + 1)
        end = at + draw.choice([0, 0, 1, 1, 3, 40])
        data[at:end] = bytes(draw.choices(SIGNS, k=draw.choice([0, 1, 1, 2])))
    return bytes(data)


def run(root, first, number):
    """{exit code: times} of both scripts, and what went wrong: (seed, script, exit code, error)."""
    codes, wrong = Counter(), []
    coco.write_data(root, coco.BASE)
    coco.write_results(root, coco.BASE)
    for seed in range(first, first + number):
        coco.write_annotations(root, mutated(seed))
        shutil.rmtree(root / "records", ignore_errors=True)
        for script in (coco.create_data, coco.postprocess):
            try:
                code, _, err = script(root)
            except BaseException as error:  # what would have been a traceback
                code, err = "traceback", repr(error)
            lines = err.splitlines()
            is_line = len(lines) == 1 and lines[0].startswith("error: ") and len(err) < 1500
            codes[code] += 1
            if not (code == 0 and not err or code == 1 and is_line):
                wrong.append((seed, script.__name__, code, err))
    return codes, wrong


def main(number, first="0"):
    import conftest  # noqa: F401  the environment

    with tempfile.TemporaryDirectory() as folder:
        codes, wrong = run(Path(folder), int(first), int(number))
    for each in wrong:
        print(*each)
    print(f"{number} files: {codes[0]} read, {codes[1]} refused in a line, {len(wrong)} wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main(*sys.argv[1:])
