"""MnasNet's log lines."""

import re

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn
from mindspore.train.callback import RunContext, _InternalCallbackParam

from folders import import_from

get_lr = import_from("mnasnet", "src.lr_generator").get_lr
CrossEntropySmooth = import_from("mnasnet", "src.loss").CrossEntropySmooth
Monitor = import_from("mnasnet", "src.Monitor").Monitor


def test_log_lines_of_a_real_run(capsys):
    class TwoBatches:
        def __getitem__(self, index):
            return np.full(4, index, np.float32), np.array([index % 3], np.int32)

        def __len__(self):
            return 4

    dataset = ms.dataset.GeneratorDataset(TwoBatches(), ["image", "label"], shuffle=False).batch(2)
    dataset = dataset.map(lambda label: label.reshape(-1), "label")
    network = nn.Dense(4, 3)
    rates = get_lr(1e-4, 1e-5, 0.2, 1, 3, 2, "other")
    model = ms.Model(
        network,
        CrossEntropySmooth(num_classes=3),
        nn.SGD(network.trainable_params(), ms.Tensor(rates)),
    )
    model.train(
        3, dataset, callbacks=[Monitor(lr_init=rates)], dataset_sink_mode=True, initial_epoch=1
    )
    lines = capsys.readouterr().out.splitlines()
    number = r"\d+\.\d{3}"
    assert len(lines) == 6
    for epoch in (1, 2):  # a resumed run: the first epoch is done
        first, second, summary = lines[3 * epoch - 3 : 3 * epoch]
        losses = []
        for step, line in enumerate((first, second)):
            match = re.fullmatch(
                rf"epoch: \[  {epoch}/  3\], step:\[    {step}/    2\], "
                rf"loss:\[({number})/({number})\], time:\[{number}\], "
                rf"lr:\[{rates[2 * epoch + step]:5.3f}\]",
                line,
            )
            losses.append(float(match.group(1)))
            assert float(match.group(2)) == pytest.approx(np.mean(losses), abs=0.001)
        match = re.fullmatch(
            rf"epoch time: {number}, per step time: {number}, avg loss: ({number})", summary
        )
        assert float(match.group(1)) == pytest.approx(np.mean(losses), abs=0.001)


def test_log_line_where_the_device_runs_whole_epochs(capsys):
    parameters = _InternalCallbackParam()
    parameters.update(
        epoch_num=250,
        batch_num=625,
        cur_epoch_num=1,
        cur_step_num=0,
        net_outputs=(ms.Tensor(5.583, ms.float32), ms.Tensor(False)),
    )
    monitor, run = Monitor(get_lr(1e-4, 1e-5, 0.2, 5, 250, 625, "other")), RunContext(parameters)
    for epoch in (1, 2):
        parameters.cur_epoch_num = epoch
        monitor.on_train_epoch_begin(run)
        parameters.cur_step_num += 625
        monitor.on_train_step_begin(run)
        monitor.on_train_step_end(run)
        monitor.on_train_epoch_end(run)
    lines = re.sub(r"(time:\[?) ?[\d.]+", r"\1T", capsys.readouterr().out).splitlines()
    assert lines == [
        "epoch: [  0/250], step:[  624/  625], loss:[5.583/5.583], time:[T], lr:[0.040]",
        "epoch time:T, per step time:T, avg loss: 5.583",
        "epoch: [  1/250], step:[  624/  625], loss:[5.583/5.583], time:[T], lr:[0.080]",
        "epoch time:T, per step time:T, avg loss: 5.583",
    ]
