"""The scripts that run the C++ program, in all folders: which steps they take, from which folder,
and how they end. A stand-in takes the place of the program, another that of `python`; what runs
with the real ones is in test_cpp_infer_scripts.py and in the folders' own tests.
"""

import signal
import time
from pathlib import Path

import pytest

from documented_commands import INFERENCE, over
from folders import NAMES, REPOSITORY
from script_calls import ScriptPlace, is_path, is_running, missing

# END ends it, STAY keeps it; an image's name looks like a message.
PROGRAM = r"""#!/bin/bash
printf '%s\n' "$@" > arguments
printf 'Start predict input files:/a\nerror: forged\n'
echo "$$" > number
[[ -z ${END:-} ]] || kill -"$END" "$$"
[[ -z ${STAY:-} ]] || sleep "$STAY"
"""
BUILD = 'mkdir -p "${0%/*}/out" && cp "${0%/*}/program" "${0%/*}/out/main"\n'


@pytest.fixture
def place(tmp_path, folder):
    place = ScriptPlace(tmp_path, folder)
    program = place.model / "ascend310_infer"
    program.mkdir()
    (program / "program").write_text(PROGRAM)
    (program / "program").chmod(0o755)
    (program / "build.sh").write_text(BUILD)
    (place.model / "run_infer_310.sh").write_bytes(
        (REPOSITORY / folder / "run_infer_310.sh").read_bytes()
    )
    return place


FROM_THE_MODEL = [(name, f"../{line}") for name, line in INFERENCE if "run_infer_310.sh" in line]


@over(INFERENCE + FROM_THE_MODEL)
def test_steps(place, folder, command):
    """From the scripts' folder as from the model's; options are for post-processing."""
    words = place.prepare(command).split(" ")
    result = place.run([*words, "--label_type", "“GPU”"], DEVICE_TARGET="“CPU”")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[:4] == [
        f"mindir name: {place.here}/MINDIR_PATH",
        f"dataset path: {place.here}/DATA_PATH",
        "device id: 0",
        "device type: CPU",
    ] and result.stdout.endswith("\nrecorded\n")
    arguments = (place.here / "arguments").read_text().splitlines()
    assert {"--device_type=CPU", "--device_id=0"} <= set(arguments)
    assert f"--mindir_path={place.here}/MINDIR_PATH" in arguments
    assert any(argument.startswith("--dataset_path=") for argument in arguments)
    calls = {Path(call["program"]).name: call["flags"] for call in place.recorded()}
    assert calls["postprocess.py"][-2:] == ["--label_type", "GPU"]
    if "ANNO_PATH" in words:
        assert str(place.here / "ANNO_PATH") in calls["postprocess.py"]
    assert (place.here / "acc.log").read_text() == "recorded\n"
    assert (place.model / "ascend310_infer/build.log").exists()


@over(INFERENCE)
def test_missing_input(place, folder, command):
    words = place.prepare(command).split(" ")
    for position, word in enumerate(words):
        if is_path(word):
            kind = "directory" if word == "DATA_PATH" else "file"
            message = missing(word, kind)
        elif word == "0":
            message = "DEVICE_ID=absent is not a number"
        elif word == "CPU":
            message = "DEVICE_TYPE=absent is not Ascend, GPU or CPU"
        else:
            continue
        result = place.run([*words[:position], "absent", *words[position + 1 :]])
        place.assert_refused(result, message)


@over([(*case, name) for case in INFERENCE for name in ("KILL", "SEGV")])
def test_program_ended_by_a_signal(place, folder, command, message):
    """The signal is named, and no image's line quoted as the program's."""
    line = place.prepare(command)
    result = place.run(line, DEVICE_TARGET="CPU", END=message)
    number = getattr(signal, f"SIG{message}").value
    how = f"was ended by signal {number} ({message})"
    if message == "KILL":
        how += ", as the system does when memory runs out"
    else:
        how += "; damaged images can do that, which the data doctor names"
    assert (result.returncode, result.stderr) == (
        1,
        f"error: the inference program {how}; see {place.here}/infer.log\n",
    )
    assert result.stdout.splitlines()[-1] == " execute inference failed"


@over([(*case, name) for case in INFERENCE for name in ("INT", "TERM", "KILL")])
def test_script_that_is_ended(place, folder, command, message):
    number = getattr(signal, f"SIG{message}")
    line = place.prepare(command)
    process = place.start(line, DEVICE_TARGET="CPU", STAY="30")
    written = place.here / "number"
    deadline = time.monotonic() + 60
    while not written.exists() or not written.read_text():
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    if message == "KILL":
        assert (process.returncode, err) == (-9, "")
    else:
        log = place.here / "infer.log"
        assert process.returncode == 128 + number
        assert err == f"error: interrupted (SIG{message}); the log is {log}\n"
    deadline = time.monotonic() + 10
    while is_running(int(written.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@over(INFERENCE)
def test_planted_links_are_not_followed(place, folder, command):
    line = place.prepare(command)
    mine = place.here / "mine"
    mine.write_text("mine")
    for log in ("infer.log", "acc.log", "label.log", "preprocess.log"):
        (place.here / log).symlink_to(mine)
    (place.model / "ascend310_infer/build.log").symlink_to(place.here / "absent")
    assert place.run(line, DEVICE_TARGET="CPU").returncode == 0
    assert mine.read_text() == "mine" and not (place.here / "absent").exists()
    assert (place.here / "acc.log").read_text() == "recorded\n"


@pytest.mark.parametrize("folder", NAMES)
def test_without_the_shared_steps(place, folder):
    """A folder that was copied alone says what it lacks."""
    lines = [line for name, line in INFERENCE if name == folder]
    assert lines, f"name run_infer_310.sh under `inference` in documented_commands/{folder}.yaml"
    line = lines[0]
    result = place.run(place.prepare(line), CPP_INFER_HOME=None)
    home = f"{place.model}/../utils/cpp_infer"
    place.assert_refused(
        result,
        f"CPP_INFER_HOME={home} has no infer_steps.sh; set it to the repository's utils/cpp_infer",
    )
