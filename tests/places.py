"""Small data, checkpoints and exported files, good and bad, for rules that hold in all folders."""

import json
from pathlib import Path
from types import SimpleNamespace

import mindspore as ms
import numpy as np
import onnx
from PIL import Image

from entry_points import call
from folders import build_network, flags_of, import_from

CLASSES = ("ash", "birch", "cedar")
COLOURS = {"ash": (200, 60, 60), "birch": (60, 200, 60), "cedar": (60, 60, 200)}


def save_photo(path, colour, size=(60, 50), seed=0, **options):
    """A noisy photo of one colour; the suffix names the format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(-40, 40, (size[1], size[0], 3))
    pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return path


def class_folders(folder, count, classes=CLASSES):
    """`count` photos in each class folder."""
    for name in classes:
        for number in range(count):
            colour = COLOURS.get(name, (90, 90, 90))
            save_photo(folder / name / f"{name}{number}.JPEG", colour, seed=number)
    return folder


def coco_split(root, split, count, classes=CLASSES):
    """`count` photos with a box of each class, and their annotation file."""
    content = {"images": [], "annotations": [], "categories": []}
    for number, name in enumerate(classes, 1):
        content["categories"].append({"id": number, "name": name})
    for image_id in range(1, count + 1):
        file_name = f"{image_id:012}.jpg"
        save_photo(root / split / file_name, (90, 90, 90), (128, 128), image_id)
        content["images"].append(
            {"id": image_id, "file_name": file_name, "height": 128, "width": 128}
        )
        for category in range(1, len(classes) + 1):
            box = [8 + 36 * (category - 1), 10 * image_id % 60, 32, 40]
            content["annotations"].append(
                {
                    "id": len(content["annotations"]) + 1,
                    "image_id": image_id,
                    "category_id": category,
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                }
            )
    (root / "annotations").mkdir(exist_ok=True)
    (root / f"annotations/instances_{split}.json").write_text(json.dumps(content))


# A backbone of few layers, a pyramid of one stage, few channels.
SMALL_DETECTOR = {
    "img_shape": [128, 128],
    "coco_classes": ["background", *CLASSES],
    "num_classes": 4,
    "backbone_blocks": [1, 1, 1, 1],
    "backbone_width": 8,
    "nasfpn_stack_times": 1,
    "nasfpn_out_channel": 8,
    "extras_out_channels": [8] * 5,
    "workers": 1,
    "distribute": False,
    "lr": 0.01,
    **{f"warmup_epochs{phase}": 0 for phase in (1, 2, 3, 4, 5)},
}


class Place:
    """A folder with good data and what scripts of the model folder `folder` take to use them."""

    def __init__(self, root, folder, training=8, evaluation=3):
        self.root, self.folder, self.flags = root, folder, flags_of(folder)
        self.detector = self.flags.detector
        size = ("--image_size", str(self.flags.image_size))
        if self.detector:
            (root / "small.yaml").write_text(json.dumps(SMALL_DETECTOR))  # JSON is yaml
            coco_split(root / "coco", "train2017", training)
            coco_split(root / "coco", "val2017", evaluation)
            data = ("--coco_root", "coco", "--mindrecord_dir", "records")
            self.network = self.flags.network
        else:
            class_folders(root / "photos/train", training)
            class_folders(root / "photos/val", evaluation)
            data = (*self.flags.data, "--dataset_path", "photos")
            self.network = (*self.flags.network, *size, "--class_num", "3")
        self.cpu = ("--device_target", "CPU")
        self.data = (*self.cpu, *data)
        self.use = (*self.network, *self.data)  # of train.py, eval.py

    def prepare_training(self):
        """The MindRecord files, which training of a detector wants to be there."""
        if self.detector:
            flags = (*self.network, "--coco_root", "coco", "--mindrecord_dir", "records")
            code, _, err = call(self.folder, "create_data.py", *flags, cwd=self.root)
            assert code == 0, err

    def save_network(self, name="good.ckpt", *arguments):
        """A checkpoint of the small network, as the originals wrote them: without a record."""
        network = build_network(self.folder, *self.building(), *arguments)
        ms.save_checkpoint(network, str(self.root / name))
        return self.root / name

    def building(self):
        """Flags beside those of the folder, for build_network."""
        if self.detector:
            return ("--config_path", str(self.root / "small.yaml"))
        return self.network[len(self.flags.network) :]


def save_wrong_checkpoints(root, good):
    """Files that are no whole checkpoint of a network: {name: words of the line that says so}."""
    content = Path(good).read_bytes()
    (root / "truncated.ckpt").write_bytes(content[: len(content) // 2])
    (root / "random.ckpt").write_bytes(np.random.RandomState(0).bytes(5000))
    (root / "empty.ckpt").write_bytes(b"")
    (root / "folder.ckpt").mkdir()
    (root / "torch.ckpt").write_bytes(b"PK\x03\x04" + bytes(500))
    (root / "weights.safetensors").write_bytes((20).to_bytes(8, "little") + b"{" + bytes(90))
    (root / "renamed.bin").write_bytes(content)
    ms.save_checkpoint(ms.nn.Dense(3, 4), str(root / "other.ckpt"))
    values = ms.load_checkpoint(str(good))
    name = next(name for name, value in values.items() if value.asnumpy().dtype == np.float32)
    spoilt = values[name].asnumpy().copy()
    spoilt.flat[0] = np.nan
    values[name].set_data(ms.Tensor(spoilt))
    entries = [{"name": key, "data": value} for key, value in values.items()]
    ms.save_checkpoint(entries, str(root / "nan.ckpt"))
    ms.save_checkpoint(ms.nn.Dense(300, 400), str(root / "damaged.ckpt"), crc_check=True)
    damaged = bytearray((root / "damaged.ckpt").read_bytes())
    damaged[1000] ^= 4
    (root / "damaged.ckpt").write_bytes(damaged)
    return {
        "nowhere.ckpt": "no such",
        "truncated.ckpt": "not a whole checkpoint",
        "random.ckpt": "not a whole checkpoint",
        "empty.ckpt": "not a whole checkpoint",
        "damaged.ckpt": "not a whole checkpoint",
        "folder.ckpt": "a folder",
        "torch.ckpt": "PyTorch",
        "weights.safetensors": "safetensors",
        "renamed.bin": "*.ckpt",
        "other.ckpt": "nearest",
        "nan.ckpt": "NaN",
    }


def export_arguments(folder, file_name, file_format, **settings):
    """(config, record) for export_model of `folder`, with the defaults of its settings."""
    rows = import_from(folder, "src.vendored.using").EXPORTING
    settings = {**{key: row[0] for key, row in rows.items()}, **settings}
    config = SimpleNamespace(file_name=str(file_name), file_format=file_format, **settings)
    return config, {"format": 1, "folder": folder, "options": {}, "class_names": None}


def write_onnx(path, input_shape, output_shape, kind=onnx.TensorProto.FLOAT):
    """An ONNX file that reduces its input and broadcasts the result: cheap, of any shapes."""
    nodes = [
        onnx.helper.make_node("ReduceMean", ["x"], ["mean"], keepdims=0),
        onnx.helper.make_node("Add", ["mean", "zeros"], ["y"]),
    ]
    dtype = onnx.helper.tensor_dtype_to_np_dtype(kind)
    zeros = np.arange(np.prod(output_shape)).reshape(output_shape).astype(dtype)
    graph = onnx.helper.make_graph(
        nodes,
        "g",
        [onnx.helper.make_tensor_value_info("x", kind, input_shape)],
        [onnx.helper.make_tensor_value_info("y", kind, output_shape)],
        [onnx.numpy_helper.from_array(zeros, "zeros")],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, path)
    return path


# Of write_teacher: a row for each channel, a column for each of CLASSES.
TEACHING = np.array([[1, -2, 0.5], [0.25, 1, -1], [-1, 0.5, 2]], np.float32)


def write_teacher(path, side, images=None, record=None):
    """An ONNX classifier, of `images` (None: any number) of `side` pixels a side: the means of the
    channels times TEACHING.
    """
    nodes = [
        onnx.helper.make_node("ReduceMean", ["images"], ["means"], axes=[2, 3], keepdims=0),
        onnx.helper.make_node("MatMul", ["means", "weight"], ["logits"]),
    ]
    kind, images = onnx.TensorProto.FLOAT, images or "images"
    graph = onnx.helper.make_graph(
        nodes,
        "g",
        [onnx.helper.make_tensor_value_info("images", kind, (images, 3, side, side))],
        [onnx.helper.make_tensor_value_info("logits", kind, (images, 3))],
        [onnx.numpy_helper.from_array(TEACHING, "weight")],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)])
    model.ir_version = 8
    if record:
        onnx.helper.set_model_props(model, {"record": json.dumps(record)})
    onnx.save(model, path)
    return path
