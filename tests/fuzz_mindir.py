"""Thousands of damaged MindIR files through lower_mindir.py: never a traceback, never a hang.

    python tests/fuzz_mindir.py 2600      # part of make fuzz

Bytes are flipped, pieces cut out, doubled and swapped, in files of every case of the tests that is
small enough. Whatever is said is one line for each reason, and nothing is written when it fails.
"""

import signal
import sys
import tempfile
from pathlib import Path

import numpy as np

from lowering_cases import Network
from lowering_every import CASES
from lowering_tools import export, lower

SECONDS, SEEDS = 20, 40


def mutant(content, generator):
    """`content` with one to four changes."""
    for _ in range(generator.integers(1, 5)):
        at, to = sorted(generator.integers(0, len(content), 2))
        sort = generator.integers(0, 4)
        if sort == 0:
            content = content[:at] + bytes([generator.integers(0, 256)]) + content[at + 1 :]
        elif sort == 1:
            content = content[:at] + content[min(to, at + 40) :]
        elif sort == 2:
            content = content[:to] + content[at:to][:200] + content[to:]
        else:
            content = content[:at] + content[at:to][::-1] + content[to:]
    return content


def main(count):
    generator, codes = np.random.default_rng(0), {0: 0, 1: 0}
    with tempfile.TemporaryDirectory() as place:
        bad, out = Path(place) / "bad.mindir", Path(place) / "out.mindir"
        files = []
        for name in list(CASES)[:: max(1, len(CASES) // SEEDS)]:
            case = CASES[name]
            model = export(
                Network(case.operation, case.constants), Path(place) / name, *case.inputs
            )
            files.append(model.read_bytes())
        for index in range(count):
            bad.write_bytes(mutant(files[index % len(files)], generator))
            signal.alarm(SECONDS)  # A hang ends the whole.
            code, message = lower(bad, out)
            signal.alarm(0)
            assert code in codes and message.startswith((f"error: {bad}: ", f"{out}: ")), message
            assert out.exists() == (code == 0), f"mutant {index}"
            out.unlink(missing_ok=True)
            codes[code] += 1
    print(f"{count} damaged MindIR files: {codes[1]} refused, {codes[0]} lowered, no traceback")


if __name__ == "__main__":
    main(int(sys.argv[1]))
