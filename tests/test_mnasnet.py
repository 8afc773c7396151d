"""MnasNet's network in both forms, its loss and optimiser, and the formats it is exported to."""

import re

import mindspore as ms
import numpy as np
import onnxruntime
import pytest
from mindspore import nn
from mindspore.nn.utils import no_init_parameters

from folders import import_from
from golden import image, weights

mnasnet = import_from("mnasnet", "src.models.mnasnet")
CrossEntropySmooth = import_from("mnasnet", "src.loss").CrossEntropySmooth
RMSProp = import_from("mnasnet", "src.rmsprop").RMSProp
config = import_from("mnasnet", "src.config").config


def with_golden_weights(network):
    for parameter in network.get_parameters():
        value = weights(parameter.name, parameter.shape)
        parameter.set_data(ms.Tensor(value * np.float32(1.5) if value.ndim == 4 else value))
    return network.set_train(False)


@pytest.mark.parametrize("smooth_factor", [0.0, 0.1])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_loss_against_numpy(smooth_factor, reduction):
    logits, labels = 3 * np.random.RandomState(0).randn(6, 10), np.arange(6)
    target = np.full((6, 10), smooth_factor / 9)
    target[np.arange(6), labels] = 1 - smooth_factor
    expected = -(target * (logits - np.log(np.exp(logits).sum(1, keepdims=True)))).sum(1)
    loss = CrossEntropySmooth(True, reduction, smooth_factor, num_classes=10)
    got = loss(ms.Tensor(logits, ms.float32), ms.Tensor(labels, ms.int32))
    np.testing.assert_allclose(got.asnumpy(), getattr(np, reduction)(expected), rtol=1e-5)
    by_target = CrossEntropySmooth(False, reduction, num_classes=10)(
        ms.Tensor(logits, ms.float32), ms.Tensor(target, ms.float32)
    )
    np.testing.assert_allclose(by_target.asnumpy(), got.asnumpy(), rtol=1e-5)


def test_loss_of_half_precision_logits_is_float32():
    loss = CrossEntropySmooth(num_classes=4)(
        ms.Tensor(np.zeros((2, 4)), ms.float16), ms.Tensor([0, 3], ms.int32)
    )
    assert loss.dtype == ms.float32 and float(loss.asnumpy()) == pytest.approx(np.log(4), rel=1e-6)


def test_optimiser_against_numpy():
    """Step by step, whatever the number of threads that MindSpore tries in turn."""
    random = np.random.RandomState(0)
    weight = random.randn(24)
    gradients = random.randn(40, 24)
    parameter = ms.Parameter(ms.Tensor(weight, ms.float32), name="weight")
    settings = {"decay": 0.9, "epsilon": 0.001, "momentum": 0.9, "loss_scale": 1024.0}
    optimizer = RMSProp([parameter], ms.Tensor(np.full(40, 0.05, np.float32)), **settings)
    mean_square, moment = np.ones(24), np.zeros(24)
    for gradient in gradients:
        optimizer((ms.Tensor(1024 * gradient, ms.float32),))
        mean_square = 0.9 * mean_square + 0.1 * gradient**2
        moment = 0.9 * moment + 0.05 * gradient / np.sqrt(mean_square + 0.001)
        weight = weight - moment
        np.testing.assert_allclose(parameter.asnumpy(), weight, atol=5e-6)
    names = {entry.name for entry in optimizer.get_parameters()}
    assert {"mean_square.weight", "moment.weight"} <= names


@pytest.mark.parametrize(
    "depth_multiplier, trainable",
    [(0.5, 2_218_512), (0.75, 3_170_208), (1.0, 4_383_312), (1.3, 6_282_256)],
)
def test_parameter_counts_of_torchvision(depth_multiplier, trainable):
    with no_init_parameters():
        network = mnasnet.mnasnet_b1(depth_multiplier=depth_multiplier)
    assert sum(parameter.size for parameter in network.trainable_params()) == trainable


def test_paper_form_is_a_special_case_of_the_documented_one():
    paper = with_golden_weights(mnasnet.mnasnet_b1(10))
    documented = mnasnet.Mnasnet(10).set_train(False)
    values = {parameter.name: parameter.asnumpy() for parameter in paper.get_parameters()}
    for parameter in documented.get_parameters():
        # the stem's bias is not in the paper
        value = values.get(parameter.name, np.zeros(parameter.shape, np.float32))
        if value.shape != parameter.shape:  # the projection: a 1x1 kernel amid a 3x3 one
            value = np.pad(value, ((0, 0), (0, 0), (1, 1), (1, 1)))
        parameter.set_data(ms.Tensor(value))
    batch = ms.Tensor(image((2, 3, 64, 64)))
    np.testing.assert_allclose(
        documented(batch).asnumpy(), paper(batch).asnumpy(), rtol=1e-4, atol=1e-5
    )


