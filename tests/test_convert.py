"""Published weights as checkpoints that the folders load, and back."""

import importlib.util
import os
import resource
import subprocess
import sys

import h5py
import mindspore as ms
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from entry_points import call
from folders import REPOSITORY, activate, import_from
from places import save_photo

CONVERT = REPOSITORY / "utils/convert"
sys.path.insert(0, str(CONVERT))

import mapping  # noqa: E402
import sources  # noqa: E402

IMAGENET = {"dataset": "imagenet2012", "class_num": 5}
RESNEST = {"num_classes": 5, "attention_bias": True}
# folder, source, options of the network, and pairs of a parameter and a tensor, written by hand
CASES = {
    "fishnet99": ("fishnet99", "FishNet", {"num_classes": 5, "pool_padding": "symmetric"}, {
        "stem.2.1.moving_variance": "conv3.1.running_var",
        "tail_layer.2.layer_FishTail.layer_DownStage.3.layers_.1.2.weight":
            "fish.fish.2.0.3.conv2.weight",
        "body_layer.1.transfer.layers_TransferBlock.0.layers_.0.0.gamma":
            "fish.fish.5.1.0.bn1.weight",
        "bridge.se_block.5.bias": "fish.fish.3.3.0.5.bias",
    }),
    "resnest50": ("resnest", "timm", {"net_name": "resnest50", **RESNEST}, {
        "layer2.0.downsample.2.moving_mean": "layer2.0.downsample.2.running_mean",
        "layer3.5.conv2.conv.convs.1.weight": "layer3.5.conv2.conv.weight",
        "layer1.0.conv2.fc2.convs.0.bias": "layer1.0.conv2.fc2.bias",
    }),
    "torchvision": ("mnasnet", "torchvision",
                    {"class_num": 5, "mnasnet_b1": True, "depth_multiplier": 0.5}, {
        "features.0.conv.weight": "layers.0.weight",
        "features.1.sequence.3.weight": "layers.6.weight",
        "features.5.conv.4.beta": "layers.9.0.layers.4.bias",
        "features.17.conv.6.weight": "layers.13.0.layers.6.weight",
        "conv1.1.gamma": "layers.15.weight",
    }),
    "timm mnasnet": ("mnasnet", "timm",
                     {"class_num": 5, "mnasnet_b1": True, "depth_multiplier": 0.5}, {
        "features.1.sequence.4.moving_mean": "blocks.0.0.bn2.running_mean",
        "features.16.conv.3.weight": "blocks.5.3.conv_dw.weight",
        "fc.bias": "classifier.bias",
    }),
    "timm mobilenetv1": ("mobilenetv1", "timm",
                         {**IMAGENET, "width_multiplier": 0.25, "padding": "symmetric"}, {
        "network.0.1.gamma": "bn1.weight",
        "network.15.0.weight": "blocks.3.2.conv_dw.weight",
        "network.26.1.beta": "blocks.4.1.bn2.bias",
    }),
    "google": ("mobilenetv1", "google",
               {**IMAGENET, "width_multiplier": 0.25, "bn_epsilon": 0.001}, {
        "network.7.0.weight": "mobilenet_v1.layer.6.convolution.weight",
        "network.0.1.beta": "mobilenet_v1.conv_stem.normalization.bias",
    }),
    "Keras": ("mobilenetv1", "Keras",
              {**IMAGENET, "width_multiplier": 0.25, "bn_epsilon": 0.001}, {
        "network.0.0.weight": "conv1/kernel",
        "network.0.1.gamma": "conv1_bn/gamma",
        "network.3.0.weight": "conv_dw_2/depthwise_kernel",
        "network.26.1.moving_variance": "conv_pw_13_bn/moving_variance",
        "fc.weight": "conv_preds/kernel",
    }),
    "ResNet-50": ("nas_fpn", "torchvision",
                  {"backbone_padding": "symmetric", "backbone_epsilon": 1e-5}, {
        "backbone.layer4.0.down_sample_layer.1.gamma": "layer4.0.downsample.1.weight",
        "backbone.conv1.weight": "conv1.weight",
    }),
}  # fmt: skip


