"""Parameters and multiply-adds of every folder's network, into the table of the main README:
`make tables`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from multiply_adds import count
from tables import ROOT, write_table

# folder: (what builds the network, image size, network and data set, what the documentation
# reports)
FOLDERS = {
    "fishnet99": (
        "from src.fishnet import fish99 as build",
        224,
        "FishNet99, ImageNet",
        "78.24 % top-1, Ascend",
    ),
    "resnest": (
        "from src.models.resnest import resnest50 as build",
        224,
        "ResNeSt50, ImageNet",
        "80.90 % top-1, Ascend; 81.08 %, GPU",
    ),
    "nas_fpn": (
        (
            "import types, yaml; from src.retinanet_nasfpn import inference_network; build ="
            " lambda: "
            "inference_network(types.SimpleNamespace(**next(yaml.safe_load_all(open('default_config.yaml')))))"
        ),
        640,
        "RetinaNet-R50 with NAS-FPN, COCO",
        "0.417 mAP, Ascend",
    ),
    "mnasnet": (
        "from src.models.mnasnet import Mnasnet as build",
        224,
        "MnasNet, ImageNet",
        "74.12 % top-1, Ascend",
    ),
    "mobilenetv1": (
        "from src.mobilenet_v1_fpn import mobilenet_v1 as build",
        224,
        "MobileNetV1, ImageNet and CIFAR-10",
        "71.28 % top-1, Ascend; 71.29 %, GPU",
    ),
}
SCRIPT = """
import sys
{build}
import mindspore as ms, numpy as np
ms.set_device("CPU")
network = build().set_train(False)
print(sum(parameter.size for parameter in network.trainable_params()))
images = ms.Tensor(np.zeros((1, 3, {size}, {size}), np.float32))
ms.export(network, images, file_name=sys.argv[1], file_format="ONNX")
"""


def measure(folder, build, size):
    """(trainable parameters, multiply-adds of one image) of a folder's network."""
    with tempfile.TemporaryDirectory() as work:
        path = Path(work, "network.onnx")
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT.format(build=build, size=size), str(path)],
            cwd=ROOT / folder,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"error: {folder}: {done.stderr[-2000:]}")
        return int(done.stdout.split()[-1]), count(path)


def main():
    """One row for each folder that has a train.py."""
    rows = []
    for folder, (build, size, title, reported) in FOLDERS.items():
        if (ROOT / folder / "train.py").exists():
            parameters, operations = measure(folder, build, size)
            rows.append(
                [
                    f"[{folder}]({folder})",
                    title,
                    f"{parameters / 1e6:.2f} M",
                    f"{operations / 1e9:.2f} G at {size}",
                    reported,
                ]
            )
    write_table(
        ".",
        "folders",
        ["folder", "network, data", "parameters", "multiply-adds", "reported accuracy"],
        rows,
    )


if __name__ == "__main__":
    main()
