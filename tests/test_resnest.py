"""ResNeSt's network and loss, and the formats it is exported to."""

import re

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn
from mindspore.nn.utils import no_init_parameters

from folders import import_from
from golden import image, weights

get_network = import_from("resnest", "src.models.resnest").get_network
utils = import_from("resnest", "src.models.utils")
splat = import_from("resnest", "src.models.splat")
CrossEntropy = import_from("resnest", "src.crossentropy").CrossEntropy
ms.set_context(mode=ms.GRAPH_MODE)


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
