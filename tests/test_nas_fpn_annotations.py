"""NAS-FPN reads any COCO file rightly.

A detector that knows the annotated boxes has mAP 1.0 by evaluation and by post-processing alike.
"""

import json
import re

import pytest

import nas_fpn_coco as coco
from entry_points import assert_one_line
from folders import import_from
from nas_fpn_edits import added, both, box, category_ids, content_of, every, image_ids, named, one
from test_nas_fpn import configuration


def nothing(content):
    pass


# fmt: off
RIGHT = {  # what: edit
    "as it should be": nothing,
    "annotation ids from 0": every("annotations", id=lambda entry: entry["id"] - 1),
    "annotation ids by image": every("annotations", id=lambda entry: 2 - entry["id"] % 2),
    "annotation ids all alike": every("annotations", id=0),
    "no annotation ids": every("annotations", id=...),
    "category ids as texts": category_ids(str),
    "category ids as words": category_ids(lambda key: "zy"[key - 1]),
    "category ids far apart": category_ids(lambda key: {1: 90, 2: -4}[key]),
    "category ids over int32": category_ids(lambda key: key + (1 << 40)),
    "category ids texts in one place": every("categories", id=lambda entry: str(entry["id"])),
    "image ids as texts": image_ids(str),
    "image ids as words": image_ids("image {}".format),
    "image ids with zeros": image_ids("{:06}".format),
    "image ids with zeros in one place": every("images", id=lambda entry: f"{entry['id']:06}"),
    "image ids over int32": image_ids(lambda key: key + (1 << 40)),
    "one image id over int32": image_ids(lambda key: 1 << 31 if key == 2 else key),
    "image ids from 0": image_ids(lambda key: key - 1),
    "image ids below 0": image_ids(lambda key: -key),
    "image ids backwards": image_ids(lambda key: 4 - key),
    "ids as fractions": both(image_ids(float), category_ids(float)),
    "no area": every("annotations", area=...),
    "no iscrowd": every("annotations", iscrowd=...),
    "no area, no iscrowd": every("annotations", area=..., iscrowd=...),
    "iscrowd false": every("annotations", iscrowd=False),
    "segmentations": every("annotations", segmentation={"size": [80, 100], "counts": [0, 8000]}),
    "no sizes": every("images", width=..., height=...),
    "sizes as fractions": every("images", width=100.0, height=80.0),
    "other keys": both(lambda content: content.update(info={"images": 3}, licenses=[]),
                       every("images", license=1, coco_url="http://")),
    "other file names": named("a b.png", "$c.png", "d'e.png"),
    "numbers of other images": named("2.png", "3.png", "1.png"),
    "letters beyond ASCII": named("é.png", "猫.png", "ß.png"),
    "several dots": named("a.1.png", "b.1.png", "c.png.png"),
    "folders": named("a/1.png", "b/c/2.png", "3.png"),
    "folders written otherwise": named("a\\1.png", "./2.png", "b//3.png"),
    "the folder of the split": named("val2017/1.png", "val2017/2.png", "val2017/3.png"),
    "suffixes in any case": named("1.Jpg", "2.PNG", "3.bMp"),
    "a box partly outside": one("annotations", 3, bbox=[80, 60, 40, 40]),
    "a box over all edges": one("annotations", 3, bbox=[-5, -5.5, 200, 200]),
    "a box outside": box(bbox=[300, 20, 40, 30]),
    "a box at the edge": box(bbox=[100, 20, 40, 30]),
    "a box without width": box(bbox=[5, 5, 0, 20]),
    "a box without area": box(bbox=[5, 5, 0, 0], area=0),
    "fractions of pixels": every("annotations", bbox=lambda e: [v + 0.25 for v in e["bbox"]]),
    "an image without boxes": added("images", id=4, file_name="absent.png"),
    "background as a category": added("categories", id=0, name="background"),
}
COUNTED = {  # what: lines of create_data.py, lines of postprocess.py
    "a box partly outside": ["1 boxes cut at their image's edge"] * 2,
    "a box over all edges": ["1 boxes cut at their image's edge"] * 2,
    "a box outside": ["left out: 1 boxes outside their image"] * 2,
    "a box at the edge": ["left out: 1 boxes outside their image"] * 2,
    "a box without width": ["left out: 1 boxes without area"] * 2,
    "a box without area": ["left out: 1 boxes without area"] * 2,
    "an image without boxes": ["left out: 1 images without boxes",
                               "left out: 1 images that are only in the annotation file"],
}
# fmt: on


def evaluate(root, content, **changes):
    """COCO's metrics of the detector that knows the boxes of `content`."""
    values = {**json.loads((root / "settings.yaml").read_text()), **changes}
    config = configuration(coco.SIZE, **values)
    module = import_from("nas_fpn", "src.evaluation")
    data = module.evaluation_dataset(config)
    return module.evaluate(coco.detector(content), data, config, root / "predictions.json")


def found(root):
    """The detections that were written."""
    return json.loads((root / "predictions.json").read_text())


def mean(printed):
    return float(re.search(r"^mAP: (\S+)$", printed, re.M)[1])


