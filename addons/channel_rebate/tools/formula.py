"""Formulas of people, as SQL: arithmetic over a few names, and nothing else.

A formula is read as a Python expression, each node of which must be on the list below, and becomes a SQL expression
over `numeric`. It is therefore exact, runs on all rows at once, and can neither call nor reach anything.

* numbers, the given names, `+ - * / //`, `min(...)`, `max(...)`, `abs(x)`, `round(x, digits)`, `floor(x)`, `ceil(x)`
* `a if condition else b`, where a condition is a comparison (`< <= > >= == !=`), `and`, `or`, `not`
* what is divided by zero is zero
"""

import ast
from decimal import Decimal

from odoo.tools import SQL

#: What a formula over a line may name; for one unit of the line where it says price, else for the whole line.
LINE_NAMES = ("quantity", "points", "net", "gross", "cash", "list", "contract", "tax")
#: What a formula over a window may name.
WINDOW_NAMES = ("qualifying", "earning", "lines", "baseline", "target", "market", "guarantee", "variable", "days")

MAX_LENGTH = 1000
MAX_NODES = 200
MAX_NUMBER = 10**15

_OPERATORS = {ast.Add: SQL("+"), ast.Sub: SQL("-"), ast.Mult: SQL("*")}
_COMPARISONS = {
    ast.Lt: SQL("<"),
    ast.LtE: SQL("<="),
    ast.Gt: SQL(">"),
    ast.GtE: SQL(">="),
    ast.Eq: SQL("="),
    ast.NotEq: SQL("<>"),
}
#: name -> (SQL function, least number of arguments, most)
_FUNCTIONS = {
    "min": (SQL("LEAST"), 2, 20),
    "max": (SQL("GREATEST"), 2, 20),
    "abs": (SQL("abs"), 1, 1),
    "floor": (SQL("floor"), 1, 1),
    "ceil": (SQL("ceil"), 1, 1),
}


def compile_formula(text, names):
    """Check a formula and return a function that makes SQL of it.

    :param str text: the formula
    :param names: names that it may use
    :return: function of `{name: SQL}` -> SQL expression of type numeric
    :raise ValueError: the formula says anything that is not on the list; the message says what
    """
    text = (text or "").strip()
    if not text:
        raise ValueError("it is empty")
    if len(text) > MAX_LENGTH:
        raise ValueError(f"it is longer than {MAX_LENGTH} characters")
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ValueError(f"it cannot be read ({error})") from error
    if sum(1 for _node in ast.walk(tree)) > MAX_NODES:
        raise ValueError(f"it has more than {MAX_NODES} parts")
    _number(tree.body, {name: SQL("0") for name in names})
    return lambda values: _number(tree.body, values)


def _number(node, values):
    match node:
        case ast.Constant(value=bool()):
            raise ValueError(f"{node.value} is no number")
        case ast.Constant(value=int() | float()):
            if not abs(node.value) <= MAX_NUMBER:
                raise ValueError(f"{node.value} is too large")
            return SQL("%s::numeric", Decimal(str(node.value)))
        case ast.Name():
            if node.id not in values:
                raise ValueError(f"“{node.id}” is no name that it may use")
            return SQL("%s::numeric", values[node.id])
        case ast.UnaryOp(op=ast.USub()):
            return SQL("(-%s)", _number(node.operand, values))
        case ast.UnaryOp(op=ast.UAdd()):
            return _number(node.operand, values)
        case ast.BinOp(op=ast.Div() | ast.FloorDiv()):
            result = SQL(
                "COALESCE(%s / NULLIF(%s, 0), 0)", _number(node.left, values), _number(node.right, values)
            )
            return SQL("floor(%s)", result) if isinstance(node.op, ast.FloorDiv) else result
        case ast.BinOp() if type(node.op) in _OPERATORS:
            return SQL("(%s %s %s)", _number(node.left, values), _OPERATORS[type(node.op)], _number(node.right, values))
        case ast.IfExp():
            return SQL(
                "CASE WHEN %s THEN %s ELSE %s END",
                _condition(node.test, values),
                _number(node.body, values),
                _number(node.orelse, values),
            )
        case ast.Call(func=ast.Name(id="round"), keywords=[], args=[value]):
            return SQL("round(%s)", _number(value, values))
        case ast.Call(func=ast.Name(id="round"), keywords=[], args=[value, ast.Constant(value=int() as digits)]):
            if not 0 <= digits <= 12:
                raise ValueError(f"round to {digits} digits: choose 0 to 12")
            return SQL("round(%s, %s)", _number(value, values), int(digits))
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in _FUNCTIONS:
            function, least, most = _FUNCTIONS[name]
            if not least <= len(node.args) <= most:
                raise ValueError(f"{name} takes {least} to {most} values")
            return SQL("%s(%s)", function, SQL(", ").join(_number(value, values) for value in node.args))
    raise ValueError(f"“{ast.unparse(node)}” is not allowed")


def _condition(node, values):
    match node:
        case ast.Compare():
            sides = [_number(side, values) for side in (node.left, *node.comparators)]
            if any(type(operator) not in _COMPARISONS for operator in node.ops):
                raise ValueError(f"“{ast.unparse(node)}” is not allowed")
            return SQL("(%s)", SQL(" AND ").join(
                SQL("%s %s %s", left, _COMPARISONS[type(operator)], right)
                for left, operator, right in zip(sides, node.ops, sides[1:], strict=False)
            ))
        case ast.BoolOp():
            word = SQL(" AND ") if isinstance(node.op, ast.And) else SQL(" OR ")
            return SQL("(%s)", word.join(_condition(value, values) for value in node.values))
        case ast.UnaryOp(op=ast.Not()):
            return SQL("(NOT %s)", _condition(node.operand, values))
    raise ValueError(f"“{ast.unparse(node)}” is no condition")
