"""From which law every weight is drawn: laws are given in full, since MindSpore's defaults changed
between versions.
"""

import math
import re
from types import SimpleNamespace

import mindspore as ms
import numpy as np
import pytest
import yaml

from folders import NAMES, REPOSITORY, import_from

CLASS_LAYER = r"head\.multi_cls_layers\.\d\.feats\.8"


def fishnet99():
    return import_from("fishnet99", "src.fishnet").fish99(10)


def resnest():
    return import_from("resnest", "src.models.resnest").get_network("resnest50", num_classes=10)


def nas_fpn(by_fan_in=False):
    values = next(yaml.safe_load_all((REPOSITORY / "nas_fpn/default_config.yaml").read_text()))
    module = import_from("nas_fpn", "src.retinanet_nasfpn")
    narrow = {"nasfpn_stack_times": 1, "nasfpn_out_channel": 32, "extras_out_channels": [32] * 5}
    network = module.retinanetNASFPN(SimpleNamespace(**{**values, **narrow}))
    import_from("nas_fpn", "src.init_params").init_net_param(network)
    if by_fan_in:
        init_by_fan_in = import_from("nas_fpn", "src.fan_in").init_by_fan_in
        init_by_fan_in(network, 81, [16, 8, 4, 2, 1])
    return network


def nas_fpn_by_fan_in():
    """With its prior taken out of the mean."""
    network = nas_fpn(by_fan_in=True)
    for parameter in network.trainable_params():
        if re.search(CLASS_LAYER, parameter.name):
            value = parameter.asnumpy()
            for part in (value[::81], value.reshape(9, 81, *value.shape[1:])[:, 1:]):
                part -= part.mean()
            parameter.set_data(ms.Tensor(value))
    return network


def mnasnet():
    return import_from("mnasnet", "src.models.mnasnet").Mnasnet(10)


def mobilenetv1():
    module = import_from("mobilenetv1", "src.mobilenet_v1_fpn")
    network = module.mobilenet_v1(10)
    module.initialise(network)
    return network


def fan_in(shape):
    """Inputs to one output of a convolution's weight (C_out, C_in of one group, k, k)."""
    return math.prod(shape[1:])


def fan_out(shape):
    """Outputs, those of all groups, that positions of one input channel go to."""
    return shape[0] * math.prod(shape[2:])


def he_uniform(name, shape):
    bound = math.sqrt(6 / fan_in(shape))
    return bound / math.sqrt(3), bound


def xavier_uniform(name, shape):
    bound = math.sqrt(6 / (fan_in(shape) + fan_out(shape)))
    return bound / math.sqrt(3), bound


def he_normal_of_one_group(name, shape):
    """In MnasNet: a depthwise convolution has an output for each input."""
    return math.sqrt(2 / (math.prod(shape[2:]) if shape[1] == 1 else fan_out(shape))), math.inf


def he_normal_of_all_groups(name, shape):
    """In ResNeSt: the two groups of a split attention have a weight each."""
    return math.sqrt(2 / (fan_out(shape) * (2 if ".conv2.conv." in name else 1))), math.inf


def dense_uniform(name, shape):
    return shape[1] ** -0.5 / math.sqrt(3), shape[1] ** -0.5


def normal(name, shape):
    return 0.01, math.inf


def normal_cut_at_two_sigma(name, shape):
    return 0.0087962566, 0.02


def he_normal_but_for_outputs(name, shape):
    """In NAS-FPN with `initial_weights` he: what gives boxes and classes starts small."""
    if name.startswith("head.") and name.endswith("feats.8.weight"):
        return normal(name, shape)
    inputs = fan_in(shape)
    if name.startswith("head."):
        side = 16 // 2 ** int(name.split(".")[2])
        # Of the three weights along an axis those that meet the map, on average over the map.
        met = sum(min(place + 1, side - 1) - max(place - 1, 0) + 1 for place in range(side)) / side
        inputs *= (met / 3) ** 2
    return math.sqrt(2 / inputs), math.inf


def test_a_head_without_bias_starts_from_the_prior():
    """Of 80 classes an anchor has each with some 1 % at first, on maps of every size."""
    ms.set_seed(1)
    network = nas_fpn(by_fan_in=True)
    maps = [
        ms.Tensor(np.random.default_rng(side).normal(size=(2, 32, side, side)), ms.float32)
        for side in (16, 8, 4, 2, 1)
    ]
    _, logits = network.head(maps)
    logits = np.split(logits.asnumpy(), np.cumsum([9 * s * s for s in (16, 8, 4, 2)]), axis=1)
    for level in logits:
        assert -7 < np.median(level[..., 1:]) < -2.5
        assert 2.5 < np.median(level[..., 0]) < 7


# For each folder: the laws of convolutions and of the dense layer, functions of a weight's name and
# shape that give the deviation and the largest value.
LAWS = [
    (fishnet99, he_uniform, None),
    (resnest, he_normal_of_all_groups, dense_uniform),
    (nas_fpn, normal_cut_at_two_sigma, None),
    (nas_fpn_by_fan_in, he_normal_but_for_outputs, None),
    (mnasnet, he_normal_of_one_group, normal),
    (mobilenetv1, xavier_uniform, normal_cut_at_two_sigma),
]


@pytest.mark.parametrize("folder", NAMES)
def test_every_folder_has_its_laws(folder):
    assert folder in [build.__name__ for build, *_ in LAWS], f"add a row for {folder} to LAWS"


@pytest.mark.parametrize(
    "build, of_convolutions, of_dense", LAWS, ids=[f.__name__ for f, *_ in LAWS]
)
def test_weights_are_drawn_from_the_documented_law(build, of_convolutions, of_dense):
    ms.set_seed(1)
    parameters = build().trainable_params()
    drawn = [parameter for parameter in parameters if parameter.ndim > 1]
    assert {parameter.ndim for parameter in drawn} == ({2, 4} if of_dense else {4})
    first = {}  # shape: the values of the first weight of that shape
    for parameter in drawn:
        value, name = parameter.asnumpy().astype(np.float64), parameter.name
        deviation, largest = (of_dense if value.ndim == 2 else of_convolutions)(name, value.shape)
        # Five standard errors of a normal's deviation.
        assert value.std() == pytest.approx(deviation, rel=3.6 / math.sqrt(value.size)), name
        assert abs(value.mean()) < 5 * deviation / math.sqrt(value.size), name
        assert np.abs(value).max() <= largest * (1 + 1e-6), name
        if value.size > 10000:
            assert np.abs(value).max() > min(0.97 * largest, 3 * deviation), name
        assert not np.array_equal(value, first.get(value.shape)), name
        first.setdefault(value.shape, value)
    for parameter in parameters:  # biases and batch norm
        if parameter.ndim == 1 and parameter.name != "fc.bias":
            assert len(np.unique(parameter.asnumpy())) == 1, parameter.name
    bias = [parameter.asnumpy() for parameter in parameters if parameter.name == "fc.bias"]
    assert not bias or (bias[0].any() if of_dense is dense_uniform else not bias[0].any())
