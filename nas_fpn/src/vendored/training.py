# Copied from utils/vendored/training.py by `make vendor`: change it there.
"""The tail of training, the same for every model: resume, records, callbacks, train."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import mindspore as ms
import mindspore.dataset as ds
import numpy as np
import yaml

from .compile_cache import CompileCache
from .cpu_operators import require_bfloat16, use_cpu_kernels
from .device import writer_of
from .dry_run import dry_run
from .epochs import Change
from .files import atomic_write
from .history import EarlyStop, History, Losses
from .launch import UserError, printable
from .progress import Board, Progress, on_terminal, summary_writer
from .random_drop import place_drops
from .resume import Start, prepare_folder, require_same_start, resume_training, set_steps
from .saving import SaveCheckpoint


def set_seeds(seed: int) -> None:
    """The seed of everything drawn by chance: weights, order of the data, augmentation, dropout."""
    ms.set_seed(seed)
    ds.config.set_seed(seed)


class FirstStep(ms.train.Callback):
    """Counts from the `steps` that an epoch's first part, before this run, had."""

    def __init__(self, steps: int):
        super().__init__()
        self.steps = steps

    def on_train_begin(self, run_context: ms.train.RunContext) -> None:
        run_context.original_args().cur_step_num = self.steps


def fit(
    model: ms.train.Model,
    network: ms.nn.Cell,
    optimizer: ms.nn.Optimizer,
    dataset: ds.GeneratorDataset,
    config: SimpleNamespace,
    record: dict,
    *,
    learning_rates: np.ndarray,
    epochs: int,
    folder: str,
    prefix: str,
    callbacks: list[ms.train.Callback],
    rank: int = 0,
    ranks: int = 1,
    start_epoch: int = 0,
    evaluate: Callable[[], dict[str, float]] | None = None,
    eval_interval: int = 1,
    score: str = "top1",
    more_scores: tuple[str, ...] = (),
    change: Change | None = None,
    exports: tuple[str, ...] = (),
) -> None:
    """Train `model` on `dataset` (of epochs.epochs_of) for what is left of `epochs`, and write what
    is to be kept.

    The rank that writes puts config.yaml, metrics.csv, curves.png and checkpoints called
    `prefix`-EPOCH_STEPS.ckpt into `folder`, where a new run moves an earlier one's aside; the
    others resume from there. `callbacks` are the model's own log lines. `start_epoch` epochs count
    as done where nothing is resumed. `evaluate`, `eval_interval`, `score` and `more_scores` are
    History's, `change` is that of Epochs, `exports` are files that will be written to `folder`
    after training. Of `config` it reads seed, batch_size, resume, the keys
    save_checkpoint, save_checkpoint_epochs, save_checkpoint_steps and keep_checkpoint_max, and
    options.SETTINGS. Raises UserError where nothing is left to train.
    """
    steps, images = dataset.get_dataset_size(), config.batch_size * ranks
    run = _check(config, evaluate, steps, ranks)
    start = resume_training(config.resume, folder, prefix, network, optimizer, run)
    if not start.path and start_epoch:
        start = Start(start_epoch)
        set_steps(optimizer, start_epoch * steps // config.accumulate_steps)
    done = start.epochs * steps + start.steps
    _go_on(model, network, optimizer, config, done, rank, ranks)
    if start.epochs >= epochs:
        raise UserError(f"{start.epochs} of {epochs} epochs are done: nothing left to train")
    dataset.source.change = change
    if config.dry_run:
        names = record["class_names"]
        dry_run(model, network, dataset, config, learning_rates, epochs, done, names, images)
        return
    use_cpu_kernels(network, config.cpu_bfloat16)
    losses = Losses(start.loss_sum, start.steps)
    history = History(losses, learning_rates, images, score, evaluate, eval_interval, more_scores)
    callbacks = [*callbacks, history]
    if config.compile_cache:
        cache = CompileCache(config.compile_cache, config, learning_rates, rank, ranks)
        callbacks.append(cache)
    if rank == writer_of(rank):
        prepare_folder(folder, prefix, start, exports)
        _write_settings(folder, config, record)
        print(f"results go to {printable(os.path.abspath(folder))}")
        history.write_to(folder, prefix, start.epochs)
        bar = [Progress(losses, epochs, done, images)] if on_terminal() else []
        saving = _create_saving(config, folder, prefix, record, run, history, done)
        callbacks = [*bar, *callbacks, *saving]
    if config.stop_after:
        callbacks.append(_create_stop(config, history, ranks))
    _train(model, dataset, [FirstStep(start.steps), losses, *callbacks], config, epochs, start)
    if rank == writer_of(rank):
        print(f"results are in {printable(os.path.abspath(folder))}", flush=True)


def _check(config, evaluate, steps, ranks):
    """What decides the data of this run, as checkpoints hold it."""
    if config.tensorboard:
        summary_writer()
    if config.cpu_bfloat16:
        require_bfloat16()
    if config.stop_after and not evaluate:
        raise UserError("stop_after looks at evaluations: add --run_eval True")
    return {
        "seed": config.seed,
        "batch_size": config.batch_size,
        "processes": ranks,
        "steps_per_epoch": steps,
        "accumulate_steps": config.accumulate_steps,
    }


def _go_on(model, network, optimizer, config, done, rank, ranks):
    """What is drawn in the network, and what all ranks share, follow `done` steps."""
    place_drops(network, config.seed, rank, done)
    if ranks > 1:
        average_gradients(model, optimizer, ranks)
    if ranks > 1 and config.resume:
        require_same_start(done, rank, ranks)


def _train(model, dataset, callbacks, config, epochs, start):
    steps = dataset.get_dataset_size()
    print(f"{steps} steps an epoch; the first step takes longer: the graph is compiled", flush=True)
    # On a device that takes an epoch at once, there is nothing to save within.
    sink = not (start.steps or config.save_checkpoint_steps)
    if sink and config.device_target != "CPU":
        dataset.output_types(), dataset.output_shapes()  # Looked up here: each look takes an epoch.
    dataset.source.go_on(start.epochs * steps + start.steps, config.save_checkpoint_steps)
    options = {"callbacks": callbacks, "dataset_sink_mode": sink, "initial_epoch": start.epochs}
    model.train(epochs, dataset, **options)


def average_gradients(model: ms.train.Model, optimizer: ms.nn.Optimizer, ranks: int) -> None:
    """Let each step of `model` use the mean of the gradients of all `ranks`.

    MindSpore's training step has a place for its reducer of gradients. What else puts it there,
    set_auto_parallel_context, is to leave MindSpore after 2.11.
    """
    step = model.train_network
    step.grad_reducer = ms.nn.DistributedGradReducer(optimizer.parameters, mean=True, degree=ranks)
    if isinstance(step, ms.nn.TrainOneStepWithLossScaleCell):
        step.is_distributed = True  # All ranks leave out a step that overflows in one of them.


def _create_saving(config, folder, prefix, record, run, history, done):
    """The callbacks that write beside the history."""
    found = []
    if config.save_checkpoint:
        every = (config.save_checkpoint_epochs, config.save_checkpoint_steps)
        keep = config.keep_checkpoint_max
        save = SaveCheckpoint(folder, prefix, *every, keep, record, run, history.losses)
        history.save_best = save.save_best
        found.append(save)
    if config.tensorboard:
        found.append(Board(folder, history, done))
    return found


def _create_stop(config, history, ranks):
    stop = EarlyStop(history, config.stop_after, ranks)
    if stop.is_over():
        raise UserError(
            f"{config.stop_after} evaluations brought no better score: nothing left to train"
        )
    return stop


def _write_settings(folder, config, record):
    settings = {**vars(config), "class_names": record["class_names"]}
    atomic_write(Path(folder, "config.yaml"), yaml.safe_dump(settings, allow_unicode=True))
