"""How parameters start: drawn by chance, or from the checkpoint of a detector or of a backbone."""

import difflib
import re

from mindspore.common.initializer import TruncatedNormal, initializer

from src.vendored.checkpoint import TRAINING_ENTRY, read_checkpoint
from src.vendored.launch import UserError

HEAD_LAYERS = ("multi_loc_layers", "multi_cls_layers")
CLASS_LAYER = re.compile(r"head\.multi_cls_layers\.\d+\.feats\.8\.weight")
TORCH_BATCH_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
TORCH_CAVEAT = (
    "torchvision's ResNet-50 pads symmetrically and has a BatchNorm epsilon of 1e-5, this backbone"
    " pads right and below and has 1e-3: the weights are a start for training, not an exact port"
)


def init_net_param(network):
    """Draw every trainable weight from a normal of sigma 0.01, cut at two sigma (so that its
    deviation is 0.0088); BatchNorm stays as it is.
    """
    # `a` and `b` are values, not multiples of sigma: the defaults of -2 and 2 would cut nothing.
    normal = TruncatedNormal(sigma=0.01, mean=0.0, a=-0.02, b=0.02)
    for parameter in network.trainable_params():
        if not any(word in parameter.name for word in ("beta", "gamma", "bias")):
            parameter.set_data(initializer(normal, parameter.shape, parameter.dtype))


def filter_checkpoint_parameter(parameters):
    """`parameters` (name to value) without those of the detection head, which has the data set's
    class count.
    """
    return {
        name: value
        for name, value in parameters.items()
        if not any(layer in name for layer in HEAD_LAYERS)
    }


def from_torchvision(parameters):
    """`parameters` of torchvision's ResNet-50 under this backbone's names, `backbone.*`; the
    classifier is left out.
    """
    renamed = {}
    for name, value in parameters.items():
        *layer, kind = name.replace("downsample", "down_sample_layer").split(".")
        if layer[-1].startswith("bn") or layer[-2:-1] == ["down_sample_layer"] and layer[-1] == "1":
            kind = TORCH_BATCH_NORM.get(kind, kind)
        if layer[0] != "fc" and kind != "num_batches_tracked":
            renamed[".".join(["backbone", *layer, kind])] = value
    return renamed


def load_pre_trained(network, path, filter_weight=False):
    """Load the checkpoint `path` of a detector, or of a ResNet-50 alone, into the detector
    `network`; print what not.

    A backbone has the names `backbone.*` or torchvision's; all may have `network.` in front. The
    layers that give the classes are left out where their number is another one, with
    `filter_weight` the whole head is. Raises UserError naming anything else that does not fit.
    """
    values = {
        name.replace("network.", "", 1): value
        for name, value in read_checkpoint(path).items()
        if not TRAINING_ENTRY.match(name)
    }
    if "layer1.0.conv1.weight" in values:
        values = from_torchvision(values)
        print(TORCH_CAVEAT)
    wanted = {
        parameter.name.replace("network.", "", 1): parameter
        for parameter in network.get_parameters()
    }
    left_out = []
    if values and all(name.startswith("backbone.") for name in values):
        left_out = ["neck", "head"]
        wanted = {
            name: parameter for name, parameter in wanted.items() if name.startswith("backbone.")
        }
    elif filter_weight:
        left_out = ["head"]
        values, wanted = filter_checkpoint_parameter(values), filter_checkpoint_parameter(wanted)
    for name in [*wanted, *values]:
        if name not in values or name not in wanted:
            side, other = ("checkpoint", values) if name in wanted else ("network", wanted)
            nearest = difflib.get_close_matches(name, other, n=2, cutoff=0.0)
            raise UserError(
                f"{path}: the {side} has no '{name}' (nearest: {', '.join(nearest) or 'none'}); is"
                " it a checkpoint of this detector or of a ResNet-50?"
            )
    for name, parameter in wanted.items():
        if values[name].shape == parameter.shape:
            parameter.set_data(values[name])
        elif CLASS_LAYER.fullmatch(name):
            left_out.append(name)
        else:
            raise UserError(
                f"{path}: '{name}' has shape {values[name].shape}, the network wants"
                f" {parameter.shape}; set the network's options to those it was trained with"
            )
    print(f"loaded {path}; not loaded: {', '.join(left_out) or 'nothing'}", flush=True)
