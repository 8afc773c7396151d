"""MobileNetV1's recipe: learning rates, loss, options, gradients."""

import runpy

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn

from folders import REPOSITORY, activate, import_from, load_config, take_ctrl_c

SMALL_STEPS = (0, 1, 9, 10, 12, 24, 39)
# (lr_init, lr_end, lr_max, warmup epochs, epochs, steps an epoch, mode): {step: rate}
SCHEDULES = [
    (
        (0.01, 1e-5, 0.1, 5, 90, 1562, "poly"),
        {
            0: 0.01,
            1: 0.01001152,
            7809: 0.09998848,
            7810: 0.1,
            42174: 0.05493426,
            70290: 0.02802768,
            84348: 0.01793772,
            140579: 5.672834e-12,
        },
    ),
    (
        (0.0, 0.0, 0.8, 0, 90, 1251, "linear"),
        {
            0: 0.8,
            1: 0.7999929,
            33777: 0.56,
            56295: 0.4,
            67554: 0.32,
            90072: 0.16,
            112589: 7.105427e-6,
        },
    ),
    (
        (0.0, 0.0, 0.8, 0, 90, 1251, "cosine"),
        {0: 0.800008, 1: 0.8000009, 33777: 0.4571276, 56295: 0.2188297, 112589: 8.062946e-6},
    ),
    ((0.0, 0.0, 0.8, 0, 90, 1251, "steps"), {33776: 0.8, 33777: 0.08, 67554: 0.008, 90072: 8e-4}),
    ((0.0, 0.0, 0.8, 0, 90, 1251, "poly"), {33777: 0.392, 56295: 0.2, 112589: 6.310887e-11}),
    (
        (0.01, 1e-5, 0.1, 2, 8, 5, "steps"),
        dict(zip(SMALL_STEPS, (0.01, 0.019, 0.091, 0.1, 0.01, 0.001, 1e-4))),
    ),
    (
        (0.01, 1e-5, 0.1, 2, 8, 5, "poly"),
        dict(zip(SMALL_STEPS, (0.01, 0.019, 0.091, 0.1, 0.08711111, 0.02844444, 1.111111e-4))),
    ),
    (
        (0.01, 1e-5, 0.1, 2, 8, 5, "cosine"),
        dict(
            zip(SMALL_STEPS, (0.019, 0.028, 0.1, 0.07767057, 0.06439069, 0.007693382, 3.901783e-4))
        ),
    ),
    (
        (0.01, 1e-5, 0.1, 2, 8, 5, "linear"),
        dict(zip(SMALL_STEPS, (0.01, 0.019, 0.091, 0.1, 0.093334, 0.053338, 0.003343))),
    ),
]


@pytest.mark.parametrize(
    "arguments, expected", SCHEDULES, ids=[f"{a[6]}-{a[5]}" for a, _ in SCHEDULES]
)
def test_learning_rates(arguments, expected):
    rates = import_from("mobilenetv1", "src.lr_generator").get_lr(*arguments)
    assert rates.dtype == np.float32 and rates.shape == (arguments[4] * arguments[5],)
    np.testing.assert_allclose(rates[list(expected)], list(expected.values()), rtol=1e-6)


def test_warmup_cosine_annealing_starts_at_global_step():
    generator = import_from("mobilenetv1", "src.lr_generator")
    whole = generator.get_lr(0.0, 0.0, 0.4, 5, 120, 10, "cosine")
    np.testing.assert_array_equal(
        generator.warmup_cosine_annealing_lr(0.4, 10, 5, global_step=37), whole[37:]
    )


@pytest.mark.parametrize("smooth", [0.0, 0.1])
@pytest.mark.parametrize("sparse", [True, False])
def test_loss_against_numpy(smooth, sparse):
    logits = np.random.RandomState(0).randn(6, 11).astype(np.float32) * 3
    labels = np.array([0, 3, 10, 3, 7, 1], np.int32)
    targets = np.eye(11, dtype=np.float32)[labels]
    if sparse:
        targets = np.where(targets == 1, 1 - smooth, smooth / 10)
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    loss = import_from("mobilenetv1", "src.CrossEntropySmooth").CrossEntropySmooth(
        sparse=sparse, smooth_factor=smooth, num_classes=11
    )
    got = loss(ms.Tensor(logits), ms.Tensor(labels if sparse else targets)).asnumpy()
    np.testing.assert_allclose(got, -(targets * log_probabilities).sum(axis=1).mean(), rtol=1e-5)


