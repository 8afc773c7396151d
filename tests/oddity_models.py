"""Checkpoints and exported files that people bring, on sound images or few; see oddity_cases.py."""

import json

import numpy as np
import onnx

from oddity_cases import Case, photos, synsets
from oddity_network import usual
from places import CLASSES, save_wrong_checkpoints, write_onnx

ONNX, EVAL, CPP = ("eval_onnx.py",), ("eval.py",), ("C++",)


def onnx_file(change, words="", classes=CLASSES):
    """A case of eval_onnx.py with what `change(model)` makes of the exported file."""

    def build(root, network):
        model = onnx.load(network.root / "colours.onnx")
        model = change(model) or model
        onnx.save(model, root / "odd.onnx")
        truth = photos(root / "val", 2, classes)
        return Case(truth, words, models={ONNX[0]: "odd.onnx"}, engines=ONNX)

    return build


def without_record(model):
    del model.metadata_props[:]


def with_named_batch(model):
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    for node in list(model.graph.node):  # Shapes that the exporter has written down.
        for entry in model.graph.initializer:
            if node.op_type == "Reshape" and entry.name == node.input[1]:
                shape = onnx.numpy_helper.to_array(entry).copy()
                shape[0] = -1 if (shape[1:] > 0).all() else 0
                entry.CopyFrom(onnx.numpy_helper.from_array(shape, entry.name))


def in_float16(model):
    """Every weight, and what goes in and out."""
    half, kind = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    resizes = [node for node in model.graph.node if node.op_type == "Resize"]
    scales = {
        name for node in resizes for name in node.input[1:]
    }  # float32 whatever the images are
    for entry in model.graph.initializer:
        if entry.data_type == kind and entry.name not in scales:
            values = onnx.numpy_helper.to_array(entry).astype(np.float16)
            entry.CopyFrom(onnx.numpy_helper.from_array(values, entry.name))
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR and attribute.t.data_type == kind:
                values = onnx.numpy_helper.to_array(attribute.t).astype(np.float16)
                attribute.t.CopyFrom(onnx.numpy_helper.from_array(values))
            if node.op_type == "Cast" and attribute.i == kind:
                attribute.i = half
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        if value.type.tensor_type.elem_type == kind:
            value.type.tensor_type.elem_type = half


def with_nan(model):
    entry = max(model.graph.initializer, key=lambda one: np.prod(one.dims))
    values = onnx.numpy_helper.to_array(entry).copy()
    values.flat[0] = np.nan
    entry.CopyFrom(onnx.numpy_helper.from_array(values, entry.name))


def written(name, words, shape=(1, 3, 32, 32), outputs=(1, 3), cut=None):
    """A case of eval_onnx.py with another's file."""

    def build(root, network):
        write_onnx(root / name, shape, outputs)
        (root / name).write_bytes((root / name).read_bytes()[:cut])
        return Case(photos(root / "val"), words, models={ONNX[0]: name}, engines=ONNX)

    return build


def checkpoint(name, words, classes=CLASSES, *flags):
    """A case of eval.py with a checkpoint of save_wrong_checkpoints, or one of the network's."""

    def build(root, network):
        if not (network.root / name).exists():
            save_wrong_checkpoints(network.root, network.root / "plain.ckpt")
        (root / "names.txt").write_text("\n".join(CLASSES))
        truth = photos(root / "val", 2, classes)
        path = network.root / name
        return Case(truth, words, models={EVAL[0]: path}, flags=flags, engines=EVAL)

    return build


def synsets_without_a_record(root, network):
    """50 of ImageNet's folders, and a checkpoint of 1000 classes that has no record."""
    from folders import import_from

    names = list(import_from(network.folder, "src.vendored.classes").imagenet_classes())
    network.save_thousand(1000)
    flags = ("--class_num", "1000")
    models = {EVAL[0]: network.root / "thousand.ckpt"}
    return Case(synsets(root, names), models=models, flags=flags, engines=EVAL)


def mindir(change, words):
    """A case of the C++ program with what `change(content)` makes of the lowered file."""

    def build(root, network):
        content = (network.root / "lowered.mindir").read_bytes()
        (root / "odd.mindir").write_bytes(change(content))
        record = {"options": {}, "class_names": list(CLASSES)}
        (root / "odd.mindir.json").write_text(json.dumps(record))
        return Case(photos(root / "val"), words, models={CPP[0]: "odd.mindir"}, engines=CPP)

    return build


