"""NAS-FPN's other annotations: a text file with a line of boxes for each image."""

import mindspore as ms
import pytest

from nas_fpn_records import class_names, coco_folder, mindrecord, small
from test_nas_fpn import user_error


def text_config(folder, *lines):
    (folder / "boxes.txt").write_text("\n".join(lines))
    return small(
        folder,
        create_dataset="other",
        image_dir=str(folder / "train2017"),
        anno_path=str(folder / "boxes.txt"),
    )


def test_text_file_of_boxes(tmp_path, capsys):
    config = text_config(
        coco_folder(tmp_path),
        "000000000003.jpg 1,2,30,40,1 5,6,70,80,2",
        "absent.jpg 1,2,3,4,1",
        "000000000004.jpg 9,8,70,60,2 5,300,9,400,1 5,5,5,9,1 100,100,200,200,1",
        "",
    )
    first = mindrecord().create_mindrecord(config, "text.mindrecord", True)
    rows = ms.dataset.MindDataset(first, shuffle=False).create_dict_iterator(
        num_epochs=1, output_numpy=True
    )
    assert {int(row["img_id"][0]): row["annotation"].tolist() for row in rows} == {
        0: [[1, 2, 30, 40, 1], [5, 6, 70, 80, 2]],
        2: [[9, 8, 70, 60, 2], [100, 100, 120, 140, 1]],  # the image has 120 x 140 pixels
    }
    printed = capsys.readouterr().out
    for line in (
        "left out: 1 boxes outside their image",
        "left out: 1 boxes without area",
        "left out: 1 lines without boxes or image file",
        "\n1 boxes cut at their image's edge",
    ):
        assert line in printed
    assert class_names().record_classes(first) == ["background", "dog", "cat"]


@pytest.mark.parametrize(
    "box, words",
    [
        ("1,2,3,4,0", "has label 0: labels are from 1 to 2"),
        ("1,2,3,4,3", "has label 3"),
        ("1,2,3,4,-1", "has label -1"),
        ("30,2,3,4,1", "30,2,3,4,1 is reversed"),
        ("1,20,3,4,1", "1,20,3,4,1 is reversed"),
        ("1,2,3,4", "a box is y_min,x_min,y_max,x_max,label in whole numbers"),
        ("1,2,3,4.5,1", "in whole numbers"),
        ("1,2,3,nan,1", "in whole numbers"),
        ("1,2,3,5000000000,1", "in whole numbers"),
    ],
)
def test_text_file_with_a_wrong_box(tmp_path, box, words):
    good = "000000000003.jpg 1,2,30,40,1"
    config = text_config(coco_folder(tmp_path), good, f"000000000004.jpg 1,2,30,40,1 {box}")
    with pytest.raises(user_error(), match=f"boxes.txt, line 2: .*{words}"):
        mindrecord().create_mindrecord(config, "text.mindrecord", True)
    assert not any((tmp_path / "records").glob("*"))


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"", b"absent.jpg 1,2,3,4,1"])
def test_no_text_file_of_boxes(tmp_path, content):
    config = text_config(coco_folder(tmp_path))
    (tmp_path / "boxes.txt").unlink()
    if content is not None:
        (tmp_path / "boxes.txt").write_bytes(content)
    with pytest.raises(user_error(), match="boxes.txt: no "):
        mindrecord().create_mindrecord(config, "text.mindrecord", True)
