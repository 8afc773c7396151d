"""What becomes of an exported ONNX file, in every folder: the same function to the bit, in forms
that other programs read alike, with all that a user of the file must know.
"""

from types import SimpleNamespace

import cv2
import mindspore as ms
import numpy as np
import onnx
import onnxruntime
import pytest

from folders import NAMES, build_network, flags_of, import_from
from golden import distance, image, weights
from places import Place, export_arguments

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
    network = build_network(folder, *place.building())
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


# To the bit as MindSpore writes it; of later operators, some onnxruntimes round otherwise.
@pytest.mark.parametrize("opset, limit", [(11, 0), (21, 1e-5)])
def test_onnxruntime_gives_the_same(exported, opset, limit):
    path = exported.finish("plain", opset=opset)
    for got, wanted in zip(run(path, *np.split(exported.images[:2], 2)), exported.wanted):
        assert np.abs(got - wanted[:2]).max() <= limit * np.ptp(wanted)


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
