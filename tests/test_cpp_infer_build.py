"""How the C++ programs are built: what a warning does, and what an old compiler is told."""

import json
import shlex
import shutil
import subprocess

import pytest

import cpp_infer_tools as cpp


@pytest.fixture
def program(tmp_path):
    """A program whose source makes the compiler warn."""
    folder = tmp_path / "program"
    shutil.copytree(cpp.REPOSITORY / "tests" / "cpp_infer_pixels", folder)
    (folder / "main.cc").write_text("int main() {\n  int unused = 0;\n}\n")
    return folder


@pytest.mark.parametrize("option, fails", [("ON", True), ("OFF", False), (None, False)])
def test_warnings_end_a_build_only_where_asked(program, option, fails):
    options = [f"-DCPP_INFER_WERROR={option}"] if option else []
    result = cpp.configure(program, "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", *options)
    assert result.returncode == 0, result.stderr
    commands = json.loads((program / "out" / "compile_commands.json").read_text())
    (entry,) = [entry for entry in commands if entry["file"] == str(program / "main.cc")]
    command = shlex.split(entry["command"])
    result = subprocess.run(command, cwd=entry["directory"], capture_output=True, text=True)
    assert "unused variable" in result.stderr and (result.returncode != 0) == fails


def test_tests_build_without_warnings():
    cache = (cpp.pixels().parent / "CMakeCache.txt").read_text()
    assert "CPP_INFER_WERROR:BOOL=ON" in cache


def test_old_compiler(program):
    """A compiler that is told to read C++11 stands for one that knows no later standard."""
    compiler, real = program / "g++", shutil.which("g++")
    compiler.write_text(f'#!/bin/bash\nexec {real} "${{@/#-std=*/-std=c++11}}"\n')
    compiler.chmod(0o755)
    for attempt in (1, 2):
        result = cpp.configure(program, CXX=str(compiler))
        lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
        assert result.returncode != 0 and len(lines) == 1, (attempt, result)
        assert f"{compiler} (GNU " in lines[0] and "install GCC 9, Clang 9" in lines[0]
    compiler.write_text(f'#!/bin/bash\nexec {real} "$@"\n')
    assert cpp.configure(program).returncode == 0, "the compiler is another one now"
