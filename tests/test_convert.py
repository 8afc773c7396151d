"""Published PyTorch weights as checkpoints that the folders load."""

import json
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


def convert(folder, *arguments):
    return subprocess.run(
        [sys.executable, CONVERT / "torch_to_mindspore.py", folder, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
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


def test_wrong_input(tmp_path):
    def fails(*arguments):
        done = convert("fishnet99", *arguments)
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done
        return done.stderr

    out, weights = tmp_path / "out.ckpt", tmp_path / "weights.safetensors"
    assert "no such file" in fails(weights, out)
    weights.write_bytes(b"\xff" * 100)
    assert "not a whole file of weights" in fails(weights, out)
    save_file({"conv1.0.weight ": np.zeros(3, np.float32)}, weights)
    assert "no tensor 'conv1.0.weight' (nearest: conv1.0.weight )" in fails(weights, out)
    assert "expected a name ending in .ckpt" in fails(weights, tmp_path / "out.bin")
    assert not out.exists()
