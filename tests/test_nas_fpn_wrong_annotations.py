"""NAS-FPN says in one line which entry of a COCO file is wrong, before it writes anything."""

import json

import pytest

import nas_fpn_coco as coco
import nas_fpn_fuzz
from entry_points import assert_one_line
from nas_fpn_edits import added, content_of, every, one

HERE = "annotations[3] (id 4): "
SIZES = "--trust_image_size True"
# fmt: off
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
