"""What training does beside the documentation where it is asked to: against NumPy, and against the
same run without an interruption. The copies of the folders are the same, so one of them will do;
tests/test_rules_training.py trains every folder's own network so.
"""

import mindspore as ms
import numpy as np
import pytest

from folders import NAMES, build_network, import_from
from places import Place
from small_training import NumPyTraining, SmallTraining

ALL = {"accumulate_steps": 4, "clip_norm": 0.75, "ema_decay": 0.8}
CASES = {
    "averages": {"ema_decay": 0.8},
    "accumulation": {"accumulate_steps": 4},
    "clipping": {"clip_norm": 1.0},
    "all": ALL,
}
close = {"rtol": 1e-4, "atol": 1e-5}


@pytest.mark.parametrize(
    "case, scale", [("averages", 1.0), ("accumulation", 1.0), ("clipping", 1024.0), ("all", 1.0)]
)
def test_the_weights_are_those_of_numpy(tmp_path, case, scale):
    training = SmallTraining(NAMES[0], tmp_path, scale, **CASES[case])
    network, _ = training.train()
    wanted = NumPyTraining(training)
    for name, parameter in network.parameters_dict().items():
        np.testing.assert_allclose(parameter.asnumpy(), wanted.weights[-1][name], **close)
    if "clip_norm" in CASES[case]:
        assert min(wanted.norms) < CASES[case]["clip_norm"] < max(wanted.norms)
    for step in (5, 8, 17):
        saved = training.saved(step // 6 + 1, step % 6 + 1)
        average, trained = ("", "trained.") if "ema_decay" in CASES[case] else (None, "")
        for name in ("weight", "bias"):
            got, value = saved[trained + name], wanted.weights[step][name]
            np.testing.assert_allclose(got, value, **close)
            if average is not None:
                np.testing.assert_allclose(saved[name], wanted.averages[step][name], **close)


def test_two_batches_of_4_are_one_of_8(tmp_path):
    small = SmallTraining(NAMES[0], tmp_path / "small", accumulate_steps=2)
    large = SmallTraining(NAMES[0], tmp_path / "large", batch_size=8)
    large.rates = small.rates[::2]
    (one, _), (other, _) = small.train(), large.train()
    for name, parameter in one.parameters_dict().items():
        value = other.parameters_dict()[name].asnumpy()
        np.testing.assert_allclose(parameter.asnumpy(), value, rtol=1e-5, atol=1e-6)
    assert int(small.optimizer.global_step.asnumpy()[0]) == 9


@pytest.mark.parametrize("step", [(1, 6), (2, 3)])
def test_resumed_runs_end_with_the_same_weights(tmp_path, step):
    """From the end of an epoch, and from within one and within an accumulation."""
    training = SmallTraining(NAMES[0], tmp_path, **ALL)
    training.train()
    whole = training.saved(3)
    _, out = training.train(resume=str(tmp_path / f"net-{step[0]}_{step[1]}.ckpt"))
    assert "resume after epoch" in out
    resumed = training.saved(3)
    assert whole.keys() == resumed.keys()
    for name, value in whole.items():
        np.testing.assert_array_equal(value, resumed[name], err_msg=name)


def test_resumed_without_averages_training_goes_on_with_what_it_trained(tmp_path):
    training = SmallTraining(NAMES[0], tmp_path, ema_decay=0.8)
    network, _ = training.train()
    wanted = {name: p.asnumpy() for name, p in network.parameters_dict().items()}
    training.epochs = 2
    network, _ = training.train(ema_decay=0.0, resume=str(tmp_path / "net-1_6.ckpt"))
    training.epochs = 3
    network, _ = training.train(ema_decay=0.0, resume=str(tmp_path / "net-2_6.ckpt"))
    for name, parameter in network.parameters_dict().items():
        np.testing.assert_array_equal(parameter.asnumpy(), wanted[name])


def test_averages_are_evaluated_saved_as_best_and_loaded(tmp_path):
    training = SmallTraining(NAMES[0], tmp_path, **ALL)
    seen = []

    def evaluate():
        seen.append(training.network.weight.asnumpy().copy())
        return {"top1": 0.1 * len(seen)}

    network, _ = training.train(evaluate)
    wanted = NumPyTraining(training)
    for epoch in (1, 2, 3):
        average = wanted.averages[epoch * training.steps - 1]["weight"]
        np.testing.assert_allclose(seen[epoch - 1], average, **close)
    np.testing.assert_allclose(network.weight.asnumpy(), wanted.weights[-1]["weight"], **close)
    other = ms.nn.Dense(5, 3)
    training.module("checkpoints").load_weights(other, tmp_path / "net-best.ckpt")
    np.testing.assert_array_equal(other.weight.asnumpy(), seen[-1])


def test_early_stop(tmp_path):
    training = SmallTraining(NAMES[0], tmp_path, epochs=6, stop_after=2)
    scores = [0.1, 0.3, 0.3, 0.2, 0.9, 0.9]
    _, out = training.train(lambda: {"top1": scores.pop(0)})
    assert "stopped after epoch 4: 2 evaluations without a better score" in out
    assert len(scores) == 2 and (tmp_path / "net-4_6.ckpt").exists()
    error = training.module("launch").UserError
    with pytest.raises(error, match="nothing left to train"):
        training.train(lambda: {"top1": 0}, resume="auto")
    # Another evaluation may follow where more are waited for.
    _, out = training.train(lambda: {"top1": 0}, resume="auto", stop_after=3)
    assert "stopped after epoch 5: 3" in out
    with pytest.raises(error, match="--run_eval"):
        training.train()


def test_frozen_parameters_stay(tmp_path):
    training = SmallTraining(NAMES[0], tmp_path)
    network, out = training.train(freeze="weight")
    np.testing.assert_array_equal(network.weight.asnumpy(), training.first)
    assert np.abs(network.bias.asnumpy()).max() > 0.01
    with pytest.raises(training.module("launch").UserError, match="'wait'.*nearest: weight"):
        training.train(freeze="wait")
    with pytest.raises(training.module("launch").UserError, match="nothing to train"):
        training.train(freeze="weight, bias")
    with pytest.raises(training.module("launch").UserError, match="random weights.*--pre_trained"):
        training.module("additions").freeze(network, "weight", "")


def test_frozen_batch_norm_keeps_its_statistics():
    training = SmallTraining(NAMES[0], None)
    norms = [ms.nn.BatchNorm2d(3), ms.nn.BatchNorm2d(3)]
    network = ms.nn.SequentialCell(*norms).set_train()
    training.module("additions").freeze(network, "0.", "weights")
    network(ms.Tensor(np.random.default_rng(0).normal(3, 1, (4, 3, 2, 2)), ms.float32))
    assert (norms[0].moving_mean.asnumpy() == 0).all()
    assert (norms[1].moving_mean.asnumpy() != 0).all()


def test_the_seed_decides(tmp_path):
    """Order and weights: the same to the bit with the same seed, others with another."""
    saved = []
    for number, seed in enumerate((1, 1, 2)):
        training = SmallTraining(NAMES[0], tmp_path / str(number), epochs=1, seed=seed)
        training.train()
        saved.append(training.saved(1)["weight"])
    assert (saved[0] == saved[1]).all() and (saved[0] != saved[2]).any()


@pytest.mark.parametrize("folder", NAMES)
def test_the_seed_decides_first_weights(tmp_path, folder):
    place = Place(tmp_path, folder, training=1, evaluation=1)
    set_seeds = import_from(folder, "src.vendored.training").set_seeds
    drawn = []
    for seed in (1, 1, 2):
        set_seeds(seed)
        network = build_network(folder, *place.building())
        drawn.append([parameter.asnumpy() for parameter in network.trainable_params()])
    assert all((one == same).all() for one, same in zip(*drawn[:2]))
    assert any((one != other).any() for one, other in zip(drawn[0], drawn[2]))
