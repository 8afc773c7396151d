"""Derive signatures.json: how each operator of a current MindSpore was written in MindSpore 2.0.

    pip download --no-deps --only-binary=:all: --python-version 3.7 --implementation cp --abi cp37m
    \
        --platform manylinux1_x86_64 mindspore==2.0.0
    python make_signatures.py mindspore-2.0.0-*.whl

Both sides are read, never run: the new one from the installed MindSpore's generated operator
classes, the old one from the wheel's operator classes. An operator comes into the table where both
agree on what is a tensor input and what is an attribute.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
import zipfile
from pathlib import Path

OLD_FILES = "mindspore/ops/operations/"
# Not operators of the Python API, but of every graph.
STRUCTURE = {
    "MakeTuple",
    "MakeList",
    "TupleGetItem",
    "ListGetItem",
    "Depend",
    "Load",
    "UpdateState",
    "Return",
    "Partial",
    "Switch",
    "SwitchLayer",
    "Call",
}
# Second names that MindSpore 2.0 adds when it infers shapes, not in __init__.
INFERRED = {"BatchMatMul": {"transpose_x1": "transpose_a", "transpose_x2": "transpose_b"}}
NEW_FILES = ("ops/auto_generate/gen_ops_prim.py", "ops/operations/manually_defined/ops_def.py")
KINDS = {
    "",
    "ints",
    "type",
    "pad_mode",
    "data_format",
    "reduction",
    "indexing",
    "interpolation_mode",
    "padding_mode",
    "norm",
    "coordinate_transformation_mode",
}
HANDLER_KINDS = {"dtype_to_type_id": "type", "_normalize_int_sequence": "ints"}


def functions(tree: ast.Module) -> dict[str, tuple[ast.ClassDef, dict[str, ast.FunctionDef]]]:
    """{class name: (class, {method name: method})} of a module."""
    return {
        node.name: (
            node,
            {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)},
        )
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }


def calls(tree: ast.AST, attribute: str) -> list[ast.Call]:
    """Every call of a method or function named `attribute`."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and attribute in (getattr(node.func, "attr", None), getattr(node.func, "id", None))
    ]


def new_signature(methods: dict[str, ast.FunctionDef]) -> list[tuple[str, str | None, bool]]:
    """[(argument, handler or None, is attribute)] in the order in which version 3 of MindIR
    lists them.
    """
    handlers = {}
    for call in calls(methods.get("__init__", ast.Pass()), "_set_prim_arg_with_handler"):
        handlers[call.args[0].value] = call.args[2].id
    for call in calls(methods.get("__init__", ast.Pass()), "str_to_enum"):
        handlers[call.args[1].value] = "str_to_enum"
    for call in calls(methods["__call__"], "dtype_to_type_id"):
        handlers[ast.unparse(call.args[2])] = "dtype_to_type_id"
    for node in ast.walk(methods["__call__"]):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).startswith(
            "new_generated_"
        ):
            handlers[ast.unparse(node.targets[0])[14:]] = next(
                (
                    call.func.id
                    for call in ast.walk(node.value)
                    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
                ),
                None,
            )
    run = calls(methods["__call__"], "run_op")
    own = calls(methods["__call__"], "__call__")
    if run:
        order = run[0].args[2:]
    else:
        order = (
            own[0].args
            if own
            else [ast.Name(item.arg) for item in methods["__call__"].args.args[1:]]
        )
    names = [ast.unparse(argument).replace("new_generated_", "") for argument in order]
    return [
        (
            name.replace("self.", ""),
            handlers.get(name.replace("self.", "")),
            name.startswith("self."),
        )
        for name in names
    ]


