"""NAS-FPN reads any COCO file rightly, or says in one line which entry is wrong.

A detector that knows the annotated boxes has mAP 1.0 by evaluation and by post-processing alike.
"""

import json
import re

import pytest

import nas_fpn_coco as coco
import nas_fpn_fuzz
from entry_points import assert_one_line
from folders import import_from
from test_nas_fpn import configuration

HERE = "annotations[3] (id 4): "
SIZES = "--trust_image_size True"


def every(kind, **changes):
    """An edit of every entry of a list: a value, a function of the entry, or ... to remove it."""

    def edit(content):
        for entry in content[kind]:
            for key, value in changes.items():
                entry[key] = value(entry) if callable(value) else value
                if value is ...:
                    del entry[key]

    return edit


def one(kind, place, **changes):
    """The same of one entry."""

    def edit(content):
        every(kind, **changes)({kind: [content[kind][place]]})

    return edit


def both(*edits):
    def edit(content):
        for each in edits:
            each(content)

    return edit


def image_ids(key):
    """All images' ids through `key`, in images and annotations."""
    return both(
        every("images", id=lambda entry: key(entry["id"])),
        every("annotations", image_id=lambda entry: key(entry["image_id"])),
    )


def category_ids(key):
    return both(
        every("categories", id=lambda entry: key(entry["id"])),
        every("annotations", category_id=lambda entry: key(entry["category_id"])),
    )


def named(*names):
    """The images' files under other names, which the annotation file gives."""

    def edit(content):
        for image, name in zip(content["images"], names):
            image["file_name"] = name

    return edit


def added(kind, **entry):
    return lambda content: content[kind].append(entry)


