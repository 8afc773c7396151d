"""Exported files, in every folder: what cannot be used is one line; odd but right files run."""

import numpy as np
import onnx
import pytest

from entry_points import assert_one_line, call
from folders import CLASSIFIERS, NAMES, import_from
from places import Place, export_arguments, write_onnx

places = {}
FLOAT16 = onnx.TensorProto.FLOAT16
FILES = {  # name: words of the line
    "nowhere.onnx": "no such file",
    "nowhere.mindir": "no such file",
    "random.onnx": "onnxruntime cannot load it",
    "truncated.onnx": "onnxruntime cannot load it",
    "empty.onnx": "onnxruntime cannot load it",
    "checkpoint.onnx": "onnxruntime cannot load it",
    "random.mindir": "not a whole MindIR file",
    "empty.mindir": "not a whole MindIR file",
    "flat.onnx": "is not (N, 3, height, width)",
    "grey.onnx": "is not (N, 3, height, width)",
    "last.onnx": "is not (N, 3, height, width)",
    "integers.onnx": "not one of float images",
    "two.onnx": "not one of float images",
}


@pytest.fixture(params=NAMES)
def place(request, tmp_path_factory):
    if request.param not in places:
        root = tmp_path_factory.mktemp("it's a $place")
        place = places[request.param] = Place(root, request.param)
        size = place.flags.image_size
        write_onnx(root / "flat.onnx", (1, 3), (1, 3))
        write_onnx(root / "grey.onnx", (1, 1, size, size), (1, 3))
        write_onnx(root / "last.onnx", (1, size, size, 3), (1, 3))
        write_two_inputs(root / "two.onnx", size)
        write_onnx(root / "integers.onnx", (1, 3, size, size), (1, 3), onnx.TensorProto.DOUBLE)
        write_onnx(root / "whole.onnx", (1, 3, size, size), (1, 3))
        content = (root / "whole.onnx").read_bytes()
        (root / "truncated.onnx").write_bytes(content[: len(content) // 2])
        noise = np.random.RandomState(0).bytes(5000)
        for name in ("random.onnx", "random.mindir", "checkpoint.onnx"):
            (root / name).write_bytes(noise)
        for name in ("empty.onnx", "empty.mindir"):
            (root / name).touch()
    return places[request.param]


def write_two_inputs(path, size):
    value = onnx.helper.make_tensor_value_info
    shape, kind = (1, 3, size, size), onnx.TensorProto.FLOAT
    node = onnx.helper.make_node("Add", ["a", "b"], ["y"])
    inputs = [value("a", kind, shape), value("b", kind, shape)]
    graph = onnx.helper.make_graph([node], "g", inputs, [value("y", kind, shape)])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, path)


@pytest.mark.parametrize("name", FILES)
def test_wrong_file(place, name):
    arguments = (*place.data, "--onnx_path", name)
    if place.detector:
        arguments = (*place.network, *arguments)
    code, _, err = call(place.folder, "eval_onnx.py", *arguments, cwd=place.root)
    assert_one_line(code, err, name, FILES[name])


def test_a_provider_that_is_not_there(place):
    arguments = (*place.data, "--onnx_path", "whole.onnx", "--device_target", "GPU")
    code, _, err = call(place.folder, "eval_onnx.py", *arguments, cwd=place.root)
    assert_one_line(code, err, "CUDAExecutionProvider", "--device_target CPU")


@pytest.mark.parametrize("folder", CLASSIFIERS)
@pytest.mark.parametrize(
    "batch, kind",
    [(1, onnx.TensorProto.FLOAT), (4, onnx.TensorProto.FLOAT), ("N", onnx.TensorProto.FLOAT),
     (2, FLOAT16)],
)  # fmt: skip
def test_any_batch_and_float16(tmp_path, folder, batch, kind):
    """The last class always wins: a third of the images, whatever the batch."""
    place = Place(tmp_path, folder)
    outputs = (1, 3) if batch == "N" else (batch, 3)
    write_onnx(tmp_path / "model.onnx", (batch, 3, 32, 32), outputs, kind)
    arguments = (*place.data, "--onnx_path", "model.onnx")
    if batch == "N":
        make_output_follow_the_batch(tmp_path / "model.onnx")
    code, out, err = call(folder, "eval_onnx.py", *arguments, cwd=tmp_path)
    assert code == 0, err
    assert "0.3333" in out or "top1_correct=3, tot=9" in out


def make_output_follow_the_batch(path):
    """A row of logits for each image: the mean over all but the batch, and what names the class."""
    model = onnx.load(path)
    axes = onnx.helper.make_attribute("axes", [1, 2, 3])
    model.graph.node[0].attribute.append(axes)
    model.graph.node[0].attribute[0].i = 0
    nodes = [
        onnx.helper.make_node("Flatten", ["mean"], ["column"], axis=0),
        onnx.helper.make_node("Transpose", ["column"], ["rows"]),
        onnx.helper.make_node("Add", ["rows", "zeros"], ["y"]),
    ]
    del model.graph.node[1]
    model.graph.node.extend(nodes)
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_param = "N"
    onnx.save(model, path)


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_outputs_that_are_no_numbers(tmp_path, folder):
    """Of finite weights: the logarithm of what is under 0."""
    place = Place(tmp_path, folder)
    write_onnx(tmp_path / "model.onnx", (1, 3, 32, 32), (1, 3))
    model = onnx.load(tmp_path / "model.onnx")
    values = onnx.numpy_helper.from_array(np.float32([[0, -99, 1]]), "zeros")
    model.graph.initializer[0].CopyFrom(values)
    model.graph.node[1].output[0] = "sum"
    model.graph.node.append(onnx.helper.make_node("Log", ["sum"], ["y"]))
    onnx.save(model, tmp_path / "model.onnx")
    arguments = (*place.data, "--onnx_path", "model.onnx")
    code, out, err = call(folder, "eval_onnx.py", *arguments, cwd=tmp_path)
    assert_one_line(code, err, "photos/val/ash/ash0.JPEG", "not finite")
    assert "accuracy" not in out.lower().replace("topk", "")


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_weights_that_are_no_numbers(place, value, monkeypatch):
    """Outputs need not show it."""
    import mindspore as ms

    size = place.flags.image_size
    write_onnx(place.root / "spoilt.onnx", (1, 3, size, size), (1, 3))
    model = onnx.load(place.root / "spoilt.onnx")
    values = onnx.numpy_helper.from_array(np.float32([[0, value, 1]]), "zeros")
    model.graph.initializer[0].CopyFrom(values)
    model.graph.node[1].output[0] = "sum"
    model.graph.node.append(onnx.helper.make_node("IsNaN", ["sum"], ["marks"]))
    model.graph.node.append(onnx.helper.make_node("Cast", ["marks"], ["y"], to=1))
    onnx.save(model, place.root / "spoilt.onnx")
    network = ms.nn.SequentialCell(ms.nn.Flatten(), ms.nn.Dense(48, 2))
    network[1].weight.set_data(ms.Tensor(np.full((2, 48), value, np.float32)))
    images = ms.Tensor(np.zeros((1, 3, 4, 4), np.float32))
    with monkeypatch.context() as patch:
        patch.chdir(place.root)
        ms.export(network, images, file_name="spoilt", file_format="MINDIR")
    own = place.network if place.detector else ()
    for name, weight in (("spoilt.onnx", "zeros"), ("spoilt.mindir", "1.weight")):
        arguments = (*own, *place.data, "--onnx_path", name)
        code, _, err = call(place.folder, "eval_onnx.py", *arguments, cwd=place.root)
        assert_one_line(code, err, name, f"the weight '{weight}' holds NaN")
    (place.root / "spoilt.mindir").chmod(0o600)
    (place.root / "spoilt.mindir").unlink()


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_a_model_of_other_classes(tmp_path, folder):
    place = Place(tmp_path, folder)
    write_onnx(tmp_path / "model.onnx", (1, 3, 32, 32), (1, 5))
    arguments = (*place.data, "--onnx_path", "model.onnx")
    code, _, err = call(folder, "eval_onnx.py", *arguments, cwd=tmp_path)
    assert_one_line(code, err, "3 class folders", "5 outputs", "--class_names")
    write_onnx(tmp_path / "model.onnx", (1, 3, 32, 32), (1, 3, 4))
    code, _, err = call(folder, "eval_onnx.py", *arguments, cwd=tmp_path)
    assert_one_line(code, err, "model.onnx", "not logits (N, classes)")


@pytest.mark.parametrize("folder", NAMES)
def test_what_differs_is_not_kept(tmp_path, folder, monkeypatch):
    """An export whose file computes something else is refused, and no file is left."""
    import mindspore as ms

    exporting = import_from(folder, "src.vendored.exporting")
    network = ms.nn.SequentialCell(ms.nn.Flatten(), ms.nn.Dense(48, 2))
    images = ms.Tensor(np.zeros((1, 3, 4, 4), np.float32))
    monkeypatch.chdir(tmp_path)
    exporting.export_model(network, images, *export_arguments(folder, "right", "ONNX"))
    exported = exporting.ms.export

    def export_another(cell, *inputs, **options):
        exported(ms.nn.SequentialCell(ms.nn.Flatten(), ms.nn.Dense(48, 2)), *inputs, **options)

    monkeypatch.setattr(exporting.ms, "export", export_another)
    before = (tmp_path / "right.onnx").read_bytes()
    for name in ("right", "wrong"):
        with pytest.raises(ValueError, match="differs from the network"):
            exporting.export_model(network, images, *export_arguments(folder, name, "ONNX"))
    assert [path.name for path in tmp_path.iterdir()] == ["right.onnx"]
    assert (tmp_path / "right.onnx").read_bytes() == before


def test_air_is_written_on_ascend_only(place):
    place.save_network()
    arguments = (*place.network, *place.cpu, "--checkpoint_path", "good.ckpt")
    for flags, words in (
        (("--file_format", "air"), ["AIR", "Ascend", "ONNX"]),
        (("--file_format", "TFLITE"), ["file_format is one of AIR, MINDIR, ONNX"]),
        (("--file_format", "ONNX", "--file_name", "good.ckpt/x"), ["good.ckpt"]),
    ):
        code, _, err = call(place.folder, "export.py", *arguments, *flags, cwd=place.root)
        assert_one_line(code, err, *words)
