"""How parameters start, and which of a checkpoint are left out."""
from mindspore.common.initializer import TruncatedNormal, initializer

HEAD_LAYERS = ("multi_loc_layers", "multi_cls_layers")


def init_net_param(network):
    """Draw every trainable weight from a normal of sigma 0.01, cut at two sigma; BatchNorm stays as it is."""
    for parameter in network.trainable_params():
        if not any(word in parameter.name for word in ("beta", "gamma", "bias")):
            parameter.set_data(initializer(TruncatedNormal(0.01), parameter.shape, parameter.dtype))


def filter_checkpoint_parameter(parameters):
    """`parameters` (name to value) without those of the detection head, which has the data set's class count."""
    return {name: value for name, value in parameters.items() if not any(layer in name for layer in HEAD_LAYERS)}
