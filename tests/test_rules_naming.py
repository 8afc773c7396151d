"""Checkpoints of other programs, in every folder: names with something before them, averages of
weights beside the weights, weights alone.
"""

import mindspore as ms
import numpy as np
import pytest

from folders import NAMES, build_network, import_from
from places import Place

PREFIXES = ("network.", "module.", "model.", "backbone.")


@pytest.fixture(params=NAMES, scope="module")
def loaded(request, tmp_path_factory):
    """(the folder's checkpoints module, its small network, {name: array} of its weights)."""
    place = Place(tmp_path_factory.mktemp("naming"), request.param)
    network = build_network(request.param, *place.building())
    values = {p.name: p.asnumpy().copy() for p in network.get_parameters()}
    return import_from(request.param, "src.vendored.checkpoints"), network, values


def save(values, path, prefix=""):
    entries = [{"name": prefix + name, "data": ms.Tensor(v)} for name, v in values.items()]
    ms.save_checkpoint(entries, str(path))
    return path


def assert_loads(loaded, path, **options):
    """Loaded into zeros, `network` has the weights again."""
    checkpoints, network, values = loaded
    for parameter in network.get_parameters():
        parameter.set_data(ms.ops.zeros_like(parameter))
    assert checkpoints.load_weights(network, path, **options) == []
    for parameter in network.get_parameters():
        np.testing.assert_array_equal(parameter.asnumpy(), values[parameter.name])


@pytest.mark.parametrize("prefix", [*PREFIXES, "module.model."])
def test_names_that_begin_with_more(loaded, prefix, tmp_path, capsys):
    path = save(loaded[2], tmp_path / "x.ckpt", prefix)
    capsys.readouterr()
    assert_loads(loaded, path)
    (line,) = capsys.readouterr().out.splitlines()
    assert line == f"{path}: its names begin with '{prefix}', which is left out"


def test_names_as_they_are_need_no_line(loaded, tmp_path, capsys):
    path = save(loaded[2], tmp_path / "x.ckpt")
    assert_loads(loaded, path)
    assert capsys.readouterr().out == ""


def test_names_that_lack_what_all_names_have(loaded, tmp_path, capsys):
    checkpoints, _, values = loaded
    if not all(name.startswith("network.") for name in values):
        pytest.skip("this network's names have nothing in common")
    bare = {name.removeprefix("network."): value for name, value in values.items()}
    assert_loads(loaded, save(bare, tmp_path / "x.ckpt"))
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("its names lack 'network.', which is put before them")
    assert_loads(loaded, save(bare, tmp_path / "y.ckpt", "module."))
    (line,) = capsys.readouterr().out.splitlines()
    assert "begin with 'module.', which is left out; they lack 'network.'" in line


def test_one_name_that_begins_otherwise_is_named(loaded, tmp_path):
    checkpoints, network, values = loaded
    odd = {f"module.{name}": value for name, value in values.items()}
    path = save({**odd, "stray": np.zeros(1, np.float32)}, tmp_path / "x.ckpt")
    with pytest.raises(Exception, match="is it a checkpoint of this network"):
        checkpoints.load_weights(network, path)


def test_averages_by_a_flag(loaded, tmp_path, capsys):
    checkpoints, network, values = loaded
    both = {name: value + 1 for name, value in values.items()}
    both |= {f"ema.{name}": value for name, value in values.items()}
    path = save(both, tmp_path / "x.ckpt")
    assert_loads(loaded, path, ema=True)
    assert f"{len(values)} averages of weights taken" in capsys.readouterr().out
    with pytest.raises(AssertionError):
        assert_loads(loaded, path)
    plain = save(values, tmp_path / "plain.ckpt")
    with pytest.raises(Exception, match="plain.ckpt: no entry is called 'ema.NAME'"):
        checkpoints.load_weights(network, plain, ema=True)
    # A checkpoint of this repository has the averages under the names already.
    ours = {**values, **{f"trained.{name}": value + 1 for name, value in values.items()}}
    assert_loads(loaded, save(ours, tmp_path / "ours.ckpt"), ema=True)