def box(**changes):
    values = {"id": 7, "image_id": 1, "category_id": 1, "bbox": [5, 40, 9, 9], "iscrowd": 0}
    return added("annotations", **{**values, **changes})


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
WRONG = {  # what: edit or content, words of the line
    "clashing image ids": (added("images", id=1, file_name="b1.png"),
                           ["images[3] (id 1): b1.png", "the id of images[0], 000000000001.png"]),
    "an image listed twice": (added("images", **coco.BASE["images"][1]),
                              ["images[3] (id 2): 000000000002.png is listed twice", "images[1]"]),
    "an image under two ids": (added("images", id=9, file_name="./000000000002.png"),
                               ["images[3] (id 9): ./000000000002.png is listed twice"]),
    "two categories of one name": (added("categories", id=3, name="cat"),
                                   ["categories[2] (id 3): categories[0] has its name", "cat"]),
    "two categories of one id": (added("categories", id=2, name="cow"),
                                 ["categories[2] (id 2): categories[1] has this id"]),
    "no bbox": (one("annotations", 3, bbox=...), [HERE, "bbox is missing", "[x, y, width,"]),
    "bbox null": (one("annotations", 3, bbox=None), [HERE, "bbox is null"]),
    "bbox empty": (one("annotations", 3, bbox=[]), [HERE, "bbox is []"]),
    "bbox of three": (one("annotations", 3, bbox=[1, 2, 3]), [HERE, "bbox is [1, 2, 3]"]),
    "bbox of five": (one("annotations", 3, bbox=[1, 2, 3, 4, 5]), [HERE, "[1, 2, 3, 4, 5]"]),
    "bbox NaN": (one("annotations", 3, bbox=[1, 2, float("nan"), 4]), [HERE, "[1, 2, NaN, 4]"]),
    "bbox infinite": (one("annotations", 3, bbox=[1, 2, float("inf"), 4]), [HERE, "Infinity"]),
    "bbox far away": (one("annotations", 3, bbox=[5e9, 2, 3, 4]), [HERE, "5000000000.0"]),
    "bbox as texts": (one("annotations", 3, bbox=["1", 2, 3, 4]), [HERE, '["1", 2, 3, 4]']),
    "bbox true": (one("annotations", 3, bbox=[True, 2, 3, 4]), [HERE, "[true, 2, 3, 4]"]),
    "bbox an object": (one("annotations", 3, bbox={"x": 1}), [HERE, "an object"]),
    "bbox of boxes": (one("annotations", 3, bbox=[[1, 2], [3, 4], 5, 6]), [HERE, "[[...], [...]"]),
    "bbox with a long number": (one("annotations", 3, bbox=[10 ** 400, 2, 3, 4]), [HERE, "10000"]),
    "bbox negative": (one("annotations", 3, bbox=[50, 50, -20, 10]), [HERE, "width and height"]),
    "no image_id": (one("annotations", 3, image_id=...), [HERE, "image_id is missing"]),
    "image_id null": (one("annotations", 3, image_id=None), [HERE, "image_id is null"]),
    "image_id unknown": (one("annotations", 3, image_id=99), [HERE, "image_id is 99"]),
    "no category_id": (one("annotations", 3, category_id=...), [HERE, "category_id is missing"]),
    "category_id null": (one("annotations", 3, category_id=None), [HERE, "category_id is null"]),
    "category_id unknown": (one("annotations", 3, category_id=99), [HERE, "category_id is 99"]),
    "category_id a list": (one("annotations", 3, category_id=[1]), [HERE, "category_id is [1]"]),
    "area a text": (one("annotations", 3, area="918"), [HERE, 'area is "918"']),
    "area NaN": (one("annotations", 3, area=float("nan")), [HERE, "area is NaN"]),
    "area negative": (one("annotations", 3, area=-1), [HERE, "area is -1"]),
    "area null": (one("annotations", 3, area=None), [HERE, "area is null"]),
    "iscrowd a text": (one("annotations", 3, iscrowd="0"), [HERE, 'iscrowd is "0"']),
    "iscrowd 2": (one("annotations", 3, iscrowd=2), [HERE, "iscrowd is 2, not 0 or 1"]),
    "iscrowd null": (one("annotations", 3, iscrowd=None), [HERE, "iscrowd is null"]),
    "an annotation null": (lambda content: content["annotations"].insert(3, None),
                           ["annotations[3]: it is null, not an object"]),
    "an image a text": (lambda content: content["images"].append("a.png"),
                        ['images[3]: it is "a.png", not an object']),
    "no image id": (one("images", 1, id=...), ["images[1]: id is missing"]),
    "image id null": (one("images", 1, id=None), ["images[1] (id null): id is null"]),
    "image id true": (one("images", 1, id=True), ["images[1] (id true): id is true"]),
    "image id a fraction": (one("images", 1, id=1.5), ["images[1] (id 1.5): id is 1.5"]),
    "no file_name": (one("images", 1, file_name=...), ["images[1] (id 2): file_name is missing"]),
    "file_name null": (one("images", 1, file_name=None), ["images[1] (id 2): file_name is null"]),
    "file_name empty": (one("images", 1, file_name=""), ['images[1] (id 2): file_name is ""']),
    "file_name with a zero byte": (one("images", 1, file_name="a\0"), ["images[1]", "a\\u0000"]),
    "file_name half a letter": (one("images", 1, file_name="\ud800"), ["images[1]", "a text"]),
    "no name": (one("categories", 1, name=...), ["categories[1] (id 2): name is missing"]),
    "name null": (one("categories", 1, name=None), ["categories[1] (id 2): name is null"]),
    "name a number": (one("categories", 1, name=5), ["categories[1] (id 2): name is 5, not"]),
    "no category id": (one("categories", 1, id=...), ["categories[1]: id is missing"]),
    "width a text": (one("images", 1, width="100"), ["images[1] (id 2)", 'width is "100"', SIZES]),
    "width 0": (one("images", 1, width=0), ["images[1] (id 2): width is 0", SIZES]),
    "height NaN": (one("images", 1, height=float("nan")), ["images[1] (id 2): height is NaN"]),
    "sizes swapped": (one("images", 1, width=80, height=100),
                      ["1 of 3 images", "1 of them turned", "images[1] (id 2) 000000000002.png is"
                       " 100 x 80, not 80 x 100", SIZES]),
    "sizes of larger photos": (every("images", width=200, height=160),
                               ["3 of 3 images", "images[2] (id 3)", "not 200 x 160", SIZES]),
    "no categories": (lambda content: content.pop("categories"), ["categories is missing"]),
    "annotations an object": (lambda content: content.update(annotations={}), ["is an object"]),
    "images null": (lambda content: content.update(images=None), ["images is null, not a list"]),
    "only the boxes": ("[]", ["no object with images, annotations and categories"]),
    "a number": ("5", ["no object"]),
    "null": ("null", ["no object"]),
    "a text": ('"images"', ["no object"]),
    "empty": ("", ["it is empty"]),
    "only a mark of UTF-8": ("\ufeff", ["it is empty"]),
    "no JSON": ("images: []", ["Expecting value: line 1 column 1"]),
    "cut short": (json.dumps(coco.BASE)[:500], ["line 1 column 501"]),
    "deep": ("[" * 100_000, ["too deep"]),
    "deep objects": ('{"a":' * 100_000, ["too deep"]),
    "5,000 digits": ('{"images": [' + "9" * 5000 + "]}", ["integer string"]),
    "not UTF-8": (b'{"images": ["\xff"]}', ["no UTF-8 text from byte 13"]),
    "UTF-16": (json.dumps(coco.BASE).encode("utf-16"), ["no UTF-8 text from byte 0"]),
    "a key twice": ('{"images": [], "images": [], "annotations": [], "categories": []}',
                    ['the key "images" twice']),
    "a key twice in an entry": (
        json.dumps(coco.BASE).replace('"image_id": 2,', '"image_id": 2, "image_id": 3,', 1),
        ["annotations[2] (id 3)", 'the key "image_id" twice']),
}
# fmt: on


