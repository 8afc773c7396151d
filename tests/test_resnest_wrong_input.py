"""ResNeSt: wrong input ends with exit code 1 and one line, before anything is overwritten."""
import mindspore as ms
import numpy as np
import pytest
from PIL import Image

from entry_points import assert_one_line, call, start
from folders import import_from

CPU = ["--device_target", "CPU"]
SMALL = [*CPU, "--num_classes", "3", "--crop_size", "64", "--eval_crop_size", "64"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with small data and a whole, a truncated, a random, an empty and a foreign checkpoint."""
    root = tmp_path_factory.mktemp("it's a $place")
    for split in ("train", "val"):
        for name in ("a", "b"):
            (root / "photos" / split / name).mkdir(parents=True)
            image = Image.new("RGB", (60, 50), "red" if name == "a" else "blue")
            image.save(root / f"photos/{split}/{name}/{name}.JPEG")
    (root / "empty").mkdir()
    (root / "no images/val/class").mkdir(parents=True)
    network = import_from("resnest", "src.models.resnest").get_network("resnest50", num_classes=3)
    ms.save_checkpoint(network, str(root / "good.ckpt"))
    content = (root / "good.ckpt").read_bytes()
    (root / "truncated.ckpt").write_bytes(content[:len(content) // 2])
    (root / "random.ckpt").write_bytes(np.random.RandomState(0).bytes(5000))
    (root / "empty.ckpt").write_bytes(b"")
    ms.save_checkpoint(ms.nn.Dense(3, 4), str(root / "other.ckpt"))
    return root


PHOTOS, GOOD = ["--root", "photos"], ["--pretrained_ckpt_path", "good.ckpt"]
CASES = [  # script, arguments, words of the line
    ("eval.py", [*SMALL, "--root", "nowhere", *GOOD], ["nowhere/val", "no such folder"]),
    ("eval.py", [*SMALL, "--dataset_path", "empty", *GOOD], ["empty/val", "no such folder"]),
    ("eval.py", [*SMALL, "--root", "no images", *GOOD], ["class folders without images"]),
    ("eval.py", [*SMALL, *PHOTOS, "--num_classes", "2", *GOOD], ["fc.weight", "(3, 2048)", "(2, 2048)"]),
    ("eval.py", [*SMALL, *PHOTOS, "--net_name", "resnest101", *GOOD], ["good.ckpt"]),
    ("eval.py", [*SMALL, *PHOTOS, "--pretrained_ckpt_path", "nowhere.ckpt"], ["nowhere.ckpt: no such"]),
    ("eval.py", [*SMALL, *PHOTOS], ["resnest50-270_2502.ckpt: no such"]),
    ("eval.py", [*SMALL, *PHOTOS, "--checkpoint_path", "truncated.ckpt"], ["truncated.ckpt: not a whole"]),
    ("eval.py", [*SMALL, *PHOTOS, "--checkpoint_path", "random.ckpt"], ["random.ckpt: not a whole"]),
    ("eval.py", [*SMALL, *PHOTOS, "--checkpoint_path", "empty.ckpt"], ["empty.ckpt: not a whole"]),
    ("eval.py", [*SMALL, *PHOTOS, "--checkpoint_path", "other.ckpt"], ["other.ckpt", "nearest"]),
    ("eval.py", [*SMALL, *PHOTOS, *GOOD, "--eval_crop_size", "48"], ["eval_crop_size", "multiple of 32"]),
    ("eval.py", [*SMALL, *PHOTOS, *GOOD, "--test_batch_size", "3", "--drop_remainder"], ["2 images", "batch of 3"]),
    ("train.py", [*SMALL, "--root", "photos/train"], ["photos/train/train", "no such folder"]),
    ("train.py", [*SMALL, *PHOTOS, "--batch_size", "3"], ["2 images", "batch of 3"]),
    ("train.py", [*CPU, *PHOTOS, "--batch_size", "65"], ["batch_size", "got 65"]),
    ("train.py", [*CPU, "--epocs", "3"], ["--epocs", "--epochs"]),
    ("train.py", [*CPU, "--epochs", "three"], ["epochs", "int", "three"]),
    ("train.py", [*CPU, "--epochs", "300", "--max_epoch", "299"], ["300", "max_epoch"]),
    ("train.py", [*CPU, "--lr_epochs", "3,x"], ["lr_epochs", "3,x"]),
    ("train.py", [*CPU, "--lr_scheduler", "linear"], ["lr_scheduler", "cosine_annealing"]),
    ("train.py", [*CPU, "--final_drop", "1.5"], ["final_drop", "got 1.5"]),
    ("train.py", [*CPU, "--run_eval", "perhaps"], ["run_eval", "True or False"]),
    ("train.py", [*CPU, "--device_id", "7"], ["device_id 7"]),
    ("train.py", [*CPU, "--device_num", "2"], ["device_num is 2"]),
    ("train.py", [*CPU, "--run_distribute", "True"], ["msrun"]),
    ("train.py", [*SMALL, *PHOTOS, "--batch_size", "2", "--resume", "good.ckpt"], ["good.ckpt", "optimiser"]),
    ("train.py", [*SMALL, *PHOTOS, "--batch_size", "2", "--start_epoch", "270"], ["nothing left to train"]),
    ("export.py", [*SMALL], ["--ckpt_file"]),
    ("export.py", [*SMALL, "--ckpt_file", "good.ckpt", "--file_format", "AIR"], ["AIR", "Ascend"]),
    ("export.py", [*SMALL, "--ckpt_file", "good.ckpt", "--file_format", "TFLITE"], ["file_format", "ONNX"]),
    ("export.py", [*SMALL, "--ckpt_file", "good.ckpt", "--file_name", "good.ckpt/model"], ["good.ckpt"]),
    ("eval_onnx.py", [*CPU, *PHOTOS, "--onnx_path", "nowhere.onnx"], ["nowhere.onnx"]),
    ("eval_onnx.py", [*CPU, *PHOTOS, "--onnx_path", "nowhere.mindir"], ["nowhere.mindir"]),
    ("eval_onnx.py", [*CPU, *PHOTOS, "--onnx_path", "random.ckpt"], ["random.ckpt", "onnxruntime"]),
    ("create_imagenet2012_label.py", ["--img_path", "photos"], ["folders in folders", "photos/"]),
]


@pytest.mark.parametrize("script, arguments, words", CASES, ids=[f"{c[0][:-3]}-{'-'.join(c[2])}" for c in CASES])
def test_one_line(place, script, arguments, words):
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    code, _, err = call("resnest", script, *arguments, cwd=place)
    assert_one_line(code, err, *words)
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before


def test_an_image_that_cannot_be_decoded_is_named(place, tmp_path):
    bad = tmp_path / "photos/val/b/an. odd name.JPEG"
    bad.parent.mkdir(parents=True)
    whole = (place / "photos/val/a/a.JPEG").read_bytes()
    bad.write_bytes(whole[:len(whole) // 3])
    done = start("resnest", "eval.py", *SMALL, "--root", tmp_path / "photos", "--pretrained_ckpt_path",
                 place / "good.ckpt", cwd=tmp_path)
    assert_one_line(done.returncode, done.stderr.splitlines()[-1], bad, "cannot be decoded")
