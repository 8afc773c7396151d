"""Result files that NAS-FPN's post-processing cannot judge end in one line."""

import json
from pathlib import Path

import numpy as np
import pytest

import cpp_infer_tools as cpp
from entry_points import assert_one_line, call
from nas_fpn_small import write_yaml
from nas_fpn_truth import IMAGES


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"--result_path": "nowhere"}, ["nowhere: no such folder of result files"]),
        ({"--dataset_path": "nowhere"}, ["nowhere: no such folder of images"]),
        ({"--dataset_path": "coco"}, ["coco: no image whose name is an id"]),
        ({"--anno_path": "nowhere.json"}, ["nowhere.json: no such annotation file"]),
        ({"--anno_path": "small.yaml"}, ["small.yaml: not a COCO annotation file"]),
        ({"--num_classes": "2"}, ["num_classes is 2"]),
        ({"missing": "000000000020_1.bin"}, ["000000000020_1.bin: no such result file"]),
        (
            {"cut": "000000000020_0.bin"},
            ["000000000020_0.bin", "100 bytes are not rows of 4 float32"],
        ),
        (
            {"cut": "000000000021_1.bin"},
            ["100 bytes are not 10 rows of 3 float32", "--num_classes, which is 3"],
        ),
        ({"image": "000000000003.jpg"}, ["000000000003.jpg: this image cannot be decoded"]),
    ],
)
def test_wrong_results(tmp_path, changes, words):
    write_yaml(tmp_path / "small.yaml")
    flags = {"--result_path": "results", "--dataset_path": "images", "--anno_path": "truth.json"}
    truth = {
        "images": [{"id": image_id, "file_name": f"{image_id:012}.jpg"} for image_id in IMAGES],
        "annotations": [],
        "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}],
    }
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    (tmp_path / "coco").mkdir()
    (tmp_path / "results").mkdir()
    for image_id in IMAGES:
        cpp.save_picture(tmp_path / f"images/{image_id:012}.jpg", 20, 30)
        for number, columns in enumerate((4, 3)):
            np.zeros((10, columns), np.float32).tofile(
                tmp_path / f"results/{image_id:012}_{number}.bin"
            )
    for kind, value in changes.items():
        if kind == "missing":
            (tmp_path / "results" / value).unlink()
        elif kind == "cut":
            (tmp_path / "results" / value).write_bytes(bytes(100))
        elif kind == "image":
            Path(tmp_path / "images" / value).write_bytes(b"no image")
        else:
            flags[kind] = value
    (tmp_path / "predictions.json").write_text("mine")
    arguments = [word for pair in flags.items() for word in pair]
    code, _, err = call(
        "nas_fpn", "postprocess.py", "--config_path", "small.yaml", *arguments, cwd=tmp_path
    )
    assert_one_line(code, err, *words)
    assert (tmp_path / "predictions.json").read_text() == "mine"
