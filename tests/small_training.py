"""Training of one dense layer through what every folder calls, in seconds."""

import contextlib
import io
from types import SimpleNamespace

import mindspore as ms
import mindspore.dataset as ds
import numpy as np

from folders import import_from

ROWS, FEATURES, CLASSES = 24, 5, 3
SETTINGS = {
    "seed": 1,
    "resume": "",
    "device_target": "CPU",
    "save_checkpoint": True,
    "save_checkpoint_epochs": 1,
    "save_checkpoint_steps": 9,
    "keep_checkpoint_max": 100,
    "batch_size": 4,
}
RATE, MOMENTUM = 0.5, 0.9


class SmallTraining:
    """Training of `folder` on random rows of features, with `options`; `scale` multiplies the loss,
    and the optimiser divides by it.
    """

    def __init__(self, folder, root, scale=1.0, epochs=3, **options):
        rng = np.random.default_rng(0)
        self.rows = rng.normal(size=(ROWS, FEATURES)).astype(np.float32)
        self.labels = rng.integers(0, CLASSES, ROWS).astype(np.int32)
        self.folder, self.root, self.scale, self.epochs = folder, root, scale, epochs
        defaults = vars(self.module("options").defaults())
        self.config = SimpleNamespace(**{**defaults, **SETTINGS, **options})
        self.steps = ROWS // self.config.batch_size
        self.rates = (RATE / np.arange(1, epochs * self.steps + 1)).astype(np.float32)
        self.first = rng.normal(size=(CLASSES, FEATURES)).astype(np.float32)

    def module(self, name):
        return import_from(self.folder, f"src.vendored.{name}")

    def create_network(self):
        return ms.nn.Dense(FEATURES, CLASSES, weight_init=ms.Tensor(self.first), bias_init="zeros")

    def create_optimizer(self, network, rates):
        options = {"momentum": MOMENTUM, "loss_scale": self.scale}
        return ms.nn.Momentum(network.trainable_params(), ms.Tensor(rates), **options)

    def data(self):
        """The rows in the order of the epochs' draws."""
        size = self.config.batch_size

        def create(order):
            chosen = [(self.rows[n], np.asarray(self.labels[n])) for n in order]
            rows = ds.GeneratorDataset(chosen, ["x", "y"], shuffle=False)
            return rows.batch(size, drop_remainder=True)

        return self.module("epochs").epochs_of(create, ROWS, size, self.config.seed, 0, 1)

    def train(self, evaluate=None, callbacks=(), **options):
        """The network after training, and what that printed; `options` go before the others."""
        config = SimpleNamespace(**{**vars(self.config), **options})
        additions = self.module("additions")
        self.network = network = self.create_network()
        additions.freeze(network, config.freeze, "weights")
        optimizer = self.create_optimizer(network, self.rates[:: config.accumulate_steps])
        self.optimizer = optimizer = additions.with_additions(optimizer, network, config)
        manager = ms.FixedLossScaleManager(self.scale, drop_overflow_update=False)
        loss = ms.nn.CrossEntropyLoss()
        with contextlib.redirect_stdout(io.StringIO()) as out:
            self.module("training").fit(
                ms.train.Model(network, loss, optimizer, loss_scale_manager=manager),
                network,
                optimizer,
                self.data(),
                config,
                {"class_names": None, "options": {}},
                learning_rates=self.rates,
                epochs=self.epochs,
                folder=str(self.root),
                prefix="net",
                callbacks=list(callbacks),
                evaluate=evaluate and additions.of_averages(evaluate, optimizer),
            )
        return network, out.getvalue()

    def saved(self, epoch, step=None):
        path = self.root / f"net-{epoch}_{step or self.steps}.ckpt"
        return {name: value.asnumpy() for name, value in ms.load_checkpoint(str(path)).items()}


class NumPyTraining:
    """The same in NumPy, float64: weights after each step, and their averages."""

    def __init__(self, training):
        config, modules = training.config, training.module("epochs")
        weights = {"weight": np.float64(training.first), "bias": np.zeros(CLASSES)}
        averages = {name: value.copy() for name, value in weights.items()}
        moments = {name: np.zeros_like(value) for name, value in weights.items()}
        sums, updates = dict.fromkeys(weights, 0), 0
        self.weights, self.averages, self.norms = [], [], []
        for step in range(training.epochs * training.steps):
            epoch, at = divmod(step, training.steps)
            order = modules.epoch_order(ROWS, config.seed, epoch)
            own = order[at * config.batch_size :][: config.batch_size]
            gradients = self.gradients(weights, training.rows[own], training.labels[own])
            sums = {name: sums[name] + gradients[name] for name in weights}
            if (step + 1) % config.accumulate_steps == 0:
                means = {name: sums[name] / config.accumulate_steps for name in weights}
                norm = np.sqrt(sum((value**2).sum() for value in means.values()))
                factor = min(1, config.clip_norm / norm) if config.clip_norm else 1
                rate = training.rates[:: config.accumulate_steps][updates]
                for name in weights:
                    moments[name] = MOMENTUM * moments[name] + factor * means[name]
                    weights[name] = weights[name] - rate * moments[name]
                    share = 1 - config.ema_decay
                    averages[name] += share * (weights[name] - averages[name])
                sums, updates = dict.fromkeys(weights, 0), updates + 1
                self.norms.append(norm)
            self.weights.append(dict(weights))
            self.averages.append({name: value.copy() for name, value in averages.items()})

    def gradients(self, weights, rows, labels):
        """Of the mean cross entropy."""
        logits = rows @ weights["weight"].T + weights["bias"]
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        wrong = (shares - np.eye(CLASSES)[labels]) / len(rows)
        return {"weight": wrong.T @ rows, "bias": wrong.sum(axis=0)}
