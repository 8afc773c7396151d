"""`--compile_cache`, in every folder: a second start is quicker, and what it trains is the same."""

import os
import resource
from types import SimpleNamespace

import numpy as np
import pytest

from entry_points import start
from folders import NAMES, flags_of, import_from
from places import Place


@pytest.fixture(params=NAMES)
def module(request):
    return import_from(request.param, "src.vendored.compile_cache")


def test_another_step_has_another_name(module, tmp_path, monkeypatch):
    """One of another setting, rate, process or source, but not one that resumes elsewhere."""
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    source = tmp_path / "src/network.py"
    source.parent.mkdir()
    source.write_text("width = 1\n")
    settings, rates = {"seed": 1, "resume": "", "compile_cache": "a"}, np.array([0.1, 0.2])

    def key(rank=0, ranks=2, rates=rates, **options):
        return module._key(SimpleNamespace(**{**settings, **options}), rates, rank, ranks)

    first = key()
    assert first == key(resume="auto") == key(compile_cache="b")
    others = {key(seed=2), key(1), key(ranks=4), key(rates=rates * 2), key(drop_path=0.1)}
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "SSE41")
    others.add(key())
    monkeypatch.undo()
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    source.write_text("width = 2\n")
    others.add(key())
    assert len({first, *others}) == 8


def test_what_killed_starts_left_goes(module, tmp_path):
    old, new = tmp_path / ".unfinished_old", tmp_path / ".unfinished_new"
    for left in (old, new):
        (left / "rank_0").mkdir(parents=True)
    os.utime(old, (1, 1))
    module._remove_left(tmp_path)
    assert not old.exists() and new.exists()


@pytest.mark.slow
@pytest.mark.parametrize("folder", NAMES)
def test_starts_of_the_same_training(tmp_path, folder):
    """The first writes the cache, the second takes it, the third finds it damaged."""
    place = Place(tmp_path, folder, training=8 if flags_of(folder).detector else 4, evaluation=1)
    place.prepare_training()
    flags = (*place.use, "--batch_size", 2, "--epoch_size", 1, "--compile_cache", "cache")
    flags += (*place.flags.save_flags, "--clip_norm", 1, place.flags.save_flag, "run")
    weights, seconds = [], []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = start(folder, "train.py", *flags, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime - before.ru_utime)
        (checkpoint,) = (tmp_path / "run" / place.flags.saved).glob("*-1_*.ckpt")  # not the best
        weights.append(checkpoint.read_bytes())
        (cache,) = (tmp_path / "cache").iterdir()
        (graph,) = cache.rglob("*.mindir")
        if len(weights) == 2:
            os.truncate(graph, graph.stat().st_size // 2)
    assert weights[0] == weights[1] == weights[2]
    assert seconds[1] < 0.9 * seconds[0], seconds
