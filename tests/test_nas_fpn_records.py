"""NAS-FPN's MindRecord files: COCO to records and back, the original's files, and what is left out,
refused or left behind.
"""

import json
import subprocess
import sys

import cv2
import mindspore as ms
import numpy as np
import pytest

from folders import REPOSITORY
from nas_fpn_records import class_names, coco_folder, dataset, documented_image, mindrecord, small
from test_nas_fpn import user_error


def test_round_trip(tmp_path, capsys):
    config = small(coco_folder(tmp_path))
    first = mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)
    printed = capsys.readouterr().out
    for line in (
        "kept 10 images with 10 boxes",
        "left out: 1 boxes of other categories",
        "left out: 1 crowd boxes",
        "left out: 1 boxes without area after rounding",
        "left out: 1 images without boxes",
    ):
        assert line in printed
    assert sorted(path.name for path in (tmp_path / "records").iterdir()) == sorted(
        f"retinanet.mindrecord{shard}{suffix}" for shard in range(8) for suffix in ("", ".db")
    )
    rows = list(
        ms.dataset.MindDataset(first, shuffle=False).create_dict_iterator(
            num_epochs=1, output_numpy=True
        )
    )
    assert sorted(int(row["img_id"][0]) for row in rows) == list(range(2, 12))
    assert class_names().record_classes(first) == ["background", "dog", "cat"]
    for row in rows:
        image_id = int(row["img_id"][0])
        assert row["file_name"].tobytes() == b"%012d.jpg" % image_id
        assert row["img_id"].shape == (1,) and row["annotation"].dtype == np.int32
        assert row["image"].tobytes() == (tmp_path / f"train2017/{image_id:012}.jpg").read_bytes()
        # y_min, x_min, y_max, x_max, label: 20.6 to 60.6 and 10.4 to 40.6, rounded; dog is 1, cat
        # 2.
        assert row["annotation"].tolist() == [[21, 10, 61, 41, 1 if image_id % 2 else 2]]


def test_records_that_are_there_stay_as_they_are(tmp_path, capsys):
    config = small(coco_folder(tmp_path))
    first = mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "records").iterdir()}
    assert mindrecord().create_mindrecord(config, "retinanet.mindrecord", True) == first
    assert {
        path.name: path.stat().st_mtime_ns for path in (tmp_path / "records").iterdir()
    } == before
    assert "kept as it is" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["truncated", "text", "missing"])
def test_an_image_that_does_not_decode_is_named_and_nothing_is_left_behind(tmp_path, damage):
    config = small(coco_folder(tmp_path))
    path = tmp_path / "train2017/000000000009.jpg"
    data = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(data[: len(data) // 2] if damage == "truncated" else b"not an image")
    with pytest.raises(user_error(), match="000000000009.jpg: "):
        mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)
    assert not any((tmp_path / "records").glob("*"))
    path.write_bytes(data)
    mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"coco_root": "/nowhere"}, "coco_root"),
        ({"instances_set": "annotations/{}.json"}, "no such annotation file"),
        ({"instances_set": "train2017/000000000003.jpg"}, "not a COCO annotation file"),
        ({"coco_classes": ["background", "cat", "unicorn"]}, "no category 'unicorn'"),
        ({"num_classes": 81}, "num_classes is 81"),
        ({"coco_classes": []}, "num_classes is 3"),
    ],
)
def test_annotations_that_do_not_fit(tmp_path, changes, message):
    config = small(coco_folder(tmp_path), **changes)
    with pytest.raises(user_error(), match=message):
        mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)
    assert not (tmp_path / "records").exists()


def test_data_that_do_not_fill_a_batch(tmp_path):
    config = small(coco_folder(tmp_path))
    with pytest.raises(user_error(), match="no such MindRecord file"):
        dataset().create_retinanet_dataset(
            config, str(tmp_path / "records/retinanet.mindrecord0"), 4
        )
    first = mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)
    with pytest.raises(user_error(), match="10 images do not fill a batch of 16"):
        dataset().create_retinanet_dataset(config, first, 16)


def test_training_does_not_hang_on_where_the_writer_put_the_rows(tmp_path):
    schema = {key: mindrecord().SCHEMA[key] for key in ("img_id", "image", "annotation")}
    config, epochs = small(tmp_path, augment=False), []
    for name, ids in (("a", range(6)), ("b", (4, 0, 5, 3, 1, 2))):
        rows = [
            {
                "img_id": np.int32([n]),
                "image": cv2.imencode(".png", np.full((40, 40, 3), 40 * n, np.uint8))[1].tobytes(),
                "annotation": np.int32([[5, 5, 30, 30, 1]]),
            }
            for n in ids
        ]
        write_records(tmp_path / f"{name}.mindrecord", rows, schema)
        data = dataset().create_retinanet_dataset(config, str(tmp_path / f"{name}.mindrecord0"), 2)
        batches = data.create_tuple_iterator(num_epochs=1, output_numpy=True)
        epochs.append(np.concatenate([image for image, *_ in batches]))
    assert len({image.tobytes() for image in epochs[0]}) == 6
    assert np.array_equal(*epochs)


