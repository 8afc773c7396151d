"""The command for ATC, and what ATC is known to refuse. No ATC is run: there is none here."""

import json
import shlex
import subprocess
import sys

import onnx
import pytest

from folders import REPOSITORY
from places import write_onnx

SCRIPT = REPOSITORY / "utils/cpp_infer/atc_command.py"
RECORD = {"preprocessing": {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}}


def call(*arguments):
    done = subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def path(tmp_path):
    folder = tmp_path / "it's a $place"
    folder.mkdir()
    model = onnx.load(write_onnx(folder / "model.onnx", ("batch", 3, 32, 64), (1, 3)))
    onnx.helper.set_model_props(model, {"record": json.dumps(RECORD)})
    onnx.save(model, folder / "model.onnx")
    return folder / "model.onnx"


def test_the_command(path):
    code, out, err = call(path, "--soc", "Ascend310B4", "--batch", "8", "--aipp")
    assert (code, err) == (0, "")
    stem = str(path.with_suffix(""))
    assert shlex.split(out) == [
        "atc",
        f"--model={path}",
        "--framework=5",
        f"--output={stem}",
        "--input_format=NCHW",
        "--input_shape=x:8,3,32,64",
        "--soc_version=Ascend310B4",
        "--precision_mode=allow_fp32_to_fp16",
        "--output_type=FP32",
        "--log=error",
        f"--insert_op_conf={stem}.aipp.cfg",
    ]
    lines = path.with_suffix(".aipp.cfg").read_text().split("\n")
    for line in (
        "src_image_size_w: 64",
        "src_image_size_h: 32",
        "min_chn_0: 123.675",
        "var_reci_chn_0: 0.01712475",
        "var_reci_chn_2: 0.01742919",
    ):
        assert f"    {line}" in lines
    assert "aipp" not in call(path, "--soc", "Ascend310")[1]


def spoil_opset(model):
    model.opset_import[0].version = 20


def spoil_operator(model):
    model.graph.node[1].op_type = "QuantizeLinear"


def spoil_padding(model):
    model.graph.node[1].attribute.append(onnx.helper.make_attribute("auto_pad", "SAME_UPPER"))


def spoil_shape(model):
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"


def spoil_record(model):
    del model.metadata_props[:]


@pytest.mark.parametrize(
    "spoil, words",
    [
        (spoil_opset, "opset 20, known are 9 to 18"),
        (spoil_operator, "QuantizeLinear: export in float32"),
        (spoil_padding, "auto_pad"),
        (spoil_shape, "not one of images"),
        (spoil_record, "no preprocessing"),
    ],
)
def test_what_is_refused(path, spoil, words):
    model = onnx.load(path)
    spoil(model)
    onnx.save(model, path)
    code, out, err = call(path, "--soc", "Ascend310P3", "--aipp")
    assert (code, out) == (1, "") and err.startswith("error: ") and words in err
    assert len(err.strip().splitlines()) == 1
    assert not path.with_suffix(".aipp.cfg").exists()


def test_no_model(path):
    code, _, err = call(path.with_name("no.onnx"), "--soc", "Ascend310")
    assert code == 1 and "no such file" in err
    path.write_bytes(b"\x00" * 50)
    code, _, err = call(path, "--soc", "Ascend310")
    assert code == 1 and "not a whole ONNX file" in err
