"""The data doctor goes on where an image ends its decoder, and names it."""

import os
import signal
import subprocess

import pytest

from folders import CLASSIFIERS, import_from
from image_files import encoded, picture


@pytest.fixture(params=CLASSIFIERS)
def probe(request):
    return import_from(request.param, "src.vendored.probe")


def test_what_a_run_would_make_of_each(probe, tmp_path):
    contents = {
        "a.jpg": encoded(picture(48, 40)),
        "b\nerror: x.jpg": encoded(picture(48, 40))[:-2],
        "c.png": encoded(picture(40, 30), "PNG"),
        "d.png": encoded(picture(40, 30), "PNG").replace(b"IDAT", b"IDAX"),
        "e.jpg": encoded(picture(56, 40)),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    paths = [str(tmp_path / name) for name in (*contents, "nowhere.jpg")]
    found = list(probe.decoded(paths))
    assert [path for path, _ in found] == paths
    a, b, c, d, e, nowhere = (result for _, result in found)
    assert (a, c, e) == ((48, 40), (40, 30), (56, 40))
    for path, line in ((paths[1], b), (paths[3], d), (paths[5], nowhere)):
        assert line.startswith(f"{path}: ")


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGSEGV, signal.SIGSTOP])
def test_it_goes_on_behind_what_ends_it(tmp_path, monkeypatch, ending):
    """Real signals to the process that decodes: no image that passes is known to end it."""
    probe = import_from(CLASSIFIERS[0], "src.vendored.probe")
    (tmp_path / "large.jpg").write_bytes(encoded(picture(3000, 2000), quality=50))
    paths = [str(tmp_path / "large.jpg")] * 20
    results = probe.decoded(paths)
    found = [next(results)[1]]
    monkeypatch.setattr(probe, "HANG", 30.0)
    command = ["pgrep", "-P", str(os.getpid()), "-f", "src.vendored.probe"]
    process = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    os.kill(int(process), ending)
    found += [result for _, result in results]
    assert len(found) == 20
    (line,) = [result for result in found if result != (3000, 2000)]
    how = "(SIGSEGV)" if ending == signal.SIGSEGV else "for over 30 seconds"
    assert line.startswith(f"{paths[0]}: this image ") and how in line
