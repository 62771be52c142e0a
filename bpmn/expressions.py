"""Conditions of a diagram: names, constants, lists, comparisons, and / or / not.

Nothing here can call, fetch or grow.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

LIMIT = 500
# No backslash, no percent or braces, and no number that runs into a word: nothing Python's parser only warns about.
_PLAIN = re.compile(r"(?:[^\W\d]\w*|\d+(?:\.\d+)?(?!\w)|[\s'\"=!<>()\[\],-])*")

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_NODES = (
    *(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.Compare, ast.Constant, ast.Name, ast.Load),
    *(ast.List, ast.Tuple),
    *_COMPARE,
)


class ExpressionError(ValueError):
    """An expression that is refused, or cannot be decided from the values at hand. The message is for people."""


@lru_cache(maxsize=1024)
def compile_expression(text: str) -> ast.expr:
    """The checked tree of an expression; the linter calls this on upload, the engine on every decision (cached).

    Raises: ExpressionError for anything but the whitelist of this module.
    """
    if not text.strip():
        raise ExpressionError("条件是空的，请写条件或删去")
    if len(text) > LIMIT:
        raise ExpressionError(f"条件超过 {LIMIT} 个字符，请简化")
    if not _PLAIN.fullmatch(text):
        raise ExpressionError(f"条件“{text.strip()[:60]}”里有不能用的写法，请只用比较、and、or、not")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(f"条件“{text.strip()[:60]}”不成句，请检查写法") from None
    for node in ast.walk(tree.body):
        _check(node)
    return tree.body


def _check(node: ast.AST) -> None:
    if not isinstance(node, _NODES):
        raise ExpressionError("条件里有不能用的写法，请只用比较、and、or、not")
    if isinstance(node, ast.Name) and node.id.startswith("_"):
        raise ExpressionError(f"名称 {node.id} 不能以下划线开头，请改名")
    if isinstance(node, ast.Constant) and not isinstance(node.value, str | int | float | bool | type(None)):
        raise ExpressionError("条件里有不能用的常量，请只写文字、数和 True、False")


def names(text: str) -> frozenset[str]:
    """The names an expression reads. Raises: ExpressionError."""
    return frozenset(node.id for node in ast.walk(compile_expression(text)) if isinstance(node, ast.Name))


def evaluate(text: str, values: Mapping[str, Any]) -> Any:
    """The value of an expression. Raises: ExpressionError, also for a name without value or things not comparable."""
    try:
        return _value(compile_expression(text), values)
    except TypeError:
        raise ExpressionError(f"条件“{text}”比较了不能比较的值") from None


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            if node.id not in values:
                raise ExpressionError(f"条件用到的 {node.id} 没有值")
            return values[node.id]
        case ast.List() | ast.Tuple():
            return [_value(element, values) for element in node.elts]
        case ast.UnaryOp():
            return not _value(node.operand, values)
        case ast.BoolOp():
            stop = isinstance(node.op, ast.Or)
            return stop if any(bool(_value(v, values)) is stop for v in node.values) else not stop
        case ast.Compare():
            return _compare(node, values)
    raise ExpressionError("条件里有不能用的写法")


def _compare(node: ast.Compare, values: Mapping[str, Any]) -> bool:
    left = _value(node.left, values)
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        right = _value(right_node, values)
        if not _COMPARE[type(op)](left, right):
            return False
        left = right
    return True
