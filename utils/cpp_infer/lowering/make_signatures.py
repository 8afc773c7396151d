"""Derive signatures.json: how each operator of a current MindSpore was written in MindSpore 2.0.

    pip download --no-deps --only-binary=:all: --python-version 3.7 --implementation cp --abi cp37m \
        --platform manylinux1_x86_64 mindspore==2.0.0
    python make_signatures.py mindspore-2.0.0-*.whl

Both sides are read, never run: the new one from the installed MindSpore's generated operator classes, the old
one from the wheel's operator classes. An operator comes into the table where both agree on what is a tensor
input and what is an attribute.
"""
import ast
import importlib.util
import json
import sys
import zipfile
from pathlib import Path

OLD_FILES = "mindspore/ops/operations/"
NEW_FILES = ("ops/auto_generate/gen_ops_prim.py", "ops/operations/manually_defined/ops_def.py")
HANDLER_KINDS = {"dtype_to_type_id": "type", "_normalize_int_sequence": "ints"}


def functions(tree):
    """{class name: (class, {method name: method})} of a module."""
    return {node.name: (node, {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)})
            for node in tree.body if isinstance(node, ast.ClassDef)}


def calls(tree, attribute):
    """Every call of a method or function named `attribute`."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)
            and attribute in (getattr(node.func, "attr", None), getattr(node.func, "id", None))]


def new_signature(methods):
    """[(argument, handler or None, is attribute)] in the order in which version 3 of MindIR lists them."""
    handlers = {}
    for call in calls(methods.get("__init__", ast.Pass()), "_set_prim_arg_with_handler"):
        handlers[call.args[0].value] = call.args[2].id
    for call in calls(methods["__call__"], "dtype_to_type_id"):
        handlers[ast.unparse(call.args[2])] = "dtype_to_type_id"
    for node in ast.walk(methods["__call__"]):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).startswith("new_generated_"):
            handlers[ast.unparse(node.targets[0])[14:]] = next(
                (call.func.id for call in ast.walk(node.value) if isinstance(call, ast.Call)
                 and isinstance(call.func, ast.Name)), None)
    run = calls(methods["__call__"], "run_op")
    own = calls(methods["__call__"], "__call__")
    if run:
        order = run[0].args[2:]
    else:
        order = own[0].args if own else [ast.Name(item.arg) for item in methods["__call__"].args.args[1:]]
    names = [ast.unparse(argument).replace("new_generated_", "") for argument in order]
    return [(name.replace("self.", ""), handlers.get(name.replace("self.", "")), name.startswith("self."))
            for name in names]


def old_signatures(wheel):
    """{operator: (arguments of __init__, input names or None, output names)} of MindSpore 2.0."""
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
        inputs = outputs = None
        for call in calls(init, "init_prim_io_names"):
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            inputs, outputs = (_literal(given.get(key) or call.args[at]) for at, key in enumerate(("inputs", "outputs")))
        found[name] = ([argument.arg for argument in init.args.args[1:]], inputs, outputs)
    return found


def _literal(node):
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def main(wheel):
    package = Path(importlib.util.find_spec("mindspore").origin).parent
    table = {}
    for file in NEW_FILES:
        for name, (_, methods) in functions(ast.parse((package / file).read_text())).items():
            if "__call__" in methods:
                table[name] = new_signature(methods)
    old = old_signatures(wheel)
    signatures = {}
    for name, arguments in sorted(table.items()):
        if name not in old:
            continue
        old_attributes, inputs, outputs = old[name]
        if arguments and arguments[0][0] == "*args":
            arguments = [(argument, None, False) for argument in inputs] + arguments[1:]
        kept = [argument for argument in arguments if not argument[2]]
        if inputs is not None and len(inputs) != len(kept):
            continue
        if not all(argument[0] in old_attributes for argument in arguments if argument[2]):
            continue
        signatures[name] = {"keep": len(kept), "inputs": inputs or [], "outputs": outputs or [],
                            "arguments": [argument + (f":{HANDLER_KINDS[handler]}" if handler in HANDLER_KINDS else
                                                      f":{argument}" if handler == "str_to_enum" else "")
                                          for argument, handler, _ in arguments]}
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in signatures.items()]
    (Path(__file__).parent / "signatures.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(signatures)} operators of {len(table)}")


if __name__ == "__main__":
    main(sys.argv[1])
