"""FishNet-99's network, learning rate and loss."""

import importlib
import sys

import mindspore as ms
import numpy as np
import onnxruntime
import pytest
from mindspore import Tensor, nn, ops

from folders import REPOSITORY, import_from
from golden import contrast, distance, image
from test_golden import enter_pynative_mode, golden_outputs, load_golden_weights

sys.path.append(str(REPOSITORY / "utils/bench"))
count = importlib.import_module("multiply_adds").count
fishnet = import_from("fishnet99", "src.fishnet")
get_lr = import_from("fishnet99", "src.lr_generator").get_lr
smoothed_cross_entropy = import_from("fishnet99", "src.loss").smoothed_cross_entropy
ms.set_context(mode=ms.GRAPH_MODE)


@pytest.fixture(scope="module")
def network():
    return fishnet.fish99()


def max_pool_3x3(x, before, after):
    """3x3 maxima at stride 2 of (N, C, H, W), padded by -inf."""
    padded = np.pad(x, ((0, 0), (0, 0), (before, after), (before, after)), constant_values=-np.inf)
    return np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))[:, :, ::2, ::2].max(
        (4, 5)
    )


def run_onnx(network, batch, path):
    """The output for `batch` of `network` written to `path` and run by onnxruntime."""
    network.set_train(False)
    ms.export(network, Tensor(batch), file_name=str(path.with_suffix("")), file_format="ONNX")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: batch})[0]


def test_parameter_count(network):
    parameters, trainable = list(network.get_parameters()), network.trainable_params()
    assert (len(parameters), len(trainable)) == (500, 302)
    assert sum(parameter.size for parameter in trainable) == 16_628_904
    assert sum(parameter.size for parameter in parameters) == 16_688_360


def test_initialisation(network):
    for parameter in network.get_parameters():
        value, leaf = parameter.asnumpy(), parameter.name.rsplit(".", 1)[1]
        if leaf == "weight":
            bound = np.float32(np.sqrt(6 / np.prod(value.shape[1:])))
            assert 0.98 * bound < np.abs(value).max() <= bound, parameter.name
            assert value.std() == pytest.approx(bound / np.sqrt(3), rel=0.1), parameter.name
        else:
            assert (value == (leaf in ("gamma", "moving_variance"))).all(), parameter.name


def test_onnx_export_has_the_golden_outputs(network, tmp_path):
    load_golden_weights(network)
    path, batch = tmp_path / "fishnet99.onnx", image((2, 3, 224, 224))
    got = run_onnx(network, batch, path)
    expected = golden_outputs("fishnet99")["logits_224"]
    assert distance(got, expected) <= 1e-4 and contrast(got, expected) <= 1e-2
    assert count(path) == 2 * 4_263_656_704


@pytest.mark.parametrize("size", [224, 222, 64])
@pytest.mark.parametrize("pool_padding", ["same", "symmetric"])
def test_pool_padding(pool_padding, size, tmp_path):
    stem = fishnet.stem(pool_padding)
    stem.set_train(False)
    batch = image((1, 3, size, size))
    features = nn.SequentialCell(list(stem.cells())[:3])(Tensor(batch)).asnumpy()
    before = 1 if pool_padding == "symmetric" or features.shape[2] % 2 else 0
    expected = max_pool_3x3(features, before, 1)
    np.testing.assert_array_equal(stem(Tensor(batch)).asnumpy(), expected)
    np.testing.assert_allclose(run_onnx(stem, batch, tmp_path / "stem.onnx"), expected, atol=1e-5)


