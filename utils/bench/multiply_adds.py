"""Multiply-adds of an exported network, counted on its ONNX graph.

python utils/bench/multiply_adds.py mobilenetv1.onnx
"""

import sys

import numpy as np
import onnx


def count(path: str) -> int:
    """Multiply-adds of all convolutions and matrix products of one forward pass."""
    model = onnx.shape_inference.infer_shapes(onnx.load(path), data_prop=True)
    graph = model.graph
    shapes = {
        value.name: [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        for value in (*graph.value_info, *graph.input, *graph.output)
    }
    shapes.update({tensor.name: list(tensor.dims) for tensor in graph.initializer})
    total = 0
    for node in graph.node:
        if node.op_type == "Conv":
            total += np.prod(shapes[node.output[0]]) * np.prod(shapes[node.input[1]][1:])
        elif node.op_type in ("MatMul", "Gemm"):
            transposed = any(
                attribute.name == "transA" and attribute.i for attribute in node.attribute
            )
            total += (
                np.prod(shapes[node.output[0]]) * shapes[node.input[0]][-2 if transposed else -1]
            )
    return int(total)


if __name__ == "__main__":
    print(f"{count(sys.argv[1]):,}")