def content_of(edit):
    """The annotation file after an edit."""
    content = coco.base() if callable(edit) else edit
    if callable(edit):
        edit(content)
    return content


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


@pytest.mark.parametrize("what", WRONG)
def test_one_line(tmp_path, what):
    edit, words = WRONG[what]
    content = content_of(edit)
    coco.write_data(tmp_path, content)
    coco.write_results(tmp_path, coco.BASE)
    (tmp_path / "predictions.json").write_text("mine")
    for script in (coco.create_data, coco.postprocess):
        code, _, err = script(tmp_path)
        assert_one_line(code, err, "instances_val2017.json", *words)
    assert not (tmp_path / "records").exists()
    assert (tmp_path / "predictions.json").read_text() == "mine"


def test_a_missing_area_is_the_boxs(tmp_path):
    content = content_of(every("annotations", area=..., bbox=[5, 5, 40, 40]))
    coco.write_data(tmp_path, content)
    result = evaluate(tmp_path, content)
    assert (result["AP small"], result["AP medium"], result["AP large"]) == (-1, 1, -1)


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


def test_an_annotation_file_that_cannot_be_opened(tmp_path):
    coco.write_data(tmp_path, coco.BASE)
    coco.write_results(tmp_path, coco.BASE)
    path = tmp_path / "coco/annotations/instances_val2017.json"
    path.unlink()
    for script in (coco.create_data, coco.postprocess):
        code, _, err = script(tmp_path)
        assert_one_line(code, err, "instances_val2017.json: no such annotation file")
    path.mkdir()
    for script in (coco.create_data, coco.postprocess):
        code, _, err = script(tmp_path)
        assert_one_line(code, err, "instances_val2017.json: a folder, not an annotation file")


def test_chance_faults(tmp_path):
    """More of them: python tests/nas_fpn_fuzz.py 500."""
    codes, wrong = nas_fpn_fuzz.run(tmp_path, 1000, 60)
    assert not wrong and codes[0] > 10 and codes[1] > 50
