"""Dropout and stochastic depth, in every folder: against NumPy, after a resume, in an export."""

import mindspore as ms
import numpy as np
import onnx
import pytest

from folders import CLASSIFIERS, NAMES, build_network, flags_of, import_from
from small_training import CLASSES, SmallTraining

DEEP = [name for name in CLASSIFIERS if flags_of(name).drop[0] == "--drop_path"]


@pytest.fixture(params=NAMES)
def module(request):
    return import_from(request.param, "src.vendored.random_drop")


def scrambled(x):
    """MurmurHash3's last steps, in words without sign."""
    x = np.uint32(x)
    for bits, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = (x ^ x >> np.uint32(bits)) * np.uint32(factor)
    return x ^ x >> np.uint32(16)


def kept(probability, shape, batch, *place):
    """Which are kept in the batch numbered `batch`, from 1, at (seed, rank, place)."""
    (key,) = np.random.SeedSequence(place).generate_state(1)
    with np.errstate(over="ignore"):
        first = scrambled(np.uint32(batch) * np.uint32(0x9E3779B9) + key)
        drawn = scrambled(np.arange(np.prod(shape), dtype=np.uint32) + first)
    return ((drawn % 2**24) >= round(probability * 2**24)).reshape(shape)


def ones(*shape):
    return ms.Tensor(np.ones(shape, np.float32))


def test_what_is_dropped(module):
    cells = module.RandomDrop(0.3), module.RandomDrop(0.3, whole_images=True)
    network = ms.nn.SequentialCell(*cells).set_train()
    assert not list(network.get_parameters())
    module.place_drops(network, 7, 1, 40)
    features, images = (16, 3, 5, 5), (16, 1, 1, 1)
    for batch in (41, 42):
        one, other = kept(0.3, features, batch, 7, 1, 0), kept(0.3, images, batch, 7, 1, 1)
        got = network(ones(*features)).asnumpy()
        np.testing.assert_allclose(got, one * other / 0.7**2, rtol=1e-6)
    network.set_train(False)
    np.testing.assert_array_equal(network(ones(*features)).asnumpy(), 1)
    network.set_train(True)
    again = kept(0.3, features, 43, 7, 1, 0) & kept(0.3, images, 43, 7, 1, 1)
    np.testing.assert_array_equal(network(ones(*features)).asnumpy() != 0, again)


def test_seeds_ranks_places_and_batches_draw_each_their_own(module):
    """And as many as were asked for: five standard deviations off is a fault."""
    shares = []
    for seed, rank, done in ((1, 0, 0), (1, 0, 1), (1, 1, 0), (2, 0, 0)):
        cells = [module.RandomDrop(0.2).set_train() for _ in range(2)]
        module.place_drops(ms.nn.CellList(cells), seed, rank, done)
        shares += [cell(ones(100, 100)).asnumpy().ravel() > 0 for cell in cells]
    assert all(abs(share.mean() - 0.8) < 5 * 0.4 / 100 for share in shares)
    assert abs(np.corrcoef(shares) - np.eye(len(shares))).max() < 5 / 100


class Dropping(ms.nn.Cell):
    """A dense layer with dropout before it and a residual branch after it."""

    def __init__(self, module, dense):
        super().__init__()
        self.dense, self.branch = dense, ms.nn.Dense(CLASSES, CLASSES, weight_init="ones")
        self.before = module.RandomDrop(0.4)
        self.after = module.RandomDrop(0.4, whole_images=True)

    def construct(self, x):
        x = self.dense(self.before(x))
        return x + self.after(self.branch(x))


class DroppingTraining(SmallTraining):
    def create_network(self):
        return Dropping(self.module("random_drop"), super().create_network())


@pytest.mark.parametrize("folder", NAMES)
def test_a_resumed_run_ends_with_the_same_weights(tmp_path, folder):
    """From the end of an epoch, and from within one while gradients are gathered."""

    def training(where):
        options = {"save_checkpoint_steps": 3, "accumulate_steps": 2}
        return DroppingTraining(folder, tmp_path / where, epochs=4, **options)

    whole = training("whole")
    whole.train()
    wanted = whole.saved(4)
    assert {"dense.weight", "branch.weight"} <= set(wanted)
    assert not [name for name in wanted if "drop" in name]
    for start in ("net-2_6.ckpt", "net-3_3.ckpt"):
        later = training(start)
        later.train(resume=str(tmp_path / "whole" / start))
        found = later.saved(4)
        assert list(found) == list(wanted)
        for name in wanted:
            np.testing.assert_array_equal(found[name], wanted[name], err_msg=name)


def test_the_line_of_depth():
    module = import_from(DEEP[0], "src.vendored.random_drop")
    cells = [module.RandomDrop(0.1, number != 1) for number in range(5)]
    module.set_drop_path(ms.nn.SequentialCell(cells), 0.4)
    np.testing.assert_allclose([cell.probability for cell in cells], [0.1, 0.1, 0.2, 0.3, 0.4])


def branches(network):
    """The RandomDrop of each residual branch."""
    return [cell for _, cell in network.cells_and_names() if getattr(cell, "whole_images", False)]


def without_names(graph):
    """What a graph computes: its results are called as MindSpore counted them."""
    numbers = {}
    for node in graph.node:
        for name in (*node.input, *node.output):
            numbers.setdefault(name, len(numbers))
    nodes = [
        (node.op_type, node.attribute, [numbers[name] for name in (*node.input, *node.output)])
        for node in graph.node
    ]
    return nodes, {numbers[weight.name]: values_of(weight) for weight in graph.initializer}


def values_of(weight):
    return onnx.numpy_helper.to_array(weight).tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("folder", DEEP)
def test_an_image_may_go_around_every_residual_branch(tmp_path, folder):
    """What is exported is the same to the bit."""
    module = import_from(folder, "src.vendored.random_drop")
    image = ms.Tensor(np.random.default_rng(0).normal(size=(1, 3, 32, 32)).astype(np.float32))
    networks = [build_network(folder) for _ in range(2)]
    ms.load_param_into_net(networks[1], networks[0].parameters_dict())
    module.set_drop_path(networks[1], 0.5)
    exported = []
    for network in networks:
        ms.export(network.set_train(False), image, file_name=f"{tmp_path}/x", file_format="ONNX")
        exported.append(without_names(onnx.load(tmp_path / "x.onnx").graph))
        (tmp_path / "x.onnx").unlink()
    assert exported[0] == exported[1]
    network = build_network(folder).set_train()
    module.set_drop_path(network, 0.5)
    network(image)
    drops = branches(network)
    assert len(drops) >= 10 and drops[-1].probability == 0.5
    assert all(drop.batches.asnumpy() == 1 for drop in drops)
