"""RandAugment, in every folder that has it as an option: drawn from the seed, off unless given."""

import contextlib
import runpy

import numpy as np
import pytest

from folders import CLASSIFIERS, REPOSITORY, activate, flags_of, import_from, load_config
from places import Place

FOLDERS = [
    name for name in CLASSIFIERS if (REPOSITORY / name / "src/vendored/rand_augment.py").exists()
]


@pytest.fixture(params=FOLDERS)
def batches(request, tmp_path):
    """A function from flags to the first epoch's images, (N, 3, H, W)."""
    folder = request.param
    place = Place(tmp_path, folder, training=4, evaluation=1)
    activate(folder)
    groups = runpy.run_path(str(REPOSITORY / folder / "train.py"), run_name="not main")["GROUPS"]

    key = f"--{flags_of(folder).data_key}"  # --dataset_path is an alias of train.py
    use = [key if flag == "--dataset_path" else flag for flag in place.use]

    def read(*flags):
        with contextlib.chdir(tmp_path), contextlib.redirect_stdout(None):
            config = load_config(folder, groups, (*use, "--batch_size", "4", *flags))
            module = import_from(folder, flags_of(folder).dataset_module)
            dataset, _ = module.training_dataset(config)
            return np.concatenate([images for images, _ in dataset.source])

    return read


def test_the_seed_decides(batches):
    flags = ("--rand_augment", "15")
    whole = batches(*flags)
    assert whole.shape == (12, 3, 32, 32) and np.isfinite(whole).all()
    np.testing.assert_array_equal(whole, batches(*flags))
    assert (whole != batches(*flags, "--seed", "2")).any()


def test_it_is_one_operation_more_or_another(batches):
    plain, with_it = batches(), batches("--rand_augment", "15")
    assert plain.shape == with_it.shape
    changed = (plain != with_it).any(axis=(1, 2, 3))
    assert changed.sum() >= 8  # Identity is one of its operations.
    # The scale is that of normalised images still.
    assert abs(plain).max() / 2 < abs(with_it).max() < abs(plain).max() * 2