def prepare(name):
    """(folder, Source, {parameter: random array} of its network) of a case."""
    folder, title, options, _ = CASES[name]
    activate(folder)
    tables = sources.tables_of(folder)
    (source,) = [s for s in tables.SOURCES if title.lower() in s.title.lower()]
    network, _ = tables.build_network(options)
    random = np.random.default_rng(0)
    return (
        folder,
        source,
        {
            tables.PART + p.name: random.uniform(0.5, 1, p.shape).astype(np.float32)
            for p in network.get_parameters()
        },
    )


def convert(script, folder, *arguments, **options):
    return subprocess.run(
        [sys.executable, CONVERT / f"{script}.py", folder, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def there(folder, *arguments, **options):
    return convert("torch_to_mindspore", folder, *arguments, **options)


def save(tensors, path):
    if path.suffix == ".h5":
        from write_weights import write_hdf5

        write_hdf5(tensors, path)
    else:
        save_file(tensors, path)


@pytest.mark.parametrize("name", CASES)
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


class Files:
    """Published weights, the smallest that convert, and where to write."""

    def __init__(self, root):
        self.root, self.weights, self.out = root, root / "weights.safetensors", root / "out.ckpt"
        _, source, parameters = prepare("timm mobilenetv1")
        self.tensors = mapping.convert_back(parameters, source)

    def write(self, **changed):
        save_file({**self.tensors, **changed}, self.weights)

    def fails(self, *arguments, folder="mobilenetv1", script="torch_to_mindspore"):
        """The one line that a conversion ends with; nothing is written."""
        before = sorted(self.root.iterdir())
        done = convert(script, folder, *(arguments or (self.weights, self.out)))
        assert done.returncode == 1 and done.stdout == "", done
        assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("error: "), done
        assert sorted(self.root.iterdir()) == before
        return done.stderr


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def test_arguments_are_checked_first(files):
    assert "no such file" in files.fails()
    files.weights.touch()
    assert "expected a name ending in .ckpt" in files.fails(files.weights, files.root / "out.bin")
    assert "in a folder that exists" in files.fails(files.weights, files.root / "no/out.ckpt")
    assert "invalid choice: 'nas'" in files.fails(files.weights, files.out, folder="nas")
    assert "required: checkpoint" in files.fails(files.weights)
    (files.root / "a.ckpt").hardlink_to(files.weights)
    assert "it is the file to read" in files.fails(files.weights, files.root / "a.ckpt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty; download it again"),
        (b"\xff" * 100, "no .safetensors or .h5, nor what torch.save writes, or damaged"),
        (b"version https://git-lfs.github.com/spec/v1\n", "fetch it with git lfs pull"),
        (b"<!DOCTYPE html>", "a web page"),
        (b"\x1f\x8b\x08", "unpack it first"),
        (b"\x89HDF\r\n\x1a\n" + bytes(200), "not a whole HDF5 file"),
        (b"PK\3\4" + bytes(100), "the package torch is missing; run: pip install torch"),
        (b"\x80\x02}q\x00.", "the package torch is missing; run: pip install torch"),
        (b"\x60" + bytes(7) + b'{"a":', "not a whole .safetensors file"),
    ],
)
def test_other_formats_under_the_name_are_named(files, content, message):
    if "torch" in message and "save" not in message and importlib.util.find_spec("torch"):
        pytest.skip("torch is installed, and says something else")
    files.weights.write_bytes(content)
    assert message in files.fails()


def test_damaged_files_are_named(files):
    files.write()
    files.weights.write_bytes(files.weights.read_bytes()[:-1])
    assert "not a whole .safetensors file" in files.fails()
    np.savez(files.root / "a.npz", a=np.zeros(1))
    assert "torch.save did not write" in files.fails(files.root / "a.npz", files.out)
    path = files.root / "x.h5"
    with h5py.File(path, "w") as file:
        file["a/b/kernel:0"] = np.zeros((400, 400), np.float32)
    path.write_bytes(path.read_bytes()[:-600_000])
    assert "not a whole HDF5 file" in files.fails(path, files.out)
    with h5py.File(path, "w") as file:
        file.create_dataset("a/b", (9,), "f4", external=[("/etc/passwd", 0, 36)])
    assert "lies in another file" in files.fails(path, files.out)
    with h5py.File(path, "w") as file:
        file["loose"] = np.zeros(3, np.float32)
    assert "without weights by layer" in files.fails(path, files.out)
    files.weights.unlink()
    files.weights.mkdir()
    assert "a folder; give the file" in files.fails()


