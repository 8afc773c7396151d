"""No number from no numbers, in every folder: outputs that are NaN or infinite end an evaluation
with the first image's name. (Weights: test_rules_checkpoints.py, test_rules_exports.py; results:
test_rules_results.py; the C++ programs: test_cpp_infer_scripts.py.)
"""

import mindspore as ms
import mindspore.dataset as ds
import numpy as np
import pytest

from entry_points import assert_one_line, call
from folders import CLASSIFIERS, NAMES, import_from
from places import Place


@pytest.mark.parametrize("folder", NAMES)
def test_a_checkpoint_whose_outputs_overflow(tmp_path, folder):
    place = Place(tmp_path, folder)
    values = ms.load_checkpoint(str(place.save_network()))
    weights = [name for name, value in values.items() if value.ndim > 1]
    scores = [name for name in weights if "multi_cls_layers" in name]
    # Of all others ReLU may make zeros. Features that are over 0 come of the second.
    huge = dict.fromkeys(scores or weights[-1:], 3e38)
    huge |= {name: 10.0 for name in values if name.endswith(".beta")}
    for name, value in huge.items():
        # A sigmoid makes 1 of the infinite, and of their differences NaN.
        both = [value, -value] if name.endswith("feats.8.weight") else [value]
        filled = np.resize(np.float32(both), values[name].shape)
        values[name] = ms.Parameter(ms.Tensor(filled), name=name)
    entries = [{"name": name, "data": value} for name, value in values.items()]
    ms.save_checkpoint(entries, str(tmp_path / "huge.ckpt"))
    arguments = (*place.use, "--checkpoint_path", "huge.ckpt")
    code, out, err = call(folder, "eval.py", *arguments, cwd=tmp_path)
    # A detector's outputs for an image may happen to be finite.
    first = "00000000000" if place.detector else "photos/val/ash/ash0.JPEG"
    assert_one_line(code, err.splitlines()[-1], first, "finite")
    assert "ccuracy'" not in out and "mAP:" not in out and "Top1" not in out


@pytest.mark.parametrize("folder", CLASSIFIERS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_evaluation_while_training(folder, value):
    """The third image is the first that is spoilt."""
    accuracy = import_from(folder, "src.vendored.accuracy")
    images = import_from(folder, "src.vendored.images")

    class Spoilt(ms.nn.Cell):
        def construct(self, x):
            return x.mean((2, 3))

    photos = np.ones((5, 3, 4, 4), np.float32)
    photos[2:, 1] = value
    labels = np.zeros(5, np.int32)
    rows = [(photos[row], np.array(0, np.int32)) for row in range(5)]
    dataset = ds.GeneratorDataset(rows, ["image", "label"], shuffle=False).batch(2)
    paths = [f"val/a/{number}.jpg" for number in range(5)]
    tree = images.ImageTree("val", ["a", "b", "c"], paths, labels)
    evaluate = accuracy.evaluate_while_training(Spoilt(), (dataset, tree), 2, 1)
    with pytest.raises(ValueError, match="^val/a/2.jpg: .* not finite"):
        evaluate()
