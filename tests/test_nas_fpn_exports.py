"""NAS-FPN's exports and C++ program see what its checkpoint sees, by the documented commands."""

import json
import os
import re
import shutil
import subprocess
import sys

import mindspore as ms
import numpy as np
import pytest

import cpp_infer_tools as cpp
from entry_points import assert_one_line, call
from folders import REPOSITORY, import_from
from golden import weights
from nas_fpn_small import RESNET50, write_yaml
from nas_fpn_truth import IMAGES, read_image, small, write_truth
from places import export_arguments

CONFIG = ["--config_path", "small.yaml"]
MODELS = [*CONFIG, "--mindrecord_dir", "records", "--coco_root", "coco"]


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
        flags = [*CONFIG, "--checkpoint_path", "good.ckpt", "--file_format", file_format]
        code, out, err = call("nas_fpn", "export.py", *flags, cwd=root)
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


def infer(place, copied, model, options=CONFIG):
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
            *options,
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


@pytest.mark.slow
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


def test_images_at_any_depth_and_classes_of_the_record(place, copied, inferred, tmp_path):
    """Images beside folders and in them count; nobody tells what the record says."""
    annotations = tmp_path / "coco/annotations/instances_val2017.json"
    shutil.copytree(place / "coco", tmp_path / "coco")
    content = json.loads(annotations.read_text())
    for entry, new in zip(content["images"], ("a b/ü.jpg", "a b/c/ü.JPG", "#1.jpg")):
        target = tmp_path / "coco/val2017" / new
        target.parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "coco/val2017" / entry["file_name"]).rename(target)
        entry["file_name"] = new
    annotations.write_text(json.dumps(content))
    for folder in ("@eaDir", ".trash"):  # What is in them is not predicted.
        (tmp_path / "coco/val2017" / folder).mkdir()
        (tmp_path / "coco/val2017" / folder / "x.jpg").write_bytes(b"no image")
    (tmp_path / "coco/val2017/a b/up").symlink_to("..")
    shutil.copy(place / "retinanet_nasfpn.mindir", tmp_path)
    record = tmp_path / "retinanet_nasfpn.mindir.json"
    shutil.copy(place / record.name, record)
    # The checkpoint had none: they are the configured ones.
    assert json.loads(record.read_text())["class_names"] == ["background", "dog", "cat"]
    out = infer(tmp_path, copied, "retinanet_nasfpn.mindir", ())
    assert "infer_count 4\n" in (tmp_path / "infer.log").read_text()
    assert mean_average_precision(out) == mean_average_precision(inferred)


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
    flags = [*CONFIG, "--result_path", "result_Files", "--dataset_path", "coco/val2017"]
    flags += ["--anno_path", "coco/annotations/instances_val2017.json"]
    flags += ["--mindir_path", place / "retinanet_nasfpn.mindir"]
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
    flags = [*MODELS, "--onnx_path", "retinanet_nasfpn.onnx", "--num_classes", "7"]
    code, _, err = call("nas_fpn", "eval_onnx.py", *flags, cwd=place)
    assert_one_line(code, err, "(1, anchors, 7)", "--num_classes")
