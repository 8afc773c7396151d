"""Published weights as checkpoints that the folders load, and back."""

import mindspore as ms
import numpy as np
import pytest

from convert_cases import CASES, convert, mapping, prepare, save, sources, there
from entry_points import call
from folders import activate, import_from
from places import save_photo

HEAVY = ("fishnet99", "resnest50", "ResNet-50")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in HEAVY else ()) for name in CASES],
)
def test_there_and_back(name, tmp_path):
    folder, source, parameters = prepare(name)
    tensors = mapping.convert_back(parameters, source)
    for parameter, tensor in CASES[name][3].items():
        assert mapping.tensor_of(parameter, source) == tensor and tensor in tensors
    suffix = ".h5" if source.layout == "keras" else ".safetensors"
    path, out = tmp_path / f"x{suffix}", tmp_path / "out.ckpt"
    counters = {} if suffix == ".h5" else {"bn1.num_batches_tracked": np.zeros(1, np.int64)}
    save({**tensors, **counters}, path)
    done = there(folder, path, out)
    assert done.returncode == 0 and f"{len(parameters)} of {len(parameters)}" in done.stdout, done
    assert "left of the file: nothing" in done.stdout
    loaded = {key: value.asnumpy() for key, value in ms.load_checkpoint(str(out)).items()}
    record = import_from(folder, "src.vendored.record").read_record(out)[0]
    assert loaded.keys() - parameters.keys() == {"record"} and record["source"] == source.title
    assert CASES[name][2].items() <= record["options"].items()
    for key, value in parameters.items():
        np.testing.assert_array_equal(loaded[key], value, key)
    done = convert("mindspore_to_torch", folder, out, tmp_path / f"back{suffix}")
    assert done.returncode == 0 and "left of the checkpoint: nothing" in done.stdout, done
    from read_weights import read_weights

    back = read_weights(tmp_path / f"back{suffix}")
    assert back.keys() == tensors.keys()
    for key, value in tensors.items():
        np.testing.assert_array_equal(back[key], value, key)


def test_layout_of_keras():
    """Kernels are (H, W, in, out) there, depthwise ones (H, W, channels, 1)."""
    kernel = np.arange(3 * 3 * 4 * 5).reshape(3, 3, 4, 5)
    assert (
        mapping.to_our_layout(kernel, "conv1/kernel", (5, 4, 3, 3))[2, 1, 0, 2]
        == (kernel[0, 2, 1, 2])
    )
    kernel = np.arange(3 * 3 * 4).reshape(3, 3, 4, 1)
    ours = mapping.to_our_layout(kernel, "conv_dw_1/depthwise_kernel", (4, 1, 3, 3))
    assert ours.shape == (4, 1, 3, 3) and ours[3, 0, 1, 2] == kernel[1, 2, 3, 0]


def test_classes_of_google_end_with_the_background():
    _, source, parameters = prepare("google")
    bias = mapping.convert_back(parameters, source)["classifier.bias"]
    assert bias[0] == parameters["fc.bias"][-1] and bias[1] == parameters["fc.bias"][0]


@pytest.mark.parametrize("depth", [50, 101, 200, 269])
def test_depths_of_resnest(depth):
    activate("resnest")
    tables = sources.tables_of("resnest")
    blocks = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 200: (3, 24, 36, 3), 269: (3, 30, 48, 8)}
    names = [f"layer{i}.{j}.x" for i, n in enumerate(blocks[depth], 1) for j in range(n)]
    options = tables.SOURCES[0].options({**dict.fromkeys(names), "fc.weight": np.zeros((7, 1))})
    assert options["net_name"] == f"resnest{depth}" and options["num_classes"] == 7


def test_what_is_recorded_need_not_be_repeated(tmp_path):
    """A network for 5 classes with another epsilon and width predicts without any option."""
    folder, source, parameters = prepare("Keras")
    save(mapping.convert_back(parameters, source), tmp_path / "x.h5")
    names = tmp_path / "names.txt"
    names.write_text("ash\nbirch\ncedar\noak\nyew\n")
    done = there(folder, tmp_path / "x.h5", tmp_path / "x.ckpt", "--class_names", names)
    assert done.returncode == 0, done
    save_photo(tmp_path / "photo.jpg", (90, 120, 30))
    arguments = ("--model", "x.ckpt", "--photos", "photo.jpg", "--device_target", "CPU")
    code, out, err = call(folder, "predict.py", *arguments, cwd=tmp_path)
    assert code == 0 and "bn_epsilon 0.001" in out and "mean 127.5,127.5,127.5" in out, err
    assert "birch" in out
