"""Runs scripts of a folder where MindSpore cannot be imported, all in one process:

    python tests/quick_answers.py FOLDER < calls.json > answers.json

A call is [script, argument, ...]; its answer [exit code, stdout and stderr, traceback or ""].
"""

import contextlib
import io
import json
import runpy
import sys
import traceback


class NoMindSpore:
    """A finder of modules that says so where MindSpore is asked for."""

    def find_spec(self, name, path=None, target=None):
        """None, which leaves a module to the other finders, but for MindSpore's."""
        if name.split(".")[0] == "mindspore":
            raise AssertionError(f"{name} is imported")


def answer(folder: str, script: str, arguments: list) -> list:
    """[exit code, what it prints, traceback] of `python script arguments`."""
    printed, code, trace = io.StringIO(), 0, ""
    sys.argv = [script, *arguments]
    sys.path[0] = folder
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            runpy.run_path(f"{folder}/{script}", run_name="__main__")
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            trace = traceback.format_exc()
    return [code, printed.getvalue(), trace]


def main(folder: str) -> None:
    """Answer the calls on stdin."""
    sys.meta_path.insert(0, NoMindSpore())
    answers = [answer(folder, script, arguments) for script, *arguments in json.load(sys.stdin)]
    print(json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1])
