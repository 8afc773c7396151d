"""Where the shell scripts of all folders run a job: what an earlier run left there, what somebody
else put there, and folders that cannot be written.
"""

import os
import subprocess

import pytest

from documented_commands import COMMANDS, over, samples
from script_calls import OUTPUTS, ScriptPlace, is_path, values_of

HAS_FOLDER = [
    (folder, command)
    for folder, command in COMMANDS
    if "/" in command.log.removeprefix("MODEL/") and "--resume" not in command.line
]


@over(HAS_FOLDER)
def test_inputs_in_the_run_folder_are_found(tmp_path, folder, command):
    """An earlier run's folder is put aside, and with it what the new run is to read from it.

    The paths are given as seen from the current folder, round about, or through a link.
    """
    place = ScriptPlace(tmp_path, folder)
    place.prepare(command.line)
    old = [place.at(command.log.format(worker)).parent for worker in (0, command.processes - 1)]
    spellings = []
    for number, run_folder in enumerate(old):
        (run_folder / "kept").mkdir(parents=True, exist_ok=True)
        (place.here / f"link{number}").symlink_to(run_folder / "kept")
        direct = os.path.relpath(run_folder / "kept", place.here)
        spellings += [direct, f"{direct}/../kept", f"link{number}"]
    words = f"{command.line} --onnx_path OTHER_FILE --any_file=OTHER_FILE".split()
    for position, word in enumerate(words):
        flag, equals, value = word.rpartition("=")
        if is_path(value) and value not in OUTPUTS:
            spelling = spellings[position % len(spellings)]
            place.make(place.here / spelling / value.split("/")[0])
            words[position] = f"{flag}{equals}{spelling}/{value}"
    outputs = os.path.relpath(old[0] / "kept", place.here)
    result = place.run([*words, "--save_checkpoint_path", outputs], DEVICE_TARGET=command.target)
    assert (result.returncode, result.stderr) == (0, "")
    for call in place.recorded():
        values = values_of(call["flags"])
        assert os.path.realpath(values.pop("--save_checkpoint_path")) == str(old[0] / "kept")
        table = call["environment"].get("RANK_TABLE_FILE")
        inputs = [value for value in [*values.values(), table] if value and "kept" in value]
        assert len(inputs) == sum("/" in word for word in words)
        for path in inputs:
            assert any(path.startswith(f"{run_folder}.1/kept/") for run_folder in old), path
            assert os.path.exists(path.replace("instances_{}.json", ""))


@over(samples())
def test_earlier_runs_are_kept_and_resumed(tmp_path, folder, command):
    place = ScriptPlace(tmp_path, folder)
    line = place.prepare(command.line)
    log = place.at(command.log.format(0))
    kept = log if log.parent in (place.here, place.model) else log.parent

    def earlier(number):
        return kept.with_name(f"{kept.name}.{number}") / os.path.relpath(log, kept)

    place.run(line)
    log.write_text("first\n")
    place.run(f"{line} --resume False")
    assert earlier(1).resolve().read_text() == "first\n" and log.read_text() == "recorded\n"
    result = place.run(line)
    assert earlier(2).resolve().read_text() == "recorded\n" and log.read_text() == "recorded\n"
    assert f"kept from an earlier run: {kept.name}.2\n" in result.stdout.replace(
        f"{kept.parent}/", ""
    )
    result = place.run(f"{line} --resume auto")
    assert log.read_text() == "recorded\n" * 2 and "kept from" not in result.stdout
    assert not earlier(3).exists()
    resumed = [call["flags"][-2:] == ["--resume", "auto"] for call in place.recorded()]
    assert sum(resumed) == command.processes


@over(samples())
def test_planted_links_are_not_followed(tmp_path, folder, command):
    """Neither a link in the place of a log or folder, nor one in a folder that is resumed."""
    place = ScriptPlace(tmp_path, folder)
    line = place.prepare(command.line)
    log = place.at(command.log.format(0))
    owned = log if log.parent in (place.here, place.model) else log.parent
    mine, absent = tmp_path / "mine", tmp_path / "absent"
    mine.mkdir() if owned != log else mine.write_text("mine")
    for target in (mine, absent):
        owned.symlink_to(target)
        assert place.run(line).returncode == 0
        assert log.read_text() == "recorded\n" and not log.is_symlink()
        assert not absent.exists()
        assert mine.read_text() == "mine" if mine.is_file() else not list(mine.iterdir())
        subprocess.run(["rm", "-rf", owned], check=True)
    log.parent.mkdir(exist_ok=True)
    (tmp_path / "log").write_text("mine")
    log.symlink_to(tmp_path / "log")
    result = place.run(f"{line} --resume auto")
    assert result.returncode == 1 and (tmp_path / "log").read_text() == "mine"
    assert result.stderr == (
        f"error: {log} cannot be written, or is a symbolic link; remove it, or change to another"
        " folder\n"
    )


@over([case for case in samples() if "MODEL" not in case[1].log])
def test_folder_that_cannot_be_written(tmp_path, folder, command):
    """/proc takes no new files from anyone, root included."""
    place = ScriptPlace(tmp_path, folder)
    words = place.prepare(command.line).split(" ")
    words = [str(place.here / word) if is_path(word) else word for word in words]
    result = place.run(words, cwd="/proc")
    assert result.returncode == 1 and result.stderr.count("\n") == 1
    log = f"/proc/{command.log.format(0)}"
    if "/" in command.log:
        message = f"cannot make the run folder {os.path.dirname(log)}; change to"
    else:
        message = f"{log} cannot be written"
    assert result.stderr.startswith(f"error: {message}")
    assert not place.recorded()


FULL_DISK = """
mount -t tmpfs -o size=64k none {0} && cd {0} && head -c 1M /dev/zero > filler 2> /dev/null
exec "$@"
"""


@over([case for case in samples() if "MODEL" not in case[1].log])
def test_full_disk(tmp_path, folder, command):
    """In a mount namespace of its own, where the current folder is a small disk that is full."""
    (tmp_path / "disk").mkdir()
    script = FULL_DISK.format(tmp_path / "disk")
    prefix = ["unshare", "--mount", "--map-root-user", "bash", "-c", script, ""]
    if subprocess.run([*prefix, "true"], check=False).returncode:
        pytest.skip("this machine gives no mount namespaces")
    place = ScriptPlace(tmp_path / "place", folder)
    words = place.prepare(command.line).split(" ")
    words = [str(place.here / word) if is_path(word) else word for word in words]
    result = place.run(words, prefix=prefix)
    assert result.returncode > 0 and result.stderr.count("\n") == 1, result.stderr
    if "/" in command.log:
        assert result.stderr.endswith("/env.log cannot be written; is the disk full?\n")
    else:
        assert "; its disk is full" in result.stderr
