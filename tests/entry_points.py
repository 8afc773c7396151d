"""Calls a folder's Python scripts as a user would: in this process where that is enough, or in
one of its own.
"""

import contextlib
import fcntl
import io
import os
import pty
import runpy
import struct
import subprocess
import sys
import termios
from unittest import mock

from folders import REPOSITORY, activate, take_ctrl_c, take_modules


def call(folder, script, *arguments, cwd):
    """(exit code, stdout, stderr) of `python script arguments` in `cwd`, without the seconds a
    new process takes.
    """
    path = REPOSITORY / folder / script
    activate(folder)
    kept = take_modules()  # The script imports its own, and reads its own command line.
    out, err, before, code = io.StringIO(), io.StringIO(), os.getcwd(), 0
    with (
        mock.patch.object(sys, "argv", [str(path), *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        os.chdir(cwd)
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as end:
            code = end.code or 0
        finally:
            os.chdir(before)
            take_ctrl_c()
            take_modules()
            sys.modules.update(kept)
    return code, out.getvalue(), err.getvalue()


def start(folder, script, *arguments, cwd, **environment):
    """The finished subprocess of `python script arguments` run in `cwd`, with MindSpore's log as
    the folder sets it.
    """
    inherited = {key: value for key, value in os.environ.items() if key != "GLOG_v"}
    return subprocess.run(
        [sys.executable, str(REPOSITORY / folder / script), *map(str, arguments)],
        cwd=cwd,
        text=True,
        capture_output=True,
        env={**inherited, **environment},
        timeout=600,
    )


def start_on_terminal(folder, script, *arguments, cwd):
    """(exit code, all that it prints) of `python script arguments` in `cwd`, on a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("4H", 40, 120, 0, 0))
    command = [sys.executable, str(REPOSITORY / folder / script), *map(str, arguments)]
    process = subprocess.Popen(command, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    printed = b""
    with contextlib.suppress(OSError):  # EIO: the other side is closed.
        while some := os.read(ours, 4096):
            printed += some
    os.close(ours)
    return process.wait(timeout=60), printed.decode()


def assert_one_line(code, err, *words):
    """The rule for wrong input: exit code 1, one line on stderr, which holds `words`."""
    lines = err.strip().splitlines()
    assert code == 1 and len(lines) == 1, (
        f"exit code 1 and one line wanted, got exit code {code} and: {err}"
    )
    assert lines[0].startswith("error: ")
    for word in words:
        assert str(word) in lines[0], lines[0]
