"""Which images MobileNetV1 trains on and which it evaluates on, below one folder."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from entry_points import assert_one_line, start
from folders import import_from
from test_mobilenetv1_data import image_tree, smooth_image, write_records  # noqa: F401 - a fixture


def configuration(**values):
    """What the functions of src.dataset read of the settings."""
    return SimpleNamespace(
        **{
            "dataset": "cifar10",
            "seed": 1,
            "eval_dataset_path": "",
            "class_names": "",
            "class_num": 10,
            "drop_remainder": False,
            "batch_size": 2,
            "height": 32,
            "width": 32,
            "num_workers": 1,
            "flip_probability": 0.5,
            "rand_augment": "",
            **values,
        }
    )


def held_out_path(config):
    return import_from("mobilenetv1", "src.data_path").held_out_path(config)


def cifar_labels(dataset):
    batches = dataset.create_tuple_iterator(num_epochs=1, output_numpy=True)
    return sorted(int(label) for _, labels in batches for label in labels)


def test_cifar_splits_below_the_folder(tmp_path, capsys):
    module = import_from("mobilenetv1", "src.dataset")
    write_records(tmp_path / "cifar-10-batches-bin/data_batch_1.bin", 4)
    write_records(tmp_path / "cifar-10-verify-bin/any.bin", 3)
    config = configuration(dataset_path=str(tmp_path))
    dataset, names = module.training_dataset(config)
    assert cifar_labels(dataset) == [0, 1, 2, 3]
    assert names[0] == "airplane" and names[9] == "truck" and len(names) == 10
    dataset, tree = module.evaluation_dataset(config, names)
    assert cifar_labels(dataset) == tree.labels.tolist() == [0, 1, 2]
    assert tree.paths[2] == f"{tmp_path}/cifar-10-verify-bin/any.bin, record 2"
    assert tree.class_names == names
    assert f"images: {tmp_path}/cifar-10-verify-bin\n" in capsys.readouterr().out
    assert held_out_path(config) == str(tmp_path)
    config.dataset_path = f"{tmp_path}/cifar-10-batches-bin/"
    assert held_out_path(config) == f"{tmp_path}/cifar-10-verify-bin"


@pytest.mark.parametrize("below", ["", "cifar-10-batches-bin"])
def test_the_test_batch_is_not_trained_on_but_evaluated(tmp_path, capsys, below):
    module = import_from("mobilenetv1", "src.dataset")
    write_records(tmp_path / below / "data_batch_1.bin", 4)
    write_records(tmp_path / below / "Daten 2.BIN", 2)
    write_records(tmp_path / below / "test_batch.bin", 8)
    (tmp_path / below / "._data_batch_1.bin").write_bytes(b"of another system")
    config = configuration(dataset_path=str(tmp_path))
    assert cifar_labels(module.training_dataset(config)[0]) == [0, 0, 1, 1, 2, 3]
    assert "test_batch.bin is for evaluation: not trained on\n" in capsys.readouterr().out
    assert cifar_labels(module.evaluation_dataset(config)[0]) == list(range(8))
    assert held_out_path(config) == str(tmp_path)


def test_a_test_batch_alone_is_what_was_asked_for(tmp_path):
    module = import_from("mobilenetv1", "src.dataset")
    write_records(tmp_path / "test_batch.bin", 4)
    config = configuration(dataset_path=str(tmp_path))
    assert cifar_labels(module.training_dataset(config)[0]) == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="images to evaluate on are wanted: --eval_dataset"):
        held_out_path(config)
    config.eval_dataset_path = "another"
    assert held_out_path(config) == "another"


def test_names_of_other_classes_in_cifar_files_are_not_made_up(tmp_path):
    write_records(tmp_path / "a.bin", 4)
    config = configuration(dataset_path=str(tmp_path), class_num=12)
    assert import_from("mobilenetv1", "src.dataset").training_dataset(config)[1] is None


def test_evaluation_shares_have_each_record_once(tmp_path):
    write_records(tmp_path / "a.bin", 4)
    write_records(tmp_path / "b.bin", 3)
    config = configuration(dataset_path=str(tmp_path))
    evaluation_dataset = import_from("mobilenetv1", "src.dataset").evaluation_dataset
    shares = [evaluation_dataset(config, None, rank, 3) for rank in range(3)]
    assert [cifar_labels(dataset) for dataset, _ in shares] == [[0, 2, 3], [0, 1], [1, 2]]
    assert [tree.labels.tolist() for _, tree in shares] == [[0, 3, 2], [1, 0], [2, 1]]
    assert shares[1][1].paths[1] == f"{tmp_path}/b.bin, record 0"


def test_imagenet_splits_below_the_folder(image_tree):  # noqa: F811
    module = import_from("mobilenetv1", "src.dataset")
    image_tree.rename(image_tree.with_name("train"))
    above = image_tree.parent
    options = {"dataset": "imagenet2012", "class_num": 1001}
    config = configuration(dataset_path=str(above), **options)
    with pytest.raises(ValueError, match="images to evaluate on are wanted: --eval_dataset"):
        held_out_path(config)
    for number in range(2):
        photo = above / f"validation_preprocess/class {number}/{number}.JPEG"
        photo.parent.mkdir(parents=True)
        Image.fromarray(smooth_image(40, 40, number)).save(photo)
    assert held_out_path(config) == f"{above}/validation_preprocess"
    dataset, names = module.training_dataset(config)
    assert names == ["class 0", "class 1"] and dataset.get_dataset_size() == 2
    dataset, tree = module.evaluation_dataset(config, names)
    assert cifar_labels(dataset) == [0, 1]
    assert [path.rsplit("/", 1)[1] for path in tree.paths] == ["0.JPEG", "1.JPEG"]
    config.drop_remainder = True
    assert module.evaluation_dataset(config, names)[1].paths == []


def test_cifar_batches_elsewhere_are_named(tmp_path):
    read_records = import_from("mobilenetv1", "src.cifar").read_records
    inner = tmp_path / "up/data/cifar-10-batches-bin"
    inner.mkdir(parents=True)
    (inner / "data_batch_1.bin").write_bytes(bytes(3073))
    (tmp_path / "py/cifar-10-batches-py").mkdir(parents=True)
    (tmp_path / "py/cifar-10-batches-py/data_batch_1").write_bytes(b"pickle")
    for path, words in (
        ("up", f"give {inner}"),
        ("up/data/cifar-10-batches-bin/data_batch_1.bin", "give its folder"),
        ("nowhere", "no such folder"),
        ("py", "version for Python"),
    ):
        with pytest.raises(ValueError, match=words):
            read_records(str(tmp_path / path), True, 10)


def test_held_out_records_that_are_trained_on_are_counted(tmp_path, capsys):
    records = np.random.default_rng(0).integers(0, 10, (8, 3073), np.uint8)
    records[:6].tofile(tmp_path / "data_batch_1.bin")
    records[6:].tofile(tmp_path / "test_batch.bin")
    note = import_from("mobilenetv1", "src.cifar").note_identical_records
    assert note(str(tmp_path), str(tmp_path)) == 0 and capsys.readouterr().out == ""
    records[4:].tofile(tmp_path / "test_batch.bin")
    assert note(str(tmp_path), str(tmp_path)) == 2
    line = "note: 2 of 4 held-out images are training images too\n"
    assert capsys.readouterr().out == line


def test_the_doctor_looks_at_cifar_records(tmp_path):
    check = ("src/dataset.py", "--check", tmp_path)
    train = write_records(tmp_path / "cifar-10-batches-bin/data_batch_1.bin", 20)
    done = start("mobilenetv1", *check, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "20 images in 10 classes" in done.stdout and "       2  airplane\n" in done.stdout
    held_out = tmp_path / "cifar-10-verify-bin/test_batch.bin"
    held_out.parent.mkdir()
    held_out.write_bytes(train[:3].tobytes())
    done = start("mobilenetv1", *check, "--against", tmp_path, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"images: {held_out.parent}" in done.stdout
    assert "3 images in 10 classes" in done.stdout and "       0  truck\n" in done.stdout
    assert "3 of 3 held-out images are training images too" in done.stdout
    assert "ms an image in the pipeline" in done.stdout
    write_records(held_out, 12, classes=12)
    done = start("mobilenetv1", *check, "--against", tmp_path, cwd=tmp_path)
    assert_one_line(done.returncode, done.stderr, str(held_out), "label 11")
    held_out.write_bytes(b"1234")
    done = start("mobilenetv1", *check, "--against", tmp_path, cwd=tmp_path)
    assert_one_line(done.returncode, done.stderr, str(held_out), "3073-byte")
