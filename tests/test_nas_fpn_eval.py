"""NAS-FPN's evaluation of a detector that knows the boxes: right data, and data that do not fit."""

import json

import numpy as np
import pytest

import nas_fpn_coco as coco
from entry_points import assert_one_line, call
from folders import import_from
from test_nas_fpn import configuration, user_error

GREY_OF_THE_SECOND = np.full((1, 3, 1, 1), (coco.GREYS[1] - 123.675) / 58.395)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("output", [0, 1])
def test_outputs_that_are_no_numbers_are_refused(tmp_path, value, output):
    coco.write_data(tmp_path, coco.BASE)
    coco.write_results(tmp_path, coco.BASE)
    values = np.fromfile(tmp_path / f"results/000000000002_{output}.bin", np.float32)
    values[-1] = value
    values.tofile(tmp_path / f"results/000000000002_{output}.bin")
    config = configuration(coco.SIZE, **json.loads((tmp_path / "settings.yaml").read_text()))
    module, knows = import_from("nas_fpn", "src.evaluation"), coco.detector(coco.BASE)

    def predict(image):
        found = knows(image)
        if found[1].argmax(2)[0].tolist() == knows(GREY_OF_THE_SECOND)[1].argmax(2)[0].tolist():
            found[output] = values.reshape(found[output].shape)
        return found

    data = module.evaluation_dataset(config)
    with pytest.raises(user_error(), match="000000000002.png: .* NaN or infinite"):
        module.evaluate(predict, data, config, tmp_path / "predictions.json")
    code, _, err = coco.postprocess(tmp_path)
    assert_one_line(code, err, "000000000002.png", "NaN or infinite")
    assert not [path for path in tmp_path.iterdir() if "predictions" in path.name]


def test_by_an_onnx_file(tmp_path):
    """eval_onnx.py as it is used, on the detector that knows the boxes, and on one that fails."""
    coco.write_data(tmp_path, coco.BASE)
    coco.write_onnx(tmp_path / "knows.onnx", coco.BASE)
    flags = ["--config_path", "settings.yaml", "--onnx_path", "knows.onnx", "--visualize", "out"]
    code, out, err = call("nas_fpn", "eval_onnx.py", *flags, cwd=tmp_path)
    assert code == 0 and out.endswith("mAP: 1.0\n"), err
    before = (tmp_path / "predictions.json").read_text()
    assert len(json.loads(before)) == 6 and len(list((tmp_path / "out").iterdir())) == 3
    broken = coco.base()
    broken["annotations"][4]["bbox"][0] = float("nan")
    coco.write_onnx(tmp_path / "knows.onnx", broken)
    code, _, err = call("nas_fpn", "eval_onnx.py", *flags, cwd=tmp_path)
    assert_one_line(code, err, "knows.onnx: the weight 'boxes'", "NaN or infinite")
    assert (tmp_path / "predictions.json").read_text() == before


def test_classes_are_told_by_name(tmp_path):
    """Where the validation file numbers the classes otherwise than the training file."""
    coco.write_data(tmp_path, coco.BASE, settings={"coco_classes": []})
    config = configuration(coco.SIZE, **json.loads((tmp_path / "settings.yaml").read_text()))
    import_from("nas_fpn", "src.mindrecord").create_mindrecord(config, "retinanet.mindrecord", True)
    content = coco.base()
    content["categories"] = [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}]
    for entry in content["annotations"]:
        entry["category_id"] = 3 - entry["category_id"]
    coco.write_annotations(tmp_path, content)
    module = import_from("nas_fpn", "src.evaluation")
    data = module.evaluation_dataset(config)
    result = module.evaluate(coco.detector(content), data, config, tmp_path / "predictions.json")
    assert result["mAP"] == 1
    names = {1: "dog", 2: "cat"}
    written = json.loads((tmp_path / "predictions.json").read_text())
    assert [names[entry["category_id"]] for entry in written if entry["image_id"] == 3] == [
        "cat",
        "dog",
    ]


def test_records_of_other_images_than_annotated(tmp_path):
    coco.write_data(tmp_path, coco.BASE)
    config = configuration(coco.SIZE, **json.loads((tmp_path / "settings.yaml").read_text()))
    module = import_from("nas_fpn", "src.evaluation")
    data = module.evaluation_dataset(config)
    for change, words in (
        ({"file_name": "other.png"}, "000000000002.png of the MindRecord files is not in"),
        ({"height": 81}, r"images\[1\] \(id 2\) 000000000002.png is 100 x 80, not 100 x 81"),
    ):
        content = coco.base()
        content["images"][1].update(change)
        coco.write_annotations(tmp_path, content)
        with pytest.raises(user_error(), match=words):
            module.evaluate(coco.detector(coco.BASE), data, config, tmp_path / "predictions.json")
    assert not [path for path in tmp_path.iterdir() if "predictions" in path.name]


def test_images_without_a_box_to_find_have_no_map(tmp_path):
    content = {**coco.base(), "annotations": []}
    coco.write_data(tmp_path, content)
    coco.write_results(tmp_path, coco.BASE)
    code, out, err = coco.postprocess(tmp_path)
    assert_one_line(code, err, "none of the images evaluated has a box", '["cat", "dog"]')
    assert "mAP" not in out and not (tmp_path / "predictions.json").exists()
