"""The model folders as tests see them: independent, each with a package of its own called `src`."""
import importlib
import sys
from pathlib import Path
from types import ModuleType

REPOSITORY = Path(__file__).resolve().parents[1]
NAMES = ("fishnet99", "resnest", "nas_fpn", "mnasnet", "mobilenetv1")
FOLDERS = [name for name in NAMES if (REPOSITORY / name / "train.py").exists()]


def import_from(folder: str, module: str) -> ModuleType:
    """`module` (such as 'src.dataset') as a script in `folder` would import it, whatever was imported before."""
    root = str(REPOSITORY / folder)
    loaded = sys.modules.get("src")
    if loaded is not None and not str(loaded.__path__[0]).startswith(root + "/"):
        for name in [name for name in sys.modules if name == "src" or name.startswith("src.")]:
            del sys.modules[name]
    others = [str(REPOSITORY / name) for name in NAMES]
    sys.path[:] = [root] + [path for path in sys.path if path not in others]
    importlib.invalidate_caches()
    return importlib.import_module(module)
