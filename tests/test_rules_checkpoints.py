"""Checkpoints, in every folder: what is no whole checkpoint of the network is one line of its own
kind, before anything is overwritten; where they lie, what they carry.
"""

import json
import os
import subprocess
import sys

import mindspore as ms
import pytest
from mindspore.train import serialization

from entry_points import assert_one_line, call
from folders import (
    BUILDING,
    CLASSIFIERS,
    NAMES,
    REPOSITORY,
    build_network,
    flags_of,
    import_from,
    load_config,
)
from places import CLASSES, Place, save_photo, save_wrong_checkpoints

KINDS = [
    "nowhere.ckpt",
    "truncated.ckpt",
    "random.ckpt",
    "empty.ckpt",
    "damaged.ckpt",
    "folder.ckpt",
    "torch.ckpt",
    "weights.safetensors",
    "renamed.bin",
    "other.ckpt",
    "nan.ckpt",
]
places = {}


@pytest.fixture(params=NAMES)
def place(request, tmp_path_factory):
    """A folder with small data and checkpoints of all kinds, once for each model folder."""
    if request.param not in places:
        root = tmp_path_factory.mktemp("it's a $place")
        place = Place(root, request.param)
        good = place.save_network()
        place.words = save_wrong_checkpoints(root, good)
        places[request.param] = place
    return places[request.param]


def files(root):
    return {path: path.stat().st_mtime_ns for path in root.rglob("*")}


@pytest.mark.parametrize("name", KINDS)
def test_wrong_checkpoint(place, name):
    before = files(place.root)
    for script, flags in (("eval.py", place.use), ("export.py", (*place.network, *place.cpu))):
        arguments = (*flags, "--checkpoint_path", name)
        code, _, err = call(place.folder, script, *arguments, cwd=place.root)
        if (script, name) == ("eval.py", "folder.ckpt") and place.flags.evaluates_folders:
            assert_one_line(code, err, "folder.ckpt: no *.ckpt")
            continue
        assert_one_line(code, err, name, place.words[name])
    assert files(place.root) == before


@pytest.mark.parametrize("name", ["nowhere.ckpt", "truncated.ckpt", "other.ckpt"])
def test_wrong_checkpoint_to_train_from(place, name):
    if place.detector:
        pytest.skip("its training wants MindRecord files; see test_nas_fpn_entry.py")
    for flag in ("--pre_trained", "--resume"):
        arguments = (*place.use, "--batch_size", "2", flag, name)
        code, _, err = call(place.folder, "train.py", *arguments, cwd=place.root)
        assert_one_line(code, err, name, place.words[name])


READ = """import sys
sys.path.insert(0, sys.argv[1])
from src.vendored.launch import run
from src.vendored import checkpoints
run(lambda: checkpoints.read_checkpoint("secret.ckpt"))
"""


@pytest.mark.parametrize("folder", NAMES)
def test_a_file_that_may_not_be_read(tmp_path, folder):
    (tmp_path / "secret.ckpt").write_bytes(bytes(100))
    (tmp_path / "secret.ckpt").chmod(0)
    program = [sys.executable, "-c", READ, str(REPOSITORY / folder)]
    if os.geteuid() == 0:  # Root may read everything, without this capability not.
        program = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *program]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True)
    assert_one_line(done.returncode, done.stderr, "secret.ckpt", "permission")


looks_at_memory = pytest.mark.skipif(
    not hasattr(serialization, "_get_available_memory"),
    reason="this MindSpore loads without a look at the free memory",
)


@looks_at_memory
def test_too_little_memory_is_no_damage(place, monkeypatch):
    checkpoints = import_from(place.folder, "src.vendored.checkpoints")
    monkeypatch.setattr(os, "sysconf", lambda name: 1)  # What MindSpore asks for free pages.
    with pytest.raises(ValueError, match="free memory"):
        checkpoints.read_checkpoint(place.root / "good.ckpt")


