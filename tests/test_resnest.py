"""ResNeSt's network, loss, schedules and log lines."""

import logging
import re
from types import SimpleNamespace

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn
from mindspore.nn.utils import no_init_parameters

from folders import import_from
from golden import image, weights

get_network = import_from("resnest", "src.models.resnest").get_network
splat = import_from("resnest", "src.models.splat")
utils = import_from("resnest", "src.models.utils")
CrossEntropy = import_from("resnest", "src.crossentropy").CrossEntropy
config_train = import_from("resnest", "src.config").config_train
log = import_from("resnest", "src.logging")
EvalCallBack = import_from("resnest", "src.eval_callback").EvalCallBack
ms.set_context(mode=ms.GRAPH_MODE)


def schedule(lr, steps, **changes):
    return utils.get_lr(SimpleNamespace(**{**vars(config_train), **changes}), lr, steps)


@pytest.mark.parametrize(
    "lr, steps, expected",
    [
        (
            0.025,
            20018,
            {
                0: 2.497752e-7,
                20017: 0.005,
                20018: 0.00500025,
                100089: 0.025,
                100090: 0.02497885,
                200180: 0.02491548,
                2702430: 0.0125,
                -1: 8.461499e-7,
            },
        ),
        (
            0.2,
            2502,
            {
                0: 1.598721e-5,
                12509: 0.2,
                12510: 0.19983082,
                25020: 0.19932383,
                337770: 0.1,
                -1: 6.769199e-6,
            },
        ),
    ],
)
def test_cosine_schedule_at_documented_settings(lr, steps, expected):
    rates = schedule(lr, steps)
    assert rates.dtype == np.float32 and len(rates) == 270 * steps
    np.testing.assert_allclose(
        [rates[step] for step in expected], list(expected.values()), rtol=1e-6
    )


@pytest.mark.parametrize(
    "changes, expected",
    [
        (
            {"warmup_epochs": 2, "T_max": 6, "max_epoch": 6},
            [
                0.00125,
                0.0075,
                0.01375,
                0.02,
                0.01875,
                0.01875,
                0.0125,
                0.0125,
                0.00625,
                0.00625,
                0.00167468,
                0.00167468,
            ],
        ),
        (
            {"lr_scheduler": "exponential", "warmup_epochs": 1, "max_epoch": 6, "lr_epochs": "2,4"},
            [0.0025, 0.015, 0.025, 0.025] + [0.0025] * 4 + [0.00025] * 4,
        ),
        ({"warmup_epochs": 0, "max_epoch": 1, "T_max": 1}, [0.025, 0.025]),
        ({"warmup_epochs": 5, "max_epoch": 1}, [0.0005, 0.003]),
    ],
)
def test_schedule_every_fifth_of_ten_steps(changes, expected):
    np.testing.assert_allclose(schedule(0.025, 10, **changes)[::5], expected, rtol=1e-5)


def test_unknown_schedule_is_named():
    with pytest.raises(ValueError, match="linear"):
        schedule(0.1, 1, lr_scheduler="linear")


@pytest.mark.parametrize("smooth_factor", [0.0, 0.1])
def test_loss_against_numpy(smooth_factor):
    random = np.random.RandomState(0)
    logits, labels = random.randn(6, 10).astype(np.float32) * 3, np.arange(6)
    targets = np.full((6, 10), smooth_factor / 9)
    targets[np.arange(6), labels] = 1 - smooth_factor
    log_probabilities = logits - np.log(np.exp(logits.astype(np.float64)).sum(1, keepdims=True))
    expected = -(targets * log_probabilities).sum(1).mean()
    loss = CrossEntropy(smooth_factor, num_classes=10)(Tensor(logits), Tensor(labels, ms.int32))
    assert loss.dtype == ms.float32 and float(loss.asnumpy()) == pytest.approx(expected, rel=1e-5)


def test_parameter_groups():
    without, with_decay = utils.get_param_groups(get_network("resnest50"))
    assert (len(without["params"]), len(with_decay["params"])) == (143, 104)
    assert without["weight_decay"] == 0.0 and "weight_decay" not in with_decay
    assert all(parameter.ndim == 1 for parameter in without["params"])
    assert all(parameter.ndim > 1 for parameter in with_decay["params"])


