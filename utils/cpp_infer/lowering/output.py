"""What leaves the tool: lines that show as they are, and files that appear whole."""

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

PREFIX = ".lower_mindir_"  # of files that are not whole yet
HEAD, TAIL = 1000, 500  # characters of a longer line that are shown


def printable(line: str) -> str:
    """`line` with control characters, line ends and bytes that are no text escaped, so that a name
    in a file cannot pass for a line of the tool's own; the middle of a very long one is left out.
    """
    shown = []
    for letter in line:
        code = ord(letter)
        if letter.isprintable():
            shown.append(letter)
        elif 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is not UTF-8
            shown.append(f"\\x{code - 0xDC00:02x}")
        else:
            shown.append(letter.encode("unicode_escape", "surrogatepass").decode("ascii"))
    text = "".join(shown)
    if len(text) <= HEAD + TAIL:
        return text
    left_out = len(text) - HEAD - TAIL
    return f"{text[:HEAD]}[... {left_out} characters ...]{text[-TAIL:]}"


def _remove_leftovers(folder):
    """Remove what runs that were killed have left in `folder`. A live one holds a lock on its
    file.
    """
    for name in os.listdir(folder):
        if not name.startswith(PREFIX):
            continue
        path = os.path.join(folder, name)
        with contextlib.suppress(OSError):  # Somebody else's, in use, or gone by now.
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                facts = os.fstat(handle)
                if stat.S_ISREG(facts.st_mode) and facts.st_uid == os.geteuid():
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(path)
            finally:
                os.close(handle)


def _locked_file(folder):
    """(descriptor, path) of a new file in `folder` that nobody can have foreseen."""
    while True:
        handle, path = tempfile.mkstemp(prefix=PREFIX, dir=folder)
        with contextlib.suppress(OSError):  # Some file systems have no locks.
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, path
        os.close(handle)  # Another run took it for a leftover before it was locked.


@contextlib.contextmanager
def whole_file(path: str) -> Iterator[BinaryIO]:
    """A binary file to write, which becomes `path` when the block ends and is gone if it fails.

    It has the permissions that the umask leaves, and is on disk before it takes its name.
    Raises OSError.
    """
    folder = os.path.dirname(os.path.abspath(path))
    _remove_leftovers(folder)
    handle, temporary = _locked_file(folder)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            mask = os.umask(0o077)
            os.umask(mask)
            os.fchmod(handle, 0o666 & ~mask)
            os.fsync(handle)
            os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def hand_on_record(source: str, target: str) -> None:
    """What export.py has written beside the file `source`, FILE.json, goes beside `target`, too;
    that of an earlier `target` goes. Raises OSError.
    """
    old, new = f"{source}.json", f"{target}.json"
    if os.path.realpath(old) == os.path.realpath(new):
        return
    if not os.path.isfile(old):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new)
        return
    with open(old, "rb") as record, whole_file(new) as file:
        file.write(record.read())
