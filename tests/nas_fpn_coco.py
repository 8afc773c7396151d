"""A small COCO data set, and a detector that knows its boxes: right metrics are 1.0."""

import copy
import json

import cv2
import numpy as np
import onnx

from entry_points import call

HEIGHT, WIDTH, SIZE = 80, 100, 128
GREYS = (40, 120, 200)  # by which the detector knows the images
OWNERS, LABELS = (0, 0, 1, 1, 2, 2), (1, 2, 2, 1, 1, 2)  # of the six boxes
NAMES = ("cat", "dog")
BASE = {
    "images": [
        {"id": n, "file_name": f"{n:012}.png", "width": WIDTH, "height": HEIGHT} for n in (1, 2, 3)
    ],
    "annotations": [
        {
            "id": n + 1,
            "image_id": owner + 1,
            "category_id": label,
            "bbox": [5 + 40 * (n % 2), 10 + 5 * owner, 30 + 4 * (n % 2), 24 + 3 * owner],
            "area": (30 + 4 * (n % 2)) * (24 + 3 * owner),
            "iscrowd": 0,
        }
        for n, (owner, label) in enumerate(zip(OWNERS, LABELS))
    ],
    "categories": [{"id": n, "name": name} for n, name in enumerate(NAMES, 1)],
}
SETTINGS = {
    "device_target": "CPU",
    "distribute": False,
    "workers": 1,
    "image_size": SIZE,
    "num_classes": 3,
    "coco_classes": ["cat", "dog"],
    "batch_size": 2,
}
SPLITS = ("train2017", "val2017")


def base():
    """The content of an annotation file without faults, to edit."""
    return copy.deepcopy(BASE)


def write_data(root, content, names=(), settings=()):
    """root/coco with images and annotation files, root/settings.yaml.

    `content` is a text, bytes or what becomes JSON; `names` those of the three image files.
    """
    names = names or [image["file_name"] for image in BASE["images"]]
    for split in SPLITS:
        for name, grey in zip(names, GREYS):
            path = root / "coco" / split / name
            path.parent.mkdir(parents=True, exist_ok=True)
            picture = np.full((HEIGHT, WIDTH, 3), grey, np.uint8)
            path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    (root / "coco/annotations").mkdir(exist_ok=True)
    for split in SPLITS:
        write_annotations(root, content, split)
    values = {**SETTINGS, "coco_root": str(root / "coco"), "mindrecord_dir": str(root / "records")}
    (root / "settings.yaml").write_text(json.dumps({**values, **dict(settings)}))


def write_annotations(root, content, split="val2017"):
    """The annotation file of a split."""
    content = content if isinstance(content, (str, bytes)) else json.dumps(content)
    content = content if isinstance(content, bytes) else content.encode()
    (root / f"coco/annotations/instances_{split}.json").write_bytes(content)


def outputs(content, image):
    """What a perfect network gives for the image at this position: boxes (6, 4), scores (6, 3)."""
    boxes, scores = np.zeros((6, 4), np.float32), np.zeros((6, 3), np.float32)
    for row, (owner, label) in enumerate(zip(OWNERS, LABELS)):
        if owner == image and row < len(content["annotations"]):
            x, y, width, height = content["annotations"][row]["bbox"]
            boxes[row] = np.divide((y, x, y + height, x + width), (HEIGHT, WIDTH) * 2)
            scores[row, label] = 1
    return boxes, scores


def detector(content):
    """A perfect network: a normalised image (1, 3, S, S) to boxes (1, 6, 4), scores (1, 6, 3)."""

    def predict(image):
        grey = image[0, 0, 0, 0] * 58.395 + 123.675
        found = outputs(content, int(np.abs(np.array(GREYS) - grey).argmin()))
        return [values[None] for values in found]

    return predict


def write_onnx(path, content):
    """The same network as an ONNX file."""
    tables = [np.stack(each) for each in zip(*(outputs(content, image) for image in range(3)))]
    constants = {
        "greys": (np.float32(GREYS) - np.float32(123.675)) / np.float32(58.395),
        "boxes": tables[0],
        "scores": tables[1],
        "zero": np.array([0], np.int64),
        "one": np.array([1], np.int64),
        "axes": np.array([1], np.int64),
        "flat": np.array([1, -1], np.int64),
    }
    node = onnx.helper.make_node
    nodes = [
        node("Reshape", ["image", "flat"], ["row"]),
        node("Slice", ["row", "zero", "one", "axes"], ["pixel"]),
        node("Sub", ["pixel", "greys"], ["difference"]),
        node("Abs", ["difference"], ["distance"]),
        node("ArgMin", ["distance"], ["which"], axis=1, keepdims=0),
        node("Gather", ["boxes", "which"], ["found"]),
        node("Gather", ["scores", "which"], ["likely"]),
    ]
    value = onnx.helper.make_tensor_value_info
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        nodes,
        "oracle",
        [value("image", kind, [1, 3, SIZE, SIZE])],
        [value("found", kind, [1, 6, 4]), value("likely", kind, [1, 6, 3])],
        [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def write_results(root, content, names=()):
    """root/results as the C++ program leaves it."""
    names = names or [image["file_name"] for image in BASE["images"]]
    (root / "results").mkdir(exist_ok=True)
    for image, name in enumerate(names):
        stem = name if "%" in name else name.rsplit("/", 1)[-1].split(".")[0]
        for number, values in enumerate(outputs(content, image)):
            values.tofile(root / f"results/{stem}_{number}.bin")


def create_data(root, *flags):
    """(exit code, stdout, stderr) of create_data.py for the validation images."""
    flags = ["--prefix", "retinanet_eval.mindrecord", "--is_training", "False", *flags]
    return call("nas_fpn", "create_data.py", "--config_path", "settings.yaml", *flags, cwd=root)


def postprocess(root, *flags):
    """(exit code, stdout, stderr) of postprocess.py for the validation images."""
    flags = ["--dataset_path", "coco/val2017", "--result_path", "results", *flags]
    flags += ["--anno_path", "coco/annotations/instances_val2017.json"]
    return call("nas_fpn", "postprocess.py", "--config_path", "settings.yaml", *flags, cwd=root)
