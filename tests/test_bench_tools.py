"""What the benchmarks are built on: engines that answer, results that are kept."""

import subprocess
import sys

import pytest

from test_smoke_tools import BENCH, one_error, python


def test_engines_are_asked_and_only_mindspore_is_held_back_from_avx512(tmp_path):
    side = tmp_path / "side.py"
    side.write_text(
        f"import os, sys; sys.path.insert(0, {str(BENCH)!r}); import answering, numpy\n"
        "print('a library speaks')\n"
        "isa = os.environ.get('ONEDNN_MAX_CPU_ISA')\n"
        "answering.serve({str(isa): lambda: [numpy.zeros(3)]})\n"
    )
    code = (
        f"sys.path.insert(0, {str(BENCH)!r}); from engines import Engine, Failure, take_turns;"
        "from pathlib import Path; command = [sys.executable, sys.argv[1]];"
        "work = Path(sys.argv[2]); ours = Engine('a b', command, work, 'AVX2');"
        "others = Engine('c', command, work);"
        "print(ours.ask('calls'), others.ask('calls'), ours.ask('outputs', 'AVX2', 'file'));"
        "print(float(ours.ask('memory')) > 1, len(take_turns({1: ours}, 'AVX2', True)[1]))\n"
        "try: others.ask('outputs', 'nothing', 'file')\n"
        "except Failure as failure: print(failure)"
    )
    done = python(code, side, tmp_path, ONEDNN_MAX_CPU_ISA="AVX2")
    told = f"c: exit code 1: KeyError: 'nothing'; {tmp_path / 'c.log'}"
    assert done.stdout == f"AVX2 None 1\nTrue 1\n{told}\n", done
    assert (tmp_path / "file.0.npy").is_file()


@pytest.mark.parametrize("name", ["bench", "report", "mindspore_side", "operator_times"])
def test_benchmarks_say_which_arguments_they_take(name):
    script = BENCH / f"{name}.py"
    done = subprocess.run(
        [sys.executable, script, *"12345678"[: 8 if name != "bench" else 1]],
        capture_output=True,
        text=True,
    )
    assert f"expected: {script}" in one_error(done)


def test_results_replace_those_of_their_folder_and_kind_of_machine_alone():
    code = (
        f"sys.path.insert(0, {str(BENCH)!r}); import report;"
        "kept = {'avx512': {'a': 1, 'b': 2}, 'other': {'a': 3}};"
        "new = {'kind': 'other', 'of': 4};"
        "assert report.merge(kept, [('a', new)]) == {**kept, 'amx': {}, 'other': {'a': new}};"
        "assert kept['other'] == {'a': 3}"
    )
    done = python(code)
    assert done.returncode == 0, done.stderr


def test_goals_that_are_missed_stand_out():
    code = f"""
import sys; sys.path.insert(0, {str(BENCH)!r}); import goals
names = ("PyTorch", "MindSpore", "onnxruntime", "onnxruntime int8", "OpenVINO", goals.LITE)
def timed(*ratios): return dict(zip(names, ({{"ratio": ratio}} for ratio in ratios)))
images = {{"MindSpore": {{"ratio": 0.5, "images": 16}}, "PyTorch": {{"ratio": 1, "images": 32}}}}
results = {{
    "times": {{
        "forward-1": timed(1, 1.004, 0.4, 0.23, 0.5, 0.39),
        "step": timed(1, 1.05),
    }},
    "images": {{"evaluation": images}},
    "first_step": [10, 3],
}}
header, rows = goals.table({{"resnest": results, "mnasnet": results}})
print(header); [print(*row, sep="|") for row in rows]
"""
    done = python(code)
    assert done.stdout.splitlines() == [
        "['ratio of times', 'at most', 'mnasnet', 'resnest']",
        "one image: MindSpore / PyTorch|1.00|1.00|1.00",
        "one image: MindSpore Lite, C++ / the faster of onnxruntime and OpenVINO|0.95|**0.97**|"
        "**0.97**",
        "one image: onnxruntime int8 / float32|0.56|**0.57**|**0.57**",
        "evaluation: MindSpore / PyTorch|1.00|1.00|1.00",
        "start of training: second / first|0.40|0.30|0.30",
        "training step: MindSpore / PyTorch|1.00 or 1.10|1.05|**1.05**",
    ], done.stderr