def old_signatures(wheel: str) -> dict[str, tuple[list, list | None, list | None, dict]]:
    """{operator: (arguments of __init__, input names or None, output names, further attributes)}
    of MindSpore 2.0.
    """
    classes, found = {}, {}
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if name.startswith(OLD_FILES) and name.endswith(".py"):
                for key, value in functions(ast.parse(archive.read(name))).items():
                    classes.setdefault(key, value)
    for name in classes:
        owner = name
        while owner in classes and "__init__" not in classes[owner][1]:
            owner = next((ast.unparse(base) for base in classes[owner][0].bases), None)
        if owner not in classes:
            continue
        init = classes[owner][1]["__init__"]
        inputs, outputs = io_names(classes, owner)
        arguments = [argument.arg for argument in init.args.args[1:]]
        found[name] = (arguments, inputs, outputs, further_attributes(name, init, arguments))
    return found


def io_names(classes: dict[str, tuple], owner: str) -> list | tuple[None, None]:
    """The names of inputs and outputs that __init__ gives, its own or the one it calls; (None,
    None) without.
    """
    while owner in classes:
        init = classes[owner][1].get("__init__", ast.Pass())
        for call in calls(init, "init_prim_io_names"):
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            return [
                literal(given.get(key) or call.args[at])
                for at, key in enumerate(("inputs", "outputs"))
            ]
        owner = next((ast.unparse(base) for base in classes[owner][0].bases), None)
    return None, None


def further_attributes(name: str, init: ast.FunctionDef, arguments: list[str]) -> dict:
    """{attribute: literal, or the argument it repeats} that __init__ always adds to the
    arguments themselves.
    """
    added = {}
    for statement in init.body:
        call = getattr(statement, "value", None)
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "add_prim_attr":
            attribute, value = call.args[0].value, ast.unparse(call.args[1]).replace("self.", "")
            if value == "name":
                added[attribute] = name
            elif attribute not in arguments and (
                value in arguments or literal(call.args[1]) is not None
            ):
                added[attribute] = value if value in arguments else literal(call.args[1])
    return added


def literal(node: ast.expr) -> object:
    """The value of a literal expression, or None."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def merge(name: str, arguments: list[tuple], old: tuple) -> dict:
    """The table's entry for one operator, without "arguments" where the sides differ by more
    than a value's place.
    """
    attributes, inputs, outputs, also = old
    also = {**also, **INFERRED.get(name, {})}
    entry = {
        **({"inputs": inputs, "outputs": outputs} if inputs else {}),
        **({"also": also} if also else {}),
    }
    if arguments and arguments[0][0] == "*args":
        arguments = [(argument, None, False) for argument in inputs] + arguments[1:]
    kept = [argument for argument in arguments if not argument[2]]
    named = [
        argument
        + (
            f":{HANDLER_KINDS[handler]}"
            if handler in HANDLER_KINDS
            else f":{argument}"
            if handler == "str_to_enum"
            else ""
        )
        for argument, handler, _ in arguments
    ]
    fits = (inputs is None or len(inputs) == len(kept)) and arguments[: len(kept)] == kept
    if (
        fits
        and all(item[0] in attributes for item in arguments if item[2])
        and all(item.partition(":")[2] in KINDS for item in named)
    ):
        entry.update(keep=len(kept), arguments=named)
    return entry


def main(wheel: str) -> None:
    package = Path(importlib.util.find_spec("mindspore").origin).parent
    new = {}
    for file in NEW_FILES:
        for name, (_, methods) in functions(ast.parse((package / file).read_text())).items():
            if "__call__" in methods:
                new[name] = new_signature(methods)
    # inference only
    old = {name: value for name, value in old_signatures(wheel).items() if "Grad" not in name}
    entries = {name: merge(name, new[name], old[name]) for name in sorted(old) if name in new}
    lines = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries.items()]
    unchanged = sorted(set(old) - set(entries) | STRUCTURE)
    (Path(__file__).parent / "signatures.json").write_text(
        '{"operators": {\n'
        + ",\n".join(lines)
        + '},\n"unchanged": '
        + json.dumps(unchanged)
        + "}\n"
    )
    moved = sum("arguments" in entry for entry in entries.values())
    print(
        f"{moved} operators moved back, {len(unchanged)} unchanged, of {len(new)} new and"
        f" {len(old)} old"
    )


if __name__ == "__main__":
    main(sys.argv[1])
