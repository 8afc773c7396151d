"""What the shell scripts of all folders start, with which arguments, and what they refuse.

A stand-in `python`, first on PATH, writes down how it was called: the scripts' own work, without
training. Everything else is real.
"""

import json
import os
import socket

import pytest

from documented_commands import COMMANDS, INFERENCE, SCRIPTS, TABLES, over, samples
from folders import NAMES, REPOSITORY, flags_of
from script_calls import FOLDERS, OUTPUTS, ScriptPlace, is_path, missing, values_of

REFUSED = [(f, row["command"], row["message"]) for f in NAMES for row in TABLES[f]["refused"]]
MISCOUNTED = [(folder, line) for folder in NAMES for line in TABLES[folder]["miscounted"]]
TABLE_USERS = [(f, command) for f, command in COMMANDS if "RANK_TABLE_FILE" in command.line]


def expected(place, text):
    """A word of the table as the program gets it."""
    if text == "CPUS":
        return str(max(1, len(os.sched_getaffinity(0)) // 2))
    return str(place.here / text) if text and is_path(text) else text


def test_lines_fit():
    for script in {*REPOSITORY.glob("*/*.sh"), *REPOSITORY.glob("*/*/*.sh")}:
        assert max(map(len, script.read_text().splitlines())) <= 100, script


@pytest.mark.parametrize("folder, script", SCRIPTS)
def test_every_script_has_a_documented_command(folder, script):
    lines = [command.line for name, command in COMMANDS if name == folder]
    lines += TABLES[folder]["inference"]
    assert script in {line.split(" ")[0] for line in lines}, (
        f"add a row for {script} to tests/documented_commands/{folder}.yaml"
    )


@over(COMMANDS)
def test_what_a_command_starts(tmp_path, folder, command):
    place = ScriptPlace(tmp_path, folder)
    place.prepare(command.line)
    target = command.target or None
    result = place.run(command.line, DEVICE_TARGET=target, KEEP_TO_YOURSELF="unspoken")
    assert (result.returncode, result.stderr) == (0, "")
    calls = place.recorded()
    assert len(calls) == command.processes
    log = place.at(command.log.format(0))
    count = str(command.processes)
    environment = {"DEVICE_NUM": count, "RANK_SIZE": count}
    if count == "1":
        environment["RANK_ID"] = "0"
    environment.update(word.split("=") for word in command.environment.split())
    for call in calls:
        assert call["program"] == str(place.model / command.program)
        assert values_of(call["flags"]) == {
            flag: expected(place, value) for flag, value in values_of(command.flags.split()).items()
        }
        assert call["folder"] == str(log.parent)
        for name, value in environment.items():
            assert call["environment"][name] == expected(place, value), name
    for worker in range(command.processes if "{}" in command.log else 1):
        assert place.at(command.log.format(worker)).read_text() == "recorded\n"
    variables = log.with_name("env.log")
    if log.parent not in (place.here, place.model):
        assert f"DEVICE_NUM={count}\n" in variables.read_text()
        assert "mindspore=" in variables.read_text() and "unspoken" not in variables.read_text()


@over(COMMANDS)
def test_missing_input(tmp_path, folder, command):
    """Each path among the arguments before the flags, one after the other."""
    place = ScriptPlace(tmp_path, folder)
    place.prepare(command.line)
    words = command.line.split(" --")[0].split(" ")
    for position, word in enumerate(words):
        if is_path(word) and "/" not in word and word not in OUTPUTS:
            kind = "directory" if word in FOLDERS else "file"
            result = place.run([*words[:position], "absent", *words[position + 1 :]])
            if command.program == "eval.py" and flags_of(folder).evaluates_folders:
                message = "CKPT_LOCATION=absent is neither a folder nor a file"
            else:
                message = missing(word, kind)
            place.assert_refused(result, message)


@over(REFUSED)
def test_wrong_value(tmp_path, folder, command, message):
    place = ScriptPlace(tmp_path, folder)
    place.assert_refused(place.run(place.prepare(command)), message)


@pytest.mark.parametrize("folder, script", SCRIPTS)
def test_usage_on_wrong_number_of_arguments(tmp_path, folder, script):
    place = ScriptPlace(tmp_path, folder)
    place.prepare("")
    lines = [command.line for name, command in COMMANDS if name == folder]
    lines += [command for name, command, _ in REFUSED if name == folder]
    for arguments in ([], ["1"] * 9):
        if not arguments and any(line.split(" --")[0] == script for line in lines):
            continue
        result = place.run([script, *arguments])
        assert result.returncode == 1 and result.stderr.count("\n") == 1
        assert result.stderr.startswith(f"Usage: bash {script} ")
        assert place.content() == place.inputs


@over(MISCOUNTED)
def test_usage_on_a_number_of_arguments_between_two(tmp_path, folder, command):
    place = ScriptPlace(tmp_path, folder)
    result = place.run(place.prepare(command))
    assert result.returncode == 1 and result.stderr.startswith("Usage: bash ")
    assert not place.recorded()


@over(COMMANDS + [(folder, line) for folder, line in INFERENCE])
def test_a_name_cannot_look_like_a_message(tmp_path, folder, command):
    """A line end and a terminal's control sequence in the first argument are escaped."""
    place = ScriptPlace(tmp_path, folder)
    words = place.prepare(getattr(command, "line", command)).split(" ")
    if len(words) == 1 or words[1].startswith("--") or words[1] in OUTPUTS:
        return
    result = place.run([words[0], "a\nerror: forged\x1b[2J", *words[2:]])
    assert result.returncode == 1 and result.stderr.count("\n") == 1
    if "the selected dataset" not in result.stderr:
        assert r"a\nerror: forged\E[2J" in result.stderr
    assert "\x1b" not in result.stderr


@over(samples())
def test_curly_quotes_as_printed_in_the_documentation(tmp_path, folder, command):
    place = ScriptPlace(tmp_path, folder)
    line = f"{place.prepare(command.line)} --device_target “GPU”"
    assert place.run(line, DEVICE_TARGET="“CPU”").returncode == 0
    for call in place.recorded():
        assert "CPU" in call["flags"] and call["flags"][-2:] == ["--device_target", "GPU"]


@over(TABLE_USERS)
def test_rank_table_of_another_size(tmp_path, folder, command):
    place = ScriptPlace(tmp_path, folder)
    message = (
        "RANK_TABLE_FILE=RANK_TABLE_FILE lists 2 devices on {} server(s), this run is for"
        " DEVICE_NUM={} on each of NNODES={}; write a table that fits with hccl_tools.py and"
        " merge_hccl.py, or set DEVICE_NUM and NNODES"
    )
    line = place.prepare(command.line)
    if " 2 " not in line:  # else DEVICE_NUM is an argument
        place.assert_refused(place.run(line, DEVICE_NUM=None), message.format(1, 8, 1))
    halves = [{"device": [{"device_id": "0"}]}] * 2
    (place.here / "RANK_TABLE_FILE").write_text(json.dumps({"server_list": halves}))
    place.assert_refused(place.run(line), message.format(2, 2, 1))
    nodes = {"NNODES": "3", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    place.assert_refused(place.run(line, **nodes), message.format(2, 2, 3))


@over([case for case in samples() if case[1].processes == 2])
def test_wrong_nodes(tmp_path, folder, command):
    place = ScriptPlace(tmp_path, folder)
    line = place.prepare(command.line)
    for nodes, message in (
        ({"NNODES": "0"}, "NNODES=0 is not a number from 1 on"),
        ({"NNODES": "2", "NODE_RANK": "x"}, "NODE_RANK=x is not a number"),
        ({"NODE_RANK": "1"}, "NODE_RANK=1 is not below NNODES=1; nodes count from 0"),
        (
            {"NNODES": "2", "MASTER_PORT": "1"},
            "NNODES=2 nodes need MASTER_ADDR, an address of node 0, and MASTER_PORT, a free port"
            " there, the same on all nodes",
        ),
    ):
        place.assert_refused(place.run(line, **nodes), message)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"server_list": 5}', '{"server_list": [{}]}', "\0", "[" * 100000]
)
def test_damaged_rank_table(tmp_path, text):
    folder, command = TABLE_USERS[0]
    place = ScriptPlace(tmp_path, folder)
    place.prepare(command.line)
    (place.here / "RANK_TABLE_FILE").write_text(text)
    result = place.run(command.line)
    assert "RANK_TABLE_FILE=RANK_TABLE_FILE is not a whole rank table" in result.stderr
    place.assert_refused(result, result.stderr[len("error: ") : -1])


@over([case for case in samples() if case[1].processes == 2])
def test_wrong_number_of_devices_and_port_in_use(tmp_path, folder, command):
    place = ScriptPlace(tmp_path, folder)
    line = place.prepare(command.line)
    if " 2 " not in line and not line.endswith(" 2"):
        message = "DEVICE_NUM=0 is not a number from 1 on"
        place.assert_refused(place.run(line, DEVICE_NUM="0"), message)
    with socket.socket() as taken:
        taken.bind(("", 0))
        port = str(taken.getsockname()[1])
        place.assert_refused(
            place.run(line, MASTER_PORT=port),
            f"MASTER_PORT={port} is in use, or no port; give another, or leave it unset",
        )


@over(samples())
def test_missing_program(tmp_path, folder, command):
    place = ScriptPlace(tmp_path, folder)
    place.assert_refused(
        place.run(place.prepare(command.line), PYTHON="no-python"),
        "no-python is not on PATH; activate the environment that has requirements.txt, or set"
        " PYTHON",
    )


@over([(f, command) for f, command in COMMANDS if "train_gpu" in command.script])
def test_mpirun_where_it_is_installed(tmp_path, folder, command):
    place = ScriptPlace(tmp_path, folder)
    place.add_program("mpirun", '#!/bin/sh\nprintf "%s\\n" "$@"\n')
    assert place.run(place.prepare(command.line), DEVICE_TARGET=None).returncode == 0
    words = place.at(command.log).read_text().splitlines()
    if command.processes == 1:
        assert words == ["recorded"]
        return
    output = "log_output1" if folder == "resnest" else "log_output"
    documented = f"-n 2 --allow-run-as-root --output-filename {output} --merge-stderr-to-stdout"
    assert " ".join(words[:6]) == documented and words[6].endswith("python")
    assert "GPU" in words


def test_checkpoint_with_a_number_for_a_name(tmp_path):
    place = ScriptPlace(tmp_path, "mobilenetv1")
    (place.here / "5").touch()
    line = place.prepare("run_standalone_train_gpu.sh cifar10 DATASET_PATH 5")
    assert place.run(line).returncode == 0
    assert place.recorded()[0]["flags"][-2:] == ["--pre_trained", str(place.here / "5")]


def test_evaluation_of_what_was_trained_here(tmp_path):
    place = ScriptPlace(tmp_path, "fishnet99")
    (place.here / "ckpt_0").mkdir()
    assert place.run("run_eval.sh", DEVICE_TARGET=None).returncode == 0
    checkpoints = str(place.here / "ckpt_0")
    flags = ["--checkpoint_path", checkpoints, "--device_type", "GPU"]
    assert place.recorded()[0]["flags"] == flags
