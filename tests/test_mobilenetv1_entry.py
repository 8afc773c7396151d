"""MobileNetV1's commands: what the model carries with it, what is refused and what is noted."""

from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from PIL import Image

from entry_points import assert_one_line, call, start
from folders import import_from
from test_mobilenetv1_data import write_records

CPU = ["--device_target", "CPU"]
SMALL = [*CPU, "--image_size", "32", "--width_multiplier", "0.25"]
PHOTOS = ["--dataset", "imagenet2012", "--dataset_path", "photos"]
TOP1 = "'top_1_accuracy': "
COLOURS = {"ash": (200, 40, 40), "birch": (40, 200, 40), "cedar": (40, 40, 200)}


def save_photos(folder, names, count):
    for name in names:
        for number in range(count):
            path = folder / name / f"{name}{number}.JPEG"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng(number).integers(-30, 30, (50, 60, 3))
            Image.fromarray(np.uint8(np.array(COLOURS[name]) + noise)).save(path)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with photos of three classes, and a network trained on them until it knows them."""
    root = tmp_path_factory.mktemp("it's a $place")
    save_photos(root / "photos/train", COLOURS, 8)
    save_photos(root / "photos/val", COLOURS, 4)
    save_photos(root / "without ash", ("birch", "cedar"), 5)
    rates = ["--lr_max", "0.01", "--epoch_size", "40", "--use_label_smooth", "False"]
    flags = ["--class_num", "4", "--batch_size", "12", "--save_checkpoint_epochs", "40"]
    done = start("mobilenetv1", "train.py", *SMALL, *PHOTOS, *rates, *flags, cwd=root)
    assert done.returncode == 0, done.stderr
    (root / "train.log").write_text(done.stdout)
    return root


CHECKPOINT = "ckpt_0/mobilenetv1-40_2.ckpt"


def top1(text):
    return float(text.split(TOP1)[1].split("}")[0].split(",")[0])


def test_a_model_carries_its_options_and_class_names(place):
    """No option is repeated, and a tree that lacks a class is labelled by name."""
    flags = ["--checkpoint_path", CHECKPOINT, "--dataset_path"]
    code, out, err = call("mobilenetv1", "eval.py", *CPU, *flags, "photos", cwd=place)
    assert code == 0, err
    taken = "dataset imagenet2012, class_num 4, width_multiplier 0.25, activation relu6"
    assert f"from {CHECKPOINT}: {taken}" in out and "images: photos/val\n" in out
    assert "class names: the model's record\n" in out and "evaluated 12 images" in out
    assert "known_classes" not in out and top1(out) > 0.8
    code, out, err = call("mobilenetv1", "eval.py", *CPU, *flags, "without ash", cwd=place)
    assert code == 0 and "no images of 1 of 3 classes, 'ash'" in out, err
    assert top1(out) > 0.8

    for file_format in ("ONNX", "MINDIR"):
        flags = [*CPU, "--ckpt_file", CHECKPOINT, "--file_format", file_format]
        code, out, err = call("mobilenetv1", "export.py", *flags, "--batch_size", 4, cwd=place)
        assert code == 0 and "input (4, 3, 32, 32) float32; differs from" in out, err
        exported = ["--onnx_url", f"mobilenetv1.{file_format.lower()}"]
        flags = [*CPU, *exported, "--dataset_path", "without ash"]
        code, out, err = call("mobilenetv1", "eval_onnx.py", *flags, cwd=place)
        assert code == 0 and "evaluated 10 images" in out and top1(out) > 0.8, err
    flags = ["--dataset", "imagenet2012", "--data_path", "without ash", "--result_path", "labels"]
    named = ["--mindir_path", "mobilenetv1.mindir"]
    code, _, err = call("mobilenetv1", "preprocess.py", *flags, *named, cwd=place)
    labels = yaml.safe_load((place / "labels/imagenet_label.json").read_text())
    assert code == 0 and set(labels.values()) == {1, 2} and labels["birch0.JPEG"] == 1, err


def test_the_effective_settings_are_kept(place):
    written = yaml.safe_load((place / "ckpt_0/config.yaml").read_text())
    assert written["class_names"] == list(COLOURS)
    assert (written["height"], written["width"], written["image_size"]) == (32, 32, 0)
    assert written["device_num"] == 1 and written["seed"] == 1


def test_a_rate_near_the_recipe_is_not_noted(place):
    assert "note: lr_max" not in (place / "train.log").read_text()


@pytest.mark.parametrize(
    "batch, rate, told",
    [
        (1024, 0.8, None),
        (512, 0.8, None),
        (256, 0.8, "lr_max is 0.8 with 256 images a step; documented is 0.8 with 1024, which"),
        (12, 0.02, "lr_max is 0.02 with 12 images a step; documented is 0.8 with 1024, which"),
    ],
)
def test_a_rate_far_from_the_recipe_is_noted(capsys, batch, rate, told):
    module = import_from("mobilenetv1", "src.lr_generator")
    config = SimpleNamespace(dataset="imagenet2012", batch_size=batch, lr_max=rate)
    module.note_learning_rate(config, 1)
    here = f" makes it --lr_max {0.8 * batch / 1024:.2g} here"
    assert capsys.readouterr().out.strip() == (f"note: {told}{here}" if told else "")


@pytest.mark.parametrize("dataset", ["cifar10", "imagenet2012"])
def test_evaluation_while_training_wants_images_of_its_own(place, tmp_path, dataset):
    write_records(tmp_path / "data.bin", 8)
    data = tmp_path if dataset == "cifar10" else place / "without ash"
    flags = ["--dataset", dataset, "--dataset_path", data, "--batch_size", 4, "--run_eval"]
    code, _, err = call("mobilenetv1", "train.py", *SMALL, *flags, cwd=tmp_path)
    assert_one_line(code, err, "images to evaluate on are wanted: --eval_dataset_path")
    assert not (tmp_path / "ckpt_0").exists()


def test_a_script_takes_no_keys_that_it_does_not_use(place):
    cases = {
        "export.py": ["--epoch_size", "--run_distribute", "--lr_max"],
        "eval.py": ["--epoch_size", "--file_name", "--pre_trained"],
        "eval_onnx.py": ["--class_num", "--image_size", "--enable_modelarts"],
        "preprocess.py": ["--device_id", "--batch_size"],
        "postprocess.py": ["--batch_size", "--dataset_path"],
    }
    for script, flags in cases.items():
        for flag in flags:
            code, _, err = call("mobilenetv1", script, flag, "1", cwd=place)
            assert_one_line(code, err, f"unknown flag '{flag}'")
