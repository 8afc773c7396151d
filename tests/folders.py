"""The model folders as tests see them: independent, each with a package of its own called `src`."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

REPOSITORY = Path(__file__).resolve().parents[1]
NAMES = ("fishnet99", "resnest", "nas_fpn", "mnasnet", "mobilenetv1")
FOLDERS = [name for name in NAMES if (REPOSITORY / name / "train.py").exists()]


_modules = {}  # folder: {name: module} of its package `src`, while another folder's is in use
_current = None


def activate(folder: str) -> None:
    """Make `src` mean the package of `folder`.

    Graph mode looks modules up by name again when it compiles.
    """
    global _current
    if folder == _current:
        return
    _modules[_current] = take_modules()
    sys.modules.update(_modules.get(folder, {}))
    others = [str(REPOSITORY / name) for name in NAMES]
    sys.path[:] = [str(REPOSITORY / folder)] + [path for path in sys.path if path not in others]
    importlib.invalidate_caches()
    _current = folder


def take_modules() -> dict:
    """Remove the modules of `src` from those that are loaded, and return them."""
    return {
        name: sys.modules.pop(name)
        for name in list(sys.modules)
        if name == "src" or name.startswith("src.")
    }


def import_from(folder: str, module: str) -> ModuleType:
    """`module` (such as 'src.dataset') as a script in `folder` would import it, whatever was
    imported before.
    """
    activate(folder)
    return importlib.import_module(module)
