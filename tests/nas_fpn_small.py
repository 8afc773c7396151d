"""NAS-FPN with a backbone of few layers and a pyramid of one stage: settings and network.

What is refused does not depend on the layers that are left out.
"""

import json

from entry_points import call
from folders import import_from
from nas_fpn_records import coco_folder
from test_nas_fpn import configuration

SMALL = {
    "img_shape": [128, 128],
    "coco_classes": ["background", "dog", "cat"],
    "num_classes": 3,
    "batch_size": 2,
    "backbone_blocks": [1, 1, 1, 1],
    "backbone_width": 8,
    "nasfpn_input_channels": [64, 128, 256],
    "nasfpn_stack_times": 1,
    "nasfpn_out_channel": 8,
    "extras_out_channels": [8] * 5,
    "workers": 1,
    "distribute": False,
    "device_target": "CPU",
    "lr": 0.01,
    "warmup_epochs1": 0,
    "warmup_epochs2": 0,
    "warmup_epochs3": 0,
    "warmup_epochs4": 0,
    "warmup_epochs5": 1,
}
RESNET50 = {
    "backbone_blocks": [3, 4, 6, 3],
    "backbone_width": 64,
    "nasfpn_input_channels": [512, 1024, 2048],
}


def write_yaml(path, **values):
    path.write_text(json.dumps({**SMALL, **values}))  # every JSON text is a yaml text


def small_network(num_classes, **options):
    module = import_from("nas_fpn", "src.retinanet_nasfpn")
    config = configuration(128, **{**SMALL, "num_classes": num_classes, **options})
    return module.retinanetWithLossCell(module.retinanetNASFPN(config), config)


def values(network):
    return {name: parameter.asnumpy() for name, parameter in network.parameters_dict().items()}


def create_records(root):
    """Images, their MindRecord files, by create_data.py, and small.yaml, in `root`."""
    for split in ("train2017", "val2017"):
        coco_folder(root / "coco", split)
    folders = {"coco_root": str(root / "coco"), "mindrecord_dir": str(root / "records")}
    write_yaml(root / "small.yaml", **folders)
    for prefix, is_training in (
        ("retinanet.mindrecord", "True"),
        ("retinanet_eval.mindrecord", "False"),
    ):
        flags = ["--create_dataset", "coco", "--prefix", prefix, "--is_training", is_training]
        flags += ["--config_path", "small.yaml"]
        code, out, err = call("nas_fpn", "create_data.py", *flags, cwd=root)
        assert code == 0 and "Start create dataset!" in out, err
        assert "Create Mindrecord Done, at " in out, err