@looks_at_memory
def test_what_the_system_caches_is_no_lack_of_memory(place, monkeypatch):
    """MindSpore sees no free pages the first time; then the cache has made room."""
    checkpoints, asked, sysconf = (
        import_from(place.folder, "src.vendored.checkpoints"),
        [],
        os.sysconf,
    )

    def pages(name):
        asked.append(name)
        return 1 if asked.count("SC_AVPHYS_PAGES") == 1 else sysconf(name)

    monkeypatch.setattr(os, "sysconf", pages)
    assert checkpoints.read_checkpoint(place.root / "good.ckpt")
    assert asked.count("SC_AVPHYS_PAGES") > 1


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_the_record_travels_with_the_checkpoint(tmp_path, folder):
    """Network options and class names come from inside the file, or from the config.yaml beside it,
    and a flag goes first.
    """
    place = Place(tmp_path, folder)
    save = saver(place)
    (tmp_path / "elsewhere").mkdir()
    save(tmp_path / "elsewhere/alone.ckpt", inside=True)
    save(tmp_path / "beside.ckpt", inside=False)
    save_photo(tmp_path / "photos/val/zebra/z.jpg", (9, 9, 9))
    for path in ("elsewhere/alone.ckpt", "beside.ckpt"):
        arguments = (*place.data, "--checkpoint_path", path)
        code, out, err = call(folder, "eval.py", *arguments, cwd=tmp_path)
        assert_one_line(code, err, "'zebra'", "it knows 3 classes, 'ash', 'birch', 'cedar'")
        assert f"from {path if 'alone' in path else 'config.yaml'}: " in out
        code, _, err = call(folder, "eval.py", *arguments, "--class_num", "4", cwd=tmp_path)
        assert_one_line(code, err, path, "shape")


def saver(place):
    """A function that saves the small network with its record, inside or beside."""
    flags = place.network[len(flags_of(place.folder).network) :]
    network = build_network(place.folder, *flags)
    config_module = import_from(place.folder, flags_of(place.folder).config_module)
    config = load_config(place.folder, BUILDING, place.network)
    record = import_from(place.folder, "src.vendored.record")
    keys = [key for key in config_module.RECORDED if hasattr(config, key)]
    made = record.make_record(config, keys, list(CLASSES))

    def save(path, inside):
        if inside:
            import_from(place.folder, "src.vendored.checkpoints").save_checkpoint(
                network, path, made
            )
        else:
            ms.save_checkpoint(network, str(path))
            content = {**made["options"], "class_names": made["class_names"]}
            (path.parent / "config.yaml").write_text(json.dumps(content))

    return save


@pytest.mark.parametrize("folder", NAMES)
def test_the_umask_is_honoured(tmp_path, folder):
    checkpoints = import_from(folder, "src.vendored.checkpoints")
    record = {"options": {}, "class_names": None}
    before = os.umask(0o077)
    try:
        checkpoints.save_checkpoint(ms.nn.Dense(3, 4), tmp_path / "x.ckpt", record)
    finally:
        os.umask(before)
    assert (tmp_path / "x.ckpt").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("folder", NAMES)
def test_other_loaders_read_a_checkpoint_with_a_record(tmp_path, folder):
    checkpoints = import_from(folder, "src.vendored.checkpoints")
    network = ms.nn.Dense(3, 4)
    record = {"options": {"class_num": 4}, "class_names": ["é", "b\nc"]}
    checkpoints.save_checkpoint(network, tmp_path / "x.ckpt", record)
    other = ms.nn.Dense(3, 4)
    not_loaded, _ = ms.load_param_into_net(other, ms.load_checkpoint(str(tmp_path / "x.ckpt")))
    assert not not_loaded
    assert (other.weight.asnumpy() == network.weight.asnumpy()).all()
    read_record = import_from(folder, "src.vendored.record").read_record
    assert read_record(tmp_path / "x.ckpt")[0]["class_names"] == ["é", "b\nc"]
