"""Mixed and erased images, in every classifier: against NumPy, and after a resume."""

from types import SimpleNamespace

import mindspore as ms
import numpy as np
import pytest

from folders import CLASSIFIERS, import_from

N, C, SIDE, CLASSES = 6, 3, 20, 4


@pytest.fixture(params=CLASSIFIERS)
def mixing(request):
    return import_from(request.param, "src.vendored.mixing")


def a_batch():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(N, C, SIDE, SIDE)).astype(np.float32)
    return images, rng.integers(0, CLASSES, N).astype(np.int32)


def test_mixup(mixing):
    images, labels = a_batch()
    mixed, pairs = mixing.Mixing(mixup=0.4)((images, labels), np.random.default_rng(5))
    assert mixed.dtype == pairs.dtype == np.float32 and pairs.shape == (N, 3)
    share = pairs[0, 2]
    assert 0 < share < 1 and (pairs[:, 2] == share).all()
    np.testing.assert_array_equal(pairs[:, 0], labels)
    for number in range(N):
        # What is left when its own part is taken away is another image of the batch.
        rest = (mixed[number] - share * images[number]) / (1 - share)
        distance = np.abs(images - rest).reshape(N, -1).max(axis=1)
        assert distance.min() < 1e-4 and pairs[number, 1] == labels[distance.argmin()]


def test_cutmix(mixing):
    images, labels = a_batch()
    for seed in range(20):
        mixed, pairs = mixing.Mixing(cutmix=1.0)((images, labels), np.random.default_rng(seed))
        own = (mixed == images).all(axis=1)
        for number in range(N):
            same = [(mixed[number] == image).all(axis=0) for image in images]
            others = [other for other in range(N) if (own[number] | same[other]).all()]
            assert pairs[number, 1] in labels[others]
            if not own[number].all():
                rows, columns = np.nonzero(~own[number])
                part = np.ptp(rows) + 1, np.ptp(columns) + 1
                assert part[0] * part[1] == len(rows)  # It is a rectangle.
                assert pairs[number, 2] == pytest.approx(1 - len(rows) / SIDE**2, abs=1e-6)


def test_both_take_turns(mixing):
    batch, kinds = a_batch(), []
    for seed in range(40):
        mixed, _ = mixing.Mixing(1.0, 1.0)(batch, np.random.default_rng(seed))
        known = np.isin(mixed, batch[0])
        kinds.append(known.all())
    assert 10 < sum(kinds) < 30


def test_erasing(mixing):
    images, labels = a_batch()
    images[:] = 5  # which noise hardly is
    erased, shares, ratios = 0, [], []
    for seed in range(60):
        changed, same = mixing.Mixing(erasing=0.5)((images, labels), np.random.default_rng(seed))
        assert same is labels and (images == 5).all()
        for image in changed:
            rows, columns = np.nonzero((image != 5).all(axis=0))
            if len(rows):
                tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
                assert tall * wide == len(rows)
                erased, shares = erased + 1, [*shares, len(rows) / SIDE**2]
                ratios.append(tall / wide)
                noise = image[:, rows, columns]
                assert abs(noise.mean()) < 1.5 and len(np.unique(noise)) > noise.size / 2
    assert 140 < erased < 220  # of 360
    assert 0.01 < min(shares) < 0.08 and 0.25 < max(shares) < 0.36
    assert min(ratios) < 0.6 and max(ratios) > 1.7


def test_the_loss_of_a_mixed_batch():
    """It is the cross entropy against both classes, by their shares."""
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(N, CLASSES)).astype(np.float32)
    first, other, share = rng.integers(0, CLASSES, N), rng.integers(0, CLASSES, N), 0.3
    target = share * np.eye(CLASSES)[first] + (1 - share) * np.eye(CLASSES)[other]
    wanted = -(target * np.log(np.exp(logits) / np.exp(logits).sum(1, keepdims=True))).sum(1).mean()
    labels = np.stack([first, other, np.full(N, share)], axis=1).astype(np.float32)
    losses = import_from(CLASSIFIERS[0], "src.vendored.losses")
    got = losses.MixedLoss(ms.nn.CrossEntropyLoss())(ms.Tensor(logits), ms.Tensor(labels))
    assert float(got.asnumpy()) == pytest.approx(wanted, rel=1e-5)


def test_binary_cross_entropy():
    losses = import_from(CLASSIFIERS[0], "src.vendored.losses")
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 20, size=(N, CLASSES)).astype(np.float32)
    labels = rng.integers(0, CLASSES, N).astype(np.int32)
    target = np.eye(CLASSES)[labels]
    # log(1 + exp(x)) without overflow
    wanted = np.logaddexp(0, np.float64(logits)) - target * logits
    config = SimpleNamespace(bce=True, mixup=0.0, cutmix=0.0, teacher="")
    got = losses.chosen_loss(ms.nn.CrossEntropyLoss(), config)(ms.Tensor(logits), ms.Tensor(labels))
    assert float(got.asnumpy()) == pytest.approx(wanted.mean(), rel=1e-5)


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_a_resumed_run_draws_the_same(folder):
    epochs = import_from(folder, "src.vendored.epochs")
    mixing = import_from(folder, "src.vendored.mixing").Mixing(0.2, 1.0, 0.5)
    ds = ms.dataset
    images, labels = a_batch()

    def create(order):
        rows = [(images[number], np.asarray(labels[number])) for number in order]
        return ds.GeneratorDataset(rows, ["image", "label"], shuffle=False).batch(2)

    def batches(seed, start, every=0):
        source = epochs.Epochs(create, N, 2, seed)
        source.change = mixing
        source.go_on(start, every)
        return [batch for _ in range(start // 3, 2) for batch in source]

    whole, later, other = batches(1, 0), batches(1, 4), batches(2, 0)
    assert len(whole) == 6 and len(later) == 2
    for one, again in zip(whole[4:], later):
        np.testing.assert_array_equal(one[0], again[0])
        np.testing.assert_array_equal(one[1], again[1])
    assert all((one[0] != another[0]).any() for one, another in zip(whole, other))
    assert len({batch[1][0, 2] for batch in whole}) == 6
