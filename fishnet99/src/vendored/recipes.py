# Copied from utils/vendored/recipes.py by `make vendor`: change it there.
"""Recipes: yaml files of a training's settings, in the folder recipes or anywhere else."""

from __future__ import annotations

from pathlib import Path

from .flags import early_value
from .launch import UserError
from .settings_file import override

DOCUMENTED = "documented"
RECIPES = Path(__file__).resolve().parents[2] / "recipes"


def recipe_file() -> Path | None:
    """The yaml file that --recipe names: one in recipes by its name, or any by its path. None where
    it is not given: the folder's own settings, which somebody may have changed, are then what they
    are.

    Raises UserError where it names neither.
    """
    name = early_value(["recipe"], None)
    if name is None:
        return None
    own = {path.stem: path for path in sorted(RECIPES.glob("*.yaml"))}
    if name in own:
        return own[name]
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    raise UserError(f"recipe is one of {', '.join(own)}, or the path of a yaml file, got '{name}'")


def with_recipe(settings: dict, aliases: dict[str, str]) -> dict:
    """`settings`, with the values of the recipe for defaults where they are a training's.

    Raises UserError for a file that is missing, and for keys and values that training does not
    take.
    """
    path = recipe_file() if "recipe" in settings else None
    return override(settings, path, aliases) if path else settings
