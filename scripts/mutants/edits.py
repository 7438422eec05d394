"""A module's source to the edits that it allows. Offsets are bytes of the UTF-8 source, as ``ast`` counts columns."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

OPERATORS: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "//"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "//"),
    ast.Pow: ("**", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "&"),
}
COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: (r"is\s+not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
}
OPPOSITES = [("min", "max"), ("minimum", "maximum"), ("argmin", "argmax"), ("any", "all"), ("floor", "ceil")]
SWAPPED = {name: other for pair in OPPOSITES for name, other in (pair, pair[::-1])}
SIDES = {"left": "right", "right": "left"}  # of searchsorted

# Where a change cannot matter, or only to a reader.
TEXT_METHODS = {"__repr__", "__str__"}
LOGGERS = {"debug", "info", "warning", "warn", "log", "print"}
TYPE_CALLS = {"cast", "isinstance", "issubclass", "TypeVar", "NewType"}
IDLE_KEYWORDS = {"strict", "copy", "stacklevel", "maxsize"}


@dataclass(frozen=True, slots=True)
class Edit:
    """The bytes from `begin` to `end` become `text`; `line` counts from 1; `kind` is one word for the reports."""

    begin: int
    end: int
    text: str
    kind: str
    line: int

    def apply(self, source: bytes) -> bytes:
        """The source with this edit."""
        return source[: self.begin] + self.text.encode() + source[self.end :]


def edits(source: bytes) -> list[Edit]:
    """Every edit of a module, in the order of its source."""
    finder = _Finder(source)
    finder.visit(ast.parse(source))
    return sorted(finder.found, key=lambda edit: (edit.begin, edit.end, edit.text))


def parses(source: bytes) -> bool:
    """Whether Python would take the source: a number in a pattern, say, may not become a sum."""
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


class _Finder(ast.NodeVisitor):
    def __init__(self, source: bytes) -> None:
        self.source = source
        self.starts = [0]  # of each line
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.found: list[Edit] = []

    def _begin(self, node: ast.expr | ast.stmt) -> int:
        return self.starts[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.starts[node.end_lineno - 1] + node.end_col_offset

    def _text(self, node: ast.expr) -> str:
        return self.source[self._begin(node) : self._end(node)].decode()

    def _add(self, kind: str, begin: int, end: int, text: str) -> None:
        line = self.source.count(b"\n", 0, begin) + 1
        self.found.append(Edit(begin, end, text, kind, line))

    def _replace(self, kind: str, node: ast.expr | ast.stmt, text: str) -> None:
        self._add(kind, self._begin(node), self._end(node), text)

    def _between(self, kind: str, begin: int, end: int, pattern: str, text: str) -> None:
        """Replace the operator between two operands: besides it there are only blanks, brackets and comments."""
        gap = re.sub(rb"#[^\n]*", lambda comment: b" " * len(comment[0]), self.source[begin:end])
        operator = re.search(pattern.encode(), gap)
        assert operator, (gap, pattern)
        self._add(kind, begin + operator.start(), begin + operator.end(), text)

    def _visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    # --- what is left alone ---

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """A text."""

    def visit_Assert(self, node: ast.Assert) -> None:
        """Said to the type checker, or to a reader."""

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._visit_all(node.body)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name not in TEXT_METHODS:
            self._visit_all([*node.args.defaults, *node.args.kw_defaults, *node.body])

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_all([*node.args.defaults, *node.args.kw_defaults, node.body])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if not _is_dunder(node.target):
            self._visit_all([node.target, node.value])

    def visit_Assign(self, node: ast.Assign) -> None:
        if not any(map(_is_dunder, node.targets)) and not _is_type(node.value):
            self.generic_visit(node)

    # --- statements ---

    def visit_If(self, node: ast.If) -> None:
        said = ast.unparse(node.test)
        if "__name__" in said or "TYPE_CHECKING" in said:
            self._visit_all(node.orelse)
            return
        self._negate(node.test)
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value and not (
            isinstance(node.value, ast.Constant) and (node.value.value is None or isinstance(node.value.value, bool))
        ):
            self._replace("return", node.value, "None")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            if _name(node.value.func) in LOGGERS:
                return
            self._replace("call", node, "pass")
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if type(node.op) in OPERATORS:
            sign, other = OPERATORS[type(node.op)]
            begin, end = self._end(node.target), self._begin(node.value)
            self._between("operator", begin, end, re.escape(f"{sign}="), f"{other}=")
        self.generic_visit(node)

    # --- expressions ---

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._negate(test)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in OPERATORS and not any(map(_is_text, (node.left, node.right))):
            sign, other = OPERATORS[type(node.op)]
            self._between("operator", self._end(node.left), self._begin(node.right), re.escape(sign), other)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        sign, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in pairwise(node.values):
            self._between("boolean", self._end(left), self._begin(right), sign, other)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        self._add("boolean" if isinstance(node.op, ast.Not) else "operator", *self._sign_of(node), "")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for (left, right), sign in zip(pairwise([node.left, *node.comparators]), node.ops, strict=True):
            pattern, other = COMPARISONS[type(sign)]
            self._between("comparison", self._end(left), self._begin(right), pattern, other)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._replace("constant", node, str(not node.value))
        elif isinstance(node.value, int | float):
            for changed in (node.value + 1, node.value - 1):
                if changed != node.value:
                    self._replace("constant", node, repr(changed))

    def visit_Slice(self, node: ast.Slice) -> None:
        for bound in (node.lower, node.upper):
            if bound is not None and not _is_number(bound):
                self._replace("slice", bound, f"({self._text(bound)}) + 1")
        if node.lower is None:
            self._add("slice", self._begin(node), self._begin(node), "1")
        if node.upper is None and node.step is None:
            self._add("slice", self._end(node), self._end(node), "-1")
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and node.id in SWAPPED:
            self._replace("extreme", node, SWAPPED[node.id])

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Load) and node.attr in SWAPPED:
            self._add("extreme", self._end(node) - len(node.attr), self._end(node), SWAPPED[node.attr])
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = _name(node.func)
        types, shape = name in TYPE_CALLS, name == "reshape"  # any negative length is the one that fits
        for argument in node.args:
            if not ((types and _is_type(argument)) or (shape and _is_number(argument))):
                self.visit(argument)
        self.visit(node.func)
        self._visit_all(keyword for keyword in node.keywords if keyword.arg not in IDLE_KEYWORDS)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg == "side" and isinstance(node.value, ast.Constant) and node.value.value in SIDES:
            self._replace("extreme", node.value, repr(SIDES[node.value.value]))
        self.generic_visit(node)

    def _negate(self, test: ast.expr) -> None:
        """Turn a condition round, unless another edit does it already."""
        swapped = isinstance(test, ast.Compare) and isinstance(
            test.ops[0], ast.Eq | ast.NotEq | ast.Is | ast.IsNot | ast.In | ast.NotIn
        )
        turned = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        if not (swapped or turned or isinstance(test, ast.Constant | ast.NamedExpr)):
            self._replace("condition", test, f"not ({self._text(test)})")

    def _sign_of(self, node: ast.UnaryOp) -> tuple[int, int]:
        begin = self._begin(node)
        return begin, begin + len("not " if isinstance(node.op, ast.Not) else "-")


def _name(function: ast.expr) -> str:
    """The last name of what is called: `print`, or `debug` of ``self.log.debug``."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_number(node: ast.expr) -> bool:
    """A constant, with a sign or without."""
    return isinstance(node.operand if isinstance(node, ast.UnaryOp) else node, ast.Constant)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_dunder(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id.startswith("__")


def _is_type(node: ast.expr) -> bool:
    """Whether an expression names types, such as ``NDArray[np.int64] | None``."""
    return all(map(_may_be_in_a_type, ast.walk(node))) and any(map(_looks_like_a_type, _alternatives(node)))


def _alternatives(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp):
        yield from _alternatives(node.left)
        yield from _alternatives(node.right)
    else:
        yield node


def _may_be_in_a_type(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is None or node.value is ...
    kinds = ast.Name | ast.Attribute | ast.Subscript | ast.Tuple | ast.List | ast.BinOp | ast.BitOr | ast.Load
    return isinstance(node, kinds)


def _looks_like_a_type(node: ast.expr) -> bool:
    """By its name: a class or a built-in type."""
    base = node.value if isinstance(node, ast.Subscript) else node
    name = _name(base)
    return name in {"int", "float", "str", "bytes", "bool", "tuple", "list", "dict", "set", "frozenset", "object"} or (
        name.lstrip("_")[:1].isupper() and not name.isupper()
    )