def described(changes, words=""):
    """A case of both exported files, whose records have `changes` in what becomes of
    an image; None: no record.
    """

    def build(root, network):
        model = onnx.load(network.root / "colours.onnx")
        record = json.loads((network.root / "lowered.mindir.json").read_text())
        record["preprocessing"].update(changes or {})
        del model.metadata_props[:]
        (root / "odd.mindir").write_bytes((network.root / "lowered.mindir").read_bytes())
        if changes is not None:
            (root / "odd.mindir.json").write_text(json.dumps(record))
            model.metadata_props.add(key="record", value=json.dumps(record))
        onnx.save(model, root / "odd.onnx")
        side, shorter, *_ = usual(network.folder)
        other = (side, shorter, (100.0, 110.0, 90.0), (70.0, 60.0, 50.0))
        return Case(
            photos(root / "val"),
            words,
            models={ONNX[0]: "odd.onnx", CPP[0]: "odd.mindir"},
            engines=(*ONNX, *CPP),
            preprocessing=other if changes else None,
        )

    return build


def spoil_weight(content):
    from mindspore.train.mind_ir_pb2 import ModelProto

    model = ModelProto.FromString(content)
    weight = max(model.graph.parameter, key=lambda one: len(one.raw_data))
    weight.raw_data = np.float32([np.inf]).tobytes() + weight.raw_data[4:]
    return model.SerializeToString()


TWO = ("ash", "cedar")
NAMES = ("--class_names", "names.txt")
THREE = ("--class_num", "3")
MODELS = {
    "ONNX without a record, three folders": onnx_file(without_record),
    "ONNX without a record, two folders": onnx_file(without_record, "--class_names", TWO),
    "ONNX with a named batch axis": onnx_file(with_named_batch),
    "ONNX in float16": onnx_file(in_float16),
    "ONNX with a weight that is NaN": onnx_file(with_nan, "NaN or infinite"),
    "ONNX of five classes": written("odd.onnx", "5 outputs", outputs=(1, 5)),
    "ONNX of grey images": written("odd.onnx", "is not (N, 3,", (1, 1, 32, 32)),
    "ONNX with the channels last": written("odd.onnx", "is not (N, 3,", (1, 32, 32, 3)),
    "ONNX with three axes out": written("odd.onnx", "not logits", outputs=(1, 3, 4)),
    "ONNX cut short": written("odd.onnx", "cannot load it", cut=90),
    "empty ONNX": written("odd.onnx", "cannot load it", cut=0),
    "MindIR cut short": mindir(lambda content: content[:-9], "cut short"),
    "MindIR with an infinite weight": mindir(spoil_weight, "NaN or infinite"),
    "MindIR that is text": mindir(lambda content: b"404 not found\n", "not a MindIR file"),
    "record of other colours": described({"mean": [100, 110, 90], "std": [70, 60, 50]}),
    "record of another interpolation": described({"interpolation": "bicubic"}, "'bicubic'"),
    "record of another order of colours": described({"colour_order": "GBR"}, "'GBR'"),
    "record of another size": described({"size": [64, 64]}, "export it again"),
    "record with a deviation of 0": described({"std": [0, 1, 1]}, "is damaged"),
    "record with text for a number": described({"crop_fraction": "all"}, "is damaged"),
    "exported files without records": described(None),
    "checkpoint without a record": checkpoint("plain.ckpt", "", CLASSES, *THREE),
    "without a record, two folders": checkpoint("plain.ckpt", "--class_names", TWO, *THREE),
    "checkpoint and a file of names": checkpoint("plain.ckpt", "", TWO, *THREE, *NAMES),
    "checkpoint with NaN": checkpoint("nan.ckpt", "NaN", CLASSES, *THREE),
    "checkpoint cut short": checkpoint("truncated.ckpt", "not a whole checkpoint", CLASSES, *THREE),
    "checkpoint of another network": checkpoint("other.ckpt", "nearest", CLASSES, *THREE),
    "PyTorch's file": checkpoint("torch.ckpt", "PyTorch", CLASSES, *THREE),
    "50 synset folders, 1000 classes, no record": synsets_without_a_record,
}
