"""First weights for narrow networks and short trainings: by fan-in, with a prior of the classes."""

import math
import re

import numpy as np
from mindspore import Parameter, Tensor, nn
from mindspore.common.initializer import Normal, initializer

SUBNET_LAYER = re.compile(r"head\.multi_(loc|cls)_layers\.(\d)\.feats\.(\d)\.")
OUTPUT_LAYER = 8  # of a subnet
OUTPUT_DEVIATION = 0.01  # arXiv:1708.02002, section 4.1
PRIOR = 0.01  # the same: at first an anchor is thought to be of a class with this probability
# Mean of what a ReLU leaves of a normal variable of variance 2, which He's law keeps.
MEAN_FEATURE = 1 / math.sqrt(math.pi)


def init_by_fan_in(network: nn.Cell, num_classes: int, feature_size: list[int]) -> None:
    """Draw every convolution's weight from a normal of variance 2 / fan-in (arXiv:1502.01852,
    equation 10), the head's output layers from one of deviation 0.01; BatchNorm's scales are 1.

    The class layers have no bias, so the mean of their weights stands for RetinaNet's prior: it is
    negative for the classes and positive for background, the first of `num_classes`. `feature_size`
    has the sides of the maps that the head gets.
    """
    for parameter in network.trainable_params():
        if parameter.name.endswith("gamma"):
            # No residual block starts as its shortcut: in a short training most would remain so.
            parameter.set_data(initializer("ones", parameter.shape, parameter.dtype))
        elif parameter.ndim == 4:
            _draw(parameter, num_classes, feature_size)


def _draw(parameter: Parameter, num_classes: int, feature_size: list[int]) -> None:
    inputs, mean = math.prod(parameter.shape[1:]), 0.0
    place = SUBNET_LAYER.search(parameter.name)
    if place:
        # The head has no BatchNorm: on a map of 1x1 eight of nine weights meet the border alone,
        # and four layers of them would let nothing through. So count those that meet the map.
        inputs *= (1 - 2 / (3 * feature_size[int(place[2])])) ** 2
    deviation = math.sqrt(2 / inputs)
    if place and int(place[3]) == OUTPUT_LAYER:
        deviation = OUTPUT_DEVIATION
        if place[1] == "cls":
            logit = math.log(PRIOR / (1 - PRIOR)) / (inputs * MEAN_FEATURE)
            sign = np.ones(len(parameter), np.float32)
            sign[::num_classes] = -1  # outputs are by anchor, then by class
            mean = logit * sign[:, None, None, None]
    drawn = initializer(Normal(deviation), parameter.shape, parameter.dtype).init_data()
    parameter.set_data(Tensor(drawn.asnumpy() + np.float32(mean)))
