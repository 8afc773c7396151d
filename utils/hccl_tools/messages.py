"""Lines for whoever runs the tools: one line each, whatever stands in the names in them."""

import re
import sys
from typing import NoReturn

# Control characters, and what stands for bytes that are no text.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def printable(text: object) -> str:
    """`text` in one line, with escapes such as \\n for what no terminal should get."""
    return UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], str(text))


def fail(message: str) -> NoReturn:
    """End the program with one line on stderr and exit code 1."""
    sys.exit("error: " + printable(message))


def warn(message: str) -> None:
    """One line on stderr; the program goes on."""
    print("warning: " + printable(message), file=sys.stderr)