def write_records(path, rows, schema):
    writer = ms.mindrecord.FileWriter(str(path), 8)
    writer.add_schema(schema, "retinanet_json")
    writer.write_raw_data(rows)
    writer.commit()


def test_files_of_the_original(tmp_path):
    """Without class names and file names, with boxes beyond their image, which train all the
    same.
    """
    schema = {key: mindrecord().SCHEMA[key] for key in ("img_id", "image", "annotation")}
    data = cv2.imencode(".png", documented_image())[1].tobytes()
    boxes = [[30, 40, 150, 200, 1], [-20, 500, 100, 700, 2], [250, 350, 400, 500, 2]]
    rows = [
        {"img_id": np.int32([n]), "image": data, "annotation": np.int32(boxes)} for n in range(4)
    ]
    write_records(tmp_path / "x.mindrecord", rows, schema)
    first, config = str(tmp_path / "x.mindrecord0"), small(tmp_path, augment=False)
    assert class_names().record_classes(first) == []
    (batch,) = (
        dataset()
        .create_retinanet_dataset(config, first, 4)
        .create_dict_iterator(num_epochs=1, output_numpy=True)
    )
    assert (batch["num_match"] > 0).all()
    expected = dataset().AnchorEncoder(config)(
        np.float32([[30, 40, 150, 200, 1], [250, 350, 300, 400, 2]])
        / np.float32([300, 400, 300, 400, 1])
    )
    assert np.array_equal(batch["label"][0], expected[1])
    data = dataset().create_retinanet_dataset(config, first, 1, is_training=False)
    assert data.get_col_names() == ["img_id", "image", "image_shape"]


@pytest.mark.parametrize("label", [0, -1, 3])
def test_files_with_a_label_that_is_none(tmp_path, label):
    schema = {key: mindrecord().SCHEMA[key] for key in ("img_id", "image", "annotation")}
    boxes = np.int32([[30, 40, 150, 200, label]])
    row = {"img_id": np.int32([1]), "image": b"unread", "annotation": boxes}
    write_records(tmp_path / "x.mindrecord", [row], schema)
    with pytest.raises(user_error(), match=f"label {label}, but num_classes is 3"):
        dataset().create_retinanet_dataset(small(tmp_path), str(tmp_path / "x.mindrecord0"), 1)


def test_a_box_outside_its_image_is_left_out_of_training(tmp_path, capsys):
    config = small(coco_folder(tmp_path), augment=True)
    path = tmp_path / "annotations/instances_train2017.json"
    content = json.loads(path.read_text())
    for entry in content["annotations"][4:7]:
        entry["bbox"] = [900, 900, 20, 20]
    path.write_text(json.dumps(content))
    first = mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)
    printed = capsys.readouterr().out
    assert "left out: 3 boxes outside their image" in printed and "kept 7 images" in printed
    data = dataset().create_retinanet_dataset(config, first, 7)
    (batch,) = data.create_dict_iterator(num_epochs=1, output_numpy=True)
    assert (batch["num_match"] > 0).all()


LEFT = """
import sys, time
sys.path.insert(0, sys.argv[1])
from src.unfinished import unfinished_folder
with unfinished_folder(sys.argv[2], "retinanet.mindrecord") as folder:
    (folder / "retinanet.mindrecord0").write_text("half")
    print(folder.name, flush=True)
    time.sleep(60)
"""


def test_what_a_killed_program_left_goes_with_the_next(tmp_path):
    config, folder = small(coco_folder(tmp_path)), tmp_path / "records"
    command = [sys.executable, "-c", LEFT, REPOSITORY / "nas_fpn", folder]
    killed, living = (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)
    )
    try:
        left, alive = (process.stdout.readline().strip() for process in (killed, living))
        killed.kill()
        killed.wait()
        # What has such a name, but not such files, is not its own.
        foreign = folder / ".retinanet.mindrecord.unfinished.abcdefgh"
        foreign.mkdir()
        (foreign / "thesis.txt").write_text("mine")
        mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)
        names = {path.name for path in folder.iterdir()}
        assert left not in names and {alive, foreign.name} < names
        assert (foreign / "thesis.txt").exists()
    finally:
        living.kill()
        living.wait()
        killed.stdout.close()
        living.stdout.close()
    (folder / "retinanet.mindrecord0").unlink()
    mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)
    assert alive not in {path.name for path in folder.iterdir()}
