"""Export in int8, in every classifier: quantised for each channel, evaluated before and after."""

import json
import re

import onnx
import pytest

from entry_points import assert_one_line, call
from folders import CLASSIFIERS, slow_where_heavy
from places import CLASSES, Place
from test_rules_onnx_record import save_best


@pytest.mark.parametrize("folder", slow_where_heavy(CLASSIFIERS))
def test_int8(tmp_path, folder):
    place = Place(tmp_path, folder)
    place.names = list(CLASSES)
    save_best(place)
    arguments = (*place.cpu, "--checkpoint_path", "best-best.ckpt", "--file_name", "x")
    flags = ("--file_format", "ONNX", "--precision", "int8")
    code, _, err = call(folder, "export.py", *arguments, *flags, cwd=tmp_path)
    assert_one_line(code, err, "which images? --calibration")
    given = ("--calibration", "nowhere")
    code, _, err = call(folder, "export.py", *arguments, *flags, *given, cwd=tmp_path)
    assert_one_line(code, err, "nowhere")
    given = (*place.flags.data, "--calibration", "photos/val", "--dynamic_batch", "True")
    code, out, err = call(folder, "export.py", *arguments, *flags, *given, cwd=tmp_path)
    assert code == 0, err
    top1, size = (
        float(re.search(words, out)[1])
        for words in (r"int8: top-1 ([0-9.]+)", r"int8: ([0-9.]+) of float32's size")
    )
    assert "9 images" in out and size < 0.5 and "; as float32 it differs from the network" in out
    model = onnx.load(tmp_path / "x.onnx")
    operators = [node.op_type for node in model.graph.node]
    assert "QuantizeLinear" in operators
    # Those after a convolution are part of it; FishNet99's, before one, are convolutions.
    assert "BatchNormalization" not in operators
    properties = {entry.key: entry.value for entry in model.metadata_props}
    assert round(json.loads(properties["record"])["accuracy"]["top1"], 4) == top1
    scales = [
        onnx.numpy_helper.to_array(tensor).size
        for tensor in model.graph.initializer
        if "weight" in tensor.name and tensor.name.endswith("_scale")
    ]
    assert max(scales) > 1  # one for each channel
    read = (*place.data, "--onnx_path", "x.onnx")
    code, out, err = call(folder, "eval_onnx.py", *read, cwd=tmp_path)
    assert code == 0, err
    assert f"{top1:.4f}" in out or f"top1_correct={round(9 * top1)}, tot=9" in out