# published: with the biases in the attention
@pytest.mark.parametrize(
    "net_name, trainable, published",
    [
        ("resnest50", 27_473_800, 27_483_240),
        ("resnest101", 48_254_696, 48_275_016),
        ("resnest200", 70_166_504, 70_201_544),
        ("resnest269", 110_878_440, 110_929_480),
    ],
)
def test_parameter_counts(net_name, trainable, published):
    with no_init_parameters():
        plain, biased = get_network(net_name), get_network(net_name, attention_bias=True)
    assert sum(parameter.size for parameter in plain.trainable_params()) == trainable
    assert sum(parameter.size for parameter in biased.trainable_params()) == published
    added = {parameter.name for parameter in biased.get_parameters()} - set(plain.parameters_dict())
    assert all(re.fullmatch(r"layer\d\.\d+\.conv2\.fc[12]\.convs\.0\.bias", name) for name in added)


def test_unknown_network_is_named():
    with pytest.raises(NotImplementedError, match="resnest18"):
        get_network("resnest18")


def test_gradients_reach_every_trainable_parameter():
    network = nn.WithLossCell(
        get_network("resnest50", num_classes=10, attention_bias=True), CrossEntropy(0.1, 10)
    )
    network.set_train()
    gradients = ms.grad(network, None, network.trainable_params())(
        Tensor(image((4, 3, 64, 64))), Tensor([0, 1, 2, 3], ms.int32)
    )
    # Batch norm takes away what a bias before it adds, so its gradient is nothing but rounding.
    silent = [
        parameter.name
        for parameter, gradient in zip(network.trainable_params(), gradients)
        if not np.abs(gradient.asnumpy()).max() > 0
        and not parameter.name.endswith("fc1.convs.0.bias")
    ]
    assert len(gradients) == 247 + 32 and not silent


def test_split_attention_against_numpy():
    cell = splat.SplAtConv2d(8, attention_bias=True)
    for parameter in cell.get_parameters():
        parameter.set_data(Tensor(weights(parameter.name, parameter.shape)))
    cell.set_train(False)
    value = {parameter.name: parameter.asnumpy() for parameter in cell.get_parameters()}
    x = image((2, 8, 5, 7))

    def batch_norm(x, name):
        scale = value[f"{name}.gamma"] / np.sqrt(value[f"{name}.moving_variance"] + 1e-5)
        return (
            x * scale[:, None, None]
            + (value[f"{name}.beta"] - value[f"{name}.moving_mean"] * scale)[:, None, None]
        )

    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
    halves = [
        np.einsum(
            "nchwij,ocij->nohw",
            windows[:, 4 * half : 4 * half + 4],
            value[f"conv.convs.{half}.weight"],
        )
        for half in (0, 1)
    ]
    branches = np.maximum(batch_norm(np.concatenate(halves, 1), "bn0"), 0).reshape(2, 2, 8, 5, 7)
    pooled = branches.sum(1).mean((2, 3), keepdims=True)
    hidden = (
        pooled[:, :, 0, 0] @ value["fc1.convs.0.weight"][:, :, 0, 0].T + value["fc1.convs.0.bias"]
    )
    hidden = np.maximum(batch_norm(hidden[:, :, None, None], "bn1"), 0)[:, :, 0, 0]
    attention = (
        hidden @ value["fc2.convs.0.weight"][:, :, 0, 0].T + value["fc2.convs.0.bias"]
    ).reshape(2, 2, 8)
    attention = np.exp(attention) / np.exp(attention).sum(1, keepdims=True)
    expected = (branches * attention[..., None, None]).sum(1)
    np.testing.assert_allclose(cell(Tensor(x)).asnumpy(), expected, atol=1e-5)


def test_training_and_evaluation_give_the_same_branches():
    """The moving statistics of batch norm are set to those of the batch, which training uses."""
    cell, x = splat.SplAtConv2d(8), Tensor(image((4, 8, 9, 7)))
    convolved = cell.conv(x).asnumpy()
    assert convolved.shape == (4, 16, 9, 7)
    cell.bn0.moving_mean.set_data(Tensor(convolved.mean((0, 2, 3))))
    cell.bn0.moving_variance.set_data(Tensor(convolved.var((0, 2, 3))))
    pair = Branches(cell)
    evaluated = [branch.asnumpy() for branch in pair.set_train(False)(x)]
    trained = [branch.asnumpy() for branch in pair.set_train(True)(x)]
    np.testing.assert_allclose(trained, evaluated, atol=1e-5)


