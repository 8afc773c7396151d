# Copied from utils/vendored/training.py by `make vendor`: change it there.
"""The tail of training, the same for every model: resume, records, callbacks, train."""

from pathlib import Path

import mindspore as ms
import mindspore.dataset as ds
import numpy as np
import yaml

from .checkpoints import (
    SaveCheckpoint,
    load_weights,
    read_checkpoint,
    saved_checkpoints,
)
from .device import writer_of
from .files import atomic_write, make_folder, remove_unfinished
from .history import FiniteLoss, History, put_aside
from .image_source import refuse_undecodable
from .launch import UserError


def set_seeds(seed):
    """The seed of everything drawn by chance: weights, order of the data, augmentation, dropout."""
    ms.set_seed(seed)
    ds.config.set_seed(seed)


def resume_training(resume, directory, prefix, network, optimizer, dataset):
    """Load weights and optimiser from the checkpoint `resume` ('auto': the newest in `directory`);
    skip its data.

    Returns the number of epochs done: 0 where `resume` is empty or 'auto' finds none. The schedule
    is the config's.
    """
    found = saved_checkpoints(directory, prefix)
    path = resume if resume != "auto" else str(found[-1]) if found else ""
    if not path:
        return 0
    values, steps = read_checkpoint(path), dataset.get_dataset_size()
    load_weights(network, path, values=values)
    state = [p for p in optimizer.get_parameters() if not p.name.startswith("learning_rate")]
    absent = [parameter.name for parameter in state if parameter.name not in values]
    if absent:
        raise UserError(
            f"{path}: no optimiser entry '{absent[0]}', so nothing to resume; load it with"
            " --pre_trained"
        )
    done, rest = divmod(int(values["global_step"].asnumpy().item()), steps)
    if rest:
        raise UserError(
            f"{path}: {done * steps + rest} steps are not whole epochs of {steps}; same data, same"
            " batch?"
        )
    for parameter in state:  # One by one: load_param_into_net would put `moments.X` into X.
        parameter.set_data(values[parameter.name])
    skip_epochs(dataset, done)
    print(
        f"resume after epoch {done}: {path} (the data pipeline first runs through what was seen)",
        flush=True,
    )
    return done


def skip_epochs(dataset, epochs):
    """Let `dataset` go on as after `epochs`: it runs through what was seen, so draws follow."""
    ds.config.set_fast_recovery(False)
    dataset.set_init_step(epochs * dataset.get_dataset_size())


def fit(
    model,
    network,
    optimizer,
    dataset,
    config,
    record,
    *,
    learning_rates,
    epochs,
    folder,
    prefix,
    callbacks,
    rank=0,
    ranks=1,
    start_epoch=0,
    evaluate=None,
    eval_interval=1,
    score="top1",
):
    """Train `model` on `dataset` for what is left of `epochs`, and write what is to be kept.

    The rank that writes puts config.yaml, metrics.csv, curves.png and checkpoints called
    `prefix`-EPOCH_STEPS.ckpt into `folder`, where a new run moves an earlier one's aside; the
    others resume from there. `callbacks` are the model's own log lines. `start_epoch` epochs count
    as done where nothing is resumed. `evaluate`, `eval_interval` and `score` are History's. Of
    `config` it reads batch_size, resume and the keys save_checkpoint, save_checkpoint_epochs and
    keep_checkpoint_max. Raises UserError where nothing is left to train.
    """
    done = resume_training(config.resume, folder, prefix, network, optimizer, dataset)
    if not done and start_epoch:
        done = start_epoch
        steps = np.full(optimizer.global_step.shape, done * dataset.get_dataset_size(), np.int32)
        optimizer.global_step.set_data(ms.Tensor(steps))
        skip_epochs(dataset, done)
    if done >= epochs:
        raise UserError(f"{done} of {epochs} epochs are done: nothing left to train")
    writes = rank == writer_of(rank)
    save = None
    if writes:
        _prepare_folder(folder, prefix, config, record, is_new=not done)
        if config.save_checkpoint:
            every, keep = config.save_checkpoint_epochs, config.keep_checkpoint_max
            save = SaveCheckpoint(folder, prefix, every, keep, record)
    history = History(
        folder if writes else None,
        learning_rates,
        config.batch_size * ranks,
        score,
        done,
        evaluate,
        eval_interval,
        save.save_best if save else None,
    )
    steps = dataset.get_dataset_size()
    print(f"{steps} steps an epoch; the first step takes longer: the graph is compiled", flush=True)
    callbacks = [FiniteLoss(), *callbacks, history, *([save] if save else [])]
    options = {"callbacks": callbacks, "dataset_sink_mode": True, "initial_epoch": done}
    try:
        model.train(epochs, dataset, **options)
    except RuntimeError as error:
        refuse_undecodable(dataset, error)
        raise


def _prepare_folder(folder, prefix, config, record, is_new):
    remove_unfinished(make_folder(folder))
    if is_new:
        put_aside(folder, prefix)
    settings = {**vars(config), "class_names": record["class_names"]}
    atomic_write(Path(folder, "config.yaml"), yaml.safe_dump(settings, allow_unicode=True))
