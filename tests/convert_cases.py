"""Networks with published weights, and the commands that convert these."""

import subprocess
import sys

import numpy as np
from safetensors.numpy import save_file

from folders import REPOSITORY, activate

CONVERT = REPOSITORY / "utils/convert"
sys.path.insert(0, str(CONVERT))

import mapping  # noqa: E402, F401  its folder comes first
import sources  # noqa: E402

IMAGENET = {"dataset": "imagenet2012", "class_num": 5}
RESNEST = {"num_classes": 5, "attention_bias": True}
# folder, source, options of the network, and pairs of a parameter and a tensor, written by hand
CASES = {
    "fishnet99": ("fishnet99", "FishNet", {"num_classes": 5, "pool_padding": "symmetric"}, {
        "stem.2.1.moving_variance": "conv3.1.running_var",
        "tail_layer.2.layer_FishTail.layer_DownStage.3.layers_.1.2.weight":
            "fish.fish.2.0.3.conv2.weight",
        "body_layer.1.transfer.layers_TransferBlock.0.layers_.0.0.gamma":
            "fish.fish.5.1.0.bn1.weight",
        "bridge.se_block.5.bias": "fish.fish.3.3.0.5.bias",
    }),
    "resnest50": ("resnest", "timm", {"net_name": "resnest50", **RESNEST}, {
        "layer2.0.downsample.2.moving_mean": "layer2.0.downsample.2.running_mean",
        "layer3.5.conv2.conv.convs.1.weight": "layer3.5.conv2.conv.weight",
        "layer1.0.conv2.fc2.convs.0.bias": "layer1.0.conv2.fc2.bias",
    }),
    "torchvision": ("mnasnet", "torchvision",
                    {"class_num": 5, "mnasnet_b1": True, "depth_multiplier": 0.5}, {
        "features.0.conv.weight": "layers.0.weight",
        "features.1.sequence.3.weight": "layers.6.weight",
        "features.5.conv.4.beta": "layers.9.0.layers.4.bias",
        "features.17.conv.6.weight": "layers.13.0.layers.6.weight",
        "conv1.1.gamma": "layers.15.weight",
    }),
    "timm mnasnet": ("mnasnet", "timm",
                     {"class_num": 5, "mnasnet_b1": True, "depth_multiplier": 0.5}, {
        "features.1.sequence.4.moving_mean": "blocks.0.0.bn2.running_mean",
        "features.16.conv.3.weight": "blocks.5.3.conv_dw.weight",
        "fc.bias": "classifier.bias",
    }),
    "timm mobilenetv1": ("mobilenetv1", "timm",
                         {**IMAGENET, "width_multiplier": 0.25, "padding": "symmetric"}, {
        "network.0.1.gamma": "bn1.weight",
        "network.15.0.weight": "blocks.3.2.conv_dw.weight",
        "network.26.1.beta": "blocks.4.1.bn2.bias",
    }),
    "google": ("mobilenetv1", "google",
               {**IMAGENET, "width_multiplier": 0.25, "bn_epsilon": 0.001}, {
        "network.7.0.weight": "mobilenet_v1.layer.6.convolution.weight",
        "network.0.1.beta": "mobilenet_v1.conv_stem.normalization.bias",
    }),
    "Keras": ("mobilenetv1", "Keras",
              {**IMAGENET, "width_multiplier": 0.25, "bn_epsilon": 0.001}, {
        "network.0.0.weight": "conv1/kernel",
        "network.0.1.gamma": "conv1_bn/gamma",
        "network.3.0.weight": "conv_dw_2/depthwise_kernel",
        "network.26.1.moving_variance": "conv_pw_13_bn/moving_variance",
        "fc.weight": "conv_preds/kernel",
    }),
    "ResNet-50": ("nas_fpn", "torchvision",
                  {"backbone_padding": "symmetric", "backbone_epsilon": 1e-5}, {
        "backbone.layer4.0.down_sample_layer.1.gamma": "layer4.0.downsample.1.weight",
        "backbone.conv1.weight": "conv1.weight",
    }),
}  # fmt: skip


def prepare(name):
    """(folder, Source, {parameter: random array} of its network) of a case."""
    folder, title, options, _ = CASES[name]
    activate(folder)
    tables = sources.tables_of(folder)
    (source,) = [s for s in tables.SOURCES if title.lower() in s.title.lower()]
    network, _ = tables.build_network(options)
    random = np.random.default_rng(0)
    return (
        folder,
        source,
        {
            tables.PART + p.name: random.uniform(0.5, 1, p.shape).astype(np.float32)
            for p in network.get_parameters()
        },
    )


def convert(script, folder, *arguments, **options):
    return subprocess.run(
        [sys.executable, CONVERT / f"{script}.py", folder, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def there(folder, *arguments, **options):
    return convert("torch_to_mindspore", folder, *arguments, **options)


def save(tensors, path):
    if path.suffix == ".h5":
        from write_weights import write_hdf5

        write_hdf5(tensors, path)
    else:
        save_file(tensors, path)
