"""Measure what MindSpore Lite 2.0.0 does not run, or runs wrongly, of what lower_mindir.py writes.

    python tests/measure_operators.py .cache/lowering     # make lowering-operators

Every case is exported and run by MindSpore in processes of their own, which may die, lowered, and
run by the runtime; what is there already is not made again. The table goes to
utils/cpp_infer/lowering/lite.json.
"""

import json
import subprocess
import sys
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import nn, ops

from lowering_cases import Case, Network
from lowering_every import CASES
from lowering_forms import COMMON_TYPES, FORMS, OTHER_TYPES, SHAPES, STRUCTURE, operators, swept
from lowering_tools import distance, export, in_mindspore, lower_mindir, run

lite, lower = lower_mindir.lite, lower_mindir.lower
CHUNK, SECONDS = 60, 300
EXPORTED = "exported"
AFTER = "followed "  # before the name of a case whose results are used
LIMIT = {"float16": 1e-2}  # of the spread; MindSpore rounds results of this type more
OUTCOMES = {"build": "does not build", "predict": "does not run", "crashed": "does not survive"}


def first_names():
    """The names of the cases, of which those swept may come to nothing."""
    yield from (f"case {name}" for name in CASES)
    yield from (f"form {name}" for name in FORMS)
    yield from (f"sweep {operator} {kind}" for operator in operators() for kind in COMMON_TYPES)


def further_names(place):
    """More data types, for operators that MindSpore ran in a common one."""
    for operator in operators():
        common = [place / f"sweep {operator} {kind}" / "done" for kind in COMMON_TYPES]
        if any(done.read_text() == EXPORTED for done in common):
            yield from (f"sweep {operator} {kind}" for kind in OTHER_TYPES)


class Followed(nn.Cell):
    """An operation, whose results go on to further operators: what the runtime takes for nothing at
    the end of a network, it may skip within.
    """

    def __init__(self, operation):
        super().__init__()
        self.operation = operation

    def construct(self, *inputs):
        results = self.operation(*inputs)
        if not isinstance(results, tuple):
            results = (results,)
        further = ()
        for item in results:
            further += (ops.logical_not(item) if item.dtype == ms.bool_ else item * 2,)
        return further


def candidates(name):
    """The cases that a name may stand for, the first that MindSpore runs counts."""
    if name.startswith(AFTER):
        found = candidates(name.removeprefix(AFTER))
        return [Case(Followed(case.operation), case.inputs, case.constants) for case in found]
    sort, name, *kind = name.split(" ")
    if sort != "sweep":
        return [(CASES if sort == "case" else FORMS)[name]]
    found = (swept(name, *kind, count, shape) for shape in SHAPES for count in (1, 2, 3))
    return [case for case in found if case]


def prepare(name, folder):
    """Export a case with what MindSpore makes of it; whether it could."""
    for case in candidates(name):
        like = getattr(case, "like", None) or case.operation
        try:
            wanted = in_mindspore(like, *case.inputs, *case.constants)
            export(Network(case.operation, case.constants), folder, *case.inputs)
        except Exception as error:  # MindSpore raises all kinds of what it cannot do.
            print(name, str(error)[:200], flush=True)
            continue
        for index, value in enumerate(wanted):
            np.save(folder / f"wanted_{index}.npy", value)
        return True
    return False


def prepare_all(place, wanted):
    """Prepare what is not there, in processes that take up where one has died."""
    left = [name for name in wanted if not (place / name / "done").exists()]
    while left:
        chunk, left = left[:CHUNK], left[CHUNK:]
        command = [sys.executable, __file__, place, *chunk]
        with open(place / "log", "ab") as log:
            try:
                subprocess.run(command, stdout=log, stderr=log, timeout=SECONDS)
            except subprocess.TimeoutExpired:
                pass
        rest = [name for name in chunk if not (place / name / "done").exists()]
        if rest:
            (place / rest[0]).mkdir(exist_ok=True)
            (place / rest[0] / "done").write_text("MindSpore died")
        left = rest[1:] + left
        print(f"{len(left)} cases left to export", flush=True)


def outcome_of(folder, outputs):
    """What became of a lowered model, or nothing if it is right."""
    if isinstance(outputs, str):
        return OUTCOMES.get(outputs.split(":")[0])
    wanted = [np.load(folder / f"wanted_{index}.npy") for index in range(len(outputs))]
    same = all(
        got.size == value.size and distance(got, value) <= LIMIT.get(value.dtype.name, 1e-3)
        for got, value in zip(outputs, wanted)
    )
    return None if same else lite.WRONG


