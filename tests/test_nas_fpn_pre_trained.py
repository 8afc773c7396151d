"""NAS-FPN's backbone from weights with torchvision's names."""

import mindspore as ms
import numpy as np
import pytest

from folders import import_from
from nas_fpn_small import RESNET50, small_network, values
from test_nas_fpn import user_error


def torchvision_resnet50():
    """{name: array} with the names and shapes of torchvision's ResNet-50."""
    random, weights = np.random.RandomState(0), {}

    def add(name, *shape):
        weights[name] = random.rand(*shape).astype(np.float32)

    def batch_norm(name, channels):
        for kind in ("weight", "bias", "running_mean", "running_var"):
            add(f"{name}.{kind}", channels)
        add(f"{name}.num_batches_tracked", 1)

    add("conv1.weight", 64, 3, 7, 7)
    batch_norm("bn1", 64)
    inputs = 64
    for layer, (blocks, width) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), 1):
        for block in range(blocks):
            name = f"layer{layer}.{block}"
            for number, shape in enumerate(
                ((width, inputs, 1, 1), (width, width, 3, 3), (4 * width, width, 1, 1)), 1
            ):
                add(f"{name}.conv{number}.weight", *shape)
                batch_norm(f"{name}.bn{number}", shape[0])
            if block == 0:
                add(f"{name}.downsample.0.weight", 4 * width, inputs, 1, 1)
                batch_norm(f"{name}.downsample.1", 4 * width)
            inputs = 4 * width
    add("fc.weight", 1000, 2048)
    add("fc.bias", 1000)
    return weights


def test_pre_trained_backbone_with_the_names_of_torchvision(tmp_path, capsys):
    weights, path = torchvision_resnet50(), str(tmp_path / "resnet50.ckpt")
    ms.save_checkpoint(
        [{"name": name, "data": ms.Tensor(value)} for name, value in weights.items()], path
    )
    network = small_network(3, **RESNET50)
    before = values(network)
    import_from("nas_fpn", "src.init_params").load_pre_trained(network, path)
    printed, after = capsys.readouterr().out, values(network)
    assert "not an exact port" in printed and "not loaded: neck, head\n" in printed
    for ours, theirs in (
        ("conv1.weight", "conv1.weight"),
        ("bn1.gamma", "bn1.weight"),
        ("bn1.beta", "bn1.bias"),
        ("layer3.5.bn2.moving_mean", "layer3.5.bn2.running_mean"),
        ("layer4.0.down_sample_layer.0.weight", "layer4.0.downsample.0.weight"),
        ("layer4.0.down_sample_layer.1.moving_variance", "layer4.0.downsample.1.running_var"),
    ):
        assert np.array_equal(after[f"network.backbone.{ours}"], weights[theirs]), ours
    changed = [name for name in after if not np.array_equal(before[name], after[name])]
    assert len(changed) == 265 and all(name.startswith("network.backbone.") for name in changed)

    del weights["layer2.1.conv2.weight"]
    ms.save_checkpoint(
        [{"name": name, "data": ms.Tensor(value)} for name, value in weights.items()], path
    )
    with pytest.raises(user_error(), match=r"no 'backbone\.layer2\.1\.conv2\.weight' \(nearest: "):
        import_from("nas_fpn", "src.init_params").load_pre_trained(network, path)
