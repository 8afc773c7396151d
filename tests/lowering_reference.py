"""What MindSpore 2.0 itself writes for the cases of lower_mindir.py, in
data/lowering_reference.json.

    python3.7 -m venv venv && venv/bin/pip install mindspore==2.0.0
    venv/bin/python lowering_reference.py
"""

import json
import os
import sys
import tempfile

from mindspore.train.mind_ir_pb2 import AttributeProto, ModelProto

STRUCTURE = {"MakeTuple", "TupleGetItem", "Depend", "Load", "UpdateState"}


def value_of(item):
    """An attribute's value, tuples and lists alike as lists, as JSON has it."""
    if item.type in (AttributeProto.TUPLE, AttributeProto.LIST):
        return [value_of(element) for element in item.values]
    if item.type == AttributeProto.STRING:
        return (item.s if item.HasField("s") else item.strings[0]).decode()
    if item.type == AttributeProto.FLOAT:
        return round(item.f if item.HasField("f") else item.floats[0], 7)
    if item.type == AttributeProto.BOOL:
        return bool(item.i if item.HasField("i") else item.ints[0])
    if item.type == AttributeProto.TENSORS:
        return [[tensor.data_type, list(tensor.dims)] for tensor in item.tensors]
    return item.i if item.HasField("i") else list(item.ints)[:1]


def primitives(path):
    """{operator: [attributes of each of its primitives]} of a MindIR file."""
    model = ModelProto()
    with open(str(path), "rb") as file:
        model.ParseFromString(file.read())
    found = {}
    for primitive in model.primitives:
        attributes = {item.name: value_of(item) for item in primitive.attribute}
        found.setdefault(primitive.op_type, []).append(attributes)
    return found


def main():
    import mindspore as ms

    import lowering_expressions  # noqa: F401  these add to the cases
    import lowering_layers  # noqa: F401
    import lowering_operators  # noqa: F401
    import lowering_results  # noqa: F401
    from lowering_cases import CASES, Network

    if not ms.__version__.startswith("2.0."):
        sys.exit(f"run this with MindSpore 2.0, whose files it is about, not {ms.__version__}")
    ms.set_context(mode=ms.GRAPH_MODE)
    data = os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "data", "lowering_reference.json"
    )
    reference = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, case in CASES.items():
            file = os.path.join(folder, name)
            try:
                ms.export(
                    Network(case.operation, case.constants).set_train(False),
                    *map(ms.Tensor, case.inputs),
                    file_name=file,
                    file_format="MINDIR",
                )
            except Exception as error:  # whatever MindSpore 2.0 did not know yet
                print(name, str(error).strip().split("\n")[0])
                continue
            found = primitives(file + ".mindir")
            reference[name] = {
                operator: found[operator] for operator in sorted(set(found) - STRUCTURE)
            }
    lines = [
        f"{json.dumps(name)}: {json.dumps(reference[name], sort_keys=True)}" for name in reference
    ]
    with open(data, "w") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(reference)} of {len(CASES)} cases written")


if __name__ == "__main__":
    main()