@pytest.mark.parametrize("height, width", [(6, 8), (7, 5), (6, 7)])
@pytest.mark.parametrize("pool_padding", ["same", "symmetric"])
def test_stem_pool_in_training_and_its_gradient(pool_padding, height, width):
    cell = fishnet.StemPool(pool_padding)
    random = np.random.RandomState(0)
    images = np.maximum(
        random.permutation(6 * height * width).reshape(2, 3, height, width) - 50, 0
    ).astype(np.float32)
    images[0, 0, :3, :3] = 0  # as a ReLU leaves it
    weights = random.randn(2, 3, -(-height // 2), -(-width // 2)).astype(np.float32)
    top, left = (int(pool_padding == "symmetric" or side % 2) for side in (height, width))
    largest, gradient = np.zeros_like(weights), np.zeros_like(images)
    for index in np.ndindex(weights.shape):
        rows, columns = (
            slice(max(2 * at - before, 0), 2 * at - before + 3)
            for at, before in zip(index[2:], (top, left))
        )
        window = images[index[0], index[1], rows, columns]
        largest[index] = window.max()
        gradient[index[0], index[1], rows, columns] += weights[index] * (window == window.max())
    for training in (True, False):
        cell.set_train(training)
        assert (cell(Tensor(images)).asnumpy() == largest).all()
        got = ops.GradOperation(sens_param=True)(cell)(Tensor(images), Tensor(weights)).asnumpy()
        # Where the input is 0 the ReLU before the pool lets no gradient through.
        np.testing.assert_allclose(got * (images > 0), gradient * (images > 0), atol=1e-6)


def test_unknown_pool_padding_is_named():
    with pytest.raises(ValueError, match="'valid'"):
        fishnet.fish99(pool_padding="valid")


@pytest.mark.parametrize("by_operator", [False, True])
def test_upsampling_repeats_every_pixel(by_operator, tmp_path):
    x = image((2, 3, 5, 7))
    x[0, 0, 0, :3] = np.inf, -np.inf, np.nan
    cell, expected = fishnet.Upsample(), x.repeat(2, axis=2).repeat(2, axis=3)
    cell.by_operator = by_operator
    np.testing.assert_array_equal(cell(Tensor(x)).asnumpy(), expected)
    np.testing.assert_array_equal(run_onnx(cell, x, tmp_path / "up.onnx"), expected)


def test_downsampling_in_training_and_its_gradient_are_those_of_a_max_pool():
    # with equals in a square
    images = np.round(np.random.RandomState(0).randn(2, 3, 6, 8), 1).astype(np.float32)
    images[0, 0] = 0
    cell, squares = (
        fishnet.Downsample(),
        images.reshape(2, 3, 3, 2, 4, 2).transpose(0, 1, 2, 4, 3, 5).reshape(72, 4),
    )
    weights = np.random.RandomState(1).randn(2, 3, 3, 4).astype(np.float32)
    first = np.zeros_like(squares)
    first[np.arange(72), squares.argmax(1)] = weights.reshape(-1)
    expected = first.reshape(2, 3, 3, 4, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(images.shape)
    for training in (True, False):
        cell.set_train(training)
        assert (cell(Tensor(images)).asnumpy().reshape(-1) == squares.max(1)).all()
        gradient = ops.GradOperation(sens_param=True)(cell)(Tensor(images), Tensor(weights))
        assert (gradient.asnumpy() == expected).all()


@pytest.mark.parametrize("in_channels, out_channels", [(12, 12), (24, 12), (36, 12)])
def test_channel_sum(in_channels, out_channels):
    block = fishnet.ChannelSumBlock(in_channels, out_channels, dilation=2)
    block.layers = nn.SequentialCell(
        nn.Conv2d(in_channels, out_channels, 1, weight_init="zeros", has_bias=False)
    )
    x = image((2, in_channels, 5, 7))
    expected = x.reshape(2, out_channels, -1, 5, 7).sum(2)
    np.testing.assert_allclose(block(Tensor(x)).asnumpy(), expected, atol=1e-6)


def test_other_sizes_and_class_counts():
    network = fishnet.fish99(num_cls=7)
    network.set_train(False)
    enter_pynative_mode()
    try:
        assert network(Tensor(image((3, 3, 64, 93)))).shape == (3, 7)
        with pytest.raises(
            ValueError, match="images of 64 x 100: height and width must be multiples of 32"
        ):
            network(Tensor(image((1, 3, 64, 100))))
    finally:
        ms.set_context(mode=ms.GRAPH_MODE)


def test_gradients_reach_every_trainable_parameter():
    network = nn.WithLossCell(fishnet.fish99(num_cls=10), smoothed_cross_entropy(10, 0.1))
    network.set_train()
    parameters = network.trainable_params()
    gradients = ms.grad(network, None, parameters)(
        Tensor(image((4, 3, 64, 64))), Tensor([0, 1, 2, 3], ms.int32)
    )
    largest = {
        parameter.name: np.abs(gradient.asnumpy()).max()
        for parameter, gradient in zip(parameters, gradients)
    }
    # Batch norm takes away what a bias before it adds, so this one's gradient is nothing but
    # rounding.
    assert largest.pop("bridge.stem.5.bias") < 1e-5
    assert len(largest) == 301 and min(largest.values()) > 1e-5, min(largest, key=largest.get)


@pytest.mark.parametrize(
    "lr, steps, epochs, t_max, expected",
    [
        (
            0.05,
            10009,
            160,
            150,
            {
                0: 0.05,
                1: 0.049994517,
                30: 0.045225427,
                75: 0.025,
                100: 0.0125,
                149: 5.482913e-6,
                150: 0,
                151: 5.482913e-6,
                159: 4.428187e-4,
            },
        ),
        (0.4, 1251, 160, 150, {1: 0.39995614, 30: 0.36180341, 75: 0.2, 159: 0.0035425499}),
        (0.1, 5004, 110, 100, {1: 0.099975325, 30: 0.079389259, 75: 0.014644661, 100: 0}),
    ],
)
def test_learning_rate_at_documented_settings(lr, steps, epochs, t_max, expected):
    rates = get_lr(lr, 0.0, t_max, 0, epochs, steps)
    assert rates.dtype == np.float32 and rates.shape == (epochs * steps,)
    rates = rates.reshape(epochs, steps)
    assert (rates == rates[:, :1]).all()
    np.testing.assert_allclose(
        rates[list(expected), 0], list(expected.values()), rtol=1e-6, atol=1e-12
    )


def test_learning_rate_with_warm_up():
    rates = get_lr(0.05, 0.0, 6, 2, 8, 10)
    np.testing.assert_allclose(rates[:20], 0.0025 * np.arange(1, 21), rtol=1e-6)
    np.testing.assert_allclose(
        rates[20::10], [0.0375, 0.025, 0.0125, 0.00334936, 0, 0.00334936], rtol=1e-5, atol=1e-12
    )
    assert get_lr(0.05, 0.01, 6, 0, 7, 1)[6] == np.float32(0.01)


@pytest.mark.parametrize("classes, smooth_factor", [(10, 0.0), (10, 0.1), (2, 0.3)])
def test_loss_against_numpy(classes, smooth_factor):
    random = np.random.RandomState(0)
    logits, labels = random.randn(6, classes).astype(np.float32) * 3, np.arange(6) % classes
    targets = np.full((6, classes), smooth_factor / (classes - 1))
    targets[np.arange(6), labels] = 1 - smooth_factor
    log_probabilities = logits - np.log(np.exp(logits.astype(np.float64)).sum(1, keepdims=True))
    loss = smoothed_cross_entropy(classes, smooth_factor)(Tensor(logits), Tensor(labels, ms.int32))
    assert float(loss.asnumpy()) == pytest.approx(
        -(targets * log_probabilities).sum(1).mean(), rel=1e-5
    )


def test_smoothing_beyond_even_targets_is_refused():
    with pytest.raises(ValueError):
        smoothed_cross_entropy(10, 0.91)
