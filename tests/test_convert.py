"""Published PyTorch weights as checkpoints that the folders load."""

import importlib.util
import json
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from folders import REPOSITORY

CONVERT = REPOSITORY / "utils/convert"
TABLES = sorted(path.stem for path in (CONVERT / "names").glob("*.json"))


def published(table, shapes, generator):
    """A state dict with the names and shapes that the authors' file has."""
    weights, rows = {}, {}
    for name, source, *part in table["names"]:
        shape = shapes.get(name)
        # An option of the folder: a bias, as long as its convolution has channels.
        if shape is None:
            shape = shapes[name.replace(".bias", ".weight")][:1]
        if name in table.get("centre", ()):
            shape = [*shape[:2], 1, 1]
        rows[source] = [part[0][1] if part else shape[0], *shape[1:]]
    for source, shape in rows.items():
        weights[source] = generator.standard_normal(shape, np.float32)
    return weights


def convert(folder, *arguments, **options):
    return subprocess.run(
        [sys.executable, CONVERT / "torch_to_mindspore.py", folder, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


@pytest.mark.parametrize("name", TABLES)
def test_conversion(name, tmp_path):
    import mindspore as ms

    folder, table = name.split("_")[0], json.loads((CONVERT / f"names/{name}.json").read_text())
    shapes = dict(json.loads((REPOSITORY / f"tests/data/{folder}.params.json").read_text()))
    weights = published(table, shapes, np.random.default_rng(0))
    save_file(weights, tmp_path / "weights.safetensors")
    done = convert(folder, tmp_path / "weights.safetensors", tmp_path / "out.ckpt")
    assert done.returncode == 0 and table["source"] in done.stdout, done
    got = {
        key: value.asnumpy()
        for key, value in ms.load_checkpoint(str(tmp_path / "out.ckpt")).items()
    }
    assert {key: list(got[key].shape) for key in shapes} == shapes
    assert all(key.endswith(".bias") for key in set(got) - set(shapes))
    for key, source, *rows in table["names"]:
        want = weights[source][slice(*rows[0])] if rows else weights[source]
        if key.endswith("moving_variance"):
            want = want + table.get("add", {}).get(".moving_variance", 0)
        if key in table.get("roll", ()):
            want = np.concatenate([want[1:], want[:1]])
        if key in table.get("centre", ()):
            assert got[key].sum() == pytest.approx(want.sum(), rel=1e-4)
            got[key] = got[key][:, :, 1:2, 1:2]
        np.testing.assert_allclose(got[key], want, rtol=1e-6)
    assert all((got[key] == 0).all() for key in table.get("zero", ()))


class Files:
    """The published weights of ResNeSt, the smallest that convert, and where to write."""

    def __init__(self, root):
        self.root, self.weights, self.out = root, root / "weights.safetensors", root / "out.ckpt"
        table = json.loads((CONVERT / "names/resnest.json").read_text())
        shapes = dict(json.loads((REPOSITORY / "tests/data/resnest.params.json").read_text()))
        self.tensors = published(table, shapes, np.random.default_rng(0))

    def write(self, **changed):
        save_file({**self.tensors, **changed}, self.weights)

    def fails(self, *arguments, folder="resnest"):
        """The one line that a conversion ends with; nothing is written."""
        before = sorted(self.root.iterdir())
        done = convert(folder, *(arguments or (self.weights, self.out)))
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
        (b"\xff" * 100, "neither .safetensors nor what torch.save writes, or damaged"),
        (b"version https://git-lfs.github.com/spec/v1\n", "fetch it with git lfs pull"),
        (b"<!DOCTYPE html>", "a web page"),
        (b"\x1f\x8b\x08", "unpack it first"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"PK\3\4" + bytes(100), "the package torch is missing; run: pip install torch"),
        (b"\x80\x02}q\x00.", "the package torch is missing; run: pip install torch"),
        (b"\x60" + bytes(7) + b'{"a":', "not a whole .safetensors file"),
    ],
)
def test_other_formats_under_the_name_are_named(files, content, message):
    if "torch" in message and importlib.util.find_spec("torch"):
        pytest.skip("torch is installed, and says something else")
    files.weights.write_bytes(content)
    assert message in files.fails()


def test_damaged_files_are_named(files):
    files.write()
    files.weights.write_bytes(files.weights.read_bytes()[:-1])
    assert "not a whole .safetensors file" in files.fails()
    np.savez(files.root / "a.npz", a=np.zeros(1))
    assert "torch.save did not write" in files.fails(files.root / "a.npz", files.out)
    files.weights.unlink()
    files.weights.mkdir()
    assert "a folder; give the file" in files.fails()


def test_tensors_that_do_not_fit_are_named(files):
    name = "layer1.0.conv2.conv.weight"
    files.write(**{name: files.tensors[name][:100]})
    assert f"'{name}' has shape (100, 32, 3, 3), expected 128 rows" in files.fails()
    files.write(**{"bn1.weight": np.full(64, np.nan, np.float32)})
    assert "'bn1.weight' has NaN or infinite values" in files.fails()
    files.write(**{"bn1.weight": np.full(64, 1, np.uint16)})
    assert "'bn1.weight' is of type U16; give floating point" in files.fails()
    wrong = dict(files.tensors)
    wrong["bn1.weight\n\x1b[31m"] = wrong.pop("bn1.weight")
    save_file(wrong, files.weights)
    assert "no tensor 'bn1.weight' (nearest: bn1.weight\\n\\x1b[31m" in files.fails()


def test_half_precision_is_read(files):
    bfloat16 = np.float32([1.0, -2.5]).view("<u2")[1::2].tobytes()
    header = b'{"module.a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
    files.weights.write_bytes(len(header).to_bytes(8, "little") + header + bfloat16)
    code = (
        "import pathlib, sys; sys.path.insert(0, sys.argv[1]); import read_weights;"
        "print(read_weights.read_weights(pathlib.Path(sys.argv[2])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, CONVERT, files.weights], capture_output=True, text=True
    )
    assert done.stdout == "{'a': array([ 1. , -2.5], dtype=float32)}\n", done


def test_checkpoint_appears_whole_and_as_the_umask_says(files):
    files.write()
    # A name that others know beforehand would be a place to plant a link.
    planted = files.root / ".out.ckpt"
    planted.symlink_to(files.root / "victim")
    done = convert("resnest", files.weights, files.out, preexec_fn=lambda: os.umask(0o077))
    assert done.returncode == 0, done
    assert files.out.stat().st_mode & 0o777 == 0o600
    assert not (files.root / "victim").exists()
    planted.unlink()
    files.out.write_text("old")
    limit = (resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    done = convert(
        "resnest", files.weights, files.out, preexec_fn=lambda: resource.setrlimit(*limit)
    )
    assert done.returncode == 1
    assert done.stderr == f"error: {files.out}: cannot be written (File too large)\n"
    assert files.out.read_text() == "old"
    assert sorted(files.root.iterdir()) == [files.out, files.weights]
