"""FishNet-99: wrong input ends with one line that says what is wrong and where, before anything
is overwritten.
"""

import mindspore as ms
import numpy as np
import pytest
from PIL import Image

from entry_points import assert_one_line, call, start
from folders import import_from

CPU = ["--device_type=CPU"]
SMALL = [*CPU, "--image_size", "32", "--num_classes", "2", "--batch_size", "2"]
PHOTOS, TRAIN = ["--val_data_path", "photos"], ["--data_path", "photos"]
GOOD = ["--checkpoint_path", "good.ckpt"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with small data, checkpoints and exported files, good and bad."""
    root = tmp_path_factory.mktemp("it's a $place")
    for name in ("a", "b"):
        (root / "photos" / name).mkdir(parents=True)
        Image.new("RGB", (60, 50), name == "a" and "red" or "blue").save(
            root / f"photos/{name}/{name}.JPEG"
        )
    for folder in ("empty", "no images/class", "no checkpoints", "undecodable/class"):
        (root / folder).mkdir(parents=True)
    whole = (root / "photos/a/a.JPEG").read_bytes()
    (root / "undecodable/class/an. odd name.JPEG").write_bytes(whole[: len(whole) * 3 // 4])
    for name in "abc":
        (root / "crowded" / name).mkdir(parents=True)
        (root / "crowded" / name / f"{name}.JPEG").write_bytes(whole)
    ms.save_checkpoint(import_from("fishnet99", "src.fishnet").fish99(2), str(root / "good.ckpt"))
    content = (root / "good.ckpt").read_bytes()
    (root / "truncated.ckpt").write_bytes(content[: len(content) // 2])
    (root / "random.ckpt").write_bytes(np.random.RandomState(0).bytes(5000))
    (root / "random.mindir").write_bytes(np.random.RandomState(0).bytes(5000))
    (root / "empty.ckpt").write_bytes(b"")
    ms.save_checkpoint(ms.nn.Dense(3, 4), str(root / "other.ckpt"))
    export_model = import_from("fishnet99", "src.vendored.checkpoint").export_model
    for name, shape in (("rectangle", (1, 3, 32, 64)), ("flat", (1, 3))):
        network = ms.nn.SequentialCell(ms.nn.Flatten(), ms.nn.Dense(int(np.prod(shape)), 2))
        for file_format in ("ONNX", "MINDIR"):
            path, _ = export_model(
                network, [ms.Tensor(np.zeros(shape, np.float32))], str(root / name), file_format
            )
            path.with_stem("truncated").write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return root


CASES = [  # script, arguments, words of the line
    ("eval.py", [*SMALL, "--val_data_path", "nowhere", *GOOD], ["nowhere", "no such folder"]),
    ("eval.py", [*SMALL, "--val_data_path", "empty", *GOOD], ["empty", "no folders in it"]),
    ("eval.py", [*SMALL, "--val_data_path", "no images", *GOOD], ["class folders without images"]),
    (
        "eval.py",
        [*SMALL, "--val_data_path", "photos/a", *GOOD],
        ["photos/a", "give the folder above"],
    ),
    (
        "eval.py",
        [*SMALL, "--val_data_path", "crowded", *GOOD],
        ["crowded: 3 class folders", "2 classes"],
    ),
    (
        "eval.py",
        [*SMALL, "--val_data_path", "undecodable", *GOOD],
        ["class/an. odd name.JPEG", "cannot be decoded"],
    ),
    ("train.py", [*SMALL, "--data_path", "."], ["folders in folders", "give one below"]),
    ("train.py", [*SMALL, *TRAIN, "--save_checkpoint_path", "good.ckpt"], ["good.ckpt/ckpt_0"]),
    ("train.py", [*SMALL, *TRAIN, "--batch_size", "3"], ["2 images", "batch of 3"]),
    (
        "train.py",
        [*SMALL, *TRAIN, "--pre_trained", "True"],
        ["./ckpt/train_fishnet99_imagenet-146_10009.ckpt"],
    ),
    ("train.py", [*SMALL, *TRAIN, "--pre_trained", "other.ckpt"], ["other.ckpt", "nearest"]),
    ("train.py", [*SMALL, *TRAIN, "--resume", "good.ckpt"], ["good.ckpt", "optimiser"]),
    ("eval.py", [*SMALL, *PHOTOS], ["./ckpt_0: no such"]),
    (
        "eval.py",
        [*SMALL, *PHOTOS, "--checkpoint_path", "no checkpoints"],
        ["no checkpoints: no *.ckpt"],
    ),
    (
        "eval.py",
        [*SMALL, *PHOTOS, "--checkpoint_path", "truncated.ckpt"],
        ["truncated.ckpt: not a whole"],
    ),
    (
        "eval.py",
        [*SMALL, *PHOTOS, "--checkpoint_path", "random.ckpt"],
        ["random.ckpt: not a whole"],
    ),
    ("eval.py", [*SMALL, *PHOTOS, "--checkpoint_path", "empty.ckpt"], ["empty.ckpt: not a whole"]),
    (
        "eval.py",
        [*SMALL, *PHOTOS, *GOOD, "--num_classes", "3"],
        ["good.ckpt", "classifier.6.weight", "(2, 1056"],
    ),
    ("export.py", SMALL, ["--ckpt_file"]),
    (
        "export.py",
        ["--num_classes", "2", "--ckpt_file", "good.ckpt", "--file_format", "air"],
        ["AIR", "Ascend"],
    ),
    ("export.py", ["--ckpt_file", "good.ckpt", "--file_format", "TFLITE"], ["file_format", "ONNX"]),
    (
        "export.py",
        ["--ckpt_file", "good.ckpt", "--height", "100", "--width", "100"],
        ["image_height 100", "32"],
    ),
    (
        "export.py",
        ["--ckpt_file", "good.ckpt", "--height", "96"],
        ["image_height 96", "image_width 224"],
    ),
    ("train.py", [*CPU, "--epoch_sise", "3"], ["--epoch_sise", "--epoch_size"]),
    ("train.py", [*CPU, "--epoch_size", "three"], ["epoch_size", "int", "three"]),
    ("train.py", [*CPU, "--label_smooth_factor", "0.6"], ["label_smooth_factor", "0.5"]),
    ("train.py", [*CPU, "--dataset_name", "cifar10"], ["name is one of imagenet"]),
    ("train.py", [*CPU, "--pool_padding", "valid"], ["pool_padding", "symmetric"]),
    ("train.py", [*CPU, "--device_id", "7"], ["device_id 7"]),
    ("eval_onnx.py", [*CPU, *PHOTOS, "--onnx_path", "nowhere.onnx"], ["nowhere.onnx: no such"]),
    ("eval_onnx.py", [*CPU, *PHOTOS, "--onnx_path", "random.ckpt"], ["random.ckpt", "onnxruntime"]),
    ("eval_onnx.py", [*CPU, *PHOTOS, "--onnx_path", "random.mindir"], ["random.mindir", "MindIR"]),
    *[
        ("eval_onnx.py", [*CPU, *PHOTOS, "--onnx_path", name], [f"{name}: {words}"])
        for name, words in (
            ("truncated.onnx", "onnxruntime cannot load it"),
            ("truncated.mindir", "not a whole MindIR file"),
            ("rectangle.onnx", "its input (1, 3, 32, 64) is not square"),
            ("flat.onnx", "its input (1, 3) is not (N, 3,"),
            ("rectangle.mindir", "its input (1, 3, 32, 64) is not square"),
            ("flat.mindir", "its input (1, 3) is not"),
        )
    ],
    (
        "eval_onnx.py",
        [*PHOTOS, "--onnx_path", "x.onnx", "--device_target", "GPU"],
        ["CUDAExecutionProvider"],
    ),
]


@pytest.mark.parametrize(
    "script, arguments, words", CASES, ids=[f"{c[0][:-3]}-{'-'.join(c[2])}" for c in CASES]
)
def test_one_line(place, script, arguments, words):
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    code, _, err = call("fishnet99", script, *arguments, cwd=place)
    assert_one_line(code, err, *words)
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before


def test_a_device_that_is_not_there(place):
    done = start(
        "fishnet99", "train.py", "--device_id=0", "--device_type=Ascend", *TRAIN, cwd=place
    )
    assert_one_line(done.returncode, done.stderr, "Ascend")


@pytest.mark.parametrize("variable", ["RANK_SIZE", "DEVICE_ID"])
def test_environment(place, monkeypatch, variable):
    monkeypatch.setenv(variable, "two")
    code, _, err = call("fishnet99", "train.py", *SMALL, *TRAIN, cwd=place)
    assert_one_line(code, err, f"{variable}=two")


def test_an_output_folder_that_cannot_be_written(place):
    code, _, err = call(
        "fishnet99",
        "export.py",
        *SMALL,
        "--ckpt_file",
        "good.ckpt",
        "--file_name",
        "good.ckpt/model",
        cwd=place,
    )
    assert_one_line(code, err, "good.ckpt")


@pytest.mark.parametrize(
    "device, size, expected",
    [
        ("Ascend", 1, (0.05, 160, 150)),
        ("Ascend", 8, (0.4, 160, 150)),
        ("GPU", 1, (0.05, 160, 150)),
        ("GPU", 2, (0.1, 110, 100)),
        ("GPU", 8, (0.4, 160, 150)),
    ],
)
def test_settings_follow_the_devices(monkeypatch, device, size, expected):
    load_config = import_from("fishnet99", "src.config").load_config
    monkeypatch.setenv("RANK_SIZE", str(size))
    config = load_config("data_path", ["--device_type", device])
    assert (config.lr_init, config.epoch_size, config.T_max) == expected
    config = load_config(
        "data_path", ["--device_type", device, "--lr_init", "0.3", "--epoch_size=7", "--T_max", "6"]
    )
    assert (config.lr_init, config.epoch_size, config.T_max) == (0.3, 7, 6)


def test_names_of_the_data_set():
    load_config = import_from("fishnet99", "src.config").load_config
    assert load_config("data_path", ["--dataset_path", "x"]).data_path == "x"
    evaluation = load_config("val_data_path", ["--dataset_path", "x"])
    assert (evaluation.val_data_path, evaluation.data_path) == ("x", "/data/ILSVRC2012_train/")


def test_checkpoints_in_order_of_epoch(tmp_path):
    """As eval.py finds them: epoch 10 after 8, the best one last."""
    names = [f"train_fishnet99_imagenet-{end}.ckpt" for end in ("2_5", "8_5", "10_5", "best")]
    for name in names:
        (tmp_path / name).touch()
    checkpoints = import_from("fishnet99", "eval").checkpoints
    assert checkpoints(str(tmp_path)) == [str(tmp_path / name) for name in names]
    assert checkpoints(str(tmp_path / names[1])) == [str(tmp_path / names[1])]
