"""How parameters start: drawn by chance, or from the checkpoint of a detector or of a backbone."""

from mindspore import nn
from mindspore.common.initializer import TruncatedNormal, initializer

from src.retinanet_nasfpn import CLASSIFIER
from src.vendored.checkpoints import check_names, load_weights, read_weights
from src.vendored.naming import fit_names
from src.vendored.record import read_record

HEAD_LAYERS = ("multi_loc_layers", "multi_cls_layers")
TORCH_BATCH_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
TORCH_NAME = "layer1.0.conv1.weight"  # tells whose names a backbone has
TORCH_FORM = {"backbone_padding": "symmetric", "backbone_epsilon": 1e-5}


def init_net_param(network: nn.Cell) -> None:
    """Draw every trainable weight from a normal of sigma 0.01, cut at two sigma (so that its
    deviation is 0.0088); BatchNorm stays as it is.
    """
    # `a` and `b` are values, not multiples of sigma: the defaults of -2 and 2 would cut nothing.
    normal = TruncatedNormal(sigma=0.01, mean=0.0, a=-0.02, b=0.02)
    for parameter in network.trainable_params():
        if not any(word in parameter.name for word in ("beta", "gamma", "bias")):
            parameter.set_data(initializer(normal, parameter.shape, parameter.dtype))


def filter_checkpoint_parameter(parameters: dict) -> dict:
    """`parameters` (name to value) without those of the detection head, which has the data set's
    class count.
    """
    return {
        name: value
        for name, value in parameters.items()
        if not any(layer in name for layer in HEAD_LAYERS)
    }


def from_torchvision(parameters: dict) -> dict:
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


def load_pre_trained(
    network: nn.Cell, path: str, filter_weight: bool = False, ema: bool = False
) -> None:
    """Load the checkpoint `path` of a detector, or of a ResNet-50 alone, into the detector
    `network` with its loss; print what not. `ema` as in load_weights.

    A backbone has the names `backbone.*` or torchvision's; all may have a prefix in front. The
    layers that give the classes are left out where their number is another one, with
    `filter_weight` the whole head is. Raises UserError naming anything else that does not fit.
    """
    detector = network.network
    short = _short_names(detector)
    names = {TORCH_NAME, *short, *(f"network.{name}" for name in short)}
    values = fit_names(path, read_weights(path, ema), names)
    values = {name.replace("network.", "", 1): value for name, value in values.items()}
    wanted = read_record(path)[0]["options"]
    if TORCH_NAME in values:
        values, wanted = from_torchvision(values), TORCH_FORM
    note_form(detector.backbone, wanted)
    parts = {"backbone": detector.backbone, "neck": detector.neck, "head": detector.head}
    left_out = []
    if values and all(name.startswith("backbone.") for name in values):
        left_out = ["neck", "head"]
    elif filter_weight:
        left_out = ["head"]
        values = filter_checkpoint_parameter(values)
    cells = [cell for name, cell in parts.items() if name not in left_out]
    expected = [name for cell in cells for name in _short_names(cell)]
    check_names(path, values, dict.fromkeys(expected))
    for cell in cells:
        own = {f"network.{name}": values[name] for name in _short_names(cell)}
        skipped = load_weights(cell, path, CLASSIFIER, own)
        left_out += [name.replace("network.", "", 1) for name in skipped]
    print(f"loaded {path}; not loaded: {', '.join(left_out) or 'nothing'}", flush=True)


def note_form(backbone: nn.Cell, wanted: dict) -> None:
    """Print a line where `backbone` has not the options `wanted` that its weights were trained
    with.
    """
    padding = "symmetric" if backbone.maxpool.symmetric else "same"
    has = {"backbone_padding": padding, "backbone_epsilon": backbone.bn1.eps}
    differ = [key for key in has if wanted.get(key, has[key]) != has[key]]
    if differ:
        flags = " ".join(f"--{key} {wanted[key]}" for key in differ)
        print(f"note: these weights want {flags}: without, a start for training, not an exact port")


def _short_names(cell):
    return [parameter.name.replace("network.", "", 1) for parameter in cell.get_parameters()]