def test_gradients_reach_every_parameter():
    network = (
        import_from("mobilenetv1", "src.mobilenet_v1_fpn").mobilenet_v1(class_num=10).set_train()
    )
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    images = ms.Tensor(np.random.RandomState(0).randn(4, 3, 64, 64).astype(np.float32))
    labels = ms.Tensor(np.array([0, 1, 2, 3], np.int32))
    parameters = network.trainable_params()

    def forward(x):
        return loss(network(x), labels)

    gradients = ms.grad(forward, None, parameters)(images)
    assert len(parameters) == 83
    assert [
        p.name for p, g in zip(parameters, gradients) if not np.abs(g.asnumpy()).max() > 0
    ] == []


def test_initialisation():
    module = import_from("mobilenetv1", "src.mobilenet_v1_fpn")
    network = module.mobilenet_v1()
    module.initialise(network)
    classifier = network.fc.weight.asnumpy()
    assert np.abs(classifier).max() <= 0.02 and 0.008 < classifier.std() < 0.0095
    assert not network.fc.bias.asnumpy().any()
    # Xavier: fan in plus fan out of a pointwise convolution from 512 to 512.
    bound = np.sqrt(6 / (512 + 512))
    assert 0.99 * bound < np.abs(network.network[14][0].weight.asnumpy()).max() <= bound


@pytest.mark.parametrize(
    "options, parameters",
    [({}, 4231976), ({"width_multiplier": 0.25}, 470072), ({"width_multiplier": 0.5}, 1331592)],
)
def test_parameter_counts_of_the_paper(options, parameters):
    network = import_from("mobilenetv1", "src.mobilenet_v1_fpn").mobilenet_v1(
        class_num=1000, **options
    )
    assert sum(parameter.size for parameter in network.trainable_params()) == parameters


def test_activation_option():
    network = import_from("mobilenetv1", "src.mobilenet_v1_fpn").mobilenet_v1(
        class_num=3, activation="relu"
    )
    assert {
        type(cell) for _, cell in network.cells_and_names() if "ReLU" in type(cell).__name__
    } == {nn.ReLU}


def test_features_only_gives_every_block():
    network = import_from("mobilenetv1", "src.mobilenet_v1_fpn").mobilenet_v1(features_only=True)
    features = network(ms.Tensor(np.zeros((1, 3, 64, 96), np.float32)))
    assert len(features) == 27
    assert features[0].shape == (1, 32, 32, 48) and features[-1].shape == (1, 1024, 2, 3)
    assert "fc.weight" not in network.parameters_dict()


def test_both_import_paths():
    assert (
        import_from("mobilenetv1", "src.mobilenet_v1").mobilenet_v1
        is import_from("mobilenetv1", "src.mobilenet_v1_fpn").mobilenet_v1
    )


def test_several_ascend_exchange_gradients_in_two_parts():
    """As the original: the first 76 gradients, then the others. What can be seen without a device:
    how its parameters are marked for MindSpore's fusion of all-reduces.
    """
    activate("mobilenetv1")
    train = runpy.run_path(str(REPOSITORY / "mobilenetv1/train.py"))
    take_ctrl_c()
    config = load_config("mobilenetv1", train["GROUPS"], ("--width_multiplier", "0.25"))
    assert config.device_target == "Ascend"
    network = train["build_network"](config)
    optimizer = train["create_optimizer"](network, np.ones(2, np.float32), config)
    train["create_model"](network, nn.CrossEntropyLoss(), optimizer, config)
    parts = [parameter.comm_fusion for parameter in optimizer.parameters]
    assert parts == [1] * 76 + [2] * (len(parts) - 76)
