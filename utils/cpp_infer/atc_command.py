"""Print the command that turns an exported ONNX file into an OM file for an Ascend board, and say
what ATC is known to refuse.

    python atc_command.py mobilenetv1.onnx --soc Ascend310B4
    python atc_command.py mobilenetv1.onnx --soc Ascend310P3 --batch 8 --aipp

With --aipp it also writes MODEL.aipp.cfg, from the file's record: the chip then takes RGB uint8
(NHWC) of the network's size and normalises it. Nothing is run: ATC comes with CANN, on the board or
on a computer with the same version. What it takes is known from public documentation only.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

import onnx

SOCS = {
    "Ascend310": "Atlas 200, 300 and 500",
    "Ascend310P1": "Atlas inference series",
    "Ascend310P3": "Atlas 300I Pro and Duo",
    "Ascend310B1": "Atlas 200I DK A2, Orange Pi AIpro 8T",
    "Ascend310B4": "Orange Pi AIpro 20T",
}
OPSETS = range(9, 19)
PRECISIONS = [
    "allow_fp32_to_fp16",
    "force_fp16",
    "must_keep_origin_dtype",
    "allow_mix_precision",
]
# CANN's list of ONNX operators (5.0; later ones add to it).
OPERATORS = """
    Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization
    BitShift Cast Ceil Celu Clip Concat Constant ConstantOfShape Conv ConvTranspose Cos Cosh CumSum
    DepthToSpace Det Div Dropout Elu Equal Erf Exp Expand EyeLike Flatten Floor Gather
    GatherElements GatherND Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual
    HardSigmoid HardSwish Hardmax Identity If InstanceNormalization LRN LSTM LeakyRelu Less
    LessOrEqual Log LogSoftmax LpNormalization LpPool MatMul Max MaxPool MaxRoiPool MaxUnpool Mean
    MeanVarianceNormalization Min Mod Mul Multinomial Neg NonMaxSuppression NonZero Not OneHot Or
    PRelu Pad Pow RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal ReduceL1
    ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
    ReduceSumSquare Relu Reshape Resize ReverseSequence RoiAlign Round Scatter ScatterElements
    ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign
    SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh TfIdfVectorizer ThresholdedRelu Tile TopK
    Transpose Unsqueeze Where Xor
"""


class Refused(Exception):
    """What is wrong, in one line."""


def read(path: str) -> tuple[onnx.ModelProto, dict]:
    """(model without weights' values needed, its record or {}). Raises Refused."""
    try:
        model = onnx.load(path, load_external_data=False)
        record = {entry.key: entry.value for entry in model.metadata_props}.get("record", "{}")
        return model, json.loads(record)
    except FileNotFoundError:
        raise Refused(f"{path}: no such file; export.py --file_format ONNX writes one") from None
    except Exception as error:  # protobuf's DecodeError moved between releases.
        raise Refused(f"{path}: not a whole ONNX file ({type(error).__name__})") from None


def objections(model: onnx.ModelProto) -> list[str]:
    """What ATC would refuse in `model`, or take for something else, each in some words."""
    found = []
    opset = {entry.domain: entry.version for entry in model.opset_import}.get("", 0)
    if opset not in OPSETS:
        found.append(
            f"opset {opset}, known are {OPSETS[0]} to {OPSETS[-1]}: export with --opset 11"
        )
    unknown = sorted({node.op_type for node in model.graph.node} - set(OPERATORS.split()))
    if unknown:
        advice = ": export in float32, CANN quantises by itself (AMCT)"
        quantised = advice if "QuantizeLinear" in unknown else ""
        found.append(f"operators that CANN's list has not, {', '.join(unknown)}{quantised}")
    if any(entry.name == "auto_pad" for node in model.graph.node for entry in node.attribute):
        found.append("padding by a rule (auto_pad): export it again, with a current export.py")
    values = model.graph.input
    sizes = [dim.dim_value for value in values for dim in value.type.tensor_type.shape.dim]
    if len(values) != 1 or len(sizes) != 4 or not all(sizes[1:]):
        found.append(f"inputs of the sizes {sizes}, not one of images (N, C, height, width)")
    return found


def aipp(record: dict, height: int, width: int) -> str:
    """The text of an AIPP configuration: out = (in - min) * var_reci, for red, green and blue.

    Raises Refused where the record has no preprocessing.
    """
    if "preprocessing" not in record:
        raise Refused("--aipp: the file's record has no preprocessing; export it again")
    lines = [
        "aipp_mode: static",
        "input_format: RGB888_U8",
        f"src_image_size_w: {width}",
        f"src_image_size_h: {height}",
        "csc_switch: false",
        "rbuv_swap_switch: false",
    ]
    how = record["preprocessing"]
    for channel, (mean, std) in enumerate(zip(how["mean"], how["std"])):
        lines += [
            f"mean_chn_{channel}: 0",
            f"min_chn_{channel}: {mean:.7g}",
            f"var_reci_chn_{channel}: {1 / std:.7g}",
        ]
    return "aipp_op {\n" + "".join(f"    {line}\n" for line in lines) + "}\n"


def command(path: str, model: onnx.ModelProto, options: argparse.Namespace) -> list[str]:
    """The arguments of atc for the file `path`."""
    value = model.graph.input[0]
    sizes = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
    shape = ",".join(map(str, (sizes[0] or options.batch, *sizes[1:])))
    return [
        "atc",
        f"--model={path}",
        "--framework=5",
        f"--output={Path(path).with_suffix('')}",
        "--input_format=NCHW",
        f"--input_shape={value.name}:{shape}",
        f"--soc_version={options.soc}",
        f"--precision_mode={options.precision_mode}",
        "--output_type=FP32",
        "--log=error",
        *([f"--insert_op_conf={Path(path).with_suffix('.aipp.cfg')}"] if options.aipp else []),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Print the command; exit code 1, and a line for each objection, where ATC would refuse."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="ONNX file")
    socs = ", ".join(f"{name} ({boards})" for name, boards in SOCS.items())
    parser.add_argument("--soc", required=True, choices=SOCS, help=f"the board's chip: {socs}")
    parser.add_argument("--batch", type=int, default=1, help="images a time, if the file says any")
    parser.add_argument("--precision_mode", default=PRECISIONS[0], choices=PRECISIONS)
    parser.add_argument("--aipp", action="store_true", help="let the chip normalise uint8 images")
    options = parser.parse_args(arguments)
    try:
        model, record = read(options.model)
        found = objections(model)
        if found:
            raise Refused("\nerror: ".join(f"{options.model}: {reason}" for reason in found))
        if options.aipp:
            sizes = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
            text = aipp(record, *sizes[2:])
            Path(options.model).with_suffix(".aipp.cfg").write_text(text, encoding="utf-8")
    except Refused as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(shlex.join(command(options.model, model, options)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
