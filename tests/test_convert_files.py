"""Weights that cannot be converted end in one line; checkpoints appear whole."""

import importlib.util
import os
import resource

import h5py
import mindspore as ms
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from convert_cases import convert, mapping, prepare, there


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
