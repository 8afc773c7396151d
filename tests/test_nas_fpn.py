"""NAS-FPN's network is the documented function, in both modes, at other sizes, trained and exported."""
import json
from pathlib import Path
from types import SimpleNamespace

import mindspore as ms
import numpy as np
import onnxruntime
import pytest
import yaml
from folders import REPOSITORY, import_from
from golden import distance, image, weights
from mindspore import nn

DATA = Path(__file__).parent / "data"


def configuration(size=640, **changes):
    """The documented configuration for another image size, with changes."""
    text = (REPOSITORY / "nas_fpn/default_config.yaml").read_text()
    values = {**next(yaml.safe_load_all(text)), "img_shape": [size, size], **changes}
    return SimpleNamespace(**values)


def network(size, is_training=False, **changes):
    """The detector with golden weights."""
    module = import_from("nas_fpn", "src.retinanet_nasfpn")
    detector = module.retinanetNASFPN(configuration(size, **changes), is_training)
    for parameter in detector.get_parameters():
        parameter.set_data(ms.Tensor(weights(parameter.name, parameter.shape)))
    return detector.set_train(False)


def with_decoder(detector, size):
    box_utils, config = import_from("nas_fpn", "src.box_utils"), configuration(size)
    decoder = import_from("nas_fpn", "src.retinanet_nasfpn").retinanetInferWithDecoder
    return decoder(detector, box_utils.default_boxes(config), config).set_train(False)


class Fixed(nn.Cell):
    """Gives the same outputs whatever the image."""

    def __init__(self, *outputs):
        super().__init__()
        self.outputs = [ms.Tensor(output) for output in outputs]

    def construct(self, x):
        return self.outputs[0], self.outputs[1]


@pytest.fixture(params=[ms.GRAPH_MODE, ms.PYNATIVE_MODE], ids=["graph", "pynative"])
def mode(request):
    ms.set_context(mode=request.param)
    if request.param == ms.PYNATIVE_MODE:
        try:  # under NumPy 2 the first reduction of a process fails in this mode, the others are right
            ms.ops.mean(ms.Tensor(np.ones((2, 2), np.float32)), (0, 1))
        except SystemError:
            pass
    yield request.param
    ms.set_context(mode=ms.GRAPH_MODE)


@pytest.fixture(scope="module")
def decoder_128():
    return with_decoder(network(128), 128)


def test_parameter_names_and_shapes(decoder_128):
    expected = [(name, tuple(shape)) for name, shape in json.loads((DATA / "nas_fpn.params.json").read_text())]
    assert sorted((parameter.name, tuple(parameter.shape)) for parameter in decoder_128.get_parameters()) \
        == sorted(expected)
    trainable = [parameter.size for parameter in decoder_128.trainable_params()]
    assert (len(trainable), sum(trainable)) == (371, 85_891_392)


def test_golden_outputs(mode):
    detector = network(640)
    targets, scores = (output.asnumpy() for output in detector(ms.Tensor(image((1, 3, 640, 640)))))
    boxes, _ = with_decoder(Fixed(targets, scores), 640)(ms.Tensor(image((1, 3, 8, 8))))
    with np.load(DATA / "nas_fpn.npz", allow_pickle=False) as golden:
        for key, output in (("loc", targets), ("cls", scores), ("boxes", boxes.asnumpy())):
            assert distance(output[0][golden["rows"]], golden[key]) <= 1e-4
            assert distance(output[0][golden["rows_top"]], golden[f"{key}_top"]) <= 1e-4
            assert output.mean(dtype=np.float64) == pytest.approx(float(golden[f"{key}_mean"]), abs=1e-7)
            assert output.std(dtype=np.float64) == pytest.approx(float(golden[f"{key}_std"]), rel=1e-5)


