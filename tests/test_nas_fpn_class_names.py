"""Which classes NAS-FPN trains on, and in which order: chosen, of the annotation file, of the
MindRecord files.
"""

import pytest

from folders import import_from
from nas_fpn_records import coco_folder, dataset, mindrecord, small
from test_nas_fpn import user_error


def test_all_categories_of_the_annotation_file(tmp_path):
    config = small(coco_folder(tmp_path), coco_classes=[], num_classes=4)
    samples, left_out, names = mindrecord().coco_samples(config, True)
    assert names == ["dog", "cat", "bird"]
    assert {label for sample in samples for label in sample.boxes[:, 4].tolist()} == {1, 2, 3}
    assert left_out["boxes of other categories"] == 0


@pytest.mark.parametrize("names", [["dog", "cat"], ["background", "dog", "cat"]])
def test_background_may_stand_at_the_head_of_the_classes(tmp_path, names):
    samples, _, found = mindrecord().coco_samples(
        small(coco_folder(tmp_path), coco_classes=names), True
    )
    assert found == ["dog", "cat"]
    assert {label for sample in samples for label in sample.boxes[:, 4].tolist()} == {1, 2}


@pytest.mark.parametrize(
    "names, words",
    [
        (["dog", "background"], '"background" comes first or not at all'),
        (["background", "background", "dog"], '"background" comes first or not at all'),
        (["background", "dog", "dog"], '"dog" is in it twice'),
    ],
)
def test_wrong_lists_of_classes(tmp_path, names, words):
    with pytest.raises(user_error(), match=f"coco_classes: {words}"):
        mindrecord().coco_samples(small(coco_folder(tmp_path), coco_classes=names), True)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"coco_classes": ["cat", "dog"]}, "they differ at label 1"),
        ({"coco_classes": ["dog", "cat", "bird"]}, "they differ at label 3"),
        ({"coco_classes": [], "num_classes": 4}, "background and 2 classes, but num_classes is 4"),
    ],
)
def test_training_files_of_other_classes(tmp_path, changes, words):
    first = mindrecord().create_mindrecord(
        small(coco_folder(tmp_path)), "retinanet.mindrecord", True
    )
    with pytest.raises(user_error(), match=words):
        dataset().create_retinanet_dataset(small(tmp_path, **changes), first, 2)


@pytest.mark.parametrize(
    "names, labels",
    [(["dog", "cat"], ["background", "dog", "cat"]), (["background", "dog"], None), ([], None)],
)
def test_a_model_without_names_is_exported_with_the_configured_ones(tmp_path, names, labels):
    config = small(tmp_path, coco_classes=names, num_classes=3)
    found = import_from("nas_fpn", "src.class_names").configured_labels(config)
    assert found == labels
