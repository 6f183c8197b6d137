"""The mutants of a Python file: conditions, comparisons, numbers, names and statements, one changed at a time.

What is decorated and what a module does when it is imported is mutated too. Left alone are annotations, docstrings, the
words of messages, and what only a type checker reads.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from fw_pipeline_tests.tools.mutation.mutant import Mutant, mutant

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
CALLED = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "sorted": "list",
    "startswith": "endswith",
    "endswith": "startswith",
    "removeprefix": "removesuffix",
    "removesuffix": "removeprefix",
    "first": "last",
    "last": "first",
}


def mutants(file: str, text: str) -> Iterator[Mutant]:
    """Yield every mutant of a file, in the order of its lines."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    lines = text.splitlines()

    def offset(line: int, column: int) -> int:
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    for node, put in _changes(ast.parse(text)):
        start, end = offset(node.lineno, node.col_offset), offset(node.end_lineno or 0, node.end_col_offset or 0)
        yield mutant(file, text, start, end, put)


def _changes(tree: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    for node in _places(tree):
        if isinstance(node, ast.stmt):
            yield from ((node, put) for put in _of_statement(node))
        elif isinstance(node, ast.expr):
            yield from ((node, put) for put in _of_expression(node))


def _places(node: ast.AST, *, words: bool = True) -> Iterator[ast.AST]:
    """Yield the nodes that may be mutated; `words` is whether texts are more than a message here."""
    if isinstance(node, ast.JoinedStr):
        return  # until Python 3.12, what stands inside has no position of its own
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and not words:
        return
    yield node
    words = words and not isinstance(node, ast.Raise)
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _places(child, words=words)


def _of_statement(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.Delete():
            yield "pass"
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield "return None"
        case ast.Continue():
            yield "break"
        case ast.Break():
            yield "continue"
        case ast.AugAssign(op=op) if type(op) in COUNTED:
            changed = copy.copy(node)
            changed.op = COUNTED[type(op)]()
            yield ast.unparse(changed)
        case _:
            pass


def _of_expression(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=value):
            yield from _of_constant(value)
        case ast.BinOp(op=op, left=left, right=right) if type(op) in COUNTED:
            yield f"({ast.unparse(ast.BinOp(left, COUNTED[type(op)](), right))})"
        case ast.Call(func=ast.Name(id=name)) if name in CALLED:
            yield ast.unparse(ast.Call(ast.Name(CALLED[name]), node.args, node.keywords))
        case ast.Call(func=ast.Attribute(attr=name, value=value)) if name in CALLED:
            yield ast.unparse(ast.Call(ast.Attribute(value, CALLED[name]), node.args, node.keywords))
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            yield from _without_conditions(node)
        case _:
            yield from _of_condition(node)


def _of_constant(value: object) -> Iterator[str]:
    if isinstance(value, bool):
        yield str(not value)
    elif isinstance(value, int):
        yield str(value + 1)
    elif isinstance(value, str) and value and not {" ", "\n"} & set(value):
        yield repr(f"{value}_")


def _of_condition(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Compare(ops=[op], left=left, comparators=compared):
            yield f"({ast.unparse(ast.Compare(left, [COMPARED[type(op)]()], compared))})"
        case ast.BoolOp(op=op, values=values):
            yield f"({ast.unparse(ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values))})"
            for number in range(len(values)):
                rest = [*values[:number], *values[number + 1 :]]
                yield f"({ast.unparse(ast.BoolOp(op, rest) if len(rest) > 1 else rest[0])})"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield f"({ast.unparse(operand)})"
        case ast.IfExp(test=test, body=body, orelse=other):
            yield f"({ast.unparse(ast.IfExp(test, other, body))})"
        case _:
            pass


def _without_conditions(node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Iterator[str]:
    for number, generator in enumerate(node.generators):
        if generator.ifs:
            changed = copy.deepcopy(node)
            changed.generators[number].ifs = []
            yield ast.unparse(changed)