def measure(place, wanted):
    """[(name, outcome or None, uses of operators), ...] of what can be lowered."""
    found = []
    for name in wanted:
        if (place / name / "done").read_text() == EXPORTED:
            model, mapped = lower_mindir.load(str(place / name / "model.3.mindir"))
            fields, lowering = lower.lower(model, measured=None)
            if not lowering.refused:
                with open(place / name / "model.mindir", "wb") as file:
                    file.writelines(lower_mindir.wire.serialize(fields)[1])
                found.append((name, lowering.uses))
    outputs = run([place / name for name, _ in found])
    return [
        (name, outcome_of(place / name, result), uses)
        for (name, uses), result in zip(found, outputs)
    ]


def skipped(measured, followed):
    """What became of `followed` cases: those that come out right although their operator alone is
    never built have it left out, and are right by their inputs' luck.
    """
    right = {
        operator for _, outcome, uses in measured if outcome is None for _, operator, _ in uses
    }
    return [
        (name, lite.WRONG if not outcome and not _known(uses, right) else outcome, uses)
        for name, outcome, uses in followed
    ]


def _known(uses, right):
    """Whether every operator was seen to run, or may be left out."""
    return {operator for _, operator, _ in uses} <= right | STRUCTURE | {"Cast"}


def blame(uses, right):
    """(operator, features) that a failure must lie in, since all else in it was seen to run, or
    None. An operator that never ran rightly is blamed before others.
    """
    blamed = {}
    for _, operator, features in uses:
        unseen = features - right.get(operator, set())
        if unseen and operator not in STRUCTURE:
            blamed.setdefault(operator, unseen)
    never = [operator for operator in blamed if operator not in right]
    if len(never) == 1:
        return never[0], [lite.ALWAYS]
    if len(blamed) == 1:
        ((operator, unseen),) = blamed.items()
        return operator, sorted(unseen)
    return None


def table(measured):
    """(operators that ran rightly, {operator: [[features, outcome], ...]}, cases that no operator
    alone explains).
    """
    right, entries, unexplained = {}, {}, []
    for _, outcome, uses in measured:
        for _, operator, features in uses:
            if outcome is None:
                right.setdefault(operator, set()).update(features)
    failed = [item for item in measured if item[1] is not None]
    # The worst first: what is wrong without a word in one use is not to be trusted in others.
    for name, outcome, uses in sorted(
        failed, key=lambda item: (item[1] != lite.WRONG, len(item[2]))
    ):
        so_far = {"run": right, "faults": entries}
        if any(
            lite.UNSEEN not in outcomes
            for _, operator, features in uses
            for _, *outcomes in lite.faults(operator, features, so_far)
        ):
            continue
        found = blame(uses, right)
        if found is None:
            unexplained.append(f"{name}: {outcome}")
        else:
            entries.setdefault(found[0], []).append([found[1], outcome])
    return sorted(right), entries, unexplained


def main(place, *chosen):
    place = Path(place)
    for name in chosen:
        (place / name).mkdir(parents=True, exist_ok=True)
        done = prepare(name, place / name)
        (place / name / "done").write_text(EXPORTED if done else "not run by MindSpore")
    if chosen:
        return
    place.mkdir(parents=True, exist_ok=True)
    wanted = list(first_names())
    prepare_all(place, wanted)
    further = list(further_names(place))
    prepare_all(place, further)
    wanted += further
    measured = measure(place, wanted)
    failed = [name for name, outcome, _ in measured if outcome == OUTCOMES["build"]]
    followed = [AFTER + name for name in failed if not name.endswith(OTHER_TYPES)]
    prepare_all(place, followed)
    measured += skipped(measured, measure(place, followed))
    run_rightly, entries, unexplained = table(measured)
    lines = [f"{json.dumps(name)}: {json.dumps(entries[name])}" for name in sorted(entries)]
    lite.TABLE.write_text(
        f'{{"run": {json.dumps(run_rightly)},\n"faults": {{\n' + ",\n".join(lines) + "\n}}\n"
    )
    print(*unexplained, sep="\n")
    right = sum(outcome is None for _, outcome, _ in measured)
    print(f"{len(measured)} cases lowered, {right} right, {len(entries)} operators with faults,")
    print(f"{len(unexplained)} failures that no operator alone explains")


if __name__ == "__main__":
    main(*sys.argv[1:])
