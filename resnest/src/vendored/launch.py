# Copied from utils/vendored/launch.py by `make vendor`: change it there.
"""What comes before everything else: the environment that MindSpore reads, and errors in one line.

Imported before NumPy and MindSpore: threads that they start inherit what is set here.
"""

import _thread
import os
import platform
import re
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2]  # the model folder
LONGEST_MESSAGE = 2000  # characters
RESUME_HINT = "go on with --resume auto"
WAITER = "waits for Ctrl-C"


class UserError(ValueError):
    """Wrong input. The message says in one line what is wrong, where, and what to do."""


def run(main, when_interrupted="run it again"):
    """The result of `main()`. Wrong input ends the program with one line on stderr and exit code 1.

    Ctrl-C ends it with `when_interrupted` in the line, and exit code 130. Anything else keeps its
    traceback: it is a fault of the program.
    """
    try:
        return main()
    except KeyboardInterrupt:
        fail(f"interrupted; what was written is whole: {when_interrupted}", 130)
    except Exception as error:
        message = _explanation(error)
        if message is None:
            raise
        fail(message)


def fail(message, code=1):
    """End the program with the line `error: message` on stderr."""
    print(f"error: {printable(str(message))[:LONGEST_MESSAGE]}", file=sys.stderr, flush=True)
    sys.exit(code)


def printable(text):
    """`text` with control characters, line ends and bytes that are no text written as escapes."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def _explanation(error):
    """The line for an exception that comes of wrong input; None for any other."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, MemoryError):
        return "out of memory; lower --batch_size, or use a machine with more"
    if isinstance(error, OSError) and error.errno is not None:
        return f"{error.strerror}: {error.filename or 'while reading or writing'}"
    if isinstance(error, RuntimeError):
        return passed_on(error)
    if isinstance(error, ValueError):
        # Raised by this folder's own code, not by a library that it calls.
        raised_in = Path(traceback.extract_tb(error.__traceback__)[-1].filename).resolve()
        return " ".join(str(error).split()) if FOLDER in raised_in.parents else None
    return None


def passed_on(error):
    """The message of the UserError that a Python function raised in a data pipeline, which passes
    it on as the text of its traceback; None where the RuntimeError `error` comes of something else.
    """
    found = re.search(r"^(?:\w+\.)*UserError: (.+)$", str(error), re.MULTILINE)
    return found.group(1) if found else None


def integer_variable(name, default):
    """The environment variable `name` as an int, `default` where it is not set or empty."""
    return int(os.environ.get(name) or default)


def _check_variables():
    # MindSpore parses DEVICE_ID when it is imported, and aborts on what it cannot read.
    for name in ("DEVICE_ID", "DEVICE_NUM", "RANK_ID", "RANK_SIZE"):
        text = os.environ.get(name, "")
        if text and not re.fullmatch("[0-9]{1,4}", text):
            fail(
                f"the environment variable {name}={text} is not a number from 0 to 9999; unset it,"
                " or use the scripts"
            )


def _explain_missing_package(kind, error, trace):
    if issubclass(kind, ImportError) and not (error.name or "src").startswith("src"):
        requirements = printable(str(FOLDER / "requirements.txt"))
        print(
            f"error: {printable(str(error))}: install what this folder needs, python -m pip install"
            f" -r '{requirements}'",
            file=sys.stderr,
        )
    else:
        sys.__excepthook__(kind, error, trace)


def _interrupt_on_sigint():
    """Ctrl-C raises KeyboardInterrupt in the main thread, whoever installs handlers for it.

    MindSpore's data pipeline installs one that ends the process by SIGTERM, without a word.
    """

    def wait():
        signal.sigwait({signal.SIGINT})
        _thread.interrupt_main()
        time.sleep(10)  # The main thread may wait in C++ for what never comes.
        os._exit(130)

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    if all(thread.name != WAITER for thread in threading.enumerate()):
        threading.Thread(target=wait, name=WAITER, daemon=True).start()


for stream in (sys.stdout, sys.stderr):
    # A path may hold what the terminal's encoding has no letter for; a number must not be lost.
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
if platform.machine() in ("x86_64", "AMD64"):
    # With AVX-512, MindSpore's oneDNN falls to reference convolutions, 50 to 100 times slower.
    os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
# Errors arrive as exceptions; the log would repeat them with C++ stacks.
os.environ.setdefault("GLOG_v", "4")
_check_variables()
sys.excepthook = _explain_missing_package
if threading.current_thread() is threading.main_thread():
    _interrupt_on_sigint()
