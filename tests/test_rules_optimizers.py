"""Optimisers, weight decay and learning rates beside the documented ones, in every folder."""

import contextlib
import runpy
from types import SimpleNamespace

import mindspore as ms
import numpy as np
import pytest

from folders import NAMES, REPOSITORY, activate, build_network, flags_of, import_from, load_config
from places import Place
from small_training import NumPyTraining, SmallTraining

UNDECAYED = (".bias", ".gamma", ".beta")


@pytest.mark.parametrize("folder", NAMES)
@pytest.mark.parametrize("optimizer", ["documented", "adamw"])
def test_no_decay_on_biases_and_batch_norm(tmp_path, folder, optimizer):
    place = Place(tmp_path, folder, training=1, evaluation=1)
    network = build_network(folder, *place.building())
    activate(folder)
    train = runpy.run_path(str(REPOSITORY / folder / "train.py"), run_name="not main")
    with contextlib.chdir(tmp_path):
        flags = (*flags_of(folder).network, "--device_target", "CPU", "--weight_decay", "0.125")
        flags = (*flags, "--norm_decay", "False", "--optimizer", optimizer)
        config = load_config(folder, train["GROUPS"], flags)
    made = train["create_optimizer"](network, np.float32([0.1, 0.2]), config)
    assert (type(made).__name__ == "AdamW") == (optimizer == "adamw")
    assert [p.name for p in made.parameters] and len(made.parameters) == len(made.decay_flags)
    wanted = [not parameter.name.endswith(UNDECAYED) for parameter in made.parameters]
    assert list(made.decay_flags) == wanted and 0 < sum(wanted) < len(wanted)
    assert {p.name for p in made.parameters} == {p.name for p in network.trainable_params()}
    assert made.loss_scale == 1  # On CPU, where all is float32.


def test_a_loss_scale_that_is_a_power_of_two_changes_no_bit(tmp_path):
    saved = []
    for scale in (1.0, 1024.0):
        training = SmallTraining(NAMES[0], tmp_path / str(scale), scale)
        training.root.mkdir()
        training.train()
        saved.append(training.saved(3))
    for name, value in saved[0].items():
        np.testing.assert_array_equal(value, saved[1][name], err_msg=name)


def test_adamw(tmp_path):
    """Against its rule in NumPy; resumed, to the bit."""
    scale = 1024.0
    training = SmallTraining(NAMES[0], tmp_path, scale)
    training.config.weight_decay = 0.1
    create = training.module("optimizers").create_adamw
    training.create_optimizer = lambda network, rates: create(
        network, rates, training.config, scale
    )
    recorded = []

    class Recorder(ms.train.Callback):
        def on_train_step_end(self, run_context):
            parameters = training.network.parameters_dict()
            recorded.append({name: p.asnumpy().copy() for name, p in parameters.items()})

    training.train(callbacks=[Recorder()])
    numpy_rule(training, recorded)
    whole = training.saved(3)
    training.train(resume=str(tmp_path / "net-2_3.ckpt"))
    for name, value in training.saved(3).items():
        np.testing.assert_array_equal(value, whole[name], err_msg=name)


def numpy_rule(training, recorded):
    """The weights after each step follow from those before it."""
    gradients = NumPyTraining.gradients
    orders = [
        training.module("epochs").epoch_order(24, training.config.seed, epoch) for epoch in range(3)
    ]
    batches = np.reshape(orders, (-1, training.config.batch_size))
    weights = {"weight": np.float64(training.first), "bias": np.zeros(len(training.first))}
    first = {name: np.zeros_like(value) for name, value in weights.items()}
    second = {name: np.zeros_like(value) for name, value in weights.items()}
    for own, rate, got in zip(batches, training.rates, recorded, strict=True):
        found = gradients(None, weights, training.rows[own], training.labels[own])
        for name, gradient in found.items():
            first[name] = 0.9 * first[name] + 0.1 * gradient
            second[name] = 0.999 * second[name] + 0.001 * gradient**2
            change = first[name] / (np.sqrt(second[name]) + 1e-8)
            weights[name] = weights[name] - rate * (change + 0.1 * weights[name])
            np.testing.assert_allclose(got[name], weights[name], rtol=1e-3, atol=1e-4)


