"""finetune.py in every classifier: class folders in, a trained and exported classifier out."""

import json
import re

import mindspore as ms
import numpy as np
import pytest

from entry_points import assert_one_line, call
from folders import CLASSIFIERS, flags_of, import_from, slow_where_heavy
from places import CLASSES, Place, class_folders, save_photo
from test_rules_onnx_record import save_best

SMALL = ("--epochs", "2", "--batch_size", "8")


def finetune(place, *arguments, photos="own"):
    flags = ("--dataset_path", photos, *arguments)
    return call(place.folder, "finetune.py", *flags, cwd=place.root)


@pytest.mark.parametrize("folder", slow_where_heavy(CLASSIFIERS))
def test_frozen_features_and_a_new_head(folder, tmp_path):
    """From a model of other classes, by its record: the features stay to the bit, batch norm's
    statistics too, and the head is new; what is written predicts, with the new names.
    """
    place = Place(tmp_path, folder, 1, 1)
    place.names = list(reversed(CLASSES))
    place.network = (*place.network, "--mean", "100,101,102")
    save_best(place)
    class_folders(tmp_path / "own", 10)
    start = ("--pre_trained", "best-best.ckpt", "--freeze_features")
    code, out, err = finetune(place, *start, *SMALL)
    assert code == 0 and "new for these classes" in out, err
    assert "24 photos to train on, 6 held out" in out and "mean 100,101,102" in out
    before = ms.load_checkpoint(str(tmp_path / "best-best.ckpt"))
    after = ms.load_checkpoint(str(tmp_path / "finetuned/finetuned-best.ckpt"))
    head = import_from(folder, flags_of(folder).network_module).CLASSIFIER
    names = [name for name in before if name in after and before[name].dtype == ms.float32]
    assert set(head) < set(names) and len(names) > 20
    for name in names:
        is_same = np.array_equal(before[name].asnumpy(), after[name].asnumpy())
        assert is_same == (name not in head), name
    assert {f"{folder}.onnx", "metrics.csv", "curves.png"} <= {
        path.name for path in (tmp_path / "finetuned").iterdir()
    }
    flags = ("--model", f"finetuned/{folder}.onnx", "--photos", "own/ash", "--json", "a.json")
    code, _, err = call(folder, "predict.py", *flags, cwd=tmp_path)
    assert code == 0, err
    answers = json.loads((tmp_path / "a.json").read_text())["photos"]
    found = {row["label"]: row["class"] for row in answers[0]["answers"]}
    assert found == {"ash": 0, "birch": 1, "cedar": 2}
    (tmp_path / "own/ash/odd.jpg").write_bytes(b"no image")
    code, _, err = finetune(place, *start, *SMALL)
    assert_one_line(code, err, "own/ash/odd.jpg")
    left = {path.name for path in (tmp_path / "finetuned").iterdir()}
    assert left == {"config.yaml", "earlier.1"}  # No model of the run before stands for this one.
    assert (tmp_path / f"finetuned/earlier.1/{folder}.onnx").exists()


@pytest.mark.slow
def test_three_classes_of_fifty_photos_with_the_defaults(tmp_path):
    """What the README promises, on a network that is small enough for a test."""
    place = Place(tmp_path, "mobilenetv1", 1, 1)
    class_folders(tmp_path / "own", 50)
    flags = ("--image_size", "32", "--width_multiplier", "0.25", "--output", "my own")
    code, out, err = finetune(place, *flags)
    assert code == 0 and "120 photos to train on, 30 held out" in out, err
    assert float(re.search(r"top1 ([0-9.]+) on held-out", out).group(1)) >= 0.9
    assert "predict.py --model 'my own/mobilenetv1.onnx' --photos" in out  # It can be pasted.
    rows = (tmp_path / "my own/metrics.csv").read_text().splitlines()
    assert len(rows) == 21


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_wrong_input_ends_in_one_line(folder, tmp_path):
    """Before anything is written."""
    place = Place(tmp_path, folder, 1, 1)
    class_folders(tmp_path / "own", 10)
    class_folders(tmp_path / "few", 3)
    save_photo(tmp_path / "one/ash/a.jpg", (9, 9, 9))
    for photos, arguments, words in (
        ("", (), "which photos?"),
        ("nowhere", (), "no such folder"),
        ("few", (), "class 'ash' has 3 photos, at least 5"),
        ("one", (), "nothing to tell apart"),
        ("own", ("--batch_size", "25"), "24 images are fewer than one batch of 25"),
        ("own", ("--freeze_features",), "give --pre_trained too"),
        ("own", ("--pre_trained", "nowhere.ckpt"), "no such checkpoint"),
    ):
        code, _, err = finetune(place, *place.network[:2], *arguments, photos=photos)
        assert_one_line(code, err, words)
        assert not (tmp_path / "finetuned").exists()


def test_the_rate_rises_and_falls():
    rates = import_from(CLASSIFIERS[0], "src.vendored.finetuning").learning_rates(0.5, 40)
    assert rates.shape == (40,) and rates.dtype == np.float32 and rates.argmax() == 3
    assert np.isclose(rates.max(), 0.5) and (np.diff(rates[3:]) < 0).all() and rates[-1] > 0
    assert np.allclose(rates[:4], [0.125, 0.25, 0.375, 0.5])
    one = import_from(CLASSIFIERS[0], "src.vendored.finetuning").learning_rates(0.5, 1)
    assert one.tolist() == [0.5]
