"""Published files of weights as arrays: .safetensors, Keras' .h5, and what torch.save writes.

Which of them a file is, its content says, not its name.
"""

import pickle  # only for the name of its error
import warnings
import zipfile
from pathlib import Path

import numpy as np

from read_hdf5 import read_hdf5

TYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U8": "u1"}
# What else may lie under the name: how it begins, what it is, what to do.
OTHERS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file; fetch it with git lfs pull"),
    (b"\x1f\x8b", "compressed; unpack it first"),
    (b"<", "a web page; download the file itself"),
)
UNKNOWN = "no .safetensors or .h5, nor what torch.save writes, or damaged; download it again"
LEAST_TORCH = (2, 6)  # Before it, weights_only could be got round: CVE-2025-32434.
AVERAGES = ("state_dict_ema", "model_ema", "ema_state_dict", "ema")  # beside the weights


def read_weights(path: Path, ema: bool = False) -> dict[str, np.ndarray]:
    """{name: array} of the file `path` (a Path); with `ema` of the averages of the weights that it
    holds beside them.

    Raises ValueError that says why it cannot be read and what to do; OSError; ImportError.
    """
    if path.is_dir():
        raise ValueError("a folder; give the file of weights in it")
    with path.open("rb") as file:
        start = file.read(32)
    if start[8:9] == b"{":
        tensors = read_safetensors(path)
    elif start[:8] == b"\x89HDF\r\n\x1a\n":
        tensors = read_hdf5(path)
    elif start[:4] == b"PK\3\4" or start[:1] == b"\x80":
        return read_torch(path, ema)
    else:
        kinds = [kind for beginning, kind in OTHERS if start.startswith(beginning)]
        raise ValueError(kinds[0] if kinds else UNKNOWN if start else "empty; download it again")
    if ema:
        raise ValueError("a file of this kind holds one set of weights; leave out --ema")
    return tensors


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """{name: array} of a .safetensors file; bfloat16, which NumPy does not have, as float32."""
    import safetensors

    try:
        entries = safetensors.deserialize(path.read_bytes())
    except safetensors.SafetensorError as error:
        raise ValueError(f"not a whole .safetensors file ({error}); download it again") from None
    tensors = {}
    for name, entry in entries:
        if entry["dtype"] == "BF16":
            halves = np.frombuffer(entry["data"], "<u2").astype(np.uint32)
            values = (halves << 16).view(np.float32)
        elif entry["dtype"] in TYPES:
            values = np.frombuffer(entry["data"], TYPES[entry["dtype"]])
        else:
            raise ValueError(f"'{name}' is of type {entry['dtype']}; give floating point")
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def read_torch(path: Path, ema: bool = False) -> dict[str, np.ndarray]:
    """{name: array} of what torch.save wrote, no code in which is run; `ema` as in read_weights."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        if not any(name.endswith("data.pkl") for name in names):
            raise ValueError("a zip archive that torch.save did not write; unpack it first")
    import torch

    if tuple(map(int, torch.__version__.split(".")[:2])) < LEAST_TORCH:
        raise ValueError(
            f"torch {torch.__version__} may run code that is in a file; pip install 'torch>=2.6'"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except pickle.UnpicklingError:
        raise ValueError(
            "damaged, or holds more than tensors, which is not loaded; give a state_dict"
        ) from None
    except Exception as error:  # torch.load's have only this class in common.
        reason = (str(error).splitlines() or [type(error).__name__])[0].split(". ")[0]
        raise ValueError(f"torch cannot load it ({reason}); download it again") from None
    if isinstance(loaded, dict):
        averages = [key for key in AVERAGES if isinstance(loaded.get(key), dict)]
        if ema and not averages:
            raise ValueError(f"none of {', '.join(AVERAGES)} in it; leave out --ema")
        if averages and not ema:
            print(f"{path}: it holds averages of the weights, too; --ema takes them", flush=True)
        usual = next((key for key in ("state_dict", "model") if key in loaded), None)
        loaded = loaded[averages[0]] if ema else loaded.get(usual, loaded)
    if not isinstance(loaded, dict) or not any(map(torch.is_tensor, loaded.values())):
        raise ValueError(f"holds no tensors by name ({type(loaded).__name__}); give a state_dict")
    # Some files also hold what is no tensor, such as the epoch.
    return {
        str(name): value.detach().float().numpy()
        for name, value in loaded.items()
        if torch.is_tensor(value)
    }
