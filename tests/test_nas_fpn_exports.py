"""NAS-FPN's exported files and C++ program see what the checkpoint sees, through the documented
commands.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import mindspore as ms
import numpy as np
import pytest

import cpp_infer_tools as cpp
from entry_points import assert_one_line, call
from folders import REPOSITORY, import_from
from golden import weights
from places import export_arguments
from test_nas_fpn import configuration
from test_nas_fpn_wrong_input import RESNET50, SMALL, write_yaml

IMAGES = {3: (90, 140), 20: (128, 128), 21: (200, 96), 40: (150, 150)}  # id: (height, width)
CONFIG = ["--config_path", "small.yaml"]
MODELS = [*CONFIG, "--mindrecord_dir", "records", "--coco_root", "coco"]


def small(**changes):
    return configuration(128, **{**SMALL, **RESNET50, **changes})


def read_image(root, image_id):
    """The network's input (1, 3, 128, 128) for an image of the data set, by NumPy and OpenCV
    alone.
    """
    pixels = cv2.resize(cv2.imread(str(root / f"coco/val2017/{image_id:012}.jpg")), (128, 128))[
        :, :, ::-1
    ]
    normal = (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return np.float32(normal.transpose(2, 0, 1)[None])


def write_truth(root, network):
    """Annotations that the network half finds: of its detections every third, some moved; a
    crowd on image 40.
    """
    annotations = []
    for image_id, shape in IMAGES.items():
        outputs = [output.asnumpy()[0] for output in network(ms.Tensor(read_image(root, image_id)))]
        boxes, _, labels = import_from("nas_fpn", "src.coco_eval").detect(
            *outputs, np.float32(shape), small()
        )
        for y1, x1, y2, x2, label in np.column_stack((boxes, labels))[::3].astype(float).tolist():
            box = [x1, y1, x2 - x1, 0.9 * (y2 - y1)]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": int(label),
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": int(image_id == 40),
                }
            )
    images = [
        {"id": image_id, "file_name": f"{image_id:012}.jpg", "height": height, "width": width}
        for image_id, (height, width) in IMAGES.items()
    ]
    (root / "coco/annotations").mkdir()
    (root / "coco/annotations/instances_val2017.json").write_text(
        json.dumps(
            {
                "images": images,
                "annotations": annotations,
                "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}],
            }
        )
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with pictures, a checkpoint and what export.py makes of it."""
    root = tmp_path_factory.mktemp("it's a $place")
    for image_id, size in IMAGES.items():
        cpp.save_picture(root / f"coco/val2017/{image_id:012}.jpg", *size, seed=image_id)
    network = import_from("nas_fpn", "src.retinanet_nasfpn").build_network(small())
    for parameter in network.get_parameters():
        values = weights(parameter.name.replace("network.", "", 1), parameter.shape)
        # Else all scores are near 0.5 and all boxes near their anchors, and rounding decides which
        # are suppressed.
        spread = np.float32(20 if parameter.name.endswith("feats.8.weight") else 1)
        parameter.set_data(ms.Tensor(spread * values))
    ms.save_checkpoint(network, str(root / "good.ckpt"))
    write_truth(root, network)
    write_yaml(root / "small.yaml", **RESNET50)
    for file_format in ("ONNX", "MINDIR"):
        code, out, err = call(
            "nas_fpn",
            "export.py",
            *CONFIG,
            "--checkpoint_path",
            "good.ckpt",
            "--file_format",
            file_format,
            cwd=root,
        )
        assert code == 0 and "differs from the network by" in out, err
    return root


@pytest.fixture(scope="module")
def copied():
    """The folder as someone else's copy, its C++ program built."""
    program = cpp.build(REPOSITORY / "nas_fpn/ascend310_infer")
    folder = program.parents[2]
    shutil.copytree(
        REPOSITORY / "nas_fpn",
        folder,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("out", "*.log"),
    )
    return folder


@pytest.fixture(scope="module")
def inferred(place, copied):
    """What run_infer_310.sh printed; its results are in `place`."""
    return infer(place, copied, "retinanet_nasfpn.mindir")


