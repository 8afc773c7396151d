"""ResNeSt's log: its file, its lines, those of other ranks."""

import logging
import re

import mindspore as ms
import numpy as np
from mindspore import nn

from folders import import_from

log = import_from("resnest", "src.logging")
EvalCallBack = import_from("resnest", "src.eval_callback").EvalCallBack


def test_log_file_and_lines(tmp_path, capsys):
    logger = log.get_logger(tmp_path, rank=0)
    dataset = ms.dataset.GeneratorDataset(
        [(np.ones(2, np.float32), np.ones(1, np.float32))] * 6, ["x", "y"]
    ).batch(2)
    network = nn.Dense(2, 1, weight_init="zeros", bias_init="zeros")
    model = ms.Model(network, nn.MSELoss(), nn.SGD(network.trainable_params(), 1e-12))
    evaluate = EvalCallBack(
        lambda parameters: np.float32(parameters["top1"]), {"top1": 0.25}, 2, 1, last_epoch=4
    )
    model.train(
        4,
        dataset,
        callbacks=[log.TrainingLog(logger, batch_size=2), evaluate],
        dataset_sink_mode=False,
    )
    printed = capsys.readouterr().out.splitlines()
    (path,) = tmp_path.glob("*/*.log")
    date = r"\d{4}-\d\d-\d\d_time_\d\d_\d\d_\d\d"
    assert re.fullmatch(rf"({date})/\1_rank_0\.log", str(path.relative_to(tmp_path)))
    pattern = (
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}:INFO:epoch\[(\d)\], iter\[(\d+)\], loss:1\.0, "
        r"mean_fps:\d+\.\d\dimgs/sec"
    )
    begin, *written, end = path.read_text().splitlines()
    assert begin.endswith(":INFO:start network train...")
    assert end.endswith(":INFO:end network train...")
    assert [re.fullmatch(pattern, line).groups() for line in written] == [
        (str(n), str(3 * n)) for n in range(1, 5)
    ]
    speeds = [
        line for line in printed if re.fullmatch(r"fps_mean 6 time_used \d+\.\d+(e-\d+)?", line)
    ]
    assert len(speeds) == 4 and [
        line for line in printed if "eval_cost" not in line and line not in speeds
    ] == [begin, *written, end]
    scores = [
        re.fullmatch(r"epoch: (\d), acc: 0\.25, eval_cost:\d+\.\d\d", line)
        for line in printed
        if "eval" in line
    ]
    assert [score.group(1) for score in scores] == ["1", "3", "4"]


def test_other_ranks_log_to_their_file_only(tmp_path, capsys):
    log.get_logger(tmp_path, rank=8).info("on every eighth")
    log.get_logger(tmp_path, rank=3).info("on rank 3")
    assert [line.split("INFO:")[1] for line in capsys.readouterr().out.splitlines()] == [
        "on every eighth"
    ]
    logging.shutdown()
    (path,) = tmp_path.glob("*/*_rank_3.log")
    assert path.read_text().endswith(":INFO:on rank 3\n")