class Branches(nn.Cell):
    """The branches of split attention before they are weighted."""

    def __init__(self, cell):
        super().__init__()
        self.cell = cell

    def construct(self, x):
        return self.cell.branches(x)


def test_options():
    network = get_network("resnest50", num_classes=7, last_gamma=True, final_drop=0.4)
    gammas = {
        name: parameter.asnumpy()
        for name, parameter in network.parameters_dict().items()
        if name.endswith("gamma")
    }
    assert {name for name, gamma in gammas.items() if not gamma.any()} == {
        name for name in gammas if ".bn3." in name
    }
    assert network.fc.weight.shape == (7, 2048)
    kept = (network.drop.set_train()(Tensor(np.ones((100, 100), np.float32))).asnumpy() > 0).mean()
    assert kept == pytest.approx(0.4, abs=0.03)
    with pytest.raises(ValueError, match="final_drop"):
        get_network("resnest50", final_drop=1.5)


def test_initialisation():
    ms.set_seed(1)
    network = get_network("resnest50")
    value = {name: parameter.asnumpy() for name, parameter in network.parameters_dict().items()}
    for name, fan_out in (
        ("layer3.1.conv2.conv.convs.1.weight", 9 * 512),
        ("layer4.0.conv3.weight", 2048),
        ("layer2.1.conv2.fc2.convs.0.weight", 256),
        ("conv1.6.weight", 9 * 64),
    ):
        assert value[name].std() == pytest.approx(np.sqrt(2 / fan_out), rel=0.03), name
    assert np.abs(value["fc.weight"]).max() == pytest.approx(2048**-0.5, rel=1e-3)


@pytest.fixture(scope="module")
def golden_network():
    network = get_network("resnest50")
    for parameter in network.get_parameters():
        parameter.set_data(Tensor(weights(parameter.name, parameter.shape)))
    return network.set_train(False)


@pytest.mark.parametrize("file_format", ["ONNX", "MINDIR"])
def test_export_runs_and_equals_the_network(golden_network, file_format, tmp_path):
    images = image((2, 3, 64, 96))  # not square
    expected = golden_network(Tensor(images)).asnumpy()
    ms.export(
        golden_network,
        Tensor(images),
        file_name=str(tmp_path / "resnest50"),
        file_format=file_format,
    )
    if file_format == "ONNX":
        import onnxruntime

        session = onnxruntime.InferenceSession(
            str(tmp_path / "resnest50.onnx"), providers=["CPUExecutionProvider"]
        )
        got = session.run(None, {session.get_inputs()[0].name: images})[0]
    else:
        got = nn.GraphCell(ms.load(str(tmp_path / "resnest50.mindir")))(Tensor(images)).asnumpy()
    assert got.shape == (2, 1000) and np.abs(got - expected).max() <= 1e-5 * np.abs(expected).max()


def test_size_that_does_not_fit_is_named(golden_network):
    with pytest.raises(ValueError, match="multiples of 32, got 48 and 64"):
        golden_network(Tensor(image((1, 3, 48, 64))))


def test_weights_from_a_training_checkpoint(golden_network, tmp_path):
    path = str(tmp_path / "resnest50.ckpt")
    extra = {"name": "moments.fc.bias", "data": Tensor(np.zeros(1000, np.float32))}
    ms.save_checkpoint(
        [
            {"name": parameter.name, "data": parameter}
            for parameter in golden_network.get_parameters()
        ]
        + [extra],
        path,
    )
    network = import_from("resnest", "src.models.resnest").resnest50(
        pretrained=True, root=str(tmp_path)
    )
    for name, parameter in network.parameters_dict().items():
        np.testing.assert_array_equal(parameter.asnumpy(), weights(name, parameter.shape), name)
    with pytest.raises(
        import_from("resnest", "src.vendored.launch").UserError, match=r"fc\.weight"
    ):
        get_network("resnest50", resume=True, resume_path=path, num_classes=10)


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