@pytest.mark.parametrize("what", RIGHT)
def test_right_metrics(tmp_path, what):
    content = content_of(RIGHT[what])
    names = [image["file_name"].replace("\\", "/") for image in content["images"][:3]]
    coco.write_data(tmp_path, content, names)
    code, out, err = coco.create_data(tmp_path)
    assert (code, err) == (0, ""), err
    created, processed = COUNTED.get(what, ("", ""))
    assert created in out and out.count("left out") + out.count("cut") == bool(created), out
    assert evaluate(tmp_path, content)["mAP"] == pytest.approx(1)
    evaluated = found(tmp_path)
    own_ids = {image["id"] for image in content["images"][:3]}
    assert {entry["image_id"] for entry in evaluated} == own_ids
    coco.write_results(tmp_path, content, names)
    code, out, err = coco.postprocess(tmp_path)
    assert (code, err) == (0, "") and mean(out) == pytest.approx(1), err
    assert processed in out and out.count("left out") + out.count("cut") == bool(processed), out
    assert sorted(evaluated, key=json.dumps) == sorted(found(tmp_path), key=json.dumps)


def test_a_missing_area_is_the_boxs(tmp_path):
    content = content_of(every("annotations", area=..., bbox=[5, 5, 40, 40]))
    coco.write_data(tmp_path, content)
    result = evaluate(tmp_path, content)
    assert (result["AP small"], result["AP medium"], result["AP large"]) == (-1, 1, -1)


@pytest.mark.parametrize("area, count", [(41 * 41, 0), (41 * 41 + 1, 6)])
def test_an_area_that_does_not_fit_its_box_is_said(tmp_path, area, count):
    content = content_of(every("annotations", area=area, bbox=[5, 5, 40, 40]))
    coco.write_data(tmp_path, content)
    code, out, err = coco.create_data(tmp_path)
    assert (code, err) == (0, "")
    assert ("6 boxes with an area larger than the box" in out) == bool(count), out
    assert out.count("larger than the box") == bool(count)


@pytest.mark.parametrize("keys", [(2, 10), ("2", "10"), ("002", "10"), (9, "a"), ("9", "a")])
def test_categories_are_in_the_order_of_their_ids(tmp_path, keys):
    content = content_of(category_ids(lambda key: keys[key - 1]))
    content["categories"].reverse()
    coco.write_data(tmp_path, content, settings={"coco_classes": []})
    assert evaluate(tmp_path, content)["mAP"] == 1


def test_a_mark_of_utf8(tmp_path):
    coco.write_data(tmp_path, "\ufeff" + json.dumps(coco.BASE))
    assert coco.create_data(tmp_path)[0] == 0
    assert evaluate(tmp_path, coco.BASE)["mAP"] == 1


def test_images_of_one_name_have_result_files_of_their_own(tmp_path):
    content = content_of(named("a/1.png", "b/1.png", "b/2.png"))
    coco.write_data(tmp_path, content, [image["file_name"] for image in content["images"]])
    assert evaluate(tmp_path, content)["mAP"] == 1
    coco.write_results(tmp_path, content, ["a%2F1.png", "b%2F1.png", "2"])
    code, out, err = coco.postprocess(tmp_path)
    assert code == 0 and "mAP: 1.0" in out, err


@pytest.mark.parametrize(
    "names, file_names, words",
    [
        # The annotation file has the first two names; the third's is its id.
        (("x.png", "y.png", "3.png"), ("x.png", "y.png", "absent.png"), []),
        (("x.png", "3.png", "03.png"), ("x.png", "y.png", "absent.png"), ["03.png and 3.png are"]),
        (("1.png", "2.png", "3.png"), ("a/1.png", "b/1.png", "c.png"), ["1.png may be images[0]"]),
        (
            ("x.png", "y.png", "z.png"),
            ("a.png", "b.png", "c.png"),
            ["no image whose name is an id"],
        ),
    ],
)
def test_names_and_numbers_in_post_processing(tmp_path, names, file_names, words):
    content = content_of(named(*file_names))
    coco.write_data(tmp_path, content, names)
    coco.write_results(tmp_path, content, names)
    code, out, err = coco.postprocess(tmp_path)
    if words:
        assert_one_line(code, err, *words)
    else:
        assert code == 0 and mean(out) == 1, err


def test_images_with_a_crowd_are_counted(tmp_path):
    content = content_of(box(image_id=2, iscrowd=1))
    coco.write_data(tmp_path, content)
    coco.write_results(tmp_path, content)
    assert "left out: 1 images with crowd boxes" in coco.create_data(tmp_path)[1]
    assert evaluate(tmp_path, content)["mAP"] == 1
    assert {entry["image_id"] for entry in found(tmp_path)} == {1, 3}
    out = coco.postprocess(tmp_path)[1]
    assert "left out: 1 images with crowd boxes" in out and mean(out) == 1
    assert {entry["image_id"] for entry in found(tmp_path)} == {1, 3}


def test_sizes_of_the_images_on_request(tmp_path):
    content = content_of(every("images", width=50, height="none"))
    coco.write_data(tmp_path, content, settings={"trust_image_size": True})
    config = configuration(coco.SIZE, **json.loads((tmp_path / "settings.yaml").read_text()))
    samples, _, _ = import_from("nas_fpn", "src.samples").coco_samples(config, True)
    assert len(samples) == 3
    assert evaluate(tmp_path, content, trust_image_size=True)["mAP"] == 1
