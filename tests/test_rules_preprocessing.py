"""What becomes of images is an option of training, in every classifier: it travels with the model,
and the presets are the preprocessing of the projects that they are named for.
"""

import json
import runpy

import numpy as np
import onnx
import pytest
from matplotlib.cbook import get_sample_data
from mindspore.dataset import vision
from PIL import Image

from entry_points import assert_one_line, call
from folders import BUILDING, CLASSIFIERS, REPOSITORY, flags_of, import_from, load_config
from places import CLASSES, Place, save_photo
from test_rules_onnx_record import save_best

PHOTO = str(get_sample_data("grace_hopper.jpg", asfileobj=False))
ODD = ("--preprocessing", "timm", "--colour_order", "BGR", "--mean", "10,20,30")
RESAMPLING = {"torchvision": Image.Resampling.BILINEAR, "timm": Image.Resampling.BICUBIC}


def as_published(photo, preset, size=224, fraction=0.875):
    """RGB (size, size, 3) as torchvision's and timm's evaluation resizes and cuts it: the shorter
    side becomes the whole number below size / fraction, and corners are rounded.
    """
    shorter = int(size / fraction)
    width, height = photo.size
    if width <= height:
        photo = photo.resize((shorter, int(shorter * height / width)), RESAMPLING[preset])
    else:
        photo = photo.resize((int(shorter * width / height), shorter), RESAMPLING[preset])
    left, top = (int(round((side - size) / 2.0)) for side in photo.size)
    return np.array(photo.crop((left, top, left + size, top + size))).astype(np.float64)


@pytest.mark.parametrize("preset", RESAMPLING)
@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_a_preset_sees_what_its_project_sees(folder, preset, tmp_path):
    """From the JPEG file on: within one grey level on average, and 3 at most (measured: 0)."""
    options = import_from(folder, "src.vendored.image_options")
    photos = import_from(folder, "src.vendored.photos")
    documented = import_from(folder, "src.vendored.preprocessing").Preprocessing(
        (224, 224), (0, 0, 0), (1, 1, 1)
    )
    for turn, fraction in ((0, 0.875), (90, 0.875), (0, 0.95)):
        photo = Image.open(PHOTO).rotate(turn, expand=True).resize((501, 387 + turn))
        photo.save(tmp_path / "photo.jpg", quality=95)
        config = load_config(folder, BUILDING, ("--preprocessing", preset))
        config.crop_fraction = fraction
        how = options.chosen(config, documented)
        path = str(tmp_path / "photo.jpg")
        seen = photos.read_photo(path, vision.Decode(), how.operations(), is_shown=False).image
        seen = seen.transpose(1, 2, 0) * how.std + how.mean
        difference = np.abs(seen - as_published(Image.open(path), preset, fraction=fraction))
        assert difference.mean() < 1 and difference.max() < 3
        assert np.allclose(np.divide(how.mean, 255), [0.485, 0.456, 0.406])


@pytest.mark.slow
@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_options_travel_with_the_model(folder, tmp_path):
    """Checkpoint, ONNX and whatever reads them: no option is repeated."""
    place = Place(tmp_path, folder, 1, 2)
    place.names = list(CLASSES)
    save_photo(tmp_path / "photos/val/ash/wide.png", (200, 90, 30), (90, 60))
    place.network = (*place.network, *ODD)
    save_best(place)
    checkpoint = ("--checkpoint_path", "best-best.ckpt")
    code, out, err = call(folder, "eval.py", *place.data, *checkpoint, cwd=tmp_path)
    assert code == 0 and "preprocessing timm" in out and "mean 10,20,30" in out, err
    export = (*place.cpu, *checkpoint, "--file_name", "x", "--file_format", "ONNX")
    code, _, err = call(folder, "export.py", *export, "--dynamic_batch", cwd=tmp_path)
    assert code == 0, err
    properties = onnx.load(tmp_path / "x.onnx").metadata_props
    described = json.loads({entry.key: entry.value for entry in properties}["record"])
    described = described["preprocessing"]
    assert described["interpolation"] == "pillow_bicubic" and described["colour_order"] == "BGR"
    assert described["mean"] == [10, 20, 30] and described["crop_fraction"] == 0.875
    code, again, err = call(
        folder, "eval_onnx.py", *place.data, "--onnx_path", "x.onnx", cwd=tmp_path
    )
    assert code == 0, err
    assert [word for word in again.split() if word.startswith("0.")][-2:] == [
        word for word in out.split() if word.startswith("0.")
    ][-2:]
    answers = []
    for model in ("best-best.ckpt", "x.onnx"):
        flags = ("--model", model, "--photos", "photos/val", "--json", "a.json")
        code, _, err = call(folder, "predict.py", *flags, cwd=tmp_path)
        assert code == 0, err
        photos = json.loads((tmp_path / "a.json").read_text())["photos"]
        answers.append({photo["photo"]: photo["answers"] for photo in photos})
    exported = import_from(folder, "src.vendored.exported").open_model(tmp_path / "x.onnx")
    cut = as_published(Image.open(tmp_path / "photos/val/ash/wide.png"), "timm", 32)
    image = ((cut - [10, 20, 30]) / (np.array([0.229, 0.224, 0.225]) * 255))[..., ::-1]
    (logits,) = exported.predict(np.float32(image.transpose(2, 0, 1)[None]))
    probabilities = np.exp(logits[0] - logits.max())
    probabilities /= probabilities.sum()
    for found in answers:
        for row in found["photos/val/ash/wide.png"]:
            assert abs(row["probability"] - probabilities[row["class"]]) < 1e-3


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_training_images_are_of_these_colours(folder, tmp_path, monkeypatch):
    """Red less 250 stands in the last channel, blue in the first."""
    place = Place(tmp_path, folder, 8, 1)
    monkeypatch.chdir(tmp_path)
    colours = ("--mean", "250,0,0", "--std", "1,1,1", "--colour_order", "BGR")
    module = import_from(folder, flags_of(folder).dataset_module)
    groups = runpy.run_path(str(REPOSITORY / folder / "train.py"))["GROUPS"]
    data = [word.replace("--dataset_path", f"--{place.flags.data_key}") for word in place.use]
    config = load_config(folder, groups, (*data, *colours, "--batch_size", "8"))
    dataset, _ = module.training_dataset(config)
    images = next(dataset.create_tuple_iterator(num_epochs=1, output_numpy=True))[0]
    assert images[:, 2].max() <= 5.1 and images[:, 2].min() < -50
    assert images[:, 0].min() >= -0.1 and images[:, 0].max() > 50


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_wrong_options_end_in_one_line(folder, tmp_path):
    place = Place(tmp_path, folder, 2, 1)
    for flags, words in (
        (("--mean", "1,2"), "mean is three numbers on the scale 0 to 255"),
        (("--std", "0,1,1"), "std is three numbers over 0"),
        (("--std", "1,nan,1"), "std is three numbers"),
        (("--crop_fraction", "1.5"), "crop_fraction lies between 0 and 1"),
        (("--preprocessing", "keras"), "preprocessing is one of documented, torchvision, timm"),
    ):
        code, _, err = call(
            folder, "train.py", *place.use, "--batch_size", "2", *flags, cwd=tmp_path
        )
        assert_one_line(code, err, words)
        assert not list(tmp_path.rglob("*.ckpt"))