def test_restarts():
    """Against a count step by step: a warm-up of 4 steps stays, then cosines of 6, 9, ... steps."""
    with_restarts = import_from(NAMES[0], "src.vendored.schedule").with_restarts
    rates = np.float32([0.1, 0.2, 0.3, 0.4, *np.linspace(0.5, 0.02, 30)])
    got = with_restarts(rates, 6, 1.5)
    wanted, at, length = list(rates[:4]), 0, 6.0
    for _ in range(30):
        if at >= length:
            at, length = at - length, length * 1.5
        wanted.append(0.02 + 0.48 * (1 + np.cos(np.pi * at / length)) / 2)
        at += 1
    np.testing.assert_allclose(got, wanted, rtol=1e-5)
    assert got.dtype == np.float32 and got[4] == got[10] == np.float32(0.5)


@pytest.mark.parametrize(
    "milestones, falls_at", [("3,5", [12, 20]), ("every 1.5", [6, 12, 18, 24, 30])]
)
def test_steps(milestones, falls_at):
    """A warm-up of 6 steps stays, 4 steps an epoch; what lies in it changes nothing."""
    adapt_rates = import_from(NAMES[0], "src.vendored.schedule").adapt_rates
    config = SimpleNamespace(
        restart_epochs=0.0, step_epochs=milestones, step_factor=0.5, base_batch=0
    )
    rates = np.float32([*np.linspace(0.1, 0.7, 7), *np.linspace(0.6, 0.01, 25)])
    wanted = [
        *rates[:6],
        *(0.7 * 0.5 ** sum(6 < at <= step for at in falls_at) for step in range(6, 32)),
    ]
    got = adapt_rates(rates, config, 64, 4)
    np.testing.assert_allclose(got, wanted, rtol=1e-6)
    assert got.dtype == np.float32


@pytest.mark.parametrize(
    "text", ["soon", "every", "every 0", "3;5", "every x", "every 2,3", "every -1", "0", "nan"]
)
def test_steps_that_are_no_epochs(text):
    module = import_from(NAMES[0], "src.vendored.schedule")
    config = SimpleNamespace(restart_epochs=0.0, step_epochs=text, step_factor=0.5, base_batch=0)
    with pytest.raises(
        import_from(NAMES[0], "src.vendored.launch").UserError, match=f"got '{text}'"
    ):
        module.adapt_rates(np.float32([0.1, 0.2]), config, 64, 1)
    config.restart_epochs = 2.0
    with pytest.raises(ValueError, match="two schedules"):
        module.adapt_rates(np.float32([0.1, 0.2]), config, 64, 1)


def test_base_batch(capsys):
    adapt_rates = import_from(NAMES[0], "src.vendored.schedule").adapt_rates
    config = SimpleNamespace(
        restart_epochs=0.0,
        restart_factor=1.0,
        step_epochs="",
        base_batch=256,
        accumulate_steps=2,
    )
    got = adapt_rates(np.float32([0.1, 0.2]), config, 64, 1)
    np.testing.assert_allclose(got, [0.05, 0.1], rtol=1e-6)
    assert "times 0.5" in capsys.readouterr().out


@pytest.mark.parametrize("folder", ["fishnet99"])
def test_rates_that_are_for_devices_are_not_scaled_twice(monkeypatch, folder):
    monkeypatch.setenv("RANK_SIZE", "4")
    groups = ("training", "beyond the documentation", "device")
    assert load_config(folder, groups).lr_init == 0.2
    assert load_config(folder, groups, ("--base_batch", "128")).lr_init == 0.05