def test_paper_form_drops_features_only_in_training():
    network = mnasnet.mnasnet_b1(10, depth_multiplier=0.5)
    batch = ms.Tensor(image((2, 3, 32, 32)))
    network.set_train(False)
    np.testing.assert_array_equal(network(batch).asnumpy(), network(batch).asnumpy())
    network.set_train(True)
    assert np.abs(network(batch).asnumpy() - network(batch).asnumpy()).max() > 1e-4


@pytest.mark.parametrize("size", [(32, 32), (65, 97)])
def test_other_image_sizes(size):
    network = with_golden_weights(mnasnet.Mnasnet(7))
    features = network.conv1(network.features(ms.Tensor(image((2, 3, *size)))))
    assert features.shape == (2, 1280, -(-size[0] // 32), -(-size[1] // 32))
    expected = (
        features.asnumpy().mean((2, 3)) @ network.fc.weight.asnumpy().T + network.fc.bias.asnumpy()
    )
    np.testing.assert_allclose(
        network(ms.Tensor(image((2, 3, *size)))).asnumpy(), expected, rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize("training", [True, False])
def test_gradients_reach_every_trainable_parameter(training):
    network = mnasnet.Mnasnet(10).set_train(training)
    loss = nn.WithLossCell(network, CrossEntropySmooth(smooth_factor=0.1, num_classes=10))
    parameters = network.trainable_params()
    gradients = ms.grad(loss, None, parameters)(
        ms.Tensor(image((4, 3, 64, 64))), ms.Tensor([0, 3, 7, 9], ms.int32)
    )
    assert len(gradients) == 159
    for parameter, gradient in zip(parameters, gradients):
        # In training, the next batch norm takes a constant away: that of the stem, and that of a
        # linear projection, carried there by a 1x1 convolution or by shortcuts. Their gradients are
        # rounding noise then.
        shift = re.search(r"0\.conv\.bias|conv\.7\.beta|sequence\.4\.beta", parameter.name)
        largest = np.abs(gradient.asnumpy()).max()
        assert np.isfinite(largest) and (largest > 1e-7 or (training and shift)), parameter.name


def test_initial_weights_keep_the_signal():
    ms.set_seed(1)
    network = mnasnet.Mnasnet(1000).set_train(True)
    depthwise = {
        name: parameter.asnumpy().std()
        for name, parameter in network.parameters_and_names()
        if name.endswith("conv.3.weight")
    }
    for name, spread in depthwise.items():
        kernel = 3 if name.split(".")[1] in ("2", "3", "4", "11", "12", "17") else 5
        assert spread == pytest.approx(np.sqrt(2) / kernel, rel=0.1), name
    logits = network(ms.Tensor(image((4, 3, 64, 64)))).asnumpy()
    loss = CrossEntropySmooth()(ms.Tensor(logits), ms.Tensor([1, 2, 3, 4], ms.int32))
    assert float(loss.asnumpy()) == pytest.approx(np.log(1000), rel=0.05) and logits.std() > 0.01


def test_documented_settings():
    assert (
        config.batch_size,
        config.epoch_size,
        config.lr_max,
        config.opt_eps,
        config.label_smooth_factor,
    ) == (256, 250, 0.2, 0.001, 0.1)


def test_exports_equal_the_network(tmp_path):
    network = with_golden_weights(mnasnet.Mnasnet(10))
    batch = image((1, 3, 64, 64))
    expected = network(ms.Tensor(batch)).asnumpy()
    for file_format in ("ONNX", "MINDIR"):
        ms.export(
            network, ms.Tensor(batch), file_name=str(tmp_path / "mnasnet"), file_format=file_format
        )
    session = onnxruntime.InferenceSession(
        str(tmp_path / "mnasnet.onnx"), providers=["CPUExecutionProvider"]
    )
    assert [argument.shape for argument in session.get_inputs()] == [[1, 3, 64, 64]]
    by_onnx = session.run(None, {session.get_inputs()[0].name: batch})[0]
    by_mindir = nn.GraphCell(ms.load(str(tmp_path / "mnasnet.mindir")))(ms.Tensor(batch)).asnumpy()
    for got in (by_onnx, by_mindir):
        assert np.abs(got - expected).max() <= 1e-4 * np.abs(expected).max()
