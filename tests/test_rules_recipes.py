"""Recipes of training, in every folder: files that --recipe names."""

import runpy

import pytest
import yaml

from entry_points import assert_one_line, call, start
from folders import (
    NAMES,
    REPOSITORY,
    activate,
    flags_of,
    import_from,
    load_config,
    take_ctrl_c,
)
from places import Place

RECIPES = {
    (folder, path.stem): yaml.safe_load(path.read_text())
    for folder in NAMES
    for path in sorted((REPOSITORY / folder / "recipes").glob("*.yaml"))
}
OTHERS = [key for key in RECIPES if key[1] != "documented"]


def settings(folder, *flags):
    """All that training takes, {key: value}."""
    activate(folder)
    groups = runpy.run_path(str(REPOSITORY / folder / "train.py"))["GROUPS"]
    take_ctrl_c()
    return vars(load_config(folder, groups, (*flags_of(folder).data, *flags)))


@pytest.mark.parametrize("folder", NAMES)
def test_a_recipe_counts_only_where_it_is_given(tmp_path, monkeypatch, folder):
    """Who changes the folder's own settings has changed them."""
    recipes = import_from(folder, "src.vendored.recipes")
    (tmp_path / "documented.yaml").write_text("momentum: 0.25\n")
    monkeypatch.setattr(recipes, "RECIPES", tmp_path)
    assert settings(folder)["momentum"] == RECIPES[folder, "documented"]["momentum"]
    assert settings(folder, "--recipe", "documented")["momentum"] == 0.25


@pytest.mark.parametrize("folder", NAMES)
def test_the_documented_recipe_is_what_the_folder_does_anyhow(folder):
    without = settings(folder)
    for key, value in RECIPES[folder, "documented"].items():
        assert without[key] == value and type(without[key]) is type(value), key


@pytest.mark.parametrize("folder", NAMES)
def test_a_flag_goes_before_the_recipe_and_the_recipe_before_the_default(tmp_path, folder):
    (tmp_path / "mine.yaml").write_text("momentum: 0.25\nweight_decay: 0.5\n")
    mine = settings(folder, "--recipe", tmp_path / "mine.yaml", "--momentum", "0.75")
    assert (mine["momentum"], mine["weight_decay"]) == (0.75, 0.5)
    if "--config_path" in (REPOSITORY / folder / "README.md").read_text():
        (tmp_path / "settings.yaml").write_text("momentum: 0.125\n")
        files = ("--recipe", tmp_path / "mine.yaml", "--config_path", tmp_path / "settings.yaml")
        mine = settings(folder, *files)
        assert (mine["momentum"], mine["weight_decay"]) == (0.125, 0.5)


@pytest.mark.parametrize("folder", NAMES)
@pytest.mark.parametrize(
    "name, content, words",
    [
        ("nowhere", None, ("recipe is one of", "documented", "or the path of a yaml file")),
        ("nowhere.yaml", None, ("nowhere.yaml: no such yaml file",)),
        ("typo.yaml", "momentun: 0.9", ("typo.yaml: unknown key 'momentun'", "--momentum")),
        ("value.yaml", "momentum: fast", ("value.yaml: momentum wants a number, got 'fast'",)),
    ],
)
def test_what_is_wrong_with_a_recipe(tmp_path, folder, name, content, words):
    if content:
        (tmp_path / name).write_text(content)
    flags = ("--device_target", "CPU", "--recipe", name)
    code, _, err = call(folder, "train.py", *flags, cwd=tmp_path)
    assert_one_line(code, err, *words)


@pytest.mark.parametrize("folder, name", OTHERS)
def test_other_recipes_say_whence_they_are_and_change_something(folder, name):
    lines = (REPOSITORY / folder / f"recipes/{name}.yaml").read_text().splitlines()
    header = " ".join(line for line in lines if line.startswith("#")).lower()
    for word in ("reported", "not trained here", "cost: "):
        assert word in header
    documented, other = settings(folder), settings(folder, "--recipe", name)
    assert {key for key, value in other.items() if value != documented[key]} > {"recipe"}
    for key, value in RECIPES[folder, name].items():
        assert other[key] == value, key


@pytest.mark.slow
@pytest.mark.parametrize("folder, name", OTHERS)
def test_other_recipes_train(tmp_path, folder, name):
    place = Place(tmp_path, folder, training=8 if flags_of(folder).detector else 4)
    place.prepare_training()
    flags = (*place.use, "--batch_size", "4", "--recipe", name, "--dry_run")
    done = start(folder, "train.py", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "one step: loss" in done.stdout
    assert not list(tmp_path.rglob("*.ckpt"))
