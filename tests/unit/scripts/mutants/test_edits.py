"""Which edits a source allows, and which places are left alone."""

from __future__ import annotations

import pytest

from scripts.mutants.edits import edits, parses


def changed(source: str, kind: str = "") -> list[str]:
    """The source with each of its edits."""
    data = source.encode()
    return [edit.apply(data).decode() for edit in edits(data) if kind in ("", edit.kind)]


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        ("a + b", "operator", ["a - b"]),
        ("a - b", "operator", ["a + b"]),
        ("a * b", "operator", ["a // b"]),
        ("a / b", "operator", ["a * b"]),
        ("a // b", "operator", ["a * b"]),
        ("a % b", "operator", ["a // b"]),
        ("a ** b", "operator", ["a * b"]),
        ("a << b", "operator", ["a >> b"]),
        ("a >> b", "operator", ["a << b"]),
        ("a & b", "operator", ["a | b"]),
        ("a | b", "operator", ["a & b"]),
        ("a ^ b", "operator", ["a & b"]),
        ("-a", "operator", ["a"]),
        ("~a", "operator", ["a"]),
        ("a += b", "operator", ["a -= b"]),
        ("a <<= b", "operator", ["a >>= b"]),
        ("(a\n  # plus + and minus\n  ) + (b)", "operator", ["(a\n  # plus + and minus\n  ) - (b)"]),
        ("'ä', a + b", "operator", ["'ä', a - b"]),
        ("a < b", "comparison", ["a <= b"]),
        ("a <= b", "comparison", ["a < b"]),
        ("a > b", "comparison", ["a >= b"]),
        ("a >= b", "comparison", ["a > b"]),
        ("a == b", "comparison", ["a != b"]),
        ("a != b", "comparison", ["a == b"]),
        ("a is b", "comparison", ["a is not b"]),
        ("a is  not b", "comparison", ["a is b"]),
        ("a in b", "comparison", ["a not in b"]),
        ("a not in b", "comparison", ["a in b"]),
        ("a < b < c", "comparison", ["a <= b < c", "a < b <= c"]),
        ("a and b and c", "boolean", ["a or b and c", "a and b or c"]),
        ("a or b", "boolean", ["a and b"]),
        ("not a", "boolean", ["a"]),
        ("x = 120", "constant", ["x = 119", "x = 121"]),
        ("x = 0.5", "constant", ["x = -0.5", "x = 1.5"]),
        ("x = 1e300", "constant", []),
        ("x = True", "constant", ["x = False"]),
        ("def f():\n    return a", "return", ["def f():\n    return None"]),
        ("def f():\n    return None", "return", []),
        ("def f():\n    return False", "return", []),  # as false as None
        ("def f():\n    return 0", "return", ["def f():\n    return None"]),
        ("os.fsync(a)", "call", ["pass"]),
        ("x[:n]", "slice", ["x[1:n]", "x[:(n) + 1]"]),
        ("x[n:]", "slice", ["x[(n) + 1:]", "x[n:-1]"]),
        ("x[n::2]", "slice", ["x[(n) + 1::2]"]),
        ("x[1:2]", "slice", []),
        ("x[:-1]", "slice", ["x[1:-1]"]),  # of which the constant's edits are the rest
        ("x = a.reshape(n, -1)", "", []),
        ("a.reshape(n + 1, -1)", "operator", ["a.reshape(n - 1, -1)"]),
        ("min(a)", "extreme", ["max(a)"]),
        ("np.maximum(a, b)", "extreme", ["np.minimum(a, b)"]),
        ("a.max()", "extreme", ["a.min()"]),
        ("np.searchsorted(a, b, side='left')", "extreme", ["np.searchsorted(a, b, side='right')"]),
        ("if a:\n    b", "condition", ["if not (a):\n    b"]),
        ("a if b < c else d", "condition", ["a if not (b < c) else d"]),
        ("[a for a in b if c]", "condition", ["[a for a in b if not (c)]"]),
        ("while a:\n    b", "condition", ["while not (a):\n    b"]),
        ("if not a:\n    b", "condition", []),
        ("if a == b:\n    c", "condition", []),
    ],
)
def test_an_edit_changes_one_thing(source: str, kind: str, expected: list[str]) -> None:
    assert sorted(changed(source, kind)) == sorted(expected)


@pytest.mark.parametrize(
    "source",
    [
        '"""A text of 3 lines."""',
        'def f() -> "int | None":\n    """Returns 1."""',
        "def f(a: int | None, *b: tuple[int, 3]) -> list[int]: ...",
        "x: Final[int | None]",
        "Value = int | None",
        "Floats = NDArray[np.float64] | None",
        "_Inner = Sequence[tuple[bytes, ...]]",
        "__slots__ = ('a', 'b')",
        "__version__ = 1",
        "class A:\n    def __repr__(self):\n        return 1",
        "f'{a + 1} samples'",
        "'a' + b",
        "assert a < 1",
        "log.debug(a + 1)",
        "print(1)",
        "if TYPE_CHECKING:\n    x = 1",
        "if __name__ == '__main__':\n    main()",
        "@cache(maxsize=3)\ndef f(): ...",
        "x = zip(a, b, strict=True)",
        "x = a.astype(b, copy=False)",
        "x = isinstance(a, int | Sequence)",
        "x = cast(int | None, a)",
        "import a",
    ],
)
def test_what_cannot_matter_is_left_alone(source: str) -> None:
    assert changed(source) == []


def test_a_value_that_is_no_type_is_not_left_alone() -> None:
    assert changed("MASK = A | B") == ["MASK = A & B"]
    assert changed("x = isinstance(a, B)") == []
    assert changed("x = flags | more") == ["x = flags & more"]


def test_an_edit_knows_its_line() -> None:
    assert [(edit.line, edit.kind) for edit in edits(b"x = a\n\ny = (b\n  + c)\n")] == [(4, "operator")]


def test_a_source_that_python_would_not_take_is_known() -> None:
    assert parses(b"x = 1")
    assert not parses(b"x = = 1")
