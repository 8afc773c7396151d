"""What torch.save writes, read where the package torch is installed: no code in a file is run."""

import pickle
import subprocess
import sys

import pytest

from folders import REPOSITORY

torch = pytest.importorskip("torch")
CONVERT = REPOSITORY / "utils/convert"


class Hostile:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def fails(path, out, *flags):
    command = [sys.executable, CONVERT / "torch_to_mindspore.py", "mobilenetv1", path, out, *flags]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done
    assert not out.exists()
    return done.stderr


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_file_is_not_run(tmp_path, zipped):
    content = {"state_dict": {"a": torch.zeros(1)}, "more": Hostile(str(tmp_path / "run"))}
    torch.save(content, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
    message = fails(tmp_path / "x.pth", tmp_path / "x.ckpt")
    assert "holds more than tensors, which is not loaded" in message
    assert not (tmp_path / "run").exists()
    (tmp_path / "y.pth").write_bytes(pickle.dumps(Hostile(str(tmp_path / "run"))))
    assert "error: " in fails(tmp_path / "y.pth", tmp_path / "x.ckpt")
    assert not (tmp_path / "run").exists()


def test_truncated_and_empty_files(tmp_path):
    path = tmp_path / "x.pth"
    torch.save({"a": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:2000])
    assert "error: " in fails(path, tmp_path / "x.ckpt")
    torch.save([1, 2], path)
    assert "holds no tensors by name (list)" in fails(path, tmp_path / "x.ckpt")


def test_averages(tmp_path):
    sys.path.insert(0, str(CONVERT))
    from read_weights import read_weights

    path = tmp_path / "x.pth"
    both = {"state_dict": {"a": torch.zeros(1)}, "state_dict_ema": {"a": torch.ones(1)}, "epoch": 3}
    torch.save(both, path)
    assert read_weights(path)["a"] == 0 and read_weights(path, ema=True)["a"] == 1
    torch.save(both["state_dict"], path)
    with pytest.raises(ValueError, match="leave out --ema"):
        read_weights(path, ema=True)


def test_an_old_torch_is_refused(tmp_path, monkeypatch):
    sys.path.insert(0, str(CONVERT))
    from read_weights import read_weights

    torch.save({"a": torch.zeros(1)}, tmp_path / "x.pth")
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(ValueError, match=r"torch 2\.5\.1\+cpu may run code.*torch>=2\.6"):
        read_weights(tmp_path / "x.pth")
