"""`--cpu_bfloat16`, in every folder: it trains nearly the same weights, and says what it wants."""

import mindspore as ms
import numpy as np
import pytest

from entry_points import assert_one_line, start
from folders import NAMES, flags_of, import_from
from places import Place

HAS_BFLOAT16 = import_from(NAMES[0], "src.vendored.cpu_kernels").has_bfloat16()


def training(place, folder):
    flags = (*place.use, "--batch_size", 2, "--epoch_size", 1, *place.flags.save_flags)
    return (*flags, place.flags.save_flag, folder)


@pytest.fixture
def built(tmp_path, monkeypatch):
    """The kernels, in a cache of the tests' own."""
    monkeypatch.setenv("CPP_INFER_CACHE", str(tmp_path / "cache"))
    import_from(NAMES[0], "src.vendored.cpu_kernels").build()


@pytest.mark.slow
@pytest.mark.skipif(not HAS_BFLOAT16, reason="the processor has no bfloat16")
@pytest.mark.parametrize("folder", NAMES)
def test_training_in_bfloat16_is_nearly_that_in_float32(tmp_path, built, folder):
    place = Place(tmp_path, folder, training=8 if flags_of(folder).detector else 4, evaluation=1)
    place.prepare_training()
    weights = {}
    for name, value in (("float32", False), ("bfloat16", True)):
        # By small steps: with large ones, any rounding soon leads elsewhere.
        flags = (*training(place, name), "--clip_norm", 1e-3, "--cpu_bfloat16", value)
        done = start(folder, "train.py", *flags, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        (checkpoint,) = (tmp_path / name / place.flags.saved).glob("*-1_*.ckpt")
        weights[name] = ms.load_checkpoint(str(checkpoint))
    moved = [
        float(np.linalg.norm(value.asnumpy() - weights["float32"][key].asnumpy()))
        / float(np.linalg.norm(value.asnumpy()) + 1e-6)
        for key, value in weights["bfloat16"].items()
        if key.endswith(".weight") and value.asnumpy().ndim == 4
    ]
    assert max(moved) > 0 and np.median(moved) < 0.02, moved


@pytest.mark.slow
@pytest.mark.parametrize("folder", NAMES)
def test_without_the_kernels_nothing_is_written(tmp_path, monkeypatch, folder):
    place = Place(tmp_path, folder, training=4, evaluation=1)
    place.prepare_training()
    monkeypatch.setenv("CPP_INFER_CACHE", str(tmp_path / "none"))
    flags = (*training(place, "run"), "--cpu_bfloat16", True)
    done = start(folder, "train.py", *flags, cwd=tmp_path)
    assert_one_line(done.returncode, done.stderr, "--cpu_bfloat16")
    assert not list((tmp_path / "run").rglob("*.*"))
