"""What becomes of a float32 network before it is quantised: as onnxruntime computes it."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from folders import import_from

prepare = import_from("mnasnet", "src.vendored.onnx_int8").prepare


class Network:
    """Layers on top of each other, their weights at random."""

    def __init__(self):
        self.nodes, self.tensors, self.random = [], [], np.random.RandomState(0)
        self.top, self.channels = "images", 3

    def constant(self, value):
        self.tensors.append(numpy_helper.from_array(value.astype(np.float32), f"c{len(self)}"))
        return self.tensors[-1].name

    def __len__(self):
        return len(self.nodes) + len(self.tensors)

    def add(self, kind, *inputs, **attributes):
        name = f"n{len(self)}"
        self.nodes.append(helper.make_node(kind, [self.top, *inputs], [name], name, **attributes))
        self.top = name
        return self

    def convolution(self, after, kernel=1, group=1, has_bias=True):
        weight = self.random.randn(after, self.channels // group, kernel, kernel)
        constants = [self.constant(weight)]
        constants += [self.constant(self.random.randn(after))] if has_bias else []
        self.channels = after
        return self.add("Conv", *constants, group=group, pads=[kernel // 2] * 4)

    def norm(self, smallest=0.5):
        values = self.random.rand(4, self.channels) + smallest
        values[0, 0] = smallest
        return self.add("BatchNormalization", *map(self.constant, values), epsilon=1e-3)

    def model(self, rank=4):
        sizes = [helper.make_tensor_value_info("images", TensorProto.FLOAT, [2, 3, 8, 8])]
        outputs = [helper.make_tensor_value_info(self.top, TensorProto.FLOAT, list("abcd")[:rank])]
        graph = helper.make_graph(self.nodes, "g", sizes, outputs, self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        return model


def outputs(model):
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    images = np.random.RandomState(1).randn(2, 3, 8, 8).astype(np.float32)
    return session.run(None, {"images": images})[0]


def require_same(model, before):
    after = outputs(model)
    assert before.shape == after.shape
    assert np.abs(before - after).max() <= 1e-5 * np.abs(before).max()


def groups_of(model):
    return [
        entry.i for node in model.graph.node for entry in node.attribute if entry.name == "group"
    ]


@pytest.mark.parametrize("has_bias", [True, False])
def test_depthwise_convolutions_get_channels_of_zeros(has_bias):
    network = Network().convolution(8, 3).add("Relu")
    network.convolution(24, has_bias=has_bias).add("Clip")
    network.convolution(24, 3, 24, has_bias).add("Relu").convolution(5)
    model = network.model()
    before = outputs(model)
    assert prepare(model) == [model.graph.node[0].name]
    assert groups_of(model) == [1, 1, 32, 1]
    require_same(model, before)


def test_others_keep_theirs():
    """Where the wider channels would be seen, and where they are enough."""
    network = Network().convolution(8, 3)
    seen = network.convolution(24).top
    network.convolution(24, 3, 24).convolution(24).add("Add", seen)
    network.convolution(24, 3, 24).add("Sigmoid").convolution(32).convolution(32, 3, 32)
    network.convolution(24, 3, 4).convolution(24, 3, 24).convolution(5)
    model = network.model()
    before = outputs(model)
    prepare(model)
    assert groups_of(model) == [1, 1, 24, 1, 24, 1, 32, 4, 24, 1]
    require_same(model, before)


def test_a_batch_norm_becomes_a_convolution():
    network = Network().convolution(8, 3)
    seen = network.top
    network.add("Relu").add("Add", seen).norm(smallest=1e-12).add("Relu")
    network.convolution(6).norm()
    model = network.model()
    before = outputs(model)
    prepare(model)
    assert "BatchNormalization" not in [node.op_type for node in model.graph.node]
    assert groups_of(model) == [1, 8, 1, 6]
    require_same(model, before)


def test_a_batch_norm_of_features_stays():
    network = Network().convolution(8, 3).add("GlobalAveragePool").add("Flatten").norm()
    model = network.model(rank=2)
    prepare(model)
    assert model.graph.node[-1].op_type == "BatchNormalization"


def test_the_first_convolutions_stay_in_float32():
    model = Network().convolution(16, 3).add("Relu").convolution(16, 3, 16).convolution(8).model()
    first, _, second, _ = model.graph.node
    assert prepare(model) == [first.name, second.name]
    assert prepare(Network().add("Relu").model()) == []