def test_other_image_size():
    targets, scores = (output.asnumpy() for output in network(128)(ms.Tensor(image((1, 3, 128, 128)))))
    assert targets.shape == (1, 3069, 4) and scores.shape == (1, 3069, 81)
    assert targets[0, 0] == pytest.approx([0.00594123, -0.01728053, 0.00714897, -0.01068925], abs=1e-6)
    assert (targets.mean(dtype=np.float64), targets.std(dtype=np.float64)) == pytest.approx((0.00026492, 0.03628972),
                                                                                            abs=1e-7)
    assert (scores.mean(dtype=np.float64), scores.std(dtype=np.float64)) == pytest.approx((0.49957050, 0.01117191),
                                                                                          abs=1e-7)


@pytest.mark.parametrize("shape", [[640, 512], [200, 200], [0, 0]])
def test_image_shape_that_does_not_fit(shape):
    with pytest.raises(ValueError, match="square, the side a multiple of 128"):
        import_from("nas_fpn", "src.box_utils").default_boxes(configuration(img_shape=shape))


@pytest.mark.parametrize("height, size", [(5, 40), (10, 20), (8, 8), (80, 20), (40, 5)])
def test_resize_is_nearest_neighbour_up_and_max_pooling_down(height, size):
    maps = image((2, 3, height, height), salt=height)
    if height <= size:
        index = np.arange(size) * height // size
        expected = maps[:, :, index][:, :, :, index]
    else:
        factor = height // size
        expected = maps.reshape(2, 3, size, factor, size, factor).max((3, 5))
    resized = import_from("nas_fpn", "src.merge_cells").resize(ms.Tensor(maps), size)
    assert np.array_equal(resized.asnumpy(), expected)


def test_batch_entries_do_not_mix(decoder_128):
    one, two = (ms.Tensor(image((1, 3, 128, 128), salt=salt)) for salt in (0, 1))
    together = decoder_128(ms.ops.concat((one, two)))
    for index, alone in enumerate((decoder_128(one), decoder_128(two))):
        for got, want in zip(together, alone):
            assert np.abs(got[index].asnumpy() - want[0].asnumpy()).max() < 1e-5


@pytest.mark.parametrize("file_format", ["ONNX", "MINDIR"])
def test_exported_file_gives_the_same(decoder_128, file_format, tmp_path):
    inputs = ms.Tensor(image((1, 3, 128, 128), salt=3))
    expected = [output.asnumpy() for output in decoder_128(inputs)]
    ms.export(decoder_128, inputs, file_name=str(tmp_path / "detector"), file_format=file_format)
    if file_format == "ONNX":
        session = onnxruntime.InferenceSession(str(tmp_path / "detector.onnx"), providers=["CPUExecutionProvider"])
        outputs = session.run(None, {session.get_inputs()[0].name: inputs.asnumpy()})
    else:
        outputs = [output.asnumpy() for output in nn.GraphCell(ms.load(str(tmp_path / "detector.mindir")))(inputs)]
    for output, want in zip(outputs, expected):
        assert np.abs(output - want).max() < 1e-5


def test_training_reaches_every_parameter_and_lowers_the_loss():
    config, module = configuration(128), import_from("nas_fpn", "src.retinanet_nasfpn")
    detector = network(128, is_training=True)
    with_loss = module.retinanetWithLossCell(detector, config)
    boxes = import_from("nas_fpn", "src.box_utils").AnchorEncoder(config)([[0.2, 0.2, 0.7, 0.8, 3]])
    batch = [ms.Tensor(image((1, 3, 128, 128)))] + [ms.Tensor(value[None]) for value in boxes]
    before = {parameter.name: parameter.asnumpy().copy() for parameter in with_loss.trainable_params()}
    optimizer = nn.Momentum(with_loss.trainable_params(), 1e-5, 0.9, loss_scale=1024)
    step = nn.TrainOneStepCell(with_loss, optimizer, 1024).set_train()
    losses = [float(step(*batch).asnumpy()) for _ in range(4)]
    assert losses[3] < losses[2] < losses[1] < losses[0]
    assert all(name.startswith("network.") for name in before)
    unmoved = [parameter.name for parameter in with_loss.trainable_params()
               if np.array_equal(parameter.asnumpy(), before[parameter.name])]
    assert unmoved == []