def infer(place, copied, model):
    environment = {
        **os.environ,
        "CPP_INFER_HOME": str(cpp.CPP_INFER),
        "DEVICE_TARGET": "CPU",
        "PYTHON": sys.executable,
    }
    done = subprocess.run(
        [
            "bash",
            copied / "scripts/run_infer_310.sh",
            model,
            "coco/val2017",
            "coco/annotations/instances_val2017.json",
            "0",
            *CONFIG,
        ],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout


def mean_average_precision(text):
    assert text.count(" Average Precision ") == 6 and text.count(" Average Recall ") == 6
    return float(re.search(r"^mAP: ([0-9.]+)$", text, re.M)[1])


def test_checkpoint_exports_and_cpp_agree(place, inferred):
    """Within 1e-2: with random weights many scores are nearly equal.

    `make smoke` asks a trained network for 1e-3.
    """
    code, out, err = call(
        "nas_fpn", "eval.py", *MODELS, "--checkpoint_path", "good.ckpt", cwd=place
    )
    assert code == 0 and "total images num:  3" in out, err  # the image with a crowd does not count
    expected, detections = (
        mean_average_precision(out),
        json.loads((place / "predictions.json").read_text()),
    )
    assert 0.02 < expected < 0.98
    for name in ("retinanet_nasfpn.onnx", "retinanet_nasfpn.mindir"):
        code, out, err = call("nas_fpn", "eval_onnx.py", *MODELS, "--onnx_path", name, cwd=place)
        assert code == 0 and mean_average_precision(out) == pytest.approx(expected, abs=1e-2), err
        assert len(json.loads((place / "predictions.json").read_text())) == pytest.approx(
            len(detections), rel=0.02
        )
    assert mean_average_precision(inferred) == pytest.approx(expected, abs=1e-2)
    assert "first dataset is 4\n" in inferred


def test_exports_keep_the_ratio_that_their_checkpoint_kept(place, copied, tmp_path):
    """Neither eval_onnx.py nor the C++ program is told: their models' records say it."""
    kept, model = ["--keep_ratio", "True"], ["--checkpoint_path", "good.ckpt"]
    for file_format in ("ONNX", "MINDIR"):
        flags = [*CONFIG, *model, *kept, "--file_name", "kept", "--file_format", file_format]
        code, _, err = call("nas_fpn", "export.py", *flags, cwd=place)
        assert code == 0, err
    means = []
    for flags in ([], kept):
        code, out, err = call("nas_fpn", "eval.py", *MODELS, *model, *flags, cwd=place)
        means.append(mean_average_precision(out))
    assert means[1] > 0.02 and abs(means[0] - means[1]) > 0.05
    for name in ("kept.onnx", "kept.mindir"):
        code, out, err = call("nas_fpn", "eval_onnx.py", *MODELS, "--onnx_path", name, cwd=place)
        assert code == 0 and "'padded': True" in out, err
        assert mean_average_precision(out) == pytest.approx(means[1], abs=1e-2)
    shutil.copytree(place / "coco", tmp_path / "coco")
    for name in ("kept.mindir", "kept.mindir.json", "small.yaml"):
        shutil.copy(place / name, tmp_path)
    out = infer(tmp_path, copied, "kept.mindir")
    assert mean_average_precision(out) == pytest.approx(means[1], abs=1e-2)


def test_result_files_are_the_networks_outputs(place, inferred):
    network = import_from("nas_fpn", "src.retinanet_nasfpn").build_network(small())
    ms.load_checkpoint(str(place / "good.ckpt"), network)
    found = cpp.results(place / "result_Files")
    assert len(found) == 2 * len(IMAGES)
    for image_id in IMAGES:
        for number, output in enumerate(network(ms.Tensor(read_image(place, image_id)))):
            assert cpp.distance(found[f"{image_id:012}_{number}.bin"], output.asnumpy()) < 1e-3
    timing = (place / "time_Result/test_perform_static.txt").read_text()
    assert re.fullmatch(r"NN inference cost average time: [0-9.]+ ms of infer_count 4\n", timing)
    # with the space, unlike the classifiers' programs
    assert timing in (place / "infer.log").read_text()


def test_program_flags(place, copied, inferred):
    program = copied / "ascend310_infer/out/main"
    flags = [
        f"--mindir_path={place}/lowered.mindir",
        f"--dataset_path={place}/coco/val2017",
        "--device_type=CPU",
        f"--result_dir={place}/again",
        f"--time_dir={place}/again",
    ]
    documented = [
        "--precision_mode=force_fp16",
        "--op_select_impl_mode=high_performance",
        "--image_height=128",
    ]
    cpp.run(
        *flags,
        *documented,
        "--buffer_optimize_mode=l2_optimize",
        "--image_width=128",
        program=program,
    )
    again = cpp.results(place / "again")
    assert all(
        np.array_equal(values, again[name])
        for name, values in cpp.results(place / "result_Files").items()
    )
    assert "--image_width=640: the network's input has 128" in cpp.error(
        *flags, "--image_width=640", program=program
    )


def test_documented_name_of_post_processing(place, inferred):
    flags = [
        *CONFIG,
        "--result_path",
        "result_Files",
        "--dataset_path",
        "coco/val2017",
        "--anno_path",
        "coco/annotations/instances_val2017.json",
    ]
    code, out, err = call("nas_fpn", "postprogress.py", *flags, cwd=place)
    assert code == 0 and out == (place / "acc.log").read_text(), err


def test_wrong_exported_file(place):
    class Other(ms.nn.Cell):
        def construct(self, x):
            return x.mean((2, 3))

    export_model = import_from("nas_fpn", "src.vendored.exporting").export_model
    for batch, name, file_format in ((1, "one", "ONNX"), (2, "two", "MINDIR")):
        images = ms.Tensor(np.zeros((batch, 3, 128, 128), np.float32))
        export_model(Other(), images, *export_arguments("nas_fpn", place / name, file_format))
    for suffix in ("onnx", "mindir"):
        whole = (place / f"retinanet_nasfpn.{suffix}").read_bytes()
        (place / f"cut.{suffix}").write_bytes(whole[: len(whole) // 2])
    for name, words in {
        "": ["the exported model: no such file"],
        "no.onnx": ["no.onnx: no such"],
        "no.mindir": ["no such"],
        "cut.onnx": ["cut.onnx: onnxruntime cannot load it"],
        "cut.mindir": ["not a whole MindIR"],
        "one.onnx": ["its outputs are [(1, 3)]", "export.py"],
        "two.mindir": ["takes 2 images at a time", "--export_batch_size 1"],
    }.items():
        code, _, err = call("nas_fpn", "eval_onnx.py", *MODELS, "--onnx_path", name, cwd=place)
        assert_one_line(code, err, *words)
    code, _, err = call(
        "nas_fpn",
        "eval_onnx.py",
        *MODELS,
        "--onnx_path",
        "retinanet_nasfpn.onnx",
        "--num_classes",
        "7",
        cwd=place,
    )
    assert_one_line(code, err, "(1, anchors, 7)", "--num_classes")


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
