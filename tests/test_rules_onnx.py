"""What becomes of an exported ONNX file, in every folder: the same function to the bit, in forms
that other programs read alike, with all that a user of the file must know.
"""

import hashlib
import json
from types import SimpleNamespace

import cv2
import mindspore as ms
import numpy as np
import onnx
import onnxruntime
import pytest

from entry_points import assert_one_line, call
from folders import CLASSIFIERS, NAMES, build_network, flags_of, import_from
from golden import distance, image, weights
from places import CLASSES, Place, export_arguments, save_photo, write_onnx

BATCHES = (1, 3, 16)
made = {}


def run(path, *batches):
    """The outputs of an ONNX file in onnxruntime for each of `batches`, joined."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return list(map(np.concatenate, zip(*(session.run(None, {name: one}) for one in batches))))


@pytest.fixture(params=NAMES)
def exported(request, tmp_path_factory):
    """What MindSpore writes for the small network, which sees its images well, as raw.onnx, and a
    function that finishes it.
    """
    folder = request.param
    if folder not in made:
        made[folder] = export_raw(folder, tmp_path_factory.mktemp("onnx"))
    return made[folder]


def export_raw(folder, root):
    place = Place(root, folder)
    network = build_network(folder, *place._building())
    for parameter in network.get_parameters():
        value, gain = weights(parameter.name, parameter.shape), 1 if place.detector else 1.5
        parameter.set_data(ms.Tensor(value * np.float32(gain if value.ndim == 4 else 1)))
    prepare = import_from(folder, flags_of(folder).network_module).prepare_for_export
    size = flags_of(folder).image_size
    images = ms.Tensor(np.zeros((1, 3, size, size), np.float32))
    ms.export(prepare(network), images, file_name=str(root / "raw"), file_format="ONNX")
    outputs = ("boxes", "scores") if place.detector else ("logits",)
    module = import_from(folder, "src.vendored.onnx_file")

    def finish(name, **settings):
        path = root / f"{name}.onnx"
        path.write_bytes((root / "raw.onnx").read_bytes())
        config, record = export_arguments(folder, name, "ONNX", **settings)
        module.finish_onnx(path, path, config, record, outputs)
        return path

    images = image((16, 3, size, size))
    return SimpleNamespace(
        raw=root / "raw.onnx",
        finish=finish,
        outputs=outputs,
        images=images,
        wanted=run(root / "raw.onnx", *np.split(images, 16)),
    )


@pytest.mark.parametrize("opset", [11, 21])
def test_onnxruntime_gives_the_same_bits(exported, opset):
    path = exported.finish("plain", opset=opset)
    for got, wanted in zip(run(path, *np.split(exported.images[:2], 2)), exported.wanted):
        assert np.array_equal(got, wanted[:2])


def test_the_form_of_the_file(exported):
    model = onnx.load(exported.finish("form"))
    assert [value.name for value in model.graph.input] == ["images"]
    assert [value.name for value in model.graph.output] == list(exported.outputs)
    assert model.opset_import[0].version == 11 and model.ir_version <= 6
    assert model.producer_name == "mindspore-model-folders"
    operators = {node.op_type for node in model.graph.node}
    assert not operators & {"Identity", "Constant"}
    for node in model.graph.node:
        names = {attribute.name for attribute in node.attribute}
        assert "auto_pad" not in names
        if node.op_type == "Resize":
            assert "mode" in names and len(node.input) == 3
    constants = {tensor.name for tensor in model.graph.initializer}
    assert not any(set(node.input) <= constants for node in model.graph.node)


def test_any_number_of_images(exported):
    path = exported.finish("batch", dynamic_batch=True)
    model = onnx.load(path)
    for value in (*model.graph.input, *model.graph.output):
        assert value.type.tensor_type.shape.dim[0].dim_param == "batch"
    for count in BATCHES:
        for got, wanted in zip(run(path, exported.images[:count]), exported.wanted):
            assert distance(got, wanted[:count]) <= 1e-4


def test_float16(exported):
    path = exported.finish("half", precision="float16", opset=13, dynamic_batch=True)
    assert path.stat().st_size < 0.6 * exported.raw.stat().st_size
    model = onnx.load(path)
    kinds = {
        value.type.tensor_type.elem_type for value in (*model.graph.input, *model.graph.output)
    }
    assert kinds == {onnx.TensorProto.FLOAT}
    for got, wanted in zip(run(path, exported.images[:2]), exported.wanted):
        assert 1e-6 < distance(got, wanted[:2]) <= 2e-2


def test_opencv_agrees(exported):
    """Both of its engines, where there are two: it read padding by a rule as another padding."""
    path, images = exported.finish("opencv"), exported.images[:1]
    engines = ("ENGINE_CLASSIC", "ENGINE_NEW")
    for arguments in [[getattr(cv2.dnn, name)] for name in engines if hasattr(cv2.dnn, name)] or [
        []
    ]:
        network = cv2.dnn.readNetFromONNX(str(path), *arguments)
        network.setInput(images)
        for got, wanted in zip(network.forward(list(exported.outputs)), exported.wanted):
            assert distance(got.reshape(wanted[:1].shape), wanted[:1]) <= 1e-4


@pytest.mark.parametrize("folder", NAMES)
def test_through_the_scripts(tmp_path, folder):
    """What export.py writes with all its flags is read by eval_onnx.py; its record says where it
    comes from.
    """
    place = Place(tmp_path, folder)
    place.save_network()
    arguments = (*place.network, *place.cpu, "--checkpoint_path", "good.ckpt", "--file_name", "x")
    flags = ("--dynamic_batch", "True", "--precision", "float16", "--opset", "13")
    code, _, err = call(folder, "export.py", *arguments, "--opset", "13", cwd=tmp_path)
    assert_one_line(code, err, "--opset 13 is for ONNX, not for MINDIR")
    onnx_flags = ("--file_format", "ONNX", *flags)
    code, out, err = call(folder, "export.py", *arguments, *onnx_flags, cwd=tmp_path)
    assert code == 0 and "differs from the network by" in out, err
    properties = onnx.load(tmp_path / "x.onnx").metadata_props
    record = json.loads({entry.key: entry.value for entry in properties}["record"])
    digest = hashlib.sha256((tmp_path / "good.ckpt").read_bytes()).hexdigest()
    assert record["folder"] == folder and record["checkpoint_sha256"] == digest
    size = place.flags.image_size
    assert record["preprocessing"]["size"] == [size, size] and record["accuracy"] is None
    assert record["preprocessing"]["colour_order"] == "RGB"
    read = (*(place.use if place.detector else place.data), "--onnx_path", "x.onnx")
    code, out, err = call(folder, "eval_onnx.py", *read, cwd=tmp_path)
    assert code == 0 and "from x.onnx: preprocessing" in out, err
    assert "mAP" in out or "evaluated 9 images" in out or "tot=9" in out


def write_with_record(path, side, **changes):
    """The last class wins where the mean of the normalised image is above 0, else the first."""
    write_onnx(path, (1, 3, side, side), (1, 3))
    model = onnx.load(path)
    values = onnx.numpy_helper.from_array(np.float32([[0, -1e9, 0]]), "zeros")
    model.graph.initializer[0].CopyFrom(values)
    sign = onnx.numpy_helper.from_array(np.float32([[-1, 0, 1]]), "sign")
    model.graph.initializer.append(sign)
    model.graph.node[1].input[0] = "signed"
    model.graph.node.insert(1, onnx.helper.make_node("Mul", ["mean", "sign"], ["signed"]))
    described = {
        **{"size": [side, side], "crop_fraction": 0.875, "keep_aspect_ratio": True},
        **{"mean": [255.0] * 3, "std": [1.0] * 3, "interpolation": "bilinear"},
        **changes,
    }
    record = {"options": {}, "class_names": list(CLASSES), "preprocessing": described}
    onnx.helper.set_model_props(model, {"record": json.dumps(record)})
    onnx.save(model, path)


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_preprocessing_is_the_files(tmp_path, folder):
    """By the mean of its record every image is dark, or none."""
    place = Place(tmp_path, folder)
    save_photo(tmp_path / "photos/val/cedar/more.png", (90, 90, 90))
    arguments = (*place.data, "--onnx_path", "x.onnx")
    for mean, accuracy in ((255.0, "0.3"), (0.0, "0.4")):
        write_with_record(tmp_path / "x.onnx", 32, mean=[mean] * 3)
        code, out, err = call(folder, "eval_onnx.py", *arguments, cwd=tmp_path)
        assert code == 0, err
        assert accuracy in out or f"top1_correct={accuracy[2]}, tot=10" in out
    for changes, words in (
        ({"mean": [1, 2]}, "preprocessing is damaged"),
        ({"std": [0, 1, 1]}, "preprocessing is damaged"),
        ({"crop_fraction": None}, "preprocessing is damaged"),
        ({"crop_fraction": 1.5}, "preprocessing is damaged"),
        ({"size": [64, 64]}, "of images (64, 64), its input of (32, 32)"),
        ({"interpolation": "bicubic"}, "wants interpolation 'bicubic'"),
    ):
        write_with_record(tmp_path / "x.onnx", 32, **changes)
        code, _, err = call(folder, "eval_onnx.py", *arguments, cwd=tmp_path)
        assert_one_line(code, err, "x.onnx", words)