def test_tensors_that_do_not_fit_are_named(files):
    name = "blocks.1.0.conv_pw.weight"
    files.write(**{name: files.tensors[name][:10]})
    assert f"'{name}' has shape (10, 16, 1, 1), expected (32, 16, 1, 1)" in files.fails()
    files.write(**{"bn1.weight": np.full(8, np.nan, np.float32)})
    assert "'bn1.weight' has NaN or infinite values" in files.fails()
    files.write(**{"bn1.weight": np.full(8, 1, np.uint16)})
    assert "'bn1.weight' is of type U16; give floating point" in files.fails()
    wrong = dict(files.tensors)
    wrong["bn1.weight\n\x1b[31m"] = wrong.pop("bn1.weight")
    save_file(wrong, files.weights)
    assert "no tensor 'bn1.weight' (nearest: bn1.weight\\n\\x1b[31m" in files.fails()
    save_file({"a": np.zeros(1, np.float32)}, files.weights)
    assert "expected the weights of timm or google" in files.fails()
    files.write()
    assert "leave out --ema" in files.fails(files.weights, files.out, "--ema")


def test_prefixes_are_left_out_with_a_line_and_what_is_left_is_named(files):
    tensors = {f"module.model.{name}": value for name, value in files.tensors.items()}
    save_file({**tensors, "module.model.aux.weight": np.zeros(1, np.float32)}, files.weights)
    done = there("mobilenetv1", files.weights, files.out)
    assert done.returncode == 0, done
    assert "names begin with 'module.model.', which is left out" in done.stdout
    assert "left of the file: aux.weight" in done.stdout


def test_whose_names_the_way_back_gives(files):
    ms.save_checkpoint(ms.nn.Dense(2, 3), str(files.root / "x.ckpt"))
    arguments = (files.root / "x.ckpt", files.weights)
    back = {"script": "mindspore_to_torch"}
    assert "whose names? one of: timm; google" in files.fails(*arguments, **back)
    assert "wants a name ending in .h5" in files.fails(*arguments, "--source", "keras", **back)
    mltk = (files.root / "x.ckpt", files.root / "x.h5", "--source", "mltk")
    assert "taken up by batch norms" in files.fails(*mltk, **back)


def test_half_precision_is_read(files):
    bfloat16 = np.float32([1.0, -2.5]).view("<u2")[1::2].tobytes()
    header = b'{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
    files.weights.write_bytes(len(header).to_bytes(8, "little") + header + bfloat16)
    from read_weights import read_weights

    assert read_weights(files.weights)["a"].tolist() == [1.0, -2.5]


def test_checkpoint_appears_whole_and_as_the_umask_says(files):
    files.write()
    done = there("mobilenetv1", files.weights, files.out, preexec_fn=lambda: os.umask(0o077))
    assert done.returncode == 0, done
    assert files.out.stat().st_mode & 0o777 == 0o600
    files.out.write_text("old")
    limit = (resource.RLIMIT_FSIZE, (1 << 18, 1 << 18))
    done = there(
        "mobilenetv1", files.weights, files.out, preexec_fn=lambda: resource.setrlimit(*limit)
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"error: {files.out}: cannot be written (File too large)")
    assert files.out.read_text() == "old"
    assert sorted(files.root.iterdir()) == [files.out, files.weights]


def test_back_and_load_file_agree(files):
    """What is written back is a .safetensors file like any other."""
    files.write()
    assert there("mobilenetv1", files.weights, files.out).returncode == 0
    done = convert("mindspore_to_torch", "mobilenetv1", files.out, files.root / "b.safetensors")
    assert done.returncode == 0, done
    assert load_file(files.root / "b.safetensors").keys() == files.tensors.keys()
