"""A classifier of each folder that tells three colours apart, and what it says of an image by an
independent way: Pillow, NumPy, onnxruntime.
"""

import contextlib
from pathlib import Path

import mindspore as ms
import numpy as np
import onnxruntime
from PIL import Image

import cpp_infer_tools as cpp
import golden
from entry_points import call
from folders import BUILDING, REPOSITORY, build_network, flags_of, import_from, load_config
from places import CLASSES, COLOURS

SIZE = 32
RESIZED = {"mnasnet": 32 * 255 // 224, "resnest": 32 * 5 // 4}  # others: 32 * 256 // 224
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
PASSES = 25
TIE = 0.5  # of logits that are some 10 apart
SYNSETS = (3, 500, 999)  # the places of ash, birch and cedar in ImageNet's classes


def network_flags(folder, classes=3):
    """The flags of a network of that many classes."""
    size = ("--image_size", str(SIZE))
    return (*flags_of(folder).network, *size, "--class_num", str(classes))


def usual(folder):
    """(side to resize to, whether the shorter one, mean, deviation) of the folder's evaluation."""
    mean, deviation = ((127.5,) * 3,) * 2 if folder == "mnasnet" else (MEAN, DEVIATION)
    return RESIZED.get(folder, SIZE * 256 // 224), folder != "resnest", mean, deviation


def pixels(path, side, shorter, mean, deviation):
    """float32 (3, 32, 32) of the image file `path`, preprocessed as the others say."""
    with Image.open(path) as file:
        image = np.asarray(_rgb(file))
    height, width = image.shape[:2]
    if not shorter:
        new = (side, side)
    elif height < width:
        new = (side, side * width // height)
    else:
        new = (side * height // width, side)
    image = _resized(image, *new)
    top, left = (new[0] - SIZE) // 2, (new[1] - SIZE) // 2
    image = image[top : top + SIZE, left : left + SIZE]
    return ((image - mean) / deviation).transpose(2, 0, 1).astype(np.float32)


def _rgb(file):
    if file.mode.startswith("I"):  # 16 bits: the upper 8
        return Image.fromarray((np.asarray(file) >> 8).astype(np.uint8)).convert("RGB")
    if file.mode == "P":
        return file.convert("RGBA").convert("RGB")
    return file.convert("RGB")


def _resized(image, height, width):
    """Bilinear as in OpenCV: shares in 1/2048, rounded twice on the way."""
    image = image.astype(np.int64)
    low, high, near, far = _shares(image.shape[1], width)
    rows = image[:, low] * near[:, None] + image[:, high] * far[:, None]
    low, high, near, far = _shares(image.shape[0], height)
    near, far = near[:, None, None], far[:, None, None]
    return ((near * (rows[low] >> 4) >> 16) + (far * (rows[high] >> 4) >> 16) + 2) >> 2


def _shares(old, new):
    """For each of `new` rows the two of `old` that it comes from, and how much of each."""
    places = ((np.arange(new) + 0.5) * (old / new) - 0.5).astype(np.float32)
    places = np.clip(places, 0, old - 1)
    low = np.floor(places).astype(int)
    shares = [np.rint(part * 2048).astype(int) for part in (1 - places + low, places - low)]
    return low, np.minimum(low + 1, old - 1), *shares


class ColourNetwork:
    """The folder's smallest network, its last layer fitted to colours, in `root`: as checkpoints
    with a record and without (for 1000 classes too), ONNX and lowered MindIR.
    """

    def __init__(self, root, folder):
        self.root, self.folder = Path(root), folder
        self.network = build_network(folder, *network_flags(folder))
        for parameter in self.network.get_parameters():
            value = golden.weights(parameter.name, parameter.shape)
            parameter.set_data(ms.Tensor(value))
        self._fit()
        record = {"format": 1, "options": self._options(), "class_names": list(CLASSES)}
        checkpoints = import_from(folder, "src.vendored.checkpoints")
        checkpoints.save_checkpoint(self.network, self.root / "named.ckpt", record)
        ms.save_checkpoint(self.network, str(self.root / "plain.ckpt"))
        for kind in ("ONNX", "MINDIR"):
            self.run("export.py", "--checkpoint_path", "named.ckpt", "--file_format", kind,
                     "--file_name", "colours")  # fmt: skip
        cpp.lower(self.root / "colours.mindir")
        (self.root / "lowered.mindir.json").write_bytes(
            (self.root / "colours.mindir.json").read_bytes()
        )
        self.session = onnxruntime.InferenceSession(str(self.root / "colours.onnx"))

    def run(self, script, *flags):
        flags = (*flags, "--device_target", "CPU")
        code, out, err = call(self.folder, script, *flags, cwd=self.root)
        assert code == 0, err
        return out

    def _options(self):
        flags = (*network_flags(self.folder), *flags_of(self.folder).data)
        config = load_config(self.folder, BUILDING, flags)
        module = import_from(self.folder, flags_of(self.folder).config_module)
        return {key: getattr(config, key) for key in module.RECORDED}

    def _fit(self):
        """Ridge regression from what the last layer is given to 1 for the class, 0 for others."""
        generator = np.random.default_rng(0)
        images, labels = [], np.repeat(np.arange(3), 8)
        mean, deviation = usual(self.folder)[2:]
        for label in labels:
            colour = np.array(COLOURS[CLASSES[label]]) + generator.integers(-10, 10, 3)
            noise = generator.integers(-40, 40, (SIZE, SIZE, 3))
            images.append((np.clip(colour + noise, 0, 255) - mean) / deviation)
        batch = ms.Tensor(np.stack(images).transpose(0, 3, 1, 2).astype(np.float32))
        layer = [cell for _, cell in self.network.cells_and_names() if hasattr(cell, "bias")][-1]
        given = []
        hook = layer.register_forward_pre_hook(lambda cell, inputs: given.append(inputs[0]))
        ms.set_context(mode=ms.PYNATIVE_MODE)
        with contextlib.suppress(Exception):
            ms.ops.zeros((1,))  # Under NumPy 2 the first of a process fails.
        for _ in range(PASSES):  # Batch norm learns what it divides by.
            self.network.set_train(True)(batch)
        given.clear()
        self.network.set_train(False)(batch)
        ms.set_context(mode=ms.GRAPH_MODE)
        hook.remove()
        features = given[0].asnumpy().reshape(len(labels), -1).astype(np.float64)
        centre, spread = features.mean(0), features.std(0) + 1e-6
        scaled = (features - centre) / spread
        kernel = scaled @ scaled.T + 1e-2 * scaled.shape[1] * np.eye(len(labels))
        weights = (scaled.T @ np.linalg.solve(kernel, 10 * np.eye(3)[labels] - 10 / 3)).T / spread
        bias = 10 / 3 - weights @ centre
        layer.weight.set_data(ms.Tensor(weights.reshape(layer.weight.shape).astype(np.float32)))
        layer.bias.set_data(ms.Tensor(bias.astype(np.float32)))

    def save_thousand(self, outputs):
        """thousand.ckpt, without a record: the three classes at their places in ImageNet's."""
        last = [parameter.name for parameter in self.network.get_parameters()][-2:]
        entries = []
        for parameter in self.network.get_parameters():
            value = parameter.asnumpy()
            if parameter.name in last:
                low = -99 if parameter.name.endswith("bias") else 0
                whole = np.full((outputs, *value.shape[1:]), low, np.float32)
                whole[list(SYNSETS)] = value
                value = whole
            entries.append({"name": parameter.name, "data": ms.Tensor(value)})
        ms.save_checkpoint(entries, str(self.root / "thousand.ckpt"))

    def right(self, truth, preprocessing=None):
        """How many of the images {path: class} the network is right about, told independently: at
        least and at most, where the two best outputs are so near that a pixel's rounding decides.
        """
        entry = self.session.get_inputs()[0]
        least = most = 0
        for path, name in truth.items():
            batch = np.zeros((entry.shape[0], 3, SIZE, SIZE), np.float32)
            batch[0] = pixels(path, *(preprocessing or usual(self.folder)))
            logits = self.session.run(None, {entry.name: batch})[0][0]
            first, second = np.argsort(-logits)[:2]
            is_tie = logits[first] - logits[second] < TIE
            least += CLASSES[first] == name and not is_tie
            most += CLASSES[first] == name or (is_tie and CLASSES[second] == name)
        return least, most


def program(folder):
    """The C++ program of the folder."""
    return cpp.build(REPOSITORY / folder / "ascend310_infer")
