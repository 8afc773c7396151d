"""An ONNX classifier in 8-bit integers, by onnxruntime's quantisation, and what it costs and gives.

Weights are quantised for each channel, features by the range that they take on some images
(B. Jacob et al., 2018, arXiv:1712.05877); the file holds them as QuantizeLinear, DequantizeLinear.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path

import mindspore.dataset as ds
import numpy as np
import onnx

from .accuracy import count_correct
from .exported import first_output, open_model
from .images import ImageTree
from .onnx_int8 import prepare
from .record import ENTRY

CALIBRATION_IMAGES = 256
ROUNDS = 9  # of timing, in each of which both files take a turn


def quantise(
    path: str | Path, record: dict, dataset: ds.Dataset, tree: ImageTree, batch_size: int | None
) -> None:
    """Rewrite the float32 ONNX file `path` in int8, and print accuracy, size and speed of both.

    `dataset` and `tree` are evaluation's; some of its images, evenly spaced, give the ranges. The
    accuracy in int8 goes into the metadata, as that of `record`.
    """
    path = Path(path)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        quantised = Path(folder, path.name)
        _quantise_file(path, quantised, _spread(dataset, len(tree.labels)), Path(folder))
        models = [open_model(str(file)) for file in (path, quantised)]
        counts = [
            count_correct(first_output(model), dataset, batch_size, paths=tree.paths)
            for model in models
        ]
        sizes = [file.stat().st_size for file in (path, quantised)]
        top1, top5 = counts[1].accuracies()
        model = onnx.load(quantised)
        record = {**record, "accuracy": {"top1": top1, "top5": top5}}
        onnx.helper.set_model_props(model, {ENTRY: json.dumps(record)})
        onnx.save(model, path)
    print(
        f"int8: top-1 {top1:.4f}, top-5 {top5:.4f}; float32: top-1 {counts[0].accuracies()[0]:.4f},"
        f" top-5 {counts[0].accuracies()[1]:.4f}; {counts[0].images} images, some of which gave"
        f" the ranges\nint8: {sizes[1] / sizes[0]:.2f} of float32's size,"
        f" {_speed(*models):.2f} times its speed here",
        flush=True,
    )


def _spread(dataset, images):
    """Up to CALIBRATION_IMAGES of the images, of all classes, one at a time."""
    step = max(1, images // CALIBRATION_IMAGES)
    position = 0
    for batch, _ in dataset.create_tuple_iterator(num_epochs=1, output_numpy=True):
        for image in batch:
            if position % step == 0:
                yield image[None]
            position += 1


def _quantise_file(path, quantised, images, folder):
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    name, batch = _input_of(path)

    class Reader(CalibrationDataReader):
        def get_next(self):
            image = next(images, None)
            return None if image is None else {name: np.repeat(image, batch, axis=0)}

    # Batch norm has to be part of the convolution before it.
    prepared = folder / "prepared.onnx"
    quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
    model = onnx.load(prepared)
    in_float32 = prepare(model)
    onnx.save(model, prepared)
    quantize_static(
        str(prepared),
        str(quantised),
        Reader(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=in_float32,
    )


def _input_of(path):
    value = onnx.load(path, load_external_data=False).graph.input[0]
    return value.name, value.type.tensor_type.shape.dim[0].dim_value or 1


def _speed(before, after):
    """How many times as many predictions `after` makes, the median of turns of both."""
    shape = (before.shape[0] or 1, *before.shape[1:])
    images = np.random.RandomState(0).randn(*shape).astype(np.float32)
    ratios = []
    for _ in range(ROUNDS):
        seconds = []
        for model in (before, after):
            model.predict(images)
            started = time.perf_counter()
            for _ in range(5):
                model.predict(images)
            seconds.append(time.perf_counter() - started)
        ratios.append(seconds[0] / seconds[1])
    return statistics.median(ratios)
